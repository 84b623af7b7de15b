"""Composite and range types, and what is made of them."""

from typing import Any

from tests.builders.schema_cases.case import Case, tables

Document = dict[str, Any]
START = (
    "CREATE TYPE pair AS (a int, b text); COMMENT ON COLUMN pair.a IS 'it''s'; CREATE TYPE nest AS (p pair, ps pair[]);"
    "CREATE DOMAIN d AS pair; CREATE TABLE t (x pair, y pair[], n nest, z d);"
    "INSERT INTO t VALUES (row(1, 'a'), array[row(1, 'b')::pair], row(row(5, 'q'), NULL)::nest, row(2, 'w'));"
)
A: Document = {"name": "a", "dataType": "INTEGER", "comment": "it's"}
B: Document = {"name": "b", "dataType": "TEXT"}
NEST: Document = {
    "name": "nest",
    "attributes": [{"name": "p", "dataType": "pair"}, {"name": "ps", "dataType": "pair[]"}],
}
ALL = "SELECT x::text, y::text, n::text, z::text FROM t"
WHOLE = (ALL, [("(1,a)", '{"(1,b)"}', '("(5,q)",)', "(2,w)")])
RANGES = "CREATE TYPE span AS RANGE (subtype = float8, multirange_type_name = spans);"
SPANS = ("SELECT x::text, y::text FROM t", [("[1,2)", "{[1,2)}")])


def made_of(*attributes: Document, name: str = "pair", **more: Any) -> Document:
    """The target of START with other attributes."""
    kinds = (("x", name), ("y", f"{name}[]"), ("n", "nest"), ("z", "d"))
    return {
        **tables({"name": "t", "columns": [{"name": key, "dataType": kind} for key, kind in kinds]}),
        "composites": [
            NEST | {"attributes": [{"name": "p", "dataType": name}, {"name": "ps", "dataType": f"{name}[]"}]},
            {"name": name, "attributes": list(attributes)} | more,
        ],
        "domains": [{"name": "d", "dataType": name}],
    }


def ranges(**more: Any) -> Document:
    return {
        **tables({"name": "t", "columns": [{"name": "x", "dataType": "span"}, {"name": "y", "dataType": "spans"}]}),
        "ranges": [{"name": "span", "subtype": "float8", "multirange": "spans", **more}],
    }


CASES: dict[str, Case] = {
    "composite types": Case(
        "CREATE TABLE u (a int); DROP TABLE u", made_of(A, B), {"create composite", "create table"}
    ),
    "composite types read back": Case(START, made_of(A, B), set(), keeps=WHOLE),
    "an attribute": Case(
        START,
        made_of(A, B, {"name": "c", "dataType": "DATE", "comment": "new"}),
        {"add attribute"},
        keeps=(ALL, [("(1,a,)", '{"(1,b,)"}', '("(5,q,)",)', "(2,w,)")]),
        back=WHOLE,
    ),
    "an attribute less": Case(
        START + "CREATE VIEW v AS SELECT (x).a FROM t",
        made_of(A) | {"views": [{"name": "v", "query": "SELECT (x).a FROM t"}]},
        {"drop attribute", "rebuild view"},
        keeps=(ALL, [("(1)", "{(1)}", '("(5)",)', "(2)")]),
        destroys={"composite pair"},
    ),
    "another type of an attribute": Case(
        START + "CREATE VIEW v AS SELECT (x).b FROM t",
        made_of(A | {"dataType": "TEXT"}, B, {"name": "c", "dataType": "DATE"})
        | {"views": [{"name": "v", "query": "SELECT (x).b FROM t"}]},
        {"rebuild composite", "rebuild domain", "add attribute", "change type"},
        keeps=(ALL, [("(1,a,)", '{"(1,b,)"}', '("(5,q,)",)', "(2,w,)")]),
        back=WHOLE,
    ),
    "another name of a composite type": Case(
        START, made_of(A, B, name="two", previousName="pair"), {"rename composite"}, keeps=WHOLE, back=WHOLE
    ),
    "comments of a composite type": Case(
        START, made_of(A | {"comment": None}, B | {"comment": "b"}, comment="two"), {"comment"}, keeps=WHOLE
    ),
    "a label less below a composite type": Case(
        "CREATE TYPE k AS ENUM ('x', 'y'); CREATE TYPE pair AS (a k); CREATE TABLE t (p pair);"
        "INSERT INTO t VALUES (row('x'))",
        {
            **tables({"name": "t", "columns": [{"name": "p", "dataType": "pair"}]}),
            "enums": [{"name": "k", "values": ["x"]}],
            "composites": [{"name": "pair", "attributes": [{"name": "a", "dataType": "k"}]}],
        },
        {"rebuild enum", "rebuild composite"},
        keeps=("SELECT p::text FROM t", [("(x)",)]),
        back=("SELECT p::text FROM t", [("(x)",)]),
        destroys={"enum k"},
    ),
    "composite types less": Case(
        START,
        tables({"name": "t", "columns": [{"name": "x", "dataType": "TEXT"}]}),
        {"change type", "drop column", "drop composite", "drop domain"},
        keeps=("SELECT x FROM t", [("(1,a)",)]),
        destroys={"column t.y", "column t.n", "column t.z"},
    ),
    "a range type": Case(
        "CREATE TABLE t (a int)",
        {**ranges(subtypeDiff="float8mi", comment="it's")},
        {"create range", "add column"},
        destroys={"column t.a"},
    ),
    "another difference of a range type": Case(
        RANGES + "CREATE TABLE t (x span, y spans); INSERT INTO t VALUES ('[1,2)', '{[1,2)}')",
        ranges(subtypeDiff="float8mi"),
        {"rebuild range", "change type"},
        keeps=("SELECT x::text, y::text, span(1, 2)::text FROM t", [("[1,2)", "{[1,2)}", "[1,2)")]),
        back=SPANS,
    ),
    "a range type read back": Case(
        RANGES + "CREATE TABLE t (x span, y spans); INSERT INTO t VALUES ('[1,2)', '{[1,2)}')",
        ranges(opclass=None),
        set(),
        keeps=SPANS,
    ),
}
