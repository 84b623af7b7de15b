"""Changes of schemas, each with rows in it; a file for each group, and all of them by name."""

from tests.builders.schema_cases import (
    columns,
    composites,
    constraints,
    counters,
    domains,
    enums,
    exchanges,
    fields,
    indexes,
    keys,
    moves,
    names,
    numbers,
    partitions,
    parts,
    renames,
    sequences,
    shown,
    statistics,
    tables,
    types,
    unchanged,
    views,
)
from tests.builders.schema_cases.case import Case

_GROUPS = (
    columns,
    composites,
    constraints,
    counters,
    domains,
    enums,
    exchanges,
    fields,
    indexes,
    keys,
    moves,
    names,
    numbers,
    partitions,
    parts,
    renames,
    sequences,
    shown,
    statistics,
    tables,
    types,
    unchanged,
    views,
)


def _merged() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for group in _GROUPS:
        twice = cases.keys() & group.CASES.keys()
        if twice:
            message = f"two cases have one name: {sorted(twice)}"
            raise ValueError(message)
        cases |= group.CASES
    return cases


CASES = _merged()
