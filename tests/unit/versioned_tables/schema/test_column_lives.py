"""A column's life: a name that was left behind and comes again is a new column, and nothing of the old one is read."""

from pathlib import Path

import pytest

from tests.builders.tables import column, imported, rows_of, store, version
from versioned_tables.compare.diff import difference
from versioned_tables.files.options import ImportOptions
from versioned_tables.format.manifest import Manifest
from versioned_tables.format.manifest_codec import decode_manifest, encode_manifest
from versioned_tables.hashing.commits import tree_hash
from versioned_tables.maintain.maintenance import verify
from versioned_tables.merge.merging import cherry_pick, merge, revert
from versioned_tables.read.statistics import table_statistics
from versioned_tables.schema.columns import TableSchema, column_id, make_schema
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import RowOperation, apply_operations, change_schema

SCHEMA = make_schema([("k", "int"), ("b", "int")], ["k"])
ROWS = [{"k": 1, "b": 10}, {"k": 2, "b": 20}]


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def values(tables: TableStore, manifest: Manifest, name: str = "b") -> list[object]:
    return column(rows_of(tables, manifest), name)


def id_of(manifest: Manifest, name: str = "b") -> str:
    found = manifest.schema.by_name(name)
    assert found is not None
    return found.id


def generations(manifest: Manifest) -> dict[str, int]:
    return dict(manifest.schema.generations)


@pytest.mark.parametrize("type_", ["int", "string", "date", "decimal(10,2)", "bool"])
def test_a_dropped_column_that_is_added_again_is_empty(tables: TableStore, type_: str) -> None:
    first = version(tables, ROWS, SCHEMA)
    dropped = change_schema(tables, first, drop=["b"])

    again = change_schema(tables, dropped, add=[("b", type_)])

    assert values(tables, again) == [None, None]
    assert id_of(again) == column_id("b", 1) != id_of(first)
    assert table_statistics(tables, again)["columns"][1]["nulls"] == 2  # type: ignore[index]
    assert change_schema(tables, first, drop=["b"], add=[("b", type_)]).schema == again.schema


def test_every_life_of_a_name_has_its_own_id(tables: TableStore) -> None:
    at = version(tables, ROWS, SCHEMA)
    seen = [id_of(at)]

    for life in range(1, 4):
        at = change_schema(tables, change_schema(tables, at, drop=["b"]), add=[("b", "int")])
        seen.append(id_of(at))
        assert generations(at) == {"b": life}

    assert len(set(seen)) == 4


def test_a_column_that_takes_the_name_of_a_renamed_one_is_new_when_that_is_gone_too(tables: TableStore) -> None:
    renamed = change_schema(tables, version(tables, ROWS, SCHEMA), renames={"b": "c"}, add=[("b", "int")])
    gone = change_schema(tables, renamed, drop=["c"])

    back = change_schema(tables, change_schema(tables, gone, renames={"b": "c"}), add=[("b", "int")])

    assert values(tables, back) == values(tables, back, "c") == [None, None]
    assert generations(back) == {"b": 2, "c": 1}


def test_names_that_change_places_keep_their_columns(tables: TableStore) -> None:
    schema = make_schema([("k", "int"), ("a", "int"), ("b", "int")], ["k"])
    at = version(tables, [{"k": 1, "a": 1, "b": 2}], schema)

    swapped = change_schema(tables, at, renames={"a": "b", "b": "a"})

    assert rows_of(tables, swapped) == [{"k": 1, "b": 1, "a": 2}]
    assert generations(swapped) == {"a": 1, "b": 1}


@pytest.mark.parametrize("key", [("k",), ()])
def test_a_file_that_lacks_a_column_leaves_it_behind(tables: TableStore, key: tuple[str, ...]) -> None:
    options = ImportOptions(key=key)
    first = imported(tables, "k,b\n1,10\n2,20\n", options).tables["data"]
    without = imported(tables, "k\n1\n2\n", options, bases={"data": first}).tables["data"]

    added = change_schema(tables, without, add=[("b", "int")])
    again = imported(tables, "k,b\n1,\n2,\n3,30\n", options, bases={"data": without}).tables["data"]

    assert values(tables, added) == [None, None]
    assert values(tables, again) == [None, None, 30]
    assert id_of(again) == id_of(added) == column_id("b", 1)


def test_the_generations_are_kept_with_the_version_and_are_no_part_of_its_content(tables: TableStore) -> None:
    first = version(tables, [{"k": 1}], make_schema([("k", "int")], ["k"]))
    there_and_back = change_schema(tables, change_schema(tables, first, add=[("b", "int")]), drop=["b"])

    decoded = decode_manifest(encode_manifest(there_and_back))

    assert generations(decoded) == {"b": 1}
    assert decoded.schema == TableSchema.from_json(there_and_back.schema.to_json())
    assert tree_hash({"t": there_and_back.content}) == tree_hash({"t": first.content})
    assert "generations" not in first.schema.to_json()


def test_a_schema_stored_before_generations_were_kept_is_read_as_it_was() -> None:
    stored = {"columns": [{"id": column_id("b"), "name": "b", "type": "int", "nullable": True}], "key": []}

    schema = TableSchema.from_json(stored)

    assert schema == make_schema([("b", "int")])
    assert schema.to_json() == stored


def test_without_kept_generations_no_id_is_given_twice() -> None:
    renamed = TableSchema.from_json(
        {"columns": [{"id": column_id("b"), "name": "c", "type": "int", "nullable": True}], "key": []}
    )

    once = renamed.with_new([("b", "int")])
    gone = TableSchema(renamed.columns).after(once)

    assert once.columns[1].id == column_id("b", 1)
    assert gone.with_new([("b", "int")]).columns[1].id == column_id("b", 2)


def test_a_name_that_either_side_left_behind_is_left_behind_after_a_merge(tables: TableStore) -> None:
    base = version(tables, [{"k": 1}], make_schema([("k", "int")], ["k"]))
    short = change_schema(tables, change_schema(tables, base, add=[("b", "int")]), drop=["b"])
    grown = version(tables, [{"k": 1}, {"k": 2}], base.schema, base=base)

    for ours, theirs in ((short, grown), (grown, short)):
        merged = merge(tables, base, ours, theirs).require()
        assert generations(merged) == {"b": 1}
        assert len(rows_of(tables, merged)) == 2


def test_a_reverted_drop_brings_the_column_and_its_values_back(tables: TableStore) -> None:
    first = version(tables, ROWS, SCHEMA)
    dropped = change_schema(tables, first, drop=["b"])
    head = apply_operations(tables, dropped, [RowOperation("insert", {}, {"k": 3})])

    back = revert(tables, dropped, first, head).require()

    assert values(tables, back) == [10, 20, None]
    assert id_of(back) == id_of(first)
    assert generations(back) == {"b": 1}
    assert change_schema(tables, change_schema(tables, back, drop=["b"]), add=[("b", "int")]).schema.columns[
        1
    ].id == column_id("b", 2)


@pytest.mark.parametrize(("ours", "value"), [("string", "x"), ("int", 7), ("bool", True), ("date", "2026-01-31")])
def test_a_column_that_was_left_behind_with_another_type_comes_back_empty(
    tables: TableStore, ours: str, value: object
) -> None:
    base = version(tables, [{"k": 1}, {"k": 2}], make_schema([("k", "int")], ["k"]))
    theirs = change_schema(tables, base, add=[("b", "float")])
    theirs = apply_operations(tables, theirs, [RowOperation("update", {"k": 2}, {"b": 2.5})])
    head = change_schema(tables, base, add=[("b", ours)])
    head = apply_operations(tables, head, [RowOperation("update", {"k": 1}, {"b": value})])
    head = change_schema(tables, head, drop=["b"])

    picked = cherry_pick(tables, theirs, base, head).require()

    assert values(tables, picked) == [None, 2.5]
    assert verify(tables, picked) == []
    assert difference(tables, head, picked).counts["updated"] == 1


def test_two_branches_that_drop_and_add_a_name_share_the_new_column(tables: TableStore) -> None:
    base = version(tables, ROWS, SCHEMA)
    sides = []
    for key in (1, 2):
        again = change_schema(tables, base, drop=["b"], add=[("b", "int")])
        sides.append(apply_operations(tables, again, [RowOperation("update", {"k": key}, {"b": key * 100})]))

    merged = merge(tables, base, *sides).require()

    assert values(tables, merged) == [100, 200]
    assert generations(merged) == {"b": 1}
