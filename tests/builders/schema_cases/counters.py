"""Sequences of one's own: they go on counting where they were."""

from typing import Any

from tests.builders.schema_cases.case import Case, tables

Document = dict[str, Any]
T: Document = {"name": "t", "columns": [{"name": "id", "dataType": "BIGINT"}, {"name": "a", "dataType": "TEXT"}]}
NEXT = "SELECT nextval('s')"


def owned(default: str | None = None) -> Document:
    column = {"name": "id", "dataType": "BIGINT"} | ({} if default is None else {"default": {"expr": default}})
    return {"name": "t", "columns": [column, {"name": "a", "dataType": "TEXT"}]}


def after(calls: int, options: str = "") -> str:
    return (
        f"CREATE SEQUENCE s {options}; CREATE TABLE t (id bigint, a text);"
        f"DO $$ BEGIN FOR i IN 1..{calls} LOOP PERFORM nextval('s'); END LOOP; END $$"
    )


CASES: dict[str, Case] = {
    "a sequence": Case(
        "CREATE TABLE t (id bigint, a text)",
        tables(T, sequences=[{"name": "s", "start": 5, "comment": "it's"}]),
        {"create sequence"},
        keeps=(NEXT, [(5,)]),
    ),
    "a sequence less": Case(
        after(3), tables(T), {"drop sequence"}, destroys={"sequence s"}, back=("SELECT count(*) FROM t", [(0,)])
    ),
    "another step": Case(
        after(3),
        tables(T, sequences=[{"name": "s", "increment": 10, "cache": 5, "cycle": True}]),
        {"change sequence"},
        keeps=(NEXT, [(13,)]),
    ),
    "another start goes on": Case(
        after(3), tables(T, sequences=[{"name": "s", "start": 100}]), {"change sequence"}, keeps=(NEXT, [(4,)])
    ),
    "a sequence that counts down from now on": Case(
        after(3),
        tables(T, sequences=[{"name": "s", "increment": -1, "minimum": -9, "maximum": 100, "start": 1}]),
        {"change sequence"},
        keeps=(NEXT, [(2,)]),
        back=(NEXT, [(3,)]),
    ),
    "limits that leave the last number out": Case(
        after(3),
        tables(T, sequences=[{"name": "s", "minimum": 50, "start": 60}]),
        {"change sequence"},
        keeps=(NEXT, [(50,)]),
        back=(NEXT, [(51,)]),
    ),
    "limits below the last number": Case(
        after(9, "MAXVALUE 10"),
        tables(T, sequences=[{"name": "s", "maximum": 5, "cycle": True}]),
        {"change sequence"},
        keeps=(NEXT, [(1,)]),
    ),
    "limits on the other side of zero": Case(
        after(2, "AS smallint INCREMENT -2 MINVALUE -100 MAXVALUE -1 START -3"),
        tables(T, sequences=[{"name": "s", "increment": 3, "minimum": 1, "maximum": 500, "start": 7}]),
        {"change sequence"},
        keeps=(NEXT, [(1,)]),
        back=(NEXT, [(-1,)]),
    ),
    "a smaller type": Case(
        after(3),
        tables(T, sequences=[{"name": "s", "dataType": "SMALLINT"}]),
        {"change sequence"},
        keeps=(NEXT, [(4,)]),
        back=(NEXT, [(5,)]),
    ),
    "a larger type with the limits of the smaller": Case(
        after(3, "AS smallint"),
        tables(T, sequences=[{"name": "s", "maximum": 32767}]),
        {"change sequence"},
        keeps=(NEXT, [(4,)]),
    ),
    "another name of a sequence below a default": Case(
        after(3) + "; ALTER TABLE t ALTER id SET DEFAULT nextval('s')",
        tables(owned("nextval('n')"), sequences=[{"name": "n", "previousName": "s"}]),
        {"rename sequence"},
        keeps=("INSERT INTO t DEFAULT VALUES RETURNING id", [(4,)]),
        back=(NEXT, [(5,)]),
    ),
    "a sequence that comes to be owned": Case(
        after(3),
        tables(owned("nextval('s')"), sequences=[{"name": "s", "ownedBy": {"table": "t", "column": "id"}}]),
        {"own sequence", "set default"},
        keeps=("INSERT INTO t DEFAULT VALUES RETURNING id", [(4,)]),
        back=(NEXT, [(5,)]),
    ),
    "a sequence that stays when its column goes": Case(
        after(3) + "; ALTER SEQUENCE s OWNED BY t.id",
        tables({"name": "t", "columns": T["columns"][1:]}, sequences=[{"name": "s"}]),
        {"free sequence", "drop column"},
        keeps=(NEXT, [(4,)]),
        destroys={"column t.id"},
        back=(NEXT, [(5,)]),
    ),
    "a sequence that stays when its table goes": Case(
        after(3) + "; ALTER SEQUENCE s OWNED BY t.id",
        {"sequences": [{"name": "s"}]},
        {"free sequence", "drop table"},
        keeps=(NEXT, [(4,)]),
        destroys={"table t"},
        back=(NEXT, [(5,)]),
    ),
    "a sequence of another column": Case(
        after(3) + "; CREATE TABLE u (id bigint); ALTER SEQUENCE s OWNED BY u.id",
        tables(owned(), sequences=[{"name": "s", "ownedBy": {"table": "t", "column": "id"}}]),
        {"free sequence", "own sequence", "drop table"},
        keeps=(NEXT, [(4,)]),
        destroys={"table u"},
        back=(NEXT, [(5,)]),
    ),
    "a sequence without a log, and its comment": Case(
        after(3) + "; COMMENT ON SEQUENCE s IS 'old'",
        tables(T, sequences=[{"name": "s", "unlogged": True, "comment": "it's"}]),
        {"change persistence", "comment"},
        keeps=(NEXT, [(4,)]),
        back=(NEXT, [(5,)]),
    ),
}
