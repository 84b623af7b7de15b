"""Renames: which there are, and an order in which no name is ever taken twice."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.plans.domain.renames import Rename, find_renames, inverse, order_renames
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
