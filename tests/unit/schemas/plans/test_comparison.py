"""Two states of a schema in one: what is new, changed or dropped, whatever has another name now."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.diagram import draw_svg
from dataforge.contexts.schemas.designs.domain.document import Design, parse_design
from dataforge.contexts.schemas.plans.domain.comparison import Comparison, compare_schemas
from dataforge.contexts.schemas.plans.domain.renames import find_renames
from tests.builders.schemas import column, table
from tests.builders.svg import read_picture

Document = dict[str, Any]


def compared(before: Document, after: Document) -> Comparison:
    old, new = parse_design(before), parse_design(after)
    return compare_schemas(old.schema, new.schema, find_renames(old.schema, new.named, old.named))


def marked(before: Document, after: Document) -> dict[tuple[str, ...], str]:
    return {key: f"{mark.state}: {mark.words}".strip(": ") for key, mark in compared(before, after).marks.items()}


def tables(*some: Document, **more: Any) -> Document:
    return {"tables": list(some), **more}


def test_nothing_is_marked_in_what_is_the_same() -> None:
    same = tables(table("people", column("a")), enums=[{"name": "mood", "values": ["sad"]}])

    assert marked(same, same) == {}


def test_columns_are_new_changed_and_dropped_and_stay_in_the_picture() -> None:
    before = tables(table("people", column("a"), column("b"), column("c", "VARCHAR(10)")))
    after = tables(table("people", column("a"), column("c", "TEXT", nullable=False), column("d")))

    found = compared(before, after)

    assert {key: (mark.state.value, mark.words) for key, mark in found.marks.items()} == {
        ("column", "people", "b"): ("dropped", ""),
        ("column", "people", "c"): ("changed", "was varchar(10), not null now"),
        ("column", "people", "d"): ("added", ""),
        ("table", "people"): ("changed", ""),
    }
    assert list(found.schema.tables["people"].columns) == ["id", "a", "b", "c", "d"]


def test_a_new_name_is_no_loss() -> None:
    before = tables(table("people", column("mail", "TEXT")))
    after = tables({**table("people", {**column("mail", "TEXT"), "name": "email"}), "name": "persons"})

    assert marked(before, after) == {
        ("column", "persons", "email"): "changed: was called mail",
        ("table", "persons"): "changed: was called people",
        ("constraint", "persons", "persons_pkey"): "changed: was called people_pkey",
    }


def test_what_lost_its_name_to_another_is_shown_beside_it() -> None:
    before = tables(table("people", {**column("a"), "id": "1"}, {**column("b"), "id": "2"}))
    after = tables(table("people", {**column("b"), "id": "1"}))

    found = compared(before, after)

    assert found.marks["column", "people", "b"].words == "was called a"
    assert found.marks["column", "people", "b (before)"].state == "dropped"


def test_a_foreign_key_follows_the_names_of_both_its_ends() -> None:
    link = {"name": "of", "fk": {"table": "orders", "column": "by"}, "references": {"table": "people", "column": "id"}}
    moved = {**link, "fk": {"table": "orders", "column": "buyer"}, "references": {"table": "persons", "column": "id"}}
    by = column("by", "BIGINT")
    before = tables(table("people"), table("orders", by), relationships=[link])
    after = tables(
        {**table("people"), "name": "persons"},
        table("orders", {**by, "name": "buyer"}),
        relationships=[moved],
    )

    assert ("constraint", "orders", "of") not in marked(before, after)
    assert ("constraint", "orders", "of") in marked(before, tables(table("people"), table("orders", by)))


def test_values_of_enums_are_marked() -> None:
    before = {"enums": [{"name": "mood", "values": [{"id": "1", "name": "sad"}, "ok", "old"]}]}
    after = {"enums": [{"name": "mood", "values": [{"id": "1", "name": "blue"}, "ok", "new"]}]}

    assert marked(before, after) == {
        ("value", "mood", "blue"): "changed: was called sad",
        ("value", "mood", "new"): "added",
        ("value", "mood", "old"): "dropped",
        ("enum", "mood"): "changed",
    }


def test_of_many_tables_only_what_changes_and_what_is_near_is_shown() -> None:
    many = [table(f"t{number}", column("other", "BIGINT")) for number in range(30)]
    links = [
        {"fk": {"table": f"t{number}", "column": "other"}, "references": {"table": f"t{number + 1}", "column": "id"}}
        for number in range(29)
    ]
    changed = [*many[:5], table("t5", column("other", "BIGINT"), column("more")), *many[6:]]

    found = compared(tables(*many, relationships=links), tables(*changed, relationships=links))

    assert sorted(found.shown().tables) == ["t4", "t5", "t6"]
    assert "+ more" in read_picture(draw_svg(found.shown(), found.marks)).texts


def test_a_dropped_table_is_shown_with_what_it_referred_to() -> None:
    link = {"fk": {"table": "orders", "column": "by"}, "references": {"table": "people", "column": "id"}}
    before = tables(table("people"), table("orders", column("by", "BIGINT")), relationships=[link])

    found = compared(before, tables(table("people")))

    assert {key: mark.state.value for key, mark in found.marks.items()} == {("table", "orders"): "dropped"}
    assert list(found.schema.tables["orders"].constraints) == ["orders_pkey", "orders_by_fkey"]


NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    def named(name: str) -> Document:
        return column(name, draw(st.sampled_from(("TEXT", "INTEGER")))) | {"id": draw(st.integers(1, 6)).__str__()}

    names = draw(NAMES)
    ids = draw(st.permutations("123456"))
    some = [
        {**table(name, *(named(inner) for inner in draw(NAMES))), "id": stable_id}
        for name, stable_id in zip(names, ids, strict=False)
    ]
    return parse_design(tables(*some))


@given(designs(), designs())
def test_everything_of_both_states_is_in_the_picture(before: Design, after: Design) -> None:
    found = compare_schemas(before.schema, after.schema, find_renames(before.schema, after.named, before.named))

    assert set(after.schema.tables) <= set(found.schema.tables)
    dropped = [key for key, mark in found.marks.items() if key[0] == "table" and mark.state == "dropped"]
    added = [key for key, mark in found.marks.items() if key[0] == "table" and mark.state == "added"]
    assert len(before.schema.tables) == len(after.schema.tables) - len(added) + len(dropped)
    assert len(found.schema.tables) == len(after.schema.tables) + len(dropped)
    read_picture(draw_svg(found.schema, found.marks))
