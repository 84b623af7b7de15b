"""Names of tables and columns as SQL tells them apart: DuckDB takes `A` to `Z` for `a` to `z`, and no other letters."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

from dataforge.kernel.texts import Text
from versioned_tables.errors import SchemaMismatch

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def sql_name(name: str) -> str:
    """What a name is to SQL; names with the same one cannot be told apart there."""
    return name.translate(_LOWER)


def require_distinct(names: Iterable[str], what: str) -> None:
    """Raise SchemaMismatch naming two names that are the same, or differ only in capitals."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.get(sql_name(name))
        if other is None:
            seen[sql_name(name)] = name
            continue
        how = "have the same name" if other == name else "differ only in capitals, which SQL does not tell apart"
        raise SchemaMismatch(
            Text("Two {what}, {other!r} and {name!r}, {how}.", what=what, other=other, name=name, how=how),
            facts={"names": [other, name]},
        )


def matched_names(names: Sequence[str], known: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of a file, spelled as a table has them where they differ only in capitals; and what was changed.

    A name that the table or the file has to the letter stays what it is.
    """
    exact = set(known)
    folded: dict[str, list[str]] = {}
    for name in exact:
        folded.setdefault(name.casefold(), []).append(name)
    taken = set(names)
    found: list[str] = []
    notes: list[str] = []
    for name in names:
        others = folded.get(name.casefold(), [])
        if name in exact or len(others) != 1 or others[0] in taken:
            found.append(name)
            continue
        taken.add(others[0])
        found.append(others[0])
        notes.append(
            Text("Column {name!r} was read as {others!r}, the name it has in the table.", name=name, others=others[0])
        )
    return found, notes
