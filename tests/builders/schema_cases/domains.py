"""Domains."""

from tests.builders.schema_cases.case import ADA, KEPT, Case, people, tables
from tests.builders.schemas import column

CASES: dict[str, Case] = {
    "the type below a domain": Case(
        tables(people(column("a", "code")), domains=[{"id": "d", "name": "code", "dataType": "VARCHAR(9)"}]),
        tables(people(column("a", "code")), domains=[{"id": "d", "name": "code", "dataType": "TEXT"}]),
        {"rebuild domain"},
        ADA,
        KEPT,
    ),
    "a check of a domain": Case(
        tables(people(column("a", "code")), domains=[{"name": "code", "dataType": "TEXT"}]),
        tables(
            people(column("a", "code")),
            domains=[{"name": "code", "dataType": "TEXT", "checks": [{"expr": "VALUE <> ''"}]}],
        ),
        {"change domain"},
        ADA,
        KEPT,
    ),
}
