"""Changes that take rows, values or labels away, or seem to."""

from tests.builders.schema_risks.label import DROPPED, Label, col, doc, filled, tab

_V = filled("v text; w integer", "'a', 1", "'b', NULL")
_MOODS = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'fine'); " + filled("m mood", "'sad'", "'ok'")
_LOG = (
    "CREATE TABLE log (day date, v text) PARTITION BY RANGE (day); "
    "CREATE TABLE log_2025 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); "
    "CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
)
_PARTED = {
    "name": "log",
    "columns": [{"name": "day", "dataType": "DATE"}, {"name": "v", "dataType": "TEXT"}],
    "partitionBy": {"strategy": "range", "columns": ["day"]},
}
_YEAR = {"name": "log_2026", "bound": "FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"}


def _moods(*values: object, **more: object) -> dict[str, object]:
    return {"name": "mood", "values": list(values), **more}


LOSSES: dict[str, Label] = {
    "a column with values goes": Label(_V, doc(tab("t", col("w", "INTEGER")), **DROPPED), loses=True),
    "a column without values goes": Label(
        filled("v text; w integer", "'a', NULL"), doc(tab("t", col("v", "TEXT")), **DROPPED)
    ),
    "a table with rows goes": Label(
        _V + "; CREATE TABLE kept (id integer PRIMARY KEY)", doc(tab("kept"), **DROPPED), loses=True
    ),
    "a table without rows goes": Label(
        _V + "; CREATE TABLE empty (id integer PRIMARY KEY)",
        doc(tab("t", col("v", "TEXT"), col("w", "INTEGER")), **DROPPED),
    ),
    "a partition with rows goes": Label(
        _LOG + "; INSERT INTO log VALUES ('2025-05-05', 'x')",
        doc(_PARTED | {"partitions": [_YEAR]}, **DROPPED),
        loses=True,
    ),
    "a partition without rows goes": Label(
        _LOG + "; INSERT INTO log VALUES ('2026-05-05', 'x')", doc(_PARTED | {"partitions": [_YEAR]}, **DROPPED)
    ),
    "a column gets another name": Label(
        _V, doc(tab("t", col("x", "TEXT", previousName="v"), col("w", "INTEGER"))), names={"t.x": "v"}
    ),
    "a column gets another name and a narrower type": Label(
        filled("v text", "'abcdef'"),
        doc(tab("t", col("x", "VARCHAR(3)", previousName="v"))),
        loses=True,
        names={"t.x": "v"},
    ),
    "a table gets another name and a column a narrower type": Label(
        filled("v text", "'abcdef'"),
        doc(tab("u", col("v", "VARCHAR(3)"), previousName="t")),
        loses=True,
        names={"u": "t"},
    ),
    "a label in use goes and is mapped": Label(
        _MOODS, doc(tab("t", col("m", "mood")), enums=[_moods("ok", "fine", valueMap={"sad": "ok"})]), loses=True
    ),
    "a label in use goes without a map": Label(
        _MOODS, doc(tab("t", col("m", "mood")), enums=[_moods("ok", "fine")]), fails=True
    ),
    "a label that nobody uses goes": Label(_MOODS, doc(tab("t", col("m", "mood")), enums=[_moods("sad", "ok")])),
    "labels change their order": Label(_MOODS, doc(tab("t", col("m", "mood")), enums=[_moods("fine", "ok", "sad")])),
    "a label gets another name": Label(
        _MOODS,
        doc(tab("t", col("m", "mood")), enums=[_moods({"name": "low", "previousName": "sad"}, "ok", "fine")]),
        respelled=True,
    ),
    "an enum becomes a text": Label(_MOODS, doc(tab("t", col("m", "TEXT")))),
    "an enum becomes a text that is too short": Label(_MOODS, doc(tab("t", col("m", "VARCHAR(2)"))), loses=True),
    "a text becomes an enum": Label(
        filled("m text", "'sad'"), doc(tab("t", col("m", "mood")), enums=[_moods("sad", "ok")])
    ),
    "a text that is no label becomes an enum": Label(
        filled("m text", "'angry'"), doc(tab("t", col("m", "mood")), enums=[_moods("sad", "ok")]), fails=True
    ),
    "labels in a list go and are mapped": Label(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); " + filled("m mood[]", "'{sad,ok}'"),
        doc(tab("t", col("m", "mood[]")), enums=[_moods("ok", valueMap={"sad": "ok"})]),
        loses=True,
    ),
    "the type below a domain gets narrower": Label(
        "CREATE DOMAIN code AS text; " + filled("v code", "'abcdef'"),
        doc(tab("t", col("v", "code")), domains=[{"name": "code", "dataType": "VARCHAR(3)"}]),
        loses=True,
    ),
    "the type below a domain gets wider": Label(
        "CREATE DOMAIN code AS varchar(6); " + filled("v code", "'abcdef'"),
        doc(tab("t", col("v", "code")), domains=[{"name": "code", "dataType": "TEXT"}]),
    ),
    "a view goes": Label(
        _V + "; CREATE VIEW seen AS SELECT v FROM t",
        doc(tab("t", col("v", "TEXT"), col("w", "INTEGER")), **DROPPED),
    ),
    "a computed column is computed otherwise": Label(
        filled("v integer", "7") + "; ALTER TABLE t ADD COLUMN d integer GENERATED ALWAYS AS (v * 2) STORED",
        doc(tab("t", col("v", "INTEGER"), col("d", "INTEGER", generated={"expr": "v * 3"}))),
        respelled=True,
    ),
    "NULL becomes forbidden, and is filled": Label(
        filled("v text", "'a'", "NULL"), doc(tab("t", col("v", "TEXT", nullable=False, backfill="'none'")))
    ),
    "NULL becomes forbidden": Label(
        filled("v text", "'a'", "NULL"), doc(tab("t", col("v", "TEXT", nullable=False))), fails=True
    ),
    "a column without a value for rows": Label(
        _V, doc(tab("t", col("v", "TEXT"), col("w", "INTEGER"), col("x", "INTEGER", nullable=False))), fails=True
    ),
    "a key that is there twice": Label(
        filled("v text", "'a'", "'a'"), doc(tab("t", col("v", "TEXT"), uniques=[{"columns": ["v"]}])), fails=True
    ),
    "a unique index over what is there twice": Label(
        filled("v text", "'a'", "'A'"),
        doc(tab("t", col("v", "TEXT"), indexes=[{"keys": [{"expr": "lower(v)"}], "unique": True}])),
        fails=True,
    ),
    "a check that rows break": Label(
        filled("v integer", "-1"), doc(tab("t", col("v", "INTEGER"), checks=[{"expr": "v > 0"}])), fails=True
    ),
    "a foreign key to nothing": Label(
        filled("v integer", "7") + "; CREATE TABLE u (id integer PRIMARY KEY)",
        doc(
            tab("t", col("v", "INTEGER")),
            tab("u"),
            relationships=[{"fk": {"table": "t", "column": "v"}, "references": {"table": "u", "column": "id"}}],
        ),
        fails=True,
    ),
    "a domain that rows break": Label(
        "CREATE DOMAIN code AS text; " + filled("v code", "''"),
        doc(
            tab("t", col("v", "code")),
            domains=[{"name": "code", "dataType": "TEXT", "checks": [{"expr": "VALUE <> ''"}]}],
        ),
        fails=True,
    ),
}
