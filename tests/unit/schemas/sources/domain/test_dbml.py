"""DBML as a document of the target format, with the place of every mistake."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.sources.domain.dbml import read_dbml
from dataforge.contexts.schemas.sources.domain.source import InvalidSource
from tests.builders.schema_sources import SHOP


def read(text: str) -> dict[str, Any]:
    return read_dbml(text).document


def mistakes(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSource) as error:
        read_dbml(text)
    return [(item.rule, item.message) for item in error.value.violations]


def test_everything_that_the_language_says_is_in_the_document() -> None:
    document = read(SHOP)

    people, orders, lines = document["tables"]
    assert document["enums"] == [{"name": "mood", "values": ["sad", "it's ok", "ok"]}]
    assert people["comment"] == "Two lines,\nit's true"
    assert {item["name"]: item["dataType"] for item in people["columns"]} == {
        "id": "bigint",
        "full name": "varchar(255)",
        "feels": "mood",
        "age": "int",
        "tags": "text[]",
        "price": "numeric(10,2)",
        "created_at": "timestamptz",
    }
    by_name = {item["name"]: item for item in people["columns"]}
    assert by_name["id"] == {"name": "id", "dataType": "bigint", "primaryKey": True, "identity": True}
    assert (by_name["full name"]["nullable"], by_name["full name"]["unique"]) == (False, True)
    assert by_name["feels"]["default"] == {"value": "ok"}
    assert (by_name["age"]["default"], by_name["price"]["default"]) == ({"expr": "-1"}, {"expr": "1.10"})
    assert by_name["created_at"]["default"] == {"expr": "now()"}
    assert people["checks"] == [{"expr": "age > -2"}, {"expr": "age < 200", "name": "mortal"}]
    assert people["uniques"] == [{"columns": ["feels", "age"], "name": "by_mood"}]
    assert people["indexes"] == [
        {"keys": [{"expr": 'lower("full name")'}], "method": "btree"},
        {"keys": [{"column": "age"}]},
    ]
    assert orders["primaryKey"] == {"columns": ["shop", "number"]}
    assert orders["columns"][3]["dataType"] == "timestamp with time zone"
    assert document["relationships"] == [
        {
            "fk": {"table": "orders", "columns": ["buyer"]},
            "references": {"table": "people", "columns": ["id"]},
        },
        {
            "fk": {"table": "lines", "columns": ["shop", "number"]},
            "references": {"table": "orders", "columns": ["shop", "number"]},
            "name": "to_order",
            "onDelete": "cascade",
            "onUpdate": "no action",
        },
        {
            "fk": {"table": "orders", "columns": ["buyer"]},
            "references": {"table": "people", "columns": ["id"]},
            "onDelete": "set null",
        },
    ]
    assert lines["name"] == "lines"


@pytest.mark.parametrize(
    ("sign", "fk"), [("a.x > b.y", "a"), ("b.y < a.x", "a"), ("a.x - b.y", "a"), ("b.y - a.x", "a")]
)
def test_a_reference_goes_from_the_side_that_is_many_or_no_key(sign: str, fk: str) -> None:
    [found] = read(f"Table a {{\n x int\n}}\nTable b {{\n y int [pk]\n}}\nRef: {sign}")["relationships"]

    assert found["fk"]["table"] == fk


def test_names_in_quotes_keep_their_quotes_and_dots() -> None:
    [table] = read('Table "a\\"b.c" {\n "größe ""x""" "double precision"\n}')["tables"]

    assert (table["name"], table["columns"][0]["name"]) == ('a"b.c', 'größe "x"')


def test_one_schema_in_front_of_names_is_left_out_and_a_second_is_refused() -> None:
    text = "Table app.a {\n x app.mood\n}\nEnum app.mood {\n y\n}\n"

    assert read(text)["tables"][0]["columns"][0]["dataType"] == "mood"
    assert mistakes(text + "Table other.b {\n x int\n}") == [
        ("other_schema", 'line 7, column 7: "other" is another schema than "app"; a text describes one')
    ]


def test_all_mistakes_are_told_at_once_with_their_places() -> None:
    text = (
        "Table a {\n  id int [pkk]\n  x\n  y int [default: ]\n}\nTabel b {\n  id int\n}\n"
        "Ref: a.id <> b.id\nRef: a.id > b\nEnum e {\n  'x\n}\nTable c {\n  z int [ref: ~ a.id]\n}"
    )

    found = mistakes(text)

    assert [(rule, message.partition(":")[0]) for rule, message in found] == [
        ("unknown_member", "line 2, column 11"),
        ("syntax", "line 3, column 4"),
        ("syntax", "line 4, column 19"),
        ("syntax", "line 6, column 1"),
        ("syntax", "line 10, column 14"),
        ("syntax", "line 12, column 3"),
        ("syntax", "line 12, column 3"),
        ("syntax", "line 15, column 15"),
    ]
    assert 'did you mean "pk"?' in found[0][1]
    assert 'did you mean "Table"?' in found[3][1]


def test_many_to_many_is_refused_with_what_to_write_instead() -> None:
    text = "Table a {\n x int [pk]\n}\nTable b {\n x int [pk]\n}\nRef: a.x <> b.x"

    [(rule, message)] = mistakes(text)

    assert (rule, message.partition(":")[0]) == ("many_to_many", "line 7, column 6")


def test_rows_are_left_out_with_a_warning() -> None:
    reading = read_dbml("Table a {\n x int\n}\nrecords a(x) {\n 1\n 2\n}\n")

    assert [(item.line, item.rule) for item in reading.source.warnings] == [(4, "rows")]


@pytest.mark.parametrize("piece", ["(a", "[", "{", "'", '"', "`", "/*", "Table a {\n", "a.", "''' ", "\\", "1e", "~"])
def test_a_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    assert mistakes("Table a {\n x f" + piece * 20_000)


@given(st.text(alphabet="Table{}[]()'\"`:.,<>-~ \n/*enumrfxpk1#\\", max_size=200))
def test_every_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidSource):
        assert read_dbml(text).document["version"] == 1
