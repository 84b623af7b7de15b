"""Indexes of tables."""

from tests.builders.schema_cases.case import ADA, KEPT, A, Case, people, tables

CASES: dict[str, Case] = {
    "an index": Case(tables(people(A)), tables(people(A, indexes=[{"columns": ["a"]}])), {"create index"}, ADA, KEPT),
    "an index of an expression over some rows": Case(
        tables(people(A)),
        tables(people(A, indexes=[{"keys": [{"expr": "lower(a)", "order": "desc"}], "where": "a IS NOT NULL"}])),
        {"create index"},
        ADA,
        KEPT,
    ),
    "another name of an index": Case(
        tables(people(A, indexes=[{"name": "i", "columns": ["a"]}])),
        tables(people(A, indexes=[{"name": "j", "columns": ["a"]}])),
        {"rename index"},
        ADA,
        KEPT,
    ),
}
