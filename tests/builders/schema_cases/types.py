"""Enums, domains and what is made of them, wherever they are used."""

from typing import Any

from dataforge.contexts.schemas.plans.domain.changes import Risk
from tests.builders.schema_cases.case import Case, tables

Document = dict[str, Any]
LEVELS = "CREATE TYPE level AS ENUM ('low', 'mid', 'high');"
LESS: Document = {"name": "level", "values": ["low", "high"], "valueMap": {"mid": "low"}}


def t(*columns: Document, **more: Any) -> Document:
    """A table `t` of these columns."""
    return {"name": "t", "columns": list(columns), **more}


def c(name: str, kind: str = "INTEGER", **more: Any) -> Document:
    """A column."""
    return {"name": name, "dataType": kind, **more}


ROWS = ("SELECT k::text FROM t ORDER BY 1", [("high",), ("low",)])
CASES: dict[str, Case] = {
    "a label less that is used in arrays": Case(
        LEVELS + "CREATE TABLE t (k level[] DEFAULT '{low}'); INSERT INTO t VALUES ('{mid,high}')",
        tables(t(c("k", "level[]", default={"expr": "'{low}'"})), enums=[LESS]),
        {"rebuild enum", "drop default", "change type", "set default"},
        keeps=("SELECT k::text FROM t", [("{low,high}",)]),
        destroys={"enum level"},
    ),
    "a label less below a default, a check and an index": Case(
        LEVELS + "CREATE TABLE t (k level DEFAULT 'low' CONSTRAINT k CHECK (k <> 'high' OR k > 'low'), n int);"
        "CREATE INDEX i ON t (n) WHERE k = 'high'; CREATE UNIQUE INDEX u ON t (k, n);"
        "INSERT INTO t VALUES ('mid', 1), ('high', 2)",
        tables(
            t(
                c("k", "level", default="low"),
                c("n"),
                checks=[{"name": "k", "expr": "k <> 'high' OR k > 'low'"}],
                indexes=[
                    {"name": "i", "columns": ["n"], "where": "k = 'high'"},
                    {"name": "u", "columns": ["k", "n"], "unique": True},
                ],
            ),
            enums=[LESS],
        ),
        {"rebuild enum", "drop check", "add check", "drop index", "create index"},
        keeps=ROWS,
        destroys={"enum level"},
    ),
    "a label less below a computed column": Case(
        LEVELS + "CREATE TABLE t (k level, g bool GENERATED ALWAYS AS (k = 'low') STORED);"
        "INSERT INTO t VALUES ('mid'), ('high')",
        tables(t(c("k", "level"), c("g", "BOOLEAN", generated={"expr": "k = 'low'"})), enums=[LESS]),
        {"rebuild enum", "add column"},
        keeps=("SELECT k::text, g FROM t ORDER BY t.k", [("low", True), ("high", False)]),
        destroys={"enum level"},
    ),
    "a label less below views": Case(
        LEVELS + "CREATE TABLE t (k level); CREATE VIEW v AS SELECT k FROM t WHERE k > 'low';"
        "CREATE MATERIALIZED VIEW m AS SELECT k, count(*) AS n FROM t GROUP BY k; CREATE UNIQUE INDEX u ON m (k);"
        "INSERT INTO t VALUES ('mid'), ('high')",
        tables(
            t(c("k", "level")),
            enums=[LESS],
            views=[
                {"name": "v", "query": "SELECT k FROM t WHERE k > 'low'"},
                {
                    "name": "m",
                    "query": "SELECT k, count(*) AS n FROM t GROUP BY k",
                    "materialized": True,
                    "indexes": [{"name": "u", "columns": ["k"], "unique": True}],
                },
            ],
        ),
        {"rebuild enum", "rebuild view", "rebuild materialized view"},
        keeps=("SELECT k::text, n FROM m ORDER BY m.k", [("low", 1), ("high", 1)]),
        destroys={"enum level"},
    ),
    "a label less on both sides of a foreign key": Case(
        LEVELS + "CREATE TABLE p (k level PRIMARY KEY); CREATE TABLE t (k level CONSTRAINT f REFERENCES p);"
        "INSERT INTO p VALUES ('low'), ('high'); INSERT INTO t VALUES ('low'), ('high')",
        tables(
            {"name": "p", "columns": [c("k", "level", primaryKey=True)]},
            t(c("k", "level")),
            enums=[LESS],
            relationships=[
                {"name": "f", "fk": {"table": "t", "column": "k"}, "references": {"table": "p", "column": "k"}}
            ],
        ),
        {"rebuild enum", "drop foreign key", "add foreign key"},
        keeps=ROWS,
        destroys={"enum level"},
    ),
    "a label less whose rows get none": Case(
        LEVELS + "CREATE TABLE t (k level); INSERT INTO t VALUES ('mid')",
        tables(t(c("k", "level")), enums=[LESS | {"valueMap": {"mid": None}}]),
        {"rebuild enum"},
        keeps=("SELECT k FROM t", [(None,)]),
        destroys={"enum level"},
    ),
    "a label for another, and back": Case(
        LEVELS + "CREATE TABLE t (k level); INSERT INTO t VALUES ('mid')",
        tables(t(c("k", "level")), enums=[LESS | {"values": ["low", "even", "high"], "valueMap": {"mid": "even"}}]),
        {"rebuild enum"},
        keeps=("SELECT k::text FROM t", [("even",)]),
        back=("SELECT k::text FROM t", [("mid",)]),
        destroys={"enum level"},
    ),
    "a label less nobody uses": Case(
        LEVELS + "CREATE TABLE t (k level); INSERT INTO t VALUES ('low'), ('high')",
        tables(t(c("k", "level")), enums=[{"name": "level", "values": ["low", "high"]}]),
        {"rebuild enum"},
        keeps=ROWS,
        back=ROWS,
        destroys={"enum level"},
    ),
    "labels in another order": Case(
        LEVELS + "CREATE TABLE t (k level); INSERT INTO t VALUES ('low'), ('high')",
        tables(t(c("k", "level")), enums=[{"name": "level", "values": ["high", "mid", "low"]}]),
        {"rebuild enum", "change type"},
        keeps=("SELECT k::text FROM t ORDER BY t.k", [("high",), ("low",)]),
        back=("SELECT k::text FROM t ORDER BY t.k", [("low",), ("high",)]),
        risks={"enum level": Risk.REWRITING},
    ),
    "labels first, between and last": Case(
        LEVELS + "CREATE TABLE t (k level); INSERT INTO t VALUES ('low'), ('high')",
        tables(
            t(c("k", "level")),
            enums=[{"name": "level", "values": ["none", "low", "it's", "mid", "high", "top"]}],
        ),
        {"add enum values"},
        keeps=("SELECT k::text FROM t ORDER BY t.k", [("low",), ("high",)]),
        back=("SELECT k::text FROM t ORDER BY t.k", [("low",), ("high",)]),
        risks={"enum level": Risk.SAFE},
    ),
    "two labels change their names with one another": Case(
        tables(
            t(c("k", "level", default="low")),
            enums=[{"name": "level", "values": [{"id": "1", "name": "low"}, "mid", {"id": "2", "name": "high"}]}],
        ),
        tables(
            t(c("k", "level", default="high")),
            enums=[{"name": "level", "values": [{"id": "1", "name": "high"}, "mid", {"id": "2", "name": "low"}]}],
        ),
        {"rename value"},
        "INSERT INTO t VALUES ('low'), ('high')",
        keeps=("SELECT k::text FROM t ORDER BY t.k", [("high",), ("low",)]),
        back=("SELECT k::text FROM t ORDER BY t.k", [("low",), ("high",)]),
    ),
    "another name of an enum that is used everywhere": Case(
        LEVELS + "CREATE TABLE t (k level DEFAULT 'low', ks level[] CHECK (ks[1] <> 'high')); INSERT INTO t (k)"
        " VALUES ('low'), ('high'); CREATE VIEW v AS SELECT 'low'::level AS k",
        tables(
            t(
                c("k", "rank", default="low"),
                c("ks", "rank[]"),
                checks=[{"name": "t_ks_check", "expr": "ks[1] <> 'high'"}],
            ),
            enums=[{"name": "rank", "previousName": "level", "values": ["low", "mid", "high"]}],
            views=[{"name": "v", "query": "SELECT 'low'::rank AS k"}],
        ),
        {"rename enum"},
        keeps=ROWS,
        back=ROWS,
    ),
    "a text becomes an enum by a map": Case(
        "CREATE TABLE t (k varchar(9) DEFAULT 'N', ks text[]); INSERT INTO t VALUES ('N', '{N,low}'), ('high', NULL)",
        tables(
            t(c("k", "level", default="low"), c("ks", "level[]")),
            enums=[{"name": "level", "values": ["none", "low", "high"], "valueMap": {"N": "none"}}],
        ),
        {"create enum", "change type"},
        keeps=("SELECT k::text, ks::text FROM t", [("none", "{none,low}"), ("high", None)]),
        back=("SELECT k, ks FROM t", [("N", ["N", "low"]), ("high", None)]),
    ),
    "an enum becomes a text": Case(
        LEVELS + "CREATE TABLE t (k level DEFAULT 'low' NOT NULL); INSERT INTO t VALUES ('low'), ('high')",
        tables(t(c("k", "TEXT", default="low", nullable=False))),
        {"drop enum", "change type"},
        keeps=ROWS,
        back=ROWS,
    ),
    "one enum becomes another by a map": Case(
        LEVELS + "CREATE TYPE size AS ENUM ('low', 'big'); CREATE TABLE t (k level, ks level[]);"
        "INSERT INTO t VALUES ('high', '{low,high}')",
        tables(
            t(c("k", "size"), c("ks", "size[]")),
            enums=[{"name": "size", "values": ["low", "big"], "valueMap": {"high": "big"}}],
        ),
        {"change type", "drop enum"},
        keeps=("SELECT k::text, ks::text FROM t", [("big", "{low,big}")]),
        back=("SELECT k::text, ks::text FROM t", [("high", "{low,high}")]),
    ),
    "an enum becomes a domain of its name": Case(
        LEVELS + "CREATE TABLE t (k level DEFAULT 'low'); INSERT INTO t VALUES ('low'), ('high')",
        tables(
            t(c("k", "level", default="low")),
            domains=[{"name": "level", "dataType": "TEXT", "checks": [{"name": "k", "expr": "VALUE <> ''"}]}],
        ),
        {"rebuild enum", "create domain"},
        keeps=ROWS,
        back=ROWS,
        destroys={"enum level"},
    ),
    "the name of an enum for a table": Case(
        LEVELS + "CREATE TABLE t (k text); INSERT INTO t VALUES ('low'), ('high')",
        tables(t(c("k", "TEXT")), {"name": "level", "columns": [c("n")]}),
        {"move enum", "drop enum", "create table"},
        keeps=ROWS,
    ),
    "a label less below a domain and a domain of lists": Case(
        LEVELS + "CREATE DOMAIN d AS level DEFAULT 'low' CONSTRAINT n CHECK (VALUE <> 'high'); CREATE DOMAIN ds AS"
        " level[]; CREATE TABLE t (k d, ks ds); INSERT INTO t VALUES ('mid', '{mid,low}')",
        tables(
            t(c("k", "d"), c("ks", "ds")),
            enums=[LESS],
            domains=[
                {
                    "name": "d",
                    "dataType": "level",
                    "default": "low",
                    "checks": [{"name": "n", "expr": "VALUE <> 'high'"}],
                },
                {"name": "ds", "dataType": "level[]"},
            ],
        ),
        {"rebuild enum", "rebuild domain"},
        keeps=("SELECT k::text, ks::text FROM t", [("low", "{low,low}")]),
        destroys={"enum level"},
    ),
    "a label more below a domain": Case(
        LEVELS + "CREATE DOMAIN d AS level; CREATE TABLE t (k d); INSERT INTO t VALUES ('low'), ('high')",
        tables(
            t(c("k", "d")),
            enums=[{"name": "level", "values": ["low", "mid", "high", "top"]}],
            domains=[{"name": "d", "dataType": "level", "default": "top"}],
        ),
        {"add enum values", "change domain"},
        keeps=ROWS,
        back=ROWS,
        risks={"domain d": Risk.SAFE},
    ),
    "the type below a chain of domains": Case(
        "CREATE DOMAIN a AS varchar(4) CONSTRAINT long CHECK (VALUE <> 'x'); CREATE DOMAIN b AS a NOT NULL;"
        "CREATE TABLE t (k b, ks a[]); INSERT INTO t VALUES ('low', '{y}'), ('high', NULL)",
        tables(
            t(c("k", "b"), c("ks", "a[]")),
            domains=[
                {"name": "b", "dataType": "a", "nullable": False},
                {"name": "a", "dataType": "TEXT", "checks": [{"name": "long", "expr": "VALUE <> 'x'"}]},
            ],
        ),
        {"rebuild domain", "change type"},
        keeps=ROWS,
        back=ROWS,
    ),
    "a number below a domain becomes a text": Case(
        "CREATE DOMAIN d AS int CONSTRAINT p CHECK (VALUE > 0); CREATE TABLE t (k d DEFAULT 5);"
        "CREATE INDEX i ON t (k); INSERT INTO t VALUES (7)",
        tables(
            t(c("k", "d", default="5"), indexes=[{"name": "i", "columns": ["k"]}]),
            domains=[{"name": "d", "dataType": "TEXT", "checks": [{"name": "p", "expr": "VALUE <> ''"}]}],
        ),
        {"rebuild domain", "change type"},
        keeps=("SELECT k FROM t", [("7",)]),
        back=("SELECT k FROM t", [(7,)]),
    ),
    "a domain in keys and foreign keys": Case(
        "CREATE DOMAIN d AS int; CREATE TABLE p (k d PRIMARY KEY); CREATE TABLE t (k d CONSTRAINT f REFERENCES p);"
        "INSERT INTO p VALUES (7); INSERT INTO t VALUES (7)",
        tables(
            {"name": "p", "columns": [c("k", "d", primaryKey=True)]},
            t(c("k", "d")),
            domains=[{"name": "d", "dataType": "BIGINT"}],
            relationships=[
                {"name": "f", "fk": {"table": "t", "column": "k"}, "references": {"table": "p", "column": "k"}}
            ],
        ),
        {"rebuild domain", "drop foreign key", "add foreign key"},
        keeps=("SELECT k FROM t", [(7,)]),
        back=("SELECT k FROM t", [(7,)]),
    ),
    "a check of a domain that is in arrays": Case(
        "CREATE DOMAIN d AS text; CREATE TABLE t (k d[]); INSERT INTO t VALUES ('{low}')",
        tables(
            t(c("k", "d[]")),
            domains=[{"name": "d", "dataType": "TEXT", "checks": [{"name": "n", "expr": "VALUE <> ''"}]}],
        ),
        {"rebuild domain"},
        keeps=("SELECT k::text FROM t", [("{low}",)]),
        back=("SELECT k::text FROM t", [("{low}",)]),
    ),
    "a domain that becomes NOT NULL with another default": Case(
        "CREATE DOMAIN d AS text; CREATE TABLE t (k d); INSERT INTO t VALUES ('low'), ('high')",
        tables(t(c("k", "d")), domains=[{"name": "d", "dataType": "TEXT", "nullable": False, "default": "it's"}]),
        {"change domain"},
        keeps=ROWS,
        back=ROWS,
        risks={"domain d": Risk.LOCKING},
    ),
    "a domain that allows more": Case(
        "CREATE DOMAIN d AS text NOT NULL DEFAULT 'x' CONSTRAINT n CHECK (VALUE <> ''); CREATE TABLE t (k d);"
        "INSERT INTO t VALUES ('low'), ('high')",
        tables(t(c("k", "d")), domains=[{"name": "d", "dataType": "TEXT"}]),
        {"change domain"},
        keeps=ROWS,
        back=ROWS,
        risks={"domain d": Risk.SAFE},
    ),
    "names and comments of a domain's checks": Case(
        "CREATE DOMAIN d AS text CONSTRAINT a CHECK (VALUE <> '') CONSTRAINT b CHECK (VALUE <> 'b');"
        "COMMENT ON CONSTRAINT a ON DOMAIN d IS 'old'; CREATE TABLE t (k d); INSERT INTO t VALUES ('low'), ('high')",
        tables(
            t(c("k", "d")),
            domains=[
                {
                    "name": "d",
                    "dataType": "TEXT",
                    "comment": "it's",
                    "checks": [
                        {"name": "a", "expr": "VALUE <> ''"},
                        {"name": "c", "expr": "VALUE <> 'b'", "comment": "new"},
                    ],
                }
            ],
        ),
        {"change domain", "comment"},
        keeps=ROWS,
        back=ROWS,
        risks={"domain d": Risk.SAFE},
    ),
    "a domain with a collation of its own": Case(
        "CREATE DOMAIN d AS text; CREATE TABLE t (k d); INSERT INTO t VALUES ('low'), ('high')",
        tables(t(c("k", "d")), domains=[{"name": "d", "dataType": "TEXT", "collation": "C"}]),
        {"rebuild domain"},
        keeps=ROWS,
        back=ROWS,
    ),
    "a column comes to a domain": Case(
        "CREATE TABLE t (k varchar(9) DEFAULT 'low', ks text[]); INSERT INTO t VALUES ('low', '{a}'), ('high', NULL)",
        tables(
            t(c("k", "d", default="low"), c("ks", "d[]")),
            domains=[{"name": "d", "dataType": "TEXT", "checks": [{"name": "n", "expr": "VALUE <> ''"}]}],
        ),
        {"create domain", "change type"},
        keeps=ROWS,
        back=ROWS,
    ),
    "a column leaves its domain": Case(
        "CREATE DOMAIN d AS varchar(9) CHECK (VALUE <> ''); CREATE TABLE t (k d, ks d[]);"
        "INSERT INTO t VALUES ('low', '{a}'), ('high', NULL)",
        tables(t(c("k", "TEXT"), c("ks", "TEXT[]"))),
        {"drop domain", "change type"},
        keeps=ROWS,
        back=ROWS,
    ),
    "another name of a domain below another": Case(
        "CREATE DOMAIN d AS text CONSTRAINT n CHECK (VALUE <> ''); CREATE DOMAIN e AS d; CREATE TABLE t (k e);"
        "INSERT INTO t VALUES ('low'), ('high')",
        tables(
            t(c("k", "e")),
            domains=[
                {
                    "name": "word",
                    "previousName": "d",
                    "dataType": "TEXT",
                    "checks": [{"name": "n", "expr": "VALUE <> ''"}],
                },
                {"name": "e", "dataType": "word"},
            ],
        ),
        {"rename domain"},
        keeps=ROWS,
        back=ROWS,
    ),
    "a chain of domains less": Case(
        LEVELS + "CREATE DOMAIN d AS level; CREATE DOMAIN e AS d; CREATE TABLE t (k text);"
        "INSERT INTO t VALUES ('low'), ('high')",
        tables(t(c("k", "TEXT"))),
        {"drop domain", "drop enum"},
        keeps=ROWS,
    ),
}
