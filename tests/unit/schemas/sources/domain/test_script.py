"""SQL as statements that are run: what is left out, moved and refused, and where."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.sources.domain.script import Script, read_script
from dataforge.contexts.schemas.sources.domain.source import InvalidSource

PIECES = (
    *(
        "CREATE TABLE",
        "public.",
        "a",
        '"B"',
        "(",
        ")",
        ",",
        ";",
        "int",
        "DEFAULT",
        "'x'",
        "nextval(",
        "::regclass",
        "$$",
    ),
    *(
        "VIEW",
        "AS SELECT",
        "FROM",
        "*",
        "CHECK",
        "--",
        "/*",
        "*/",
        "\n",
        "ALTER",
        "COMMENT ON",
        "IS",
        "E'\\''",
        "ü",
        "1",
    ),
)


def run(text: str) -> list[str]:
    script = read_script(text)
    return [statement.sql(script.source.data).decode() for statement in script.statements]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (" ;; -- x\n;", []),
        ("CREATE TABLE a (b int)", ["CREATE TABLE a (b int)"]),
        ("CREATE TABLE public.a (b public.mood)", ["CREATE TABLE a (b mood)"]),
        ('CREATE TABLE "public" . a (b int)', ["CREATE TABLE a (b int)"]),
        ("CREATE TABLE Public.a (b PUBLIC.\n mood[])", ["CREATE TABLE a (b mood[])"]),
        ("CREATE TABLE ü.a (b text DEFAULT 'ü.a')", ["CREATE TABLE a (b text DEFAULT 'ü.a')"]),
        (
            "SET search_path TO app, public; CREATE TABLE a (b int DEFAULT nextval('app.\"C\"'::regclass))",
            ["CREATE TABLE a (b int DEFAULT nextval('\"C\"'::regclass))"],
        ),
        (
            "CREATE TABLE app.a (b int DEFAULT nextval(('app.c'::text)::regclass))",
            ["CREATE TABLE a (b int DEFAULT nextval(('\"c\"'::text)::regclass))"],
        ),
        (
            "CREATE VIEW app.v AS SELECT app.id, app.t.id FROM app.app, app.t",
            ["CREATE VIEW v AS SELECT app.id, t.id FROM app, t"],
        ),
        ("CREATE INDEX CONCURRENTLY i ON app.a (b)", ["CREATE INDEX  i ON a (b)"]),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)", ["CREATE UNIQUE INDEX  i ON a (b)"]),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1", ["CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA"]),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 WITH DATA;", ["CREATE MATERIALIZED VIEW m AS SELECT 1  WITH NO DATA"]),
        (
            "CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA",
            ["CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA"],
        ),
        ("BEGIN; CREATE TYPE app.e AS ENUM ('a;b'); COMMIT", ["CREATE TYPE e AS ENUM ('a;b')"]),
        (
            "DROP TABLE IF EXISTS app.a; CREATE TABLE app.a (b int)",
            ["DROP TABLE IF EXISTS a", "CREATE TABLE a (b int)"],
        ),
    ],
)
def test_what_is_run_names_no_schema(text: str, statements: list[str]) -> None:
    assert run(text) == statements


def test_what_is_left_out_is_reported_once_with_how_often() -> None:
    script = read_script(
        "INSERT INTO a VALUES (1);\n" * 3 + "GRANT ALL ON a TO b; SET work_mem = 1; SET lock_timeout = 0"
    )

    assert [(item.line, item.rule) for item in script.source.warnings] == [(1, "rows"), (4, "rights"), (4, "setting")]
    assert "(3 times)" in script.source.warnings[0].message


def test_a_place_in_what_is_run_is_a_place_in_the_text() -> None:
    text = "CREATE TABLE ü.a (x ü.mood, y ü.b, zzz)"
    script: Script = read_script(text.replace(", zzz", ""))
    [statement] = script.statements
    sql = statement.sql(script.source.data).decode()

    for word in ("x", "mood", "y", "b"):
        offset = statement.place_of(script.source.data, sql.index(word, 14) + 1)
        assert script.source.data[offset:].decode().removeprefix("ü.").startswith(word)


@given(st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join))
def test_every_text_is_read_or_refused_with_places(text: str) -> None:
    with contextlib.suppress(InvalidSource):
        assert read_script(text).source.problems == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "||".join(["a"] * 100_000),
        "SELECT " + "(" * 100_000,
        "CREATE VIEW v AS SELECT 1" + "::int" * 100_000,
        "CREATE VIEW v AS SELECT " + "NOT " * 5_900 + "true",
        "CREATE TABLE a (" + ",".join(f"c{number} int" for number in range(10_000)) + ")",
        "CREATE TABLE " + "a." * 5_000 + "b (c int)",
        "/*" * 100_000,
        "/**/" * 100_000,
        "$" * 100_000,
        "'" * 100_001,
        ";" * 100_000 + "x",
    ],
)
def test_a_hostile_text_is_refused_and_ends_nothing(text: str) -> None:
    with pytest.raises(InvalidSource):
        read_script(text)
