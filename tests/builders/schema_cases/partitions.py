"""Partitioned tables and their parts."""

from tests.builders.schema_cases.case import PARTED, YEARS, Case, tables

CASES: dict[str, Case] = {
    "a partition": Case(
        tables(PARTED | {"partitions": YEARS[:1]}),
        tables(PARTED | {"partitions": YEARS}),
        {"create partition"},
        "INSERT INTO log VALUES ('2025-05-05', 'x')",
        ("SELECT said FROM log", [("x",)]),
    ),
    "a partition less": Case(
        tables(PARTED | {"partitions": YEARS}),
        tables(PARTED | {"partitions": YEARS[1:]}),
        {"drop partition"},
        "INSERT INTO log VALUES ('2026-05-05', 'x')",
        ("SELECT said FROM log", [("x",)]),
        {"partition log_2025"},
    ),
}
