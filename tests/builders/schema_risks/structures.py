"""Changes whose locks, rewrites and scans differ: online and short forms, of large and small things."""

from tests.builders.schema_risks.label import Document, Label, col, doc, filled, tab

_V = filled("v text; n integer; o integer", "'a', 1, 1", "'b', 2, 2")
_U = _V + "; " + filled("w text", "'x'", "'y'", name="u")
_LOG = (
    "CREATE TABLE log (day date, v text) PARTITION BY RANGE (day); "
    "CREATE TABLE log_2025 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); "
    "INSERT INTO log VALUES ('2025-05-05', 'x')"
)
_COLUMNS = (col("v", "TEXT"), col("n", "INTEGER"), col("o", "INTEGER"))


def _t(*more: Document, **others: object) -> Document:
    return tab("t", *_COLUMNS, *more, **others)


def _without(name: str, changed: Document, **others: object) -> Document:
    return tab("t", *(changed if item["name"] == name else item for item in _COLUMNS), **others)


def _link(**more: object) -> Document:
    ends = {"fk": {"table": "t", "column": "o"}, "references": {"table": "u", "column": "id"}}
    return {**ends, **more}


_TARGETS: dict[str, tuple[str, Document]] = {
    "a column": (_V, doc(_t(col("x", "TEXT")))),
    "a column with a constant": (_V, doc(_t(col("x", "INTEGER", default=7)))),
    "a column with a constant that is demanded": (_V, doc(_t(col("x", "INTEGER", default=7, nullable=False)))),
    "a column with the time of now": (_V, doc(_t(col("x", "TIMESTAMP", default={"expr": "now()"})))),
    "a column with a random value": (_V, doc(_t(col("x", "UUID", default={"expr": "gen_random_uuid()"})))),
    "a column with the time of the clock": (
        _V,
        doc(_t(col("x", "TIMESTAMPTZ", default={"expr": "clock_timestamp()"}))),
    ),
    "a column that counts": (_V, doc(_t(col("x", "BIGINT", identity=True, nullable=False)))),
    "a column that is computed": (_V, doc(_t(col("x", "INTEGER", generated={"expr": "n * 2"})))),
    "a column that is filled": (_V, doc(_t(col("x", "INTEGER", nullable=False, backfill="n + 1")))),
    "a column with a check": (_V, doc(_t(col("x", "INTEGER"), checks=[{"expr": "x > 0"}]))),
    "a column with a key": (_V, doc(_t(col("x", "INTEGER", unique=True)))),
    "a column of an enum": (_V, doc(_t(col("x", "mood")), enums=[{"name": "mood", "values": ["sad"]}])),
    "a column of a domain": (_V, doc(_t(col("x", "code")), domains=[{"name": "code", "dataType": "TEXT"}])),
    "a column of a domain that demands": (
        _V,
        doc(_t(col("x", "code")), domains=[{"name": "code", "dataType": "TEXT", "checks": [{"expr": "VALUE <> ''"}]}]),
    ),
    "no NULL": (_V, doc(_without("v", col("v", "TEXT", nullable=False)))),
    "no NULL, with a check that says so": (
        _V + "; ALTER TABLE t ADD CONSTRAINT given CHECK (v IS NOT NULL)",
        doc(_without("v", col("v", "TEXT", nullable=False), checks=[{"name": "given", "expr": "v IS NOT NULL"}])),
    ),
    "NULL again": (_V + "; ALTER TABLE t ALTER v SET NOT NULL", doc(_t())),
    "a default": (_V, doc(_without("v", col("v", "TEXT", default="x")))),
    "no default": (_V + "; ALTER TABLE t ALTER v SET DEFAULT 'x'", doc(_t())),
    "a check": (_V, doc(_t(checks=[{"expr": "n > 0"}]))),
    "a check less": (_V + "; ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)", doc(_t())),
    "a check that says otherwise": (
        _V + "; ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)",
        doc(_t(checks=[{"name": "c", "expr": "n >= 0"}])),
    ),
    "a unique": (_V, doc(_t(uniques=[{"columns": ["v"]}]))),
    "a unique of two": (_V, doc(_t(uniques=[{"columns": ["v", "n"], "nullsDistinct": False}]))),
    "a unique less": (_V + "; ALTER TABLE t ADD CONSTRAINT k UNIQUE (v)", doc(_t())),
    "a foreign key": (_U, doc(_t(), tab("u", col("w", "TEXT")), relationships=[_link()])),
    "a foreign key that waits": (
        _U,
        doc(_t(), tab("u", col("w", "TEXT")), relationships=[_link(onDelete="cascade", initiallyDeferred=True)]),
    ),
    "a foreign key less": (
        _U + "; ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (o) REFERENCES u",
        doc(_t(), tab("u", col("w", "TEXT"))),
    ),
    "a foreign key from a new table": (
        _U,
        doc(
            _t(),
            tab("u", col("w", "TEXT")),
            tab("x", col("o", "INTEGER")),
            relationships=[{"fk": {"table": "x", "column": "o"}, "references": {"table": "u", "column": "id"}}],
        ),
    ),
    "an index": (_V, doc(_t(indexes=[{"columns": ["v"]}]))),
    "a unique index": (_V, doc(_t(indexes=[{"columns": ["v"], "unique": True}]))),
    "an index of an expression": (_V, doc(_t(indexes=[{"keys": [{"expr": "lower(v)"}], "where": "n > 0"}]))),
    "an index less": (_V + "; CREATE INDEX i ON t (v)", doc(_t())),
    "another name of an index": (
        _V + "; CREATE INDEX i ON t (v)",
        doc(_t(indexes=[{"name": "j", "columns": ["v"]}])),
    ),
    "an index on other columns": (
        _V + "; CREATE INDEX i ON t (v)",
        doc(_t(indexes=[{"name": "i", "columns": ["v", "n"]}])),
    ),
    "a comment": (_V, doc(_t(comment="all of them"))),
    "a setting": (_V, doc(_t(options={"fillfactor": 70}))),
    "rows that are not logged": (_V, doc(_t(unlogged=True))),
    "a wider number": (_V, doc(_without("n", col("n", "BIGINT")))),
    "a wider number in an index": (
        _V + "; CREATE INDEX i ON t (n)",
        doc(_without("n", col("n", "BIGINT"), indexes=[{"name": "i", "columns": ["n"]}])),
    ),
    "a longer text": (
        filled("v varchar(10)", "'a'"),
        doc(tab("t", col("v", "VARCHAR(20)"))),
    ),
    "a longer text in an index": (
        filled("v varchar(10)", "'a'") + "; CREATE INDEX i ON t (v)",
        doc(tab("t", col("v", "VARCHAR(20)"), indexes=[{"name": "i", "columns": ["v"]}])),
    ),
    "a text that has an end": (_V, doc(_without("v", col("v", "VARCHAR(10)")))),
    "another order of letters": (_V, doc(_without("v", col("v", "TEXT", collation="C")))),
    "a number below a computed column": (
        filled("n integer", "1") + "; ALTER TABLE t ADD COLUMN d integer GENERATED ALWAYS AS (n * 2) STORED",
        doc(tab("t", col("n", "BIGINT"), col("d", "INTEGER", generated={"expr": "n * 2"}))),
    ),
    "a label more": (
        "CREATE TYPE mood AS ENUM ('sad'); " + filled("m mood", "'sad'"),
        doc(tab("t", col("m", "mood")), enums=[{"name": "mood", "values": ["sad", "ok"]}]),
    ),
    "a label more that is used": (
        "CREATE TYPE mood AS ENUM ('sad'); " + filled("m mood", "'sad'"),
        doc(tab("t", col("m", "mood", default="ok")), enums=[{"name": "mood", "values": ["sad", "ok"]}]),
    ),
    "a check of a domain": (
        "CREATE DOMAIN code AS text; " + filled("v code", "'a'"),
        doc(
            tab("t", col("v", "code")),
            domains=[{"name": "code", "dataType": "TEXT", "checks": [{"expr": "VALUE <> ''"}]}],
        ),
    ),
    "a domain without NULL": (
        "CREATE DOMAIN code AS text; " + filled("v code", "'a'"),
        doc(tab("t", col("v", "code")), domains=[{"name": "code", "dataType": "TEXT", "nullable": False}]),
    ),
    "a default of a domain": (
        "CREATE DOMAIN code AS text; " + filled("v code", "'a'"),
        doc(tab("t", col("v", "code")), domains=[{"name": "code", "dataType": "TEXT", "default": "x"}]),
    ),
    "a view": (_V, doc(_t(), views=[{"name": "seen", "query": "SELECT v FROM t"}])),
    "a view that is kept": (_V, doc(_t(), views=[{"name": "seen", "query": "SELECT v FROM t", "materialized": True}])),
    "a table": (_V, doc(_t(), tab("x", col("a", "TEXT")))),
    "a key that counts": (
        _V,
        doc({"name": "t", "columns": [col("id", "INTEGER", primaryKey=True, identity=True), *_COLUMNS]}),
    ),
    "a sequence": (_V, doc(_t(), sequences=[{"name": "s"}])),
    "a partition more": (
        _LOG,
        doc(
            {
                "name": "log",
                "columns": [col("day", "DATE"), col("v", "TEXT")],
                "partitionBy": {"strategy": "range", "columns": ["day"]},
                "partitions": [
                    {"name": f"log_{year}", "bound": f"FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')"}
                    for year in (2025, 2026)
                ],
            }
        ),
    ),
    "another name of a table": (_V, doc(_t(previousName="t") | {"name": "x"})),
}
_SHORT_TOO = (
    "a check",
    "a unique",
    "a foreign key",
    "a foreign key that waits",
    "an index",
    "a unique index",
    "no NULL",
    "an index of an expression",
    "a unique of two",
    "an index on other columns",
    "a column with a key",
)

STRUCTURES: dict[str, Label] = {
    **{
        name: Label(before, after, names={"x": "t"} if name == "another name of a table" else {})
        for name, (before, after) in _TARGETS.items()
    },
    **{
        f"{name}, in the short form": Label(_TARGETS[name][0], _TARGETS[name][1] | {"onlineChanges": False})
        for name in _SHORT_TOO
    },
}
