"""Partitioned tables whose partition key gets another type, with rows, from SQL to SQL and by documents."""

from typing import Any

from dataforge.contexts.schemas.plans.domain.changes import Risk
from tests.builders.schema_cases.case import Case, Document
from tests.builders.schema_cases.parts import part

_OF = "CREATE TYPE e AS ENUM ({labels}); CREATE TABLE t (x e NOT NULL, n int) PARTITION BY LIST (x);"
_ROWS = "INSERT INTO t VALUES ('a', 1), ('b', 2)"
_BOTH = [("a", 1), ("b", 2)]
_ALL = "SELECT x::text, n FROM t ORDER BY n"
_NUMBERS = "CREATE TABLE t (x {kind}, n int) PARTITION BY RANGE (x);"
_TENS = part("t0", "FROM (0) TO (10)", "t") + part("t1", "FROM (10) TO (20)", "t")
_TWO = "INSERT INTO t VALUES (1, 1), (11, 2)"


def listed(*labels: str, parts: tuple[str, ...] = ("a", "b"), **more: Any) -> Document:
    """A table with a list part for each of some labels."""
    columns = [{"name": "x", "dataType": "e", "nullable": False}, {"name": "n", "dataType": "INTEGER"}]
    found = [{"name": f"t{label}", "bound": f"FOR VALUES IN ('{label}')"} for label in parts]
    table = {"name": "t", "columns": columns, "partitionBy": {"strategy": "list", "columns": ["x"]}}
    return {"tables": [table | {"partitions": found}], "enums": [{"name": "e", "values": list(labels), **more}]}


def retyped(before: str, after: str, *, parts: str = _TENS, rows: str = _TWO, **more: Any) -> Case:
    """One in which the key gets another type and all rows stay there and back."""
    kept = ("SELECT tableoid::regclass::text, n FROM t ORDER BY n", [("t0", 1), ("t1", 2)])
    start = _NUMBERS.format(kind=before) + parts + rows
    return Case(start, _NUMBERS.format(kind=after) + parts, {"exchange table"}, keeps=kept, back=kept, **more)


CASES: dict[str, Case] = {
    "a label more of the enum that parts are listed by": Case(
        listed("a", "b"),
        listed("a", "b", "c", parts=("a", "b", "c")),
        {"add enum values", "create partition"},
        _ROWS,
        (_ALL, _BOTH),
        back=(_ALL, _BOTH),
        risks={"enum e": Risk.SAFE},
    ),
    "a label more of the enum that parts are listed by, and rows of it": Case(
        listed("a", "b"),
        listed("a", "b", "c", parts=("a", "b", "c")),
        {"add enum values", "create partition"},
        _ROWS,
        ("INSERT INTO t VALUES ('c', 3) RETURNING n", [(3,)]),
        back=(_ALL, _BOTH),
    ),
    "a label less of the enum that parts are listed by, with where its rows go": Case(
        listed("a", "b"),
        listed("a", parts=("a",), valueMap={"b": "a"}),
        {"rebuild enum", "exchange table"},
        _ROWS,
        ("SELECT x::text, n FROM ta ORDER BY n", [("a", 1), ("a", 2)]),
        {"enum e"},
        back=(_ALL, [("a", 1), ("a", 2)]),
    ),
    "a label less of the enum that parts are listed by, with its part": Case(
        listed("a", "b"),
        listed("a", parts=("a",)),
        {"rebuild enum", "exchange table", "drop partition"},
        _ROWS,
        (_ALL, [("a", 1)]),
        {"enum e", "partition tb"},
    ),
    "labels in another order of the enum that ranges are of": Case(
        _OF.format(labels="'a', 'b'").replace("LIST", "RANGE") + part("p", "DEFAULT", "t") + _ROWS,
        _OF.format(labels="'b', 'a'").replace("LIST", "RANGE") + part("p", "DEFAULT", "t"),
        {"rebuild enum", "exchange table"},
        keeps=(_ALL, _BOTH),
        back=(_ALL, _BOTH),
    ),
    "ranges of larger numbers": retyped("int", "bigint", risks={"table t": Risk.REWRITING}),
    "ranges of other texts": retyped(
        "varchar(9)",
        "text",
        parts=part("t0", "FROM ('a') TO ('b')", "t") + part("t1", "DEFAULT", "t"),
        rows="INSERT INTO t VALUES ('a', 1), ('b', 2)",
    ),
    "ranges of larger numbers and a part less": Case(
        _NUMBERS.format(kind="int") + _TENS + _TWO,
        _NUMBERS.format(kind="bigint") + part("t0", "FROM (0) TO (10)", "t"),
        {"exchange table", "drop partition"},
        keeps=("SELECT x, n FROM t", [(1, 1)]),
        destroys={"partition t1"},
    ),
    "ranges of larger numbers in other parts": Case(
        _NUMBERS.format(kind="int") + _TENS + _TWO,
        _NUMBERS.format(kind="bigint") + part("all_of_it", "FROM (0) TO (20)", "t"),
        {"exchange table", "create partition"},
        keeps=("SELECT x, n FROM all_of_it ORDER BY n", [(1, 1), (11, 2)]),
        back=("SELECT x, n FROM t1", [(11, 2)]),
    ),
    "a type that only parts of parts are partitioned by": Case(
        _NUMBERS.format(kind="int")
        + part("t0", "FROM (0) TO (10)", "t", " PARTITION BY HASH (n)")
        + part("h", "WITH (MODULUS 1, REMAINDER 0)", "t0")
        + "INSERT INTO t VALUES (1, 1)",
        _NUMBERS.format(kind="int").replace("n int", "n bigint")
        + part("t0", "FROM (0) TO (10)", "t", " PARTITION BY HASH (n)")
        + part("h", "WITH (MODULUS 1, REMAINDER 0)", "t0"),
        {"exchange table"},
        keeps=("SELECT n FROM h", [(1,)]),
        back=("SELECT n FROM h", [(1,)]),
    ),
    "the domain that a table is partitioned by": Case(
        "CREATE DOMAIN d AS int; " + _NUMBERS.format(kind="d") + _TENS + _TWO,
        "CREATE DOMAIN d AS bigint CHECK (VALUE >= 0); " + _NUMBERS.format(kind="d") + _TENS,
        {"rebuild domain", "exchange table"},
        keeps=("SELECT n FROM t1", [(2,)]),
        back=("SELECT n FROM t1", [(2,)]),
    ),
    "keys, indexes, views and foreign keys of a table by a label": Case(
        _OF.format(labels="'a', 'b'").replace("n int", "n int, PRIMARY KEY (x, n)")
        + "CREATE TABLE o (x e, n int, FOREIGN KEY (x, n) REFERENCES t); CREATE INDEX ON t (n);"
        + "CREATE VIEW v AS SELECT x, n FROM t WHERE x = 'a';"
        + part("ta", "IN ('a')", "t")
        + part("rest", "DEFAULT", "t")
        + _ROWS
        + "; INSERT INTO o VALUES ('b', 2)",
        _OF.format(labels="'b', 'a'").replace("n int", "n int, PRIMARY KEY (x, n)")
        + "CREATE TABLE o (x e, n int, FOREIGN KEY (x, n) REFERENCES t); CREATE INDEX ON t (n);"
        + "CREATE VIEW v AS SELECT x, n FROM t WHERE x = 'a';"
        + part("ta", "IN ('a')", "t")
        + part("rest", "DEFAULT", "t"),
        {"exchange table", "change type"},
        keeps=("SELECT o.x::text, v.n FROM o, v", [("b", 1)]),
        back=(_ALL, _BOTH),
    ),
    "an expression of larger numbers": Case(
        "CREATE TABLE t (x int, n int) PARTITION BY LIST ((x % 7));"
        + part("p", "IN (1)", "t")
        + _TWO.split(", (", maxsplit=1)[0],
        "CREATE TABLE t (x bigint, n int) PARTITION BY LIST ((x % 7));" + part("p", "IN (1)", "t"),
        {"exchange table"},
        keeps=("SELECT x, n FROM p", [(1, 1)]),
        back=("SELECT x, n FROM p", [(1, 1)]),
    ),
    "texts that parts are listed by become labels": Case(
        _OF.format(labels="'a', 'b'").replace("x e", "x text")
        + part("ta", "IN ('a')", "t")
        + part("tb", "IN ('b')", "t")
        + _ROWS,
        _OF.format(labels="'a', 'b'") + part("ta", "IN ('a')", "t") + part("tb", "IN ('b')", "t"),
        {"exchange table"},
        keeps=(_ALL, _BOTH),
        back=(_ALL, _BOTH),
    ),
    "labels in another order of the enum that hashes are of": Case(
        _OF.format(labels="'a', 'b'").replace("LIST", "HASH") + part("p", "WITH (MODULUS 1, REMAINDER 0)", "t") + _ROWS,
        _OF.format(labels="'b', 'a'").replace("LIST", "HASH") + part("p", "WITH (MODULUS 1, REMAINDER 0)", "t"),
        {"rebuild enum", "exchange table"},
        keeps=(_ALL, _BOTH),
        back=(_ALL, _BOTH),
    ),
}
