"""Versions: leaves, manifests, reuse of rows, diffs and edits, with and without a key."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import LINES, PEOPLE, people, rows_of, store, table, version
from versioned_tables.compare.diff import Difference, count_changes, difference, difference_page, select
from versioned_tables.compare.similarity import guess_updates
from versioned_tables.errors import CorruptStorage
from versioned_tables.format import manifest_codec
from versioned_tables.format.manifest import Manifest
from versioned_tables.format.manifest_codec import EncodedManifest, decode_manifest, encode_manifest
from versioned_tables.hashing.commits import commit_id, tree_hash
from versioned_tables.hashing.row_hash import hash_rows
from versioned_tables.maintain.maintenance import compact
from versioned_tables.read.rows import read_range, row_by_key
from versioned_tables.schema.columns import make_schema
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.edits import Edits, apply_edits, place_keys
from versioned_tables.write.operations import change_schema
from versioned_tables.write.packs import PackWriter
from versioned_tables.write.writer import TableWriter

quick = settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


@st.composite
def edited(draw: st.DrawFn, size: int = 3000) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Two versions of a table: rows with even ids, then some changed, removed and added."""
    count = draw(st.integers(0, size))
    rows = people(range(0, count * 2, 2))
    picks = draw(st.lists(st.integers(0, max(0, count * 2)), max_size=12))
    after = {row["id"]: dict(row) for row in rows}
    for pick in picks:
        action = draw(st.sampled_from(["update", "delete", "insert"]))
        if action == "insert":
            after[pick | 1] = {"id": pick | 1, "name": "new", "score": draw(st.sampled_from([None, 0.0, 1.5]))}
        elif pick & ~1 in after and action == "update":
            after[pick & ~1]["name"] = draw(st.sampled_from(["changed", None, ""]))
        else:
            after.pop(pick & ~1, None)
    return rows, sorted(after.values(), key=lambda row: row["id"])  # type: ignore[arg-type,return-value]


def applied(found: Difference, tables: TableStore, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The base's rows with the listed changes carried out."""
    by_id = {row["id"]: row for row in rows}
    for change in difference_page(tables, found, 0, len(found)):
        if change.after is not None:
            by_id[change.after["id"]] = change.after
        elif change.before is not None:
            del by_id[change.before["id"]]
    return [by_id[key] for key in sorted(by_id)]  # type: ignore[type-var]


@quick
@given(edited())
def test_a_difference_applied_to_the_base_gives_the_head(
    tables: TableStore, versions: tuple[list[dict[str, object]], list[dict[str, object]]]
) -> None:
    before, after = versions
    base = version(tables, before)
    head = version(tables, after, base=base)

    along = difference(tables, base, head)
    anyway = difference(tables, base, head.without_change())
    independent = difference(tables, base, version(tables, after))

    assert applied(along, tables, before) == after
    assert applied(anyway, tables, before) == after
    assert applied(independent, tables, before) == after
    assert along.counts == anyway.counts == independent.counts


@quick
@given(edited(), st.integers(1, 9))
def test_content_does_not_depend_on_storage_or_on_the_way_there(
    tables: TableStore, versions: tuple[list[dict[str, object]], list[dict[str, object]]], parts: int
) -> None:
    before, after = versions
    base = version(tables, before)

    patched = version(tables, after, base=base, parts=parts)
    plain = version(tables, after)

    assert patched.digest == plain.digest
    assert rows_of(tables, patched) == rows_of(tables, plain) == after
    assert patched.leaves.counts.tolist() == plain.leaves.counts.tolist()
    assert commit_id(tree_hash({"t": patched.content}), parents=[], author="a", message="m") == commit_id(
        tree_hash({"t": plain.content}), parents=[], author="a", message="m"
    )


@quick
@given(edited())
def test_row_edits_give_what_writing_everything_gives(
    tables: TableStore, versions: tuple[list[dict[str, object]], list[dict[str, object]]]
) -> None:
    before, after = versions
    base = version(tables, before)
    old = {row["id"]: row for row in before}
    new = {row["id"]: row for row in after}
    put = table([row for row in after if old.get(row["id"]) != row])
    found, at = place_keys(tables, base, put.select(list(PEOPLE.key)))
    gone = [index for index, row in enumerate(before) if row["id"] not in new]

    result = apply_edits(tables, base, Edits(put, at, found, np.array(gone, dtype=np.int64)))

    assert result.digest == version(tables, after).digest
    assert rows_of(tables, result) == after
    assert difference(tables, base, result).counts == difference(tables, base, result.without_change()).counts


def decoded_anew(record: EncodedManifest, records: dict[str, bytes]) -> Manifest:
    """As another process decodes it, which remembers no manifest."""
    manifest_codec._recent = manifest_codec._Recent(4)
    return decode_manifest(record, records)


@quick
@given(edited(), edited())
def test_manifests_come_back_from_bytes_and_from_deltas(
    tables: TableStore,
    one: tuple[list[dict[str, object]], list[dict[str, object]]],
    two: tuple[list[dict[str, object]], list[dict[str, object]]],
) -> None:
    records: dict[str, bytes] = {}
    parent: EncodedManifest | None = None
    base: Manifest | None = None
    for rows in (*one, *two):
        manifest = version(tables, rows, base=base)

        record = encode_manifest(manifest, parent=parent, others=records)
        records[record.id] = record.data
        again = decoded_anew(record, records)

        assert again.digest == manifest.digest
        assert again.schema == manifest.schema
        assert again.change == manifest.change
        assert rows_of(tables, again) == rows
        assert [again.leaves.first_keys[at] for at in range(len(again.leaves))] == [
            manifest.leaves.first_keys[at] for at in range(len(manifest.leaves))
        ]
        parent, base = record, again


def test_a_delta_keeps_where_a_chunk_lies_now(tables: TableStore) -> None:
    lines = make_schema([("id", "int"), ("name", "string"), ("score", "float")])
    without_key = version(tables, people(range(600)), lines)
    packs = PackWriter(tables, lines)
    for start in (0, 600):
        rows = table(people(range(start, start + 600)), lines)
        packs.add(rows, hash_rows(rows, lines))
    moved = replace(without_key, sources=(packs.finish()[0],))
    parent = encode_manifest(without_key)

    record = encode_manifest(moved, parent=parent)
    again = decoded_anew(record, {parent.id: parent.data, record.id: record.data})

    [old], [new], found = without_key.sources, moved.sources, again.sources[int(again.pieces.source[0])]
    assert old.id == new.id
    assert old.place != new.place == found.place


@pytest.mark.parametrize("rows", [100, 3_000, 30_000])
@pytest.mark.parametrize(("before", "after"), [((), ("id",)), (("id",), ()), (("id",), ("name", "id"))])
def test_a_table_whose_key_changes_comes_back_with_its_first_keys(
    tables: TableStore, rows: int, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    columns = [("id", "int"), ("name", "string"), ("score", "float")]
    content = [{"id": at, "name": f"n{at:06}", "score": 0.5} for at in range(rows)]
    base = version(tables, content, make_schema(columns, before))
    manifest = version(tables, content, make_schema(columns, after), base=base)
    parent = encode_manifest(base)

    record = encode_manifest(manifest, parent=parent)
    again = decoded_anew(record, {parent.id: parent.data, record.id: record.data})

    assert again.digest == manifest.digest
    assert list(again.leaves.first_keys) == list(manifest.leaves.first_keys)
    assert rows_of(tables, again) == content


def test_corrections_all_over_a_table_are_kept_as_a_difference(tables: TableStore) -> None:
    rows = people(range(40_000))
    base = version(tables, rows)
    parent = encode_manifest(base)
    for row in rows[::500]:
        row["name"] = "corrected"
    manifest = version(tables, rows, base=base)

    record = encode_manifest(manifest, parent=parent)

    whole = len(encode_manifest(manifest).data)
    assert record.chain == (parent.id,)
    assert whole / 4 < len(record.data) <= whole / 2
    assert rows_of(tables, decoded_anew(record, {parent.id: parent.data, record.id: record.data})) == rows


def test_a_chain_of_commits_stays_short_and_small(tables: TableStore) -> None:
    rows = people(range(20_000))
    manifest = version(tables, rows)
    record = encode_manifest(manifest)
    records = {record.id: record.data}
    whole = len(record.data)

    sizes = []
    for number in range(40):
        rows[number * 400]["name"] = "changed"
        put = table([rows[number * 400]])
        found, at = place_keys(tables, manifest, put.select(list(PEOPLE.key)))
        manifest = apply_edits(tables, manifest, Edits(put, at, found, np.empty(0, dtype=np.int64)))
        record = encode_manifest(manifest, parent=record, others=records)
        records[record.id] = record.data
        sizes.append(len(record.data))
        assert len(record.chain) <= 16

    assert max(sizes[:15]) < 2048
    assert sorted(sizes)[-3] < whole
    assert rows_of(tables, decode_manifest(record, records)) == rows
    assert rows_of(tables, decoded_anew(record, records)) == rows


def test_a_changed_byte_of_a_manifest_is_noticed(tables: TableStore) -> None:
    record = encode_manifest(version(tables, people(range(100))))
    broken = EncodedManifest(record.id, record.data[:-1] + b"x")

    with pytest.raises(CorruptStorage, match="does not match its hash"):
        decode_manifest(broken)


@quick
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 3)), max_size=1500),
    st.lists(st.integers(0, 1500), max_size=6),
)
def test_without_a_key_file_order_and_repeated_rows_are_kept(
    tables: TableStore, values: list[tuple[str | None, int]], cuts: list[int]
) -> None:
    before = [{"name": name, "score": float(score)} for name, score in values]
    after = [row for index, row in enumerate(before) if index not in cuts] + [{"name": "tail", "score": 9.0}]
    base = version(tables, before, LINES)

    head = version(tables, after, LINES, base=base, parts=3)
    found = difference(tables, base, head)

    assert rows_of(tables, head) == after
    assert head.digest == version(tables, after, LINES).digest
    assert found.counts == difference(tables, base, head.without_change()).counts
    assert found.counts["inserted"] - found.counts["deleted"] == len(after) - len(before)


@quick
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["name", "both", "delete", "insert"])), max_size=8))
def test_without_a_key_a_guess_changes_how_a_difference_is_told_and_not_what_it_is(
    tables: TableStore, edits: list[tuple[int, str]]
) -> None:
    before: list[dict[str, object]] = [{"name": f"n{n}", "score": float(n)} for n in range(40)]
    told = dict(edits)
    after: list[dict[str, object]] = []
    for number, row in enumerate(before):
        action = told.get(number, "")
        after += [{"name": "fresh", "score": 100.0 + number}] if action == "insert" else []
        if action != "delete":
            after.append({**row, **({"name": "x"} if action in ("name", "both") else {})})
            after[-1].update({"score": -1.0 - number} if action == "both" else {})
    base = version(tables, before, LINES)
    plain = difference(tables, base, version(tables, after, LINES))

    guess = guess_updates(tables, plain)

    updates = [change for change in difference_page(tables, guess, 0, len(guess)) if change.kind == "updated"]
    renamed = [n for n, action in told.items() if action == "name" and n < 40]
    assert len(guess) + len(updates) == len(plain)
    assert guess.guessed.tolist() == sorted(change.head_row for change in updates if change.head_row is not None)
    assert guess.counts == plain.counts
    assert sorted(change.before["score"] for change in updates if change.before) == sorted(map(float, renamed))
    assert all(change.changed == ("name",) for change in updates)
    for side in ("before", "after"):
        one, two = (
            sorted(
                str(row) for change in difference_page(tables, found, 0, len(found)) if (row := getattr(change, side))
            )
            for found in (plain, guess)
        )
        assert one == two


def test_a_repeated_row_survives_a_second_import(tables: TableStore) -> None:
    rows = [{"name": "same", "score": 1.0}] * 700
    base = version(tables, rows, LINES)

    again = version(tables, [*rows, rows[0]], LINES, base=base)

    assert again.rows == 701
    assert difference(tables, base, again).counts == {"inserted": 1, "updated": 0, "deleted": 0}


def test_scattered_edits_grow_storage_by_a_patch_only(tables: TableStore, tmp_path: Path) -> None:
    rows = people(range(50_000))
    base = version(tables, rows)
    before = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    for number in range(0, 50_000, 500):
        rows[number]["name"] = "corrected"

    head = version(tables, rows, base=base)

    after = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert after - before < 20_000
    assert head.change is not None
    assert (head.change.updated, head.change.complete, len(head.change.patches)) == (100, True, 1)


def test_a_long_new_stretch_becomes_chunks_of_its_own(tables: TableStore) -> None:
    base = version(tables, people(range(10_000)))

    head = version(tables, people(range(30_000)), base=base)

    assert head.change is not None
    assert head.change.inserted == 20_000
    assert {source.kind for source in head.sources[len(base.sources) :]} <= {"chunk", "patch"}
    assert difference(tables, base, head).counts == {"inserted": 20_000, "updated": 0, "deleted": 0}


def test_rows_are_found_by_key_and_by_place(tables: TableStore) -> None:
    manifest = version(tables, people(range(0, 20_000, 2)))

    assert row_by_key(tables, manifest, [8_000]) == 4_000
    assert row_by_key(tables, manifest, [8_001]) is None
    assert read_range(tables, manifest, 9_999, 20_000).num_rows == 1
    assert read_range(tables, manifest, 10_000, 10_001).num_rows == 0


def test_composite_text_keys_sort_by_code_point_and_numbers_by_value(tables: TableStore) -> None:
    schema = make_schema([("n", "int"), ("t", "string")], ["n", "t"])
    rows: list[dict[str, object]] = [{"n": n, "t": t} for n in (-3, 2, 10) for t in ("", "a", "a\x00", "ab", "z", "é")]

    manifest = version(tables, rows, schema)

    assert rows_of(tables, manifest) == rows
    assert [row_by_key(tables, manifest, [row["n"], row["t"]]) for row in rows] == list(range(len(rows)))


def test_rows_differ_where_a_column_came_or_went_with_a_value(tables: TableStore) -> None:
    rows = people(range(2_000))
    base = version(tables, rows)
    schema = make_schema([("id", "int"), ("name", "string"), ("score", "float"), ("extra", "int")], ["id"], base=PEOPLE)
    filled = [{**row, "extra": 1 if row["id"] in (7, 900) else None} for row in rows]

    added = version(tables, filled, schema, base=base)
    dropped = change_schema(tables, added, drop=["score"])

    assert difference(tables, base, added).counts == {"inserted": 0, "updated": 2, "deleted": 0}
    assert difference(tables, added, base).counts == {"inserted": 0, "updated": 2, "deleted": 0}
    assert difference(tables, added, dropped).counts == {"inserted": 0, "updated": 2_000, "deleted": 0}
    assert [(change.column, change.change_type) for change in difference(tables, base, dropped).schema_changes] == [
        ("extra", "added"),
        ("score", "removed"),
    ]


def test_without_a_key_rows_alike_in_all_other_columns_are_updates_where_a_column_came_or_went(
    tables: TableStore,
) -> None:
    rows = [{"name": f"n{n % 7}", "score": n / 2} for n in range(300)]
    base = version(tables, rows, LINES)
    schema = make_schema([("name", "string"), ("score", "float"), ("extra", "int")], base=LINES)
    filled = [{**row, "extra": 1 if at == 41 else None} for at, row in enumerate(rows)]

    added = version(tables, [*filled, {"name": "new", "extra": 2}], schema, base=base)
    dropped = change_schema(tables, added, drop=["extra"])

    assert difference(tables, base, added).counts == {"inserted": 1, "updated": 1, "deleted": 0}
    assert count_changes(tables, base, added) == {"inserted": 1, "updated": 1, "deleted": 0}
    assert difference(tables, added, dropped).counts == {"inserted": 0, "updated": 2, "deleted": 0}
    assert count_changes(tables, added, compact(tables, dropped)) == {"inserted": 0, "updated": 2, "deleted": 0}


def test_a_wider_type_is_told_from_a_changed_value(tables: TableStore) -> None:
    schema = make_schema([("id", "int"), ("v", "int")], ["id"])
    wider = make_schema([("id", "int"), ("v", "string")], ["id"])
    base = version(tables, [{"id": n, "v": n} for n in range(500)], schema)
    rows = [{"id": n, "v": str(n)} for n in range(500)]
    rows[7]["v"] = "seven"

    found = difference(tables, base, version(tables, rows, wider))

    assert found.counts == {"inserted": 0, "updated": 1, "deleted": 0}
    assert [(c.change_type, c.before, c.after) for c in found.schema_changes] == [("type_changed", "int", "string")]


def test_a_difference_can_be_narrowed_to_a_kind_and_a_column(tables: TableStore) -> None:
    rows = people(range(1_000))
    base = version(tables, rows)
    after = [dict(row) for row in rows if row["id"] != 5]
    after[10]["name"] = "x"
    after[20]["score"] = -1.0
    head = version(tables, after, base=base)
    found = difference(tables, base, head)

    names = select(found, tables, kinds=("updated",), columns=[PEOPLE.columns[1].id])
    page = difference_page(tables, names, 0, 10)

    assert len(found) == 3
    assert [(change.kind, change.changed) for change in page] == [("updated", ("name",))]
    assert page[0].before == rows[11]


def test_a_table_in_many_small_parts_is_the_table_in_one(tables: TableStore) -> None:
    whole = table(people(range(5_000)))
    writer = TableWriter(tables, PEOPLE)
    for start in range(0, 5_000, 7):
        writer.add(whole.slice(start, 7))

    assert writer.finish().digest == version(tables, people(range(5_000))).digest


def test_wide_tables_get_smaller_chunks(tables: TableStore) -> None:
    schema = make_schema([("id", "int"), *((f"c{n}", "string") for n in range(300))], ["id"])
    row = pa.array([f"value {n}" for n in range(2_000)])
    writer = TableWriter(tables, schema)
    writer.add(pa.table([pa.array(range(2_000)), *([row] * 300)], names=[c.id for c in schema.columns]))

    manifest = writer.finish()

    assert max(source.rows for source in manifest.sources) < 1_500
    assert max(source.size for source in manifest.sources) <= 1 << 20


def test_a_new_first_leaf_before_the_old_ones_survives_a_delta(tables: TableStore) -> None:
    base = version(tables, people(range(1_000, 4_000)))
    head = version(tables, people(range(4_000)), base=base)
    parent = encode_manifest(base)

    record = encode_manifest(head, parent=parent)

    assert decode_manifest(record, {parent.id: parent.data}).digest == head.digest
