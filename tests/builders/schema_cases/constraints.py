"""Keys, uniques, checks and foreign keys."""

from tests.builders.schema_cases.case import ADA, KEPT, OTHER, A, Case, link, people, tables
from tests.builders.schemas import table

CASES: dict[str, Case] = {
    "a unique": Case(
        tables(people(A)), tables(people(A, uniques=[{"columns": ["a"]}])), {"add unique constraint"}, ADA, KEPT
    ),
    "a unique that takes one null": Case(
        tables(people(A, uniques=[{"columns": ["a"]}])),
        tables(people(A, uniques=[{"columns": ["a"], "nullsDistinct": False}])),
        {"drop unique constraint", "add unique constraint"},
        ADA,
        KEPT,
    ),
    "a check": Case(
        tables(people(A)), tables(people(A, checks=[{"expr": "a <> ''"}])), {"add check", "validate"}, ADA, KEPT
    ),
    "a foreign key": Case(
        tables(people(A), table("orders", OTHER)),
        tables(people(A), table("orders", OTHER), relationships=[link("orders", "people", onDelete="cascade")]),
        {"add foreign key", "validate"},
        ADA + "; INSERT INTO orders (other_id) VALUES (1)",
        ("SELECT other_id FROM orders", [(1,)]),
    ),
    "a foreign key that forgets one column": Case(
        tables(people(A), table("orders", OTHER)),
        tables(
            people(A),
            table("orders", OTHER),
            relationships=[link("orders", "people", onDelete="set null", onDeleteColumns=["other_id"], match="full")],
        ),
        {"add foreign key"},
        ADA,
        KEPT,
    ),
    "foreign keys in a circle": Case(
        tables(people(A)),
        tables(
            people(A, OTHER),
            table("orders", OTHER),
            relationships=[link("orders", "people"), link("people", "orders", initiallyDeferred=True)],
        ),
        {"create table", "add column", "add foreign key"},
        ADA,
        KEPT,
    ),
}
