"""Views and materialized views."""

from tests.builders.schema_cases.case import ADA, KEPT, SEEN, A, Case, named, people, tables
from tests.builders.schemas import column

CASES: dict[str, Case] = {
    "a type below a view": Case(
        tables(people(A), views=[SEEN]),
        tables(people(column("a", "VARCHAR(40)")), views=[SEEN]),
        {"change type", "rebuild view", "create view"},
        ADA,
        ("SELECT a FROM seen", [("Ada",)]),
    ),
    "a name below a view": Case(
        tables(people(A), views=[SEEN]),
        tables(people(named(A, "x")), views=[SEEN | {"query": "SELECT id, x AS a FROM people"}]),
        {"rename column"},
        ADA,
        ("SELECT a FROM seen", [("Ada",)]),
    ),
    "a view": Case(
        tables(people(A)),
        tables(people(A), views=[SEEN | {"options": {"security_invoker": True}, "comment": "who"}]),
        {"create view"},
        ADA,
        ("SELECT a FROM seen", [("Ada",)]),
    ),
    "a view that is kept as rows": Case(
        tables(people(A)),
        tables(people(A), views=[SEEN | {"materialized": True, "indexes": [{"columns": ["id"], "unique": True}]}]),
        {"create materialized view"},
        ADA,
        ("SELECT a FROM seen", [("Ada",)]),
    ),
    "a view less": Case(tables(people(A), views=[SEEN]), tables(people(A)), {"drop view"}, ADA, KEPT, {"view seen"}),
}
