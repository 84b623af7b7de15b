"""Other spellings of what is there: nothing is planned."""

from typing import Any

from tests.builders.schema_cases.case import ADA, KEPT, A, Case, people, tables
from tests.builders.schemas import column

# As SQL, and as somebody may write it in a target.
TYPES = (
    ("int4", "INTEGER"),
    ("int8", "bigint"),
    ("int2", "SmallInt"),
    ("varchar", "character varying"),
    ("varchar(5)", "CHARACTER VARYING ( 5 )"),
    ("char", "CHAR(1)"),
    ("numeric(10)", "DECIMAL(10,0)"),
    ("numeric", "dec"),
    ("float", "double"),
    ("float8", "DOUBLE PRECISION"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz(3)", "timestamp(3) with time zone"),
    ("time(0)", "time(0) without time zone"),
    ("timetz", "time with time zone"),
    ("interval(3)", "INTERVAL(3)"),
    ("bool", "BOOLEAN"),
    ("bit", "BIT(1)"),
    ("bit varying(5)", "varbit(5)"),
    ("int[3]", "integer[]"),
    ("int[][]", "int4[]"),
    ("text[]", "TEXT ARRAY"),
    ("int4", "pg_catalog.int4"),
    ("numeric(5,-2)", "numeric(5, -2)"),
    ("text", "string"),
    ("timestamp", "datetime"),
)
DEFAULTS: tuple[tuple[str, str, Any], ...] = (
    ("int", "5", {"expr": "5"}),
    ("int", "-5", -5),
    ("int", "'5'", 5),
    ("int", "1+2", {"expr": "(1 + 2)"}),
    ("bigint", "5000000000", 5_000_000_000),
    ("numeric(10,2)", "1.5", 1.5),
    ("text", "'it''s'", "it's"),
    ("text", "''", ""),
    ("text", "null", None),
    ("text", "null", {"value": None}),
    ("text", "upper('a')", {"expr": "UPPER('a')"}),
    ("text", "'a' || 'b'", {"expr": "'a'||'b'"}),
    ("varchar(9)", "'x'", {"expr": "'x'::varchar"}),
    ("bool", "true", True),
    ("bool", "false", {"expr": "FALSE"}),
    ("timestamp", "now()", {"expr": "NOW( )"}),
    ("timestamptz", "current_timestamp", {"expr": "CURRENT_TIMESTAMP"}),
    ("date", "'2024-01-01'", "2024-01-01"),
    ("jsonb", "'{\"a\": 1}'", {"value": {"a": 1}}),
    ("jsonb", "'[]'::jsonb", {"value": []}),
    ("text[]", "array[]::text[]", {"expr": "ARRAY [ ] :: text[]"}),
    ("text[]", "'{a,b}'", {"expr": "'{a,b}'::text[]"}),
    ("interval", "interval '1 day'", {"expr": "'1 day'::interval"}),
    ("uuid", "gen_random_uuid()", {"expr": "gen_random_uuid()"}),
    ("char(3)", "'ab'", "ab"),
    ("inet", "'10.0.0.1'", "10.0.0.1"),
)
EXPRESSIONS = (
    ("s in ('a', 'b')", "S = ANY (ARRAY['a', 'b'])"),
    ("s not in ('a', 'b')", "s <> ALL (ARRAY['a','b'])"),
    ("s like 'x%'", "s ~~ 'x%'"),
    ("n between 1 and 5", "n >= 1 AND n <= 5"),
    ("n <> 3", "n != 3"),
    ("n::text <> ''", "CAST(n AS text) <> ''"),
    ("coalesce(s, 'x') <> ''", "COALESCE(s,'x')<>''"),
    ("d > '2024-01-01'", "d > DATE '2024-01-01'"),
    ("length(s) > 1 or s is null", "(length(s) > 1) OR (s IS NULL)"),
    ("extract(year from d) > 2000", "EXTRACT(YEAR FROM d)>2000"),
    ("not (n = 1)", "NOT n = 1"),
    ("(n, s) is not null", "ROW(n, s) IS NOT NULL"),
)
MIXED = [column("n", "INTEGER"), column("s", "VARCHAR(20)"), column("d", "DATE")]

CASES: dict[str, Case] = {
    "a list of short texts in a check": Case(
        tables(people(column("a", "VARCHAR(20)"), checks=[{"name": "c", "expr": "a IN ('Ada', 'Eve')"}])),
        tables(people(column("a", "VARCHAR(20)"), checks=[{"name": "c", "expr": "a = 'Ada' OR a = 'Eve'"}])),
        {"drop check", "add check"},
        ADA,
        KEPT,
    ),
    "a column beside a list of short texts": Case(
        "CREATE TABLE people (a varchar(20) CONSTRAINT c CHECK (a IN ('Ada', 'Eve')));"
        "CREATE INDEX i ON people (a) WHERE a NOT IN ('x', 'y');"
        "CREATE VIEW seen AS SELECT a FROM people WHERE a IN ('Ada', 'Eve')",
        tables(
            {
                "name": "people",
                "columns": [column("a", "VARCHAR(20)"), column("b", "TEXT")],
                "checks": [{"name": "c", "expr": "a IN ('Ada', 'Eve')"}],
                "indexes": [{"name": "i", "columns": ["a"], "where": "NOT a IN ('x', 'y')"}],
            },
            views=[{"name": "seen", "query": "SELECT a FROM people WHERE a IN ('Ada', 'Eve')"}],
        ),
        {"add column"},
        ADA,
        KEPT,
    ),
    "a list of short texts, read back": Case(
        "CREATE TABLE people (a varchar(20) CONSTRAINT c CHECK (a IN ('Ada', 'Eve')))",
        tables(
            {
                "name": "people",
                "columns": [column("a", "VARCHAR(20)")],
                "checks": [
                    {
                        "name": "c",
                        "expr": "(a)::text = ANY ((ARRAY['Ada'::character varying, 'Eve'::character varying])::text[])",
                    }
                ],
            }
        ),
        set(),
        ADA,
        KEPT,
    ),
    "nothing of a text": Case(tables(people(A)), tables(people(A | {"dataType": "text"})), set(), ADA, KEPT),
    "types in other words": Case(
        f"CREATE TABLE people ({', '.join(f'c{number} {sql}' for number, (sql, _) in enumerate(TYPES))})",
        tables(
            {
                "name": "people",
                "columns": [{"name": f"c{number}", "dataType": said} for number, (_, said) in enumerate(TYPES)],
            }
        ),
        set(),
        "INSERT INTO people DEFAULT VALUES",
    ),
    "defaults in other words": Case(
        "CREATE TABLE people ("
        + ", ".join(f"c{number} {kind} DEFAULT {sql}" for number, (kind, sql, _) in enumerate(DEFAULTS))
        + ")",
        tables(
            {
                "name": "people",
                "columns": [
                    {"name": f"c{number}", "dataType": kind, "default": said}
                    for number, (kind, _, said) in enumerate(DEFAULTS)
                ],
            }
        ),
        set(),
        "INSERT INTO people DEFAULT VALUES",
    ),
    "checks in other words": Case(
        "CREATE TABLE people (n int, s varchar(20), d date, "
        + ", ".join(f"CONSTRAINT c{number} CHECK ({sql})" for number, (sql, _) in enumerate(EXPRESSIONS))
        + ")",
        tables(
            {
                "name": "people",
                "columns": MIXED,
                "checks": [{"name": f"c{number}", "expr": said} for number, (_, said) in enumerate(EXPRESSIONS)],
            }
        ),
        set(),
    ),
    "conditions of indexes in other words": Case(
        "CREATE TABLE people (n int, s varchar(20), d date);"
        + "".join(f"CREATE INDEX i{number} ON people (n) WHERE {sql};" for number, (sql, _) in enumerate(EXPRESSIONS)),
        tables(
            {
                "name": "people",
                "columns": MIXED,
                "indexes": [
                    {"name": f"i{number}", "columns": ["n"], "where": said}
                    for number, (_, said) in enumerate(EXPRESSIONS)
                ],
            }
        ),
        set(),
    ),
    "queries of views in other words": Case(
        "CREATE TABLE people (n int, s varchar(20), d date);"
        + "".join(
            f"CREATE VIEW v{number} AS SELECT n, {sql} AS x FROM people;" for number, (sql, _) in enumerate(EXPRESSIONS)
        ),
        tables(
            {"name": "people", "columns": MIXED},
            views=[
                {"name": f"v{number}", "query": f'select PEOPLE.n, ({said}) x from "people";'}
                for number, (_, said) in enumerate(EXPRESSIONS)
            ],
        ),
        set(),
    ),
    "members in another order": Case(
        "CREATE TYPE k AS ENUM ('a', 'b'); CREATE DOMAIN w AS k; CREATE TABLE t (a w, b int, "
        "CONSTRAINT x CHECK (b > 0), CONSTRAINT y CHECK (b < 9)); CREATE TABLE u (b int);"
        "CREATE INDEX i ON t (b); CREATE INDEX j ON t (a);"
        "CREATE VIEW v AS SELECT b FROM u; CREATE VIEW w2 AS SELECT b FROM v",
        {
            "views": [{"query": "SELECT b FROM v", "name": "w2"}, {"query": "SELECT b FROM u", "name": "v"}],
            "tables": [
                {"columns": [column("b")], "name": "u"},
                {
                    "indexes": [{"columns": ["a"], "name": "j"}, {"name": "i", "columns": ["b"]}],
                    "checks": [{"expr": "b < 9", "name": "y"}, {"expr": "b > 0", "name": "x"}],
                    "columns": [column("b"), column("a", "w")],
                    "name": "t",
                },
            ],
            "domains": [{"dataType": "k", "name": "w"}],
            "enums": [{"values": ["a", "b"], "name": "k"}],
        },
        set(),
    ),
    "hints of what has been done": Case(
        tables(people(A, column("m", "mood")), enums=[{"name": "mood", "values": ["sad"]}]),
        tables(
            people(A | {"using": "upper(a)", "backfill": "'x'"}, column("m", "mood", previousName="k")),
            enums=[
                {
                    "name": "mood",
                    "previousName": "feeling",
                    "values": [{"name": "sad", "previousName": "blue"}],
                    "valueMap": {"ok": "sad"},
                }
            ],
        ),
        set(),
        ADA,
        KEPT,
    ),
    "ids where there were none": Case(
        "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE people (id bigint PRIMARY KEY, a text); CREATE SEQUENCE s;"
        "CREATE VIEW v AS SELECT a FROM people",
        tables(
            {
                "id": "1",
                "name": "people",
                "columns": [column("id", "BIGINT", primaryKey=True), A],
            },
            enums=[{"id": "2", "name": "mood", "values": [{"id": "3", "name": "sad"}]}],
            sequences=[{"id": "4", "name": "s"}],
            views=[{"id": "5", "name": "v", "query": "SELECT a FROM people"}],
        ),
        set(),
        "INSERT INTO people VALUES (1, 'Ada')",
        KEPT,
    ),
    "empty comments and lists": Case(
        tables(people(A)),
        tables(
            people(A | {"comment": ""}, comment="", checks=[], uniques=[], indexes=[], options={}),
            enums=[],
            domains=[],
            sequences=[],
            views=[],
            relationships=[],
            statistics=[],
        ),
        set(),
        ADA,
        KEPT,
    ),
    "what a sequence does by itself": Case(
        "CREATE SEQUENCE s; CREATE SEQUENCE d INCREMENT -1; CREATE SEQUENCE i AS integer",
        {
            "sequences": [
                {
                    "name": "s",
                    "start": 1,
                    "increment": 1,
                    "minimum": 1,
                    "maximum": 2**63 - 1,
                    "cache": 1,
                    "cycle": False,
                },
                {"name": "d", "increment": -1, "start": -1, "maximum": -1, "minimum": -(2**63)},
                {"name": "i", "dataType": "INT", "maximum": 2**31 - 1},
            ]
        },
        set(),
    ),
}
