"""Tables as a whole: new, gone, their comments and settings."""

from tests.builders.schema_cases.case import ADA, KEPT, A, Case, people, tables
from tests.builders.schemas import column, table

CASES: dict[str, Case] = {
    "nothing": Case(tables(people(A)), tables(people(A)), set(), ADA, KEPT),
    "a table": Case(tables(people(A)), tables(people(A), table("orders")), {"create table"}, ADA, KEPT),
    "a table less": Case(
        tables(people(A), table("orders")), tables(people(A)), {"drop table"}, ADA, KEPT, {"table orders"}
    ),
    "comments": Case(
        tables(people(A)),
        tables(people(column("a", "TEXT", comment="a 'quoted' one"), comment="all of them")),
        {"comment"},
        ADA,
        KEPT,
    ),
    "settings of storage": Case(
        tables(people(A)), tables(people(A, options={"fillfactor": 70})), {"change options"}, ADA, KEPT
    ),
}
