"""Reading a target: what is wrong is said with its place, what is unusual is warned about."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.document import InvalidTarget, parse_design
from dataforge.contexts.schemas.designs.domain.expressions import ExpressionRefused, check_bound, check_expression
from dataforge.contexts.schemas.designs.domain.types import UnknownType, resolve_type
from tests.builders.schema_strategies import documents
from tests.builders.schemas import column, table


def violations(document: Any) -> dict[str, str]:
    """What is said about a document, by place."""
    with pytest.raises(InvalidTarget) as caught:
        parse_design(document)
    return {item.pointer: item.message for item in caught.value.violations}


@pytest.mark.parametrize(
    ("document", "place", "said"),
    [
        ([], "", "must be an object"),
        ({"table": []}, "/table", 'unknown member "table", did you mean "tables"?'),
        ({"version": 2}, "/version", "this service reads version 1"),
        ({"tables": [table("a", column("b", "varchr"))]}, "/tables/0/columns/1/dataType", 'did you mean "varchar"?'),
        ({"tables": [table("a"), table("a")]}, "/tables/1/name", "already the name of"),
        ({"tables": [table("a", column("b"), column("b"))]}, "/tables/0/columns/2/name", "already a column"),
        ({"tables": [table("a", indexes=[{"columns": ["c"]}])]}, "/tables/0/indexes/0/columns", "not a column of a"),
        ({"tables": [table("a", column("b", default=1, generated="id"))]}, "/tables/0/columns/1/default", "one of"),
        ({"enums": [{"name": "e", "values": ["x", "x"]}]}, "/enums/0/values/1", "there twice"),
        ({"enums": [{"name": "e", "values": ["x"], "valueMap": {"y": "z"}}]}, "/enums/0/valueMap/y", "not a value"),
        ({"enums": [{"name": "integer", "values": ["x"]}]}, "/enums/0/name", "is a type of PostgreSQL"),
        ({"tables": [table("a", checks=[{"expr": "1) OR (1"}])]}, "/tables/0/checks/0/expr", "closes )"),
        ({"tables": [table("pg_a")]}, "/tables/0/name", "belong to PostgreSQL"),
        ({"tables": [table("a", column("xmin"))]}, "/tables/0/columns/1/name", "of PostgreSQL's own"),
        ({"tables": [table("a\0")]}, "/tables/0/name", "must not contain NUL"),
        ({"tables": [table("a", comment="\ud800")]}, "/tables/0/comment", "half of a surrogate pair"),
        ({"enums": [{"name": "e", "values": ["\0"]}]}, "/enums/0/values/0", "must not contain NUL"),
        ({"tables": [{"a/\ud800": 1}]}, "/tables/0", "half of a surrogate pair"),
        ({"tables": [table("é" * 32)]}, "/tables/0/name", "at most 63 bytes"),
        ({"tables": [table("")]}, "/tables/0/name", "must be a name"),
        ({"enums": [{"name": "e", "values": ["é" * 32]}]}, "/enums/0/values/0", "1 to 63 bytes"),
        ({"statistics": [{"table": "a", "columns": ["b"]}]}, "/statistics/0/table", 'no table "a"'),
        (
            {"tables": [table("a")], "statistics": [{"table": "a", "columns": ["id"]}]},
            "/statistics/0/columns",
            "must name two columns",
        ),
        (
            {"tables": [table("a")], "statistics": [{"table": "a", "columns": ["id", "b"], "kinds": ["most"]}]},
            "/statistics/0/kinds",
            'unknown kind "most"',
        ),
        (
            {"views": [{"name": "v", "query": "SELECT 1 AS a", "columns": [{"name": "a", "statistics": 5}]}]},
            "/views/0/columns/0/statistics",
            "only a materialized view",
        ),
        ({"views": [{"name": "v", "query": "DROP TABLE x"}]}, "/views/0/query", "must begin with SELECT"),
        (
            {"relationships": [{"fk": {"table": "a", "column": "b"}, "references": {"table": "c", "column": "d"}}]},
            "/relationships/0/fk/table",
            'no table "a"',
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(document: Any, place: str, said: str) -> None:
    assert said in violations(document)[place]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {"tables": [table("a", column("b", "nope"), column("c", "also nope"))]}

    assert list(violations(wrong)) == ["/tables/0/columns/1/dataType", "/tables/0/columns/2/dataType"]


@pytest.mark.parametrize(("name", "rule"), [("select", "keyword"), ("Orders", "quoted_name"), ("a b", "quoted_name")])
def test_a_name_that_needs_quotes_is_taken_and_warned_about(name: str, rule: str) -> None:
    design = parse_design({"tables": [table(name)]})

    assert name in design.schema.tables
    assert [(item.pointer, item.rule) for item in design.warnings] == [("/tables/0/name", rule)]


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("VARCHAR(255)", "character varying(255)"),
        ("INTEGER", "integer"),
        ("BOOLEAN", "boolean"),
        ("TIMESTAMP", "timestamp"),
        ("timestamp with time zone", "timestamptz"),
        ("numeric(12, 2)", "numeric(12,2)"),
        ("text[]", "text[]"),
        ("TEXT ARRAY", "text[]"),
        ("integer array[3]", "integer[]"),
        ("pg_catalog.int4", "integer"),
        ("regclass", "regclass"),
        ("mood", '"mood"'),
    ],
)
def test_the_types_of_designers_are_those_of_postgresql(text: str, sql: str) -> None:
    assert resolve_type(text, {"mood"})[0] == sql


@pytest.mark.parametrize("text", ["integer(3)", "varchar(1, 2)", "int); DROP TABLE x", "public.users", "numeric(a)"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(UnknownType):
        resolve_type(text, ())


@given(st.text("ab '\"();-/*$e\\\n,[]", max_size=30))
@example("a$)")
@example("a$")
@example("a$b$;$b$")
def test_an_expression_that_is_taken_stays_in_its_parentheses(text: str) -> None:
    try:
        taken = check_expression(text)
    except ExpressionRefused:
        return
    assert outside_of(taken + ")") == [")"]


def outside_of(text: str) -> list[str]:
    """What stands behind the parenthesis that is open before the text, read as PostgreSQL reads it: naively."""
    depth, quote, position = 1, "", 0
    while position < len(text) and depth:
        sign = text[position]
        if quote:
            if sign == "\\" and quote == "e":
                position += 1
            elif sign == ("'" if quote == "e" else quote):
                quote = ""
        elif sign in "'\"":
            before = text[position - 1 : position].lower()
            word = position > 1 and (text[position - 2].isalnum() or text[position - 2] in "_$")
            quote = "e" if sign == "'" and before == "e" and not word else sign
        else:
            assert text[position : position + 2] not in ("--", "/*")
            assert sign != ";"
            # Within a name a dollar sign is a letter; elsewhere it could open a text.
            inside = position > 0 and (text[position - 1].isalnum() or text[position - 1] in "_$")
            assert sign != "$" or inside
            depth += (sign == "(") - (sign == ")")
        position += 1
    assert not quote
    return [")", *text[position:]] if depth == 0 else []


BOUNDS = (
    "DEFAULT",
    "FOR VALUES IN ('a', NULL)",
    "FOR VALUES FROM (1, MINVALUE) TO (-2.5, MAXVALUE)",
    "for values with (modulus 4, remainder 0)",
    "FOR VALUES FROM ('2026-01-01') TO ('it''s')",
)


@pytest.mark.parametrize("text", BOUNDS)
def test_bounds_of_literals_are_taken(text: str) -> None:
    assert check_bound(text) == text


@pytest.mark.parametrize(
    "text", ["", "FOR VALUES IN (now())", "FOR VALUES IN ('a' || 'b')", "DEFAULT)", "FOR VALUES IN ('a') , x int"]
)
def test_bounds_that_compute_are_refused(text: str) -> None:
    with pytest.raises(ExpressionRefused):
        check_bound(text)


@given(documents())
def test_a_valid_document_is_read_and_has_one_fingerprint(document: dict[str, Any]) -> None:
    first, second = parse_design(document), parse_design(document)

    assert first.schema == second.schema
    assert first.schema.fingerprint == second.schema.fingerprint
    assert set(first.schema.tables) == {item["name"] for item in document["tables"]}
