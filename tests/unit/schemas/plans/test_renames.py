"""Renames: which there are, and an order in which no name is ever taken twice."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.plans.domain.renames import Rename, find_renames, inverse, names_followed, order_renames
from tests.builders.schemas import column

NAMES = ("a", "b", "c", "d", "e")


def document(names: dict[str, str]) -> dict[str, Any]:
    """Tables by stable id."""
    return {"tables": [{"id": key, "name": name, "columns": [column("x")]} for key, name in names.items()]}


@st.composite
def named(draw: st.DrawFn) -> dict[str, str]:
    ids = draw(st.lists(st.sampled_from("12345"), unique=True, min_size=1))
    names = draw(st.permutations(NAMES))
    return dict(zip(ids, names, strict=False))


def carried_out(steps: list[Rename], present: set[str]) -> dict[str, str]:
    """Where each name ends; fails as PostgreSQL would for one that is not there or taken."""
    where = {name: name for name in present}
    for step in steps:
        taken = set(where.values())
        assert step.old in taken
        assert step.new not in taken
        where = {name: step.new if now == step.old else now for name, now in where.items()}
    return where


@given(named(), named())
def test_any_change_of_names_can_be_carried_out_one_by_one(before: dict[str, str], after: dict[str, str]) -> None:
    start, end = parse_design(document(before)), parse_design(document(after))

    renames = find_renames(start.schema, end.named, start.named)
    where = carried_out(order_renames(renames, start.schema), set(before.values()))

    kept = {key for key in before if key in after}
    assert {(item.old, item.new) for item in renames} == {
        (before[key], after[key]) for key in kept if before[key] != after[key]
    }
    assert {key: where[before[key]] for key in kept} == {key: after[key] for key in kept}


@given(named(), named())
def test_the_way_back_is_a_way_as_well(before: dict[str, str], after: dict[str, str]) -> None:
    both = {key: name for key, name in after.items() if key in before}
    start, end = parse_design(document({key: before[key] for key in both})), parse_design(document(both))
    there = find_renames(start.schema, end.named, start.named)

    back = carried_out(order_renames(inverse(there), end.schema), set(both.values()))

    assert {key: back[name] for key, name in both.items()} == {key: before[key] for key in both}


def test_a_previous_name_counts_where_no_id_is_known() -> None:
    start = parse_design({"tables": [{"name": "people", "columns": [column("x")]}]})
    end = parse_design({"tables": [{"name": "persons", "previousName": "people", "columns": [column("x")]}]})

    assert [item.sql for item in find_renames(start.schema, end.named, ())] == [
        'ALTER TABLE "people" RENAME TO "persons"'
    ]


def people(*columns: dict[str, Any], name: str = "people", **more: Any) -> dict[str, Any]:
    return {"tables": [{"name": name, "columns": list(columns), **more}]}


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "dataType": "TEXT", **more}


def followed(*documents: dict[str, Any]) -> dict[str, str | None]:
    first, *later = map(parse_design, documents)
    return {item.name: item.previous for item in names_followed(first, later)}


def test_names_are_followed_through_what_came_later() -> None:
    start = people(text("mail"), text("age"))
    then = people(text("email", previousName="mail"), text("age"), name="persons", previousName="people")
    last = people(text("address", previousName="email"), text("age"), name="persons")

    assert followed(start, then, last) == {"people": "persons", "mail": "address", "age": "age"}


def test_what_comes_later_under_the_name_of_something_that_went_is_another_thing() -> None:
    went = followed(people(text("mail")), people(text("age")), people(text("mail"), text("age")))
    whole = followed(people(text("mail")), {"tables": []}, people(text("mail")))

    assert went == {"people": "people", "mail": None}
    assert whole == {"people": None, "mail": None}


def test_names_of_values_are_followed() -> None:
    start = {"enums": [{"name": "mood", "values": ["sad", "ok"]}]}
    then = {"enums": [{"name": "mood", "values": ["sad", {"name": "fine", "previousName": "ok"}]}]}

    assert followed(start, then) == {"mood": "mood", "sad": "sad", "ok": "fine"}
