"""The part of a schema that a change concerns."""

from typing import Any

from hypothesis import given

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.plans.domain.part import find_part
from dataforge.contexts.schemas.plans.domain.renames import find_renames
from tests.builders.schema_strategies import documents
from tests.builders.schemas import column, table


def schema(*tables: dict[str, Any], **more: Any) -> Schema:
    return parse_design({"tables": list(tables), **more}).schema


def reference(table_name: str, other: str) -> dict[str, Any]:
    return {"fk": {"table": table_name, "column": "other_id"}, "references": {"table": other, "column": "id"}}


@given(documents(), documents())
def test_the_rest_is_the_same_before_and_after(first: dict[str, Any], second: dict[str, Any]) -> None:
    before, design = parse_design(first), parse_design(second)
    part = find_part(
        before.schema, before.schema, design.schema, find_renames(before.schema, design.named, before.named)
    )

    whole = part.put(part.cut(design.schema), before.schema)

    assert whole.fingerprint == design.schema.fingerprint


@given(documents())
def test_a_change_of_nothing_concerns_nothing(document: dict[str, Any]) -> None:
    same = parse_design(document).schema

    part = find_part(same, same, parse_design(document).schema, ())

    assert (part.core, part.around) == (frozenset(), frozenset())


def test_a_ring_of_foreign_keys_is_not_followed() -> None:
    names = [f"t{number}" for number in range(9)]
    ring = [reference(name, names[(number + 1) % 9]) for number, name in enumerate(names)]
    start = schema(*(table(name, column("other_id", "BIGINT")) for name in names), relationships=ring)
    changed = [table(name, column("other_id", "BIGINT"), *([column("age")] if name == "t4" else [])) for name in names]

    part = find_part(start, start, schema(*changed, relationships=ring), ())

    assert part.core == {("tables", "t4")}
    assert part.around == {("tables", "t3"), ("tables", "t5")}
    assert set(part.cut(start).tables["t5"].constraints) == {"t5_pkey"}


def test_what_is_made_of_a_type_or_reads_a_table_changes_with_it() -> None:
    mood = {"name": "mood", "values": ["ok"]}
    views = [{"name": "seen", "query": "SELECT * FROM people"}, {"name": "counted", "query": "SELECT 1 FROM seen"}]
    tables = (table("people", column("mood", "mood")), table("orders"))
    start = schema(*tables, enums=[mood], views=views)
    more = schema(*tables, enums=[mood | {"values": ["sad", "ok"]}], views=views)

    part = find_part(start, start, more, ())

    assert part.core == {("enums", "mood"), ("tables", "people"), ("views", "seen"), ("views", "counted")}
