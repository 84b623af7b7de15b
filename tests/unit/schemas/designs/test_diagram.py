"""A schema as a picture: all that matters is in it, for those who see it and for those who do not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.diagram import HEADS, INK, PAPER, SOFT, STATES, TYPE_HEAD, draw_svg
from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.marks import Mark, State
from dataforge.contexts.schemas.designs.domain.model import Column, Schema, Table
from tests.builders.schemas import column, table
from tests.builders.svg import contrast, read_picture

TARGET: dict[str, Any] = {
    "enums": [{"name": "mood", "values": ["sad", "ok"]}],
    "domains": [{"name": "mail", "dataType": "TEXT", "nullable": False}],
    "sequences": [{"name": "tickets"}],
    "tables": [
        table("people", column("email", "VARCHAR(255)", nullable=False, unique=True), comment="Who is there"),
        table("orders", column("person_id", "BIGINT", nullable=False), column("mood", "mood")),
    ],
    "relationships": [
        {"fk": {"table": "orders", "column": "person_id"}, "references": {"table": "people", "column": "id"}}
    ],
    "views": [{"name": "buyers", "query": "SELECT id FROM people"}],
}
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=63)


def of(document: dict[str, Any]) -> Schema:
    return parse_design(document).schema


def test_the_picture_says_what_is_there() -> None:
    picture = read_picture(draw_svg(of(TARGET), title="Training"))

    assert picture.title == "Training"
    assert picture.description.startswith("2 tables, 1 view, 1 enum, 1 domain, 1 sequence, 1 foreign key.")
    for words in ("people", "email", "varchar(255)", "PK", "FK", "UQ", "mood null", "mood", "sad", "tickets", "buyers"):
        assert words in picture.texts


def test_composite_and_range_types_are_cards_with_what_they_are_made_of() -> None:
    schema = of(
        {
            "composites": [{"name": "address", "attributes": [{"name": "street", "dataType": "VARCHAR(80)"}]}],
            "ranges": [{"name": "span", "subtype": "timestamp with time zone"}],
        }
    )

    picture = read_picture(
        draw_svg(schema, {("composite", "address"): Mark(State.CHANGED), ("range", "span"): Mark(State.ADDED)})
    )

    assert {"~ address", "composite", "street", "varchar(80)", "+ span", "range", "of timestamptz"} <= set(
        picture.texts
    )
    assert picture.description == "1 composite, 1 range. changed: composite address; new: range span."


def test_the_lines_say_who_refers_to_whom() -> None:
    assert "<title>orders (person_id) refers to people (id)</title>" in draw_svg(of(TARGET))


def test_an_empty_schema_has_a_picture_too() -> None:
    assert "There is nothing in it yet." in read_picture(draw_svg(Schema())).texts


def test_what_is_marked_has_a_sign_and_a_word_beside_its_colour() -> None:
    marks = {
        ("table", "people"): Mark(State.CHANGED),
        ("column", "people", "email"): Mark(State.ADDED, "was mail"),
        ("value", "mood", "sad"): Mark(State.DROPPED),
    }

    svg = draw_svg(of(TARGET), marks)

    picture = read_picture(svg)
    assert {"~ people", "+ email", "\N{MINUS SIGN} sad", "new", "changed", "dropped"} <= set(picture.texts)
    assert "changed: table people; new: people.email; dropped: mood.sad" in picture.description
    assert "was mail" in svg


def test_all_texts_are_easy_to_read_on_their_ground() -> None:
    pairs = [*STATES.values(), *((head, INK) for head in (*HEADS.values(), TYPE_HEAD)), (PAPER, SOFT), (PAPER, INK)]

    assert all(contrast(ground, ink) >= 7 for ground, ink in pairs)


def test_many_columns_are_cut_but_not_those_that_matter() -> None:
    columns = [column(f"c{index}") for index in range(300)]

    texts = read_picture(
        draw_svg(of({"tables": [table("wide", *columns)]}), {("column", "wide", "c250"): Mark(State.ADDED)})
    ).texts

    assert {"id", "c0", "+ c250", "and 261 more"} <= set(texts)
    assert "c200" not in texts


def test_too_many_foreign_keys_stand_in_their_columns() -> None:
    count = 240
    tables, links = [], []
    for number in range(count):
        tables.append(table(f"t{number}", *(column(f"r{key}", "BIGINT") for key in range(4))))
        links += [
            {
                "fk": {"table": f"t{number}", "column": f"r{key}"},
                "references": {"table": f"t{(number * (2 * key + 3) + key) % count}", "column": "id"},
            }
            for key in range(4)
        ]

    picture = read_picture(draw_svg(of({"tables": tables, "relationships": links})))

    assert "Too many foreign keys for lines: each column says what it refers to." in picture.texts
    assert {"→ t3", "→ t10"} <= set(picture.texts)


@pytest.mark.parametrize("style", ["<style", "style=", "<script", "href", "url("])
def test_it_holds_nothing_that_a_strict_policy_forbids(style: str) -> None:
    assert style not in draw_svg(of(TARGET))


@given(NAMES, NAMES)
def test_whatever_names_are_they_are_drawn(name: str, inner: str) -> None:
    schema = Schema(tables={name: Table(name=name, columns={inner: Column(name=inner, type="text")})})

    read_picture(draw_svg(schema, {("table", name): Mark(State.ADDED)}, title=name))
