"""Sequences of their own."""

from tests.builders.schema_cases.case import ADA, KEPT, A, Case, people, tables

CASES: dict[str, Case] = {
    "a sequence that starts elsewhere": Case(
        tables(people(A), sequences=[{"name": "s", "start": 5}]),
        tables(people(A), sequences=[{"name": "s", "start": 7, "increment": 2}]),
        {"change sequence"},
        ADA,
        KEPT,
    ),
}
