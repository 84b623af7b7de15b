"""SQL in: what PostgreSQL makes of a text is the target, and what the text may not say is refused with its place."""

import pytest

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.rendering import write_sql
from dataforge.contexts.schemas.plans.planning import compile_target
from dataforge.contexts.schemas.sources.converting import Converted, run_script
from dataforge.contexts.schemas.sources.domain.script import read_script
from dataforge.kernel.errors import DataForgeError
from tests.builders.planned import Planned
from tests.builders.schema_cases import CASES
from tests.builders.schemas import column, table

DUMP = r"""
\restrict Xb3
SET statement_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TYPE public.mood AS ENUM (
    'sad',
    'it''s ok'
);
ALTER TYPE public.mood OWNER TO joe;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.people (
    id bigint NOT NULL,
    name character varying(255) DEFAULT 'x'::character varying NOT NULL,
    feels public.mood DEFAULT 'sad'::public.mood,
    number integer DEFAULT 1
);
ALTER TABLE public.people OWNER TO joe;
COMMENT ON TABLE public.people IS 'who; \. is here';
CREATE SEQUENCE public.people_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.people_id_seq OWNED BY public.people.id;
CREATE TABLE public.log (day date NOT NULL, said text) PARTITION BY RANGE (day);
CREATE TABLE public.log_2025 (day date NOT NULL, said text);
ALTER TABLE ONLY public.log ATTACH PARTITION public.log_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE VIEW public.seen WITH (security_barrier='true') AS SELECT people.id, people.name FROM public.people;
CREATE MATERIALIZED VIEW public.counted AS SELECT count(*) AS n FROM public.people WITH NO DATA;
ALTER TABLE ONLY public.people ALTER COLUMN id SET DEFAULT nextval('public.people_id_seq'::regclass);
COPY public.people (id, name, feels, number) FROM stdin;
1	Ada; it's	sad	\N
2	'Bo	\N	3
\.
SELECT pg_catalog.setval('public.people_id_seq', 2, true);
ALTER TABLE ONLY public.people ADD CONSTRAINT people_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX people_name ON public.people USING btree (lower((name)::text)) WHERE (number > 0);
REFRESH MATERIALIZED VIEW public.counted;
CREATE TYPE public.pair AS (
    feels public.mood,
    name text COLLATE pg_catalog."C"
);
CREATE TYPE public.span AS RANGE (
    subtype = double precision,
    multirange_type_name = public.spans,
    subtype_diff = float8mi
);
CREATE TABLE public.pairs (one public.pair, many public.pair[], here public.span, there public.spans);
GRANT SELECT ON TABLE public.people TO PUBLIC;
\unrestrict Xb3
"""


async def convert(planned: Planned, text: str) -> Converted:
    found = await run_script(planned.connection, read_script(text), "ws_0000000000000000")
    await planned.connection.rollback()
    return found


async def refused(planned: Planned, text: str) -> list[tuple[str, str]]:
    with pytest.raises(DataForgeError) as error:
        await convert(planned, text)
    await planned.connection.rollback()
    return [(item.rule, item.message) for item in error.value.violations]


async def test_a_dump_becomes_a_target(planned: Planned) -> None:
    converted = await convert(planned, DUMP)

    target = converted.target
    assert [item["name"] for item in target["tables"]] == ["log", "pairs", "people"]
    assert [item["name"] for item in target["composites"]] == ["pair"]
    assert target["ranges"] == [
        {"name": "span", "subtype": "double precision", "subtypeDiff": "float8mi", "multirange": "spans"}
    ]
    assert [item["name"] for item in target["views"]] == ["counted", "seen"]
    assert target["enums"][0]["values"] == ["sad", "it's ok"]
    assert target["tables"][2]["comment"] == r"who; \. is here"
    assert target["tables"][2]["columns"][0]["default"] == {"expr": "nextval('people_id_seq'::regclass)"}
    assert target["tables"][0]["partitions"][0]["name"] == "log_2025"
    assert {item.rule for item in converted.warnings} == {"owner", "rows", "rights"}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.refused])
async def test_what_a_target_is_as_sql_becomes_the_same_again(planned: Planned, name: str) -> None:
    case = CASES[name]
    for start in (case.before, case.after):
        # Rows that code makes, or that are changed.
        if isinstance(start, str) and any(words in start for words in ("DO $", "DELETE FROM", "UPDATE ")):
            continue
        document = (await convert(planned, start)).target if isinstance(start, str) else start
        wanted = await compile_target(planned.connection, parse_design(document))

        converted = await convert(planned, write_sql(wanted))

        assert converted.schema.fingerprint == wanted.fingerprint


REFUSED = {
    "a function": ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "statement", "line 1, column 1: "),
    "a block of code": ("\n  DO $$BEGIN END$$", "statement", "line 2, column 3: DO runs code"),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", "statement", "triggers run code"),
    "a rule": ("CREATE RULE r AS ON INSERT TO a DO ALSO DELETE FROM b", "statement", "rules run code"),
    "a query": ("SELECT pg_sleep(10)", "statement", "queries are not run"),
    "a table from a query": ("CREATE TABLE a AS SELECT 1 AS x", "query", "CREATE TABLE AS"),
    "a deletion": ("DELETE FROM people", "statement", "rows are not changed here"),
    "a role": ("CREATE ROLE joe", "statement", "CreateRole"),
    "a command of psql": ("\\! rm -rf /", "psql", "commands of psql are not run"),
    "a file of psql": ("SELECT 1;\n\\i other.sql", "statement", "queries are not run"),
    "a temporary table": ("CREATE TEMP TABLE a (b int)", "temporary", "temporary"),
    "inheritance": ("CREATE TABLE a (b int); CREATE TABLE c () INHERITS (a)", "inheritance", "line 1, column 25"),
    "a base type": ("CREATE TYPE pair", "statement", "composite and range types"),
    "row security": ("CREATE TABLE a (b int); ALTER TABLE a ENABLE ROW LEVEL SECURITY", "alteration", "row security"),
    "a policy": ("CREATE POLICY p ON a", "statement", "policies"),
    "a view of the platform": ("CREATE VIEW a AS\nSELECT * FROM identity.users", "other_schema", "line 2, column 15"),
    "a view of the catalog": ("CREATE VIEW a AS SELECT * FROM pg_catalog.pg_roles", "other_schema", "pg_catalog"),
    "a key to another workspace": (
        "CREATE TABLE a (b bigint REFERENCES ws_0123456789abcdef.people (id))",
        "other_schema",
        "column 37",
    ),
    "two schemas": ("CREATE TABLE x.a (b int); CREATE TABLE y.a (b int)", "other_schema", '"y" is another schema'),
    "a sequence elsewhere": ("CREATE TABLE a (b int DEFAULT nextval('y.s'::regclass))", "other_schema", "column 39"),
    "a catalog of another database": ("CREATE TABLE other.public.a (b int)", "other_schema", '"other"'),
    "a bound that sleeps": (
        "CREATE TABLE a (b text) PARTITION BY LIST (b);\nCREATE TABLE c PARTITION OF a FOR VALUES IN (now()::text)",
        "bound",
        "line 2, column 42",
    ),
    "a default that sleeps": (
        "CREATE TABLE a (b int);\nALTER TABLE a ADD COLUMN c text DEFAULT pg_sleep(60)::text",
        "expression_forbidden",
        "line 2, column 41: the function pg_sleep",
    ),
    "a default that reads": (
        "CREATE TABLE a (b int); ALTER TABLE a ADD c xml DEFAULT pg_catalog.schema_to_xml('identity', true, true, '')",
        "expression_forbidden",
        "schema_to_xml",
    ),
    "a view that reads a file": (
        "CREATE VIEW a AS SELECT pg_read_file('x') AS x",
        "expression_forbidden",
        "pg_read_file",
    ),
    "a view that sets": (
        "CREATE VIEW a AS SELECT set_config('role', 'x', false)",
        "expression_forbidden",
        "set_config",
    ),
    "a mistake of grammar": ("CREATE TABLE a (\n  b int,,\n)", "syntax", "line 2, column 9"),
    "a text that is not closed": ("CREATE TABLE a (b text DEFAULT 'x)", "syntax", "unterminated quoted string"),
    "a type that is not there": ("CREATE TABLE a (\n  b varchr(10)\n)", "refused", "line 2, column 5"),
    "a grammar that is newer than the server": (
        "CREATE TABLE a (b int, c int GENERATED ALWAYS AS (b) VIRTUAL)",
        "refused",
        'PostgreSQL refuses it: syntax error at or near "VIRTUAL"',
    ),
    "a sum that is too long": ("CREATE VIEW a AS SELECT " + "||".join(["'x'"] * 20_000), "too_long", "12,000"),
    "a nest that is too deep": (
        "CREATE VIEW a AS SELECT " + "(1+" * 1_500 + "1" + ")" * 1_500,
        "too_deep",
        "too deeply",
    ),
    "a text that is too large": ("-- " + "x" * 2_100_000, "too_long", "2,097,152"),
    "too many statements": ("BEGIN;" * 20_001, "too_long", "20,000 statements"),
    "quoting that is switched off": ("SET standard_conforming_strings = off", "setting", "must stay on"),
    "a type of a table": ("CREATE TABLE a (b int); CREATE TABLE c (d a)", "unknown_type", 'unknown type "a"'),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_part_of_a_schema_is_refused_at_its_place(planned: Planned, name: str) -> None:
    text, rule, words = REFUSED[name]

    found = await refused(planned, text)

    assert [item for item in found if item[0] == rule and words in item[1]], found


async def test_all_mistakes_are_told_at_once(planned: Planned) -> None:
    text = (
        "CREATE TABLE a (b int,,);\nDO $$x$$;\nCREATE VIEW v AS SELECT * FROM other.t;\nCREATE TABLE other2.x (c int)"
    )

    found = await refused(planned, text)

    assert [rule for rule, _ in found] == ["syntax", "statement", "other_schema"]
    assert [message.partition(":")[0] for _, message in found] == [
        "line 1, column 23",
        "line 2, column 1",
        "line 3, column 32",
    ]


async def test_all_mistakes_that_the_server_finds_are_told_at_once(planned: Planned) -> None:
    text = "CREATE TABLE a (b varchr);\nCREATE TABLE c (d int CHECK (d > 'x'));\nCREATE INDEX i ON a (b)"

    found = await refused(planned, text)

    assert [message.partition(":")[0] for _, message in found] == ["line 1, column 19", "line 2, column 34"]


async def test_a_table_with_the_name_of_the_schema_keeps_its_columns(planned: Planned) -> None:
    text = "CREATE TABLE app.app (id int PRIMARY KEY); CREATE VIEW app.v AS SELECT app.id AS n FROM app.app"

    converted = await convert(planned, text)

    assert [item["name"] for item in converted.target["tables"]] == ["app"]


async def test_names_and_texts_with_sql_in_them_are_names_and_texts(planned: Planned) -> None:
    text = """
    CREATE TABLE public."x"");; DROP TABLE ""y" ("public.a" text DEFAULT 'public.b; -- ''x'
      CHECK ("public.a" <> $$;public.$$));
    COMMENT ON TABLE public."x"");; DROP TABLE ""y" IS E'it\\'s public.x';
    """

    [made] = (await convert(planned, text)).target["tables"]

    assert (made["name"], made["comment"]) == ('x");; DROP TABLE "y', "it's public.x")
    assert made["columns"][0]["name"] == "public.a"
    assert "public.b; -- ''x" in made["columns"][0]["default"]["expr"]
    assert ";public." in made["checks"][0]["expr"]


async def test_things_that_are_deployed_under_the_same_name_keep_their_ids(planned: Planned) -> None:
    before = parse_design({"tables": [table("people", column("name", "TEXT"))]})
    script = read_script("CREATE TABLE people (id bigint PRIMARY KEY, name text); CREATE TABLE orders (id int)")

    found = await run_script(planned.connection, script, "ws_0000000000000000", before.named)

    orders, people = found.target["tables"]
    assert (people["id"], [item["id"] for item in people["columns"]]) == ("t-people", ["c-id", "c-name"])
    assert "id" not in orders


async def test_composite_and_range_types_become_part_of_the_target(planned: Planned) -> None:
    text = "CREATE TYPE app.pair AS (a int, b text); CREATE TYPE app.span AS RANGE (subtype = float8)"

    target = (await convert(planned, text)).target

    assert [item["name"] for item in (*target["composites"], *target["ranges"])] == ["pair", "span"]


async def test_nothing_of_a_script_stays(planned: Planned) -> None:
    await planned.begin()
    query = "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'v', 'S')"
    before = await planned.sql(query)

    await convert(planned, DUMP)

    assert await planned.sql(query) == before
