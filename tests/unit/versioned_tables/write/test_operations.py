"""Direct commits, modes of import, schema changes, pages, expectations and maintenance."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders.tables import LINES, PEOPLE, column, imported, people, rows_of, store, table, version
from versioned_tables.compare.diff import difference
from versioned_tables.errors import DuplicateKeys, FilterRefused, OperationRefused, SchemaMismatch
from versioned_tables.files.options import ImportOptions
from versioned_tables.format.manifest import Manifest
from versioned_tables.hashing.row_hash import hash_rows
from versioned_tables.maintain.maintenance import collect_garbage, compact, live_keys, needs_compaction, verify
from versioned_tables.read.checks import check
from versioned_tables.read.filters import parse_filter
from versioned_tables.read.pages import PageRequest, read_page, row_history
from versioned_tables.read.table_rules import TableRule
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import RowOperation, apply_operations, change_schema
from versioned_tables.write.packs import PackWriter


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def ids(tables: TableStore, manifest: Manifest) -> list[object]:
    return column(rows_of(tables, manifest), "id")


def test_rows_are_inserted_updated_and_deleted_in_one_commit(tables: TableStore) -> None:
    base = version(tables, people(range(0, 1000, 2)))

    head = apply_operations(
        tables,
        base,
        [
            RowOperation("insert", values={"id": 7, "name": "seven"}),
            RowOperation("update", key={"id": 4}, values={"score": None}),
            RowOperation("delete", key={"id": 6}),
        ],
    )

    rows = rows_of(tables, head)
    assert rows[2:4] == [
        {"id": 4, "name": people([4])[0]["name"], "score": None},
        {"id": 7, "name": "seven", "score": None},
    ]
    assert difference(tables, base, head).counts == {"inserted": 1, "updated": 1, "deleted": 1}


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (RowOperation("insert", values={"id": 4}), "Operation 1 inserts a key that is there already"),
        (RowOperation("update", key={"id": 5}, values={"name": "x"}), "Operation 1: there is no row with key"),
        (RowOperation("delete", key={"id": 5}), "Operation 1: there is no row with key"),
        (RowOperation("update", key={"id": 4}, values={"nope": 1}), "names a column 'nope'"),
        (RowOperation("update", key={"id": 4}, values={"id": 5}), "changes the key"),
        (
            RowOperation("update", key={"id": 4}, values={"score": "high"}),
            "'high' does not fit column 'score' of type float",
        ),
        (RowOperation("delete", key={}), "lacks the key column 'id'"),
        (RowOperation("delete", key={"id": None}), "is null"),
        (RowOperation("delete", key={"id": True}), "True does not fit column 'id'"),
        (RowOperation("delete", key={"id": 2**70}), "does not fit column 'id'"),
    ],
)
def test_an_operation_that_cannot_be_done_is_named(tables: TableStore, operation: RowOperation, message: str) -> None:
    base = version(tables, people(range(0, 10, 2)))

    with pytest.raises(OperationRefused, match=message):
        apply_operations(tables, base, [operation])


def test_two_operations_on_one_key_are_refused(tables: TableStore) -> None:
    base = version(tables, people(range(3)))

    with pytest.raises(OperationRefused, match="Two operations name the same key"):
        apply_operations(
            tables, base, [RowOperation("delete", key={"id": 1}), RowOperation("insert", values={"id": 1})]
        )


def test_rows_are_inserted_into_an_empty_table(tables: TableStore) -> None:
    head = apply_operations(tables, Manifest(PEOPLE), [RowOperation("insert", values={"id": n}) for n in (3, 1, 2)])

    assert ids(tables, head) == [1, 2, 3]


def test_without_a_key_rows_can_only_be_appended(tables: TableStore) -> None:
    base = version(tables, [{"name": "a", "score": 1.0}], LINES)

    head = apply_operations(tables, base, [RowOperation("insert", values={"name": "b"})])

    assert column(rows_of(tables, head), "name") == ["a", "b"]
    with pytest.raises(OperationRefused, match="without a key"):
        apply_operations(tables, base, [RowOperation("delete", key={"name": "a"})])


@pytest.mark.parametrize("count", [50, 70_000])
def test_an_upsert_puts_rows_in_by_key(tables: TableStore, count: int) -> None:
    base = imported(
        tables, "id,v\n" + "".join(f"{n},old\n" for n in range(0, 2_000, 2)), ImportOptions(key=("id",))
    ).tables

    head = imported(
        tables,
        "id,v\n" + "".join(f"{n},new\n" for n in reversed(range(count))),
        ImportOptions(mode="upsert"),
        bases=base,
    ).tables["data"]

    rows = rows_of(tables, head)
    assert column(rows, "id") == sorted({*range(0, 2_000, 2), *range(count)})
    assert {row["v"] for row in rows if row["id"] < count} == {"new"}  # type: ignore[operator]
    assert {row["v"] for row in rows if row["id"] >= count} <= {"old"}  # type: ignore[operator]


def test_an_upsert_of_equal_rows_changes_nothing(tables: TableStore) -> None:
    text = "id,v\n" + "".join(f"{n},x\n" for n in range(500))
    base = imported(tables, text, ImportOptions(key=("id",))).tables

    head = imported(tables, text, ImportOptions(mode="upsert"), bases=base).tables["data"]

    assert head.digest == base["data"].digest
    assert head.change is not None
    assert (head.change.inserted, head.change.updated) == (0, 0)


def test_an_append_keeps_the_base_where_it_is(tables: TableStore) -> None:
    base = imported(tables, "n,v\n" + "".join(f"{n},x\n" for n in range(5_000))).tables

    head = imported(
        tables, "n,w\n" + "".join(f"{n},y\n" for n in range(300)), ImportOptions(mode="append"), bases=base
    ).tables["data"]

    assert head.rows == 5_300
    assert rows_of(tables, head)[4_999:5_001] == [{"n": 4_999, "w": None, "v": "x"}, {"n": 0, "w": "y", "v": None}]
    assert {source.id for source in base["data"].sources} <= {source.id for source in head.sources}


def test_an_append_of_a_known_key_is_refused(tables: TableStore) -> None:
    base = imported(tables, "id,v\n1,a\n2,b\n", ImportOptions(key=("id",))).tables

    with pytest.raises(DuplicateKeys, match="is not unique: 2"):
        imported(tables, "id,v\n3,c\n2,b\n", ImportOptions(mode="append"), bases=base)


def test_an_upsert_needs_a_key_and_all_columns(tables: TableStore) -> None:
    keyless = imported(tables, "id,v\n1,a\n").tables
    keyed = imported(tables, "id,v\n1,a\n", ImportOptions(key=("id",))).tables

    with pytest.raises(SchemaMismatch, match="Upsert needs a key"):
        imported(tables, "id,v\n1,b\n", ImportOptions(mode="upsert"), bases=keyless)
    with pytest.raises(SchemaMismatch, match="lacks the columns v"):
        imported(tables, "id\n1\n", ImportOptions(mode="upsert"), bases=keyed)


def test_rows_in_any_order_are_sorted_by_key(tables: TableStore) -> None:
    order = [n * 7919 % 150_001 for n in range(150_001)]
    text = "id,v\n" + "".join(f"{n},{n}\n" for n in order)

    manifest = imported(tables, text, ImportOptions(key=("id",))).tables["data"]

    assert ids(tables, manifest) == sorted(order)


def test_an_identical_import_is_an_empty_change(tables: TableStore) -> None:
    text = "id,v\n" + "".join(f"{n},x\n" for n in range(3_000))
    base = imported(tables, text).tables

    again = imported(tables, text, bases=base).tables["data"]

    assert again.content == base["data"].content
    assert again.sources == base["data"].sources
    assert len(difference(tables, base["data"], again)) == 0


def test_a_column_is_renamed_dropped_retyped_and_added_without_touching_rows(tables: TableStore) -> None:
    base = version(tables, people(range(500)))

    head = change_schema(
        tables,
        base,
        renames={"name": "label"},
        types={"score": "string"},
        add=[("note", "string")],
        order=["id", "note", "label", "score"],
    )
    dropped = change_schema(tables, base, drop=["score"])

    assert rows_of(tables, head)[3] == {"id": 3, "note": None, "label": people([3])[0]["name"], "score": "0.75"}
    assert rows_of(tables, dropped)[3] == {"id": 3, "name": people([3])[0]["name"]}
    assert head.sources == dropped.sources == base.sources
    assert difference(tables, base, head).counts["updated"] == 0
    assert difference(tables, base, dropped).counts["updated"] == 500


def test_a_type_that_a_value_does_not_fit_is_refused(tables: TableStore) -> None:
    base = version(tables, people(range(10)))

    with pytest.raises(SchemaMismatch, match="Column 'name' cannot be read as int without loss: row 1 has 'name 0'"):
        change_schema(tables, base, types={"name": "int"})
    with pytest.raises(SchemaMismatch, match="A key column can be renamed"):
        change_schema(tables, base, drop=["id"])


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("where", [None, {"column": "id", "op": "gte", "value": 0}])
def test_pages_by_cursor_cover_every_row_once(
    tables: TableStore, where: dict[str, object] | None, descending: bool
) -> None:
    manifest = version(tables, people(range(2_345)))
    seen: list[object] = []
    after: int | None = None
    while True:
        page = read_page(
            tables,
            manifest,
            PageRequest(limit=1000, after=after, descending=descending, where=parse_filter(where) if where else None),
        )
        seen += [row["logical_row_id"] for row in page.rows]
        after = page.next_after
        if not page.has_more:
            break

    assert seen == [str(n) for n in (reversed(range(2_345)) if descending else range(2_345))]


def test_a_page_names_its_columns_and_its_rows(tables: TableStore) -> None:
    manifest = version(tables, people(range(100)))

    page = read_page(tables, manifest, PageRequest(offset=98, limit=5, columns=("score",)))

    assert page.rows == [
        {"logical_row_id": "98", "data": {"score": 24.5}},
        {"logical_row_id": "99", "data": {"score": 24.75}},
    ]
    assert (page.total_rows, page.has_more, page.next_after) == (100, False, None)
    with pytest.raises(FilterRefused, match="limit is between"):
        read_page(tables, manifest, PageRequest(limit=1001))


def test_the_history_of_a_row_names_each_commit_that_changed_it(tables: TableStore) -> None:
    one = version(tables, people(range(10)))
    two = apply_operations(tables, one, [RowOperation("update", key={"id": 3}, values={"name": "x"})])
    three = apply_operations(tables, two, [RowOperation("update", key={"id": 4}, values={"name": "y"})])
    four = apply_operations(tables, three, [RowOperation("delete", key={"id": 3})])

    found = row_history(tables, [("c4", four), ("c3", three), ("c2", two), ("c1", one)], [3])

    assert [(change.commit_id, change.kind) for change in found] == [
        ("c4", "deleted"),
        ("c2", "updated"),
        ("c1", "inserted"),
    ]
    assert found[1].data == {"id": 3, "name": "x", "score": 0.75}


@pytest.mark.parametrize(
    ("expectation", "broken"),
    [
        (TableRule("not_null", ("name",)), ["3"]),
        (TableRule("unique", ("score",)), ["4"]),
        (TableRule("unique", ("id", "score")), []),
        (TableRule("range", ("score",), low=0, high=2), ["2"]),
        (TableRule("regex", ("name",), pattern="n[0-9]"), ["1"]),
        (TableRule("foreign_key", ("id",), table="other", other="id"), ["4"]),
        (TableRule("row_count_drift", share=0.5), []),
    ],
)
def test_expectations_name_the_rows_that_break_them(
    tables: TableStore, expectation: TableRule, broken: list[str]
) -> None:
    rows: list[dict[str, object]] = [
        {"id": 1, "name": "x", "score": 0.0},
        {"id": 2, "name": "n2", "score": 9.0},
        {"id": 3, "name": None, "score": 1.0},
        {"id": 4, "name": "n4", "score": 1.0},
    ]
    other = version(tables, people([1, 2, 3]))

    [result] = check(tables, version(tables, rows), [expectation], base=other, foreign={"other": (tables, other)})

    assert (result.passed, list(result.examples)) == (not broken, broken)


def test_too_great_a_drift_of_rows_breaks_its_expectation(tables: TableStore) -> None:
    [result] = check(
        tables,
        version(tables, people(range(8))),
        [TableRule("row_count_drift", share=0.1)],
        base=version(tables, people(range(10))),
    )

    assert (result.passed, result.broken) == (False, 2)


def patched(tables: TableStore, commits: int = 20) -> Manifest:
    manifest = version(tables, people(range(20_000)))
    for number in range(commits):
        manifest = apply_operations(
            tables, manifest, [RowOperation("update", key={"id": number * 900}, values={"name": "x"})]
        )
    return manifest


def test_compaction_changes_storage_and_nothing_else(tables: TableStore) -> None:
    manifest = patched(tables)
    assert needs_compaction(manifest)

    compacted = compact(tables, manifest)

    assert not needs_compaction(compacted)
    assert compacted.content == manifest.content
    assert rows_of(tables, compacted) == rows_of(tables, manifest)
    assert verify(tables, compacted) == []


def test_garbage_goes_and_what_is_reachable_or_young_stays(tables: TableStore, tmp_path: Path) -> None:
    manifest = patched(tables, 3)
    compacted = compact(tables, manifest)
    live = live_keys(tables, [compacted])

    young = collect_garbage(tables, live, older_than=0)
    done = collect_garbage(tables, live, older_than=2e10)

    assert young.removed == 0
    assert done.removed == young.too_young > 0
    assert verify(tables, compacted) == []
    assert {path.name.partition(".")[0] for path in tmp_path.rglob("*") if path.is_file()} == {
        key.rpartition("/")[2] for key in live
    }


def test_verify_names_a_missing_and_a_changed_object(tables: TableStore, tmp_path: Path) -> None:
    manifest = patched(tables, 2)
    path = next((tmp_path / "t" / "packs").rglob("*/*"))
    content = path.read_bytes()

    path.write_bytes(content[:-1] + b"x")
    [changed] = verify(tables, manifest)
    path.unlink()
    [missing] = verify(tables, manifest)

    assert (changed.thing, changed.identity) == ("pack", path.name)
    assert "do not match its address" in changed.reason
    assert "is missing" in missing.reason


@pytest.mark.parametrize("signature", [PEOPLE.signature, "0" * 16], ids=["believed", "of another schema"])
def test_verify_names_a_sidecar_that_lies(tables: TableStore, signature: str) -> None:
    manifest = version(tables, people(range(5_000)))
    rows = table(people(range(5_000)))
    hashes = hash_rows(rows, PEOPLE)
    hashes.high[100] ^= 1
    packs = PackWriter(tables, PEOPLE)
    packs.add(rows, hashes)
    [source] = packs.finish()
    assert source.place is not None
    lying = replace(manifest, sources=(replace(source, place=replace(source.place, signature=signature)),))

    problems = verify(tables, lying)

    named = [("hash sidecar", source.id)] if signature == PEOPLE.signature else []
    assert [(problem.thing, problem.identity) for problem in problems] == named


def test_verify_names_a_chunk_that_is_not_where_its_place_says(tables: TableStore) -> None:
    manifest = version(tables, people(range(20_000)))
    first, second, *others = manifest.sources

    [problem] = verify(tables, replace(manifest, sources=(replace(first, place=second.place), second, *others)))

    assert (problem.thing, problem.identity) == ("chunk", first.id)


def test_verify_names_a_patch_that_was_changed(tables: TableStore, tmp_path: Path) -> None:
    manifest = patched(tables, 1)
    path = next((tmp_path / "t" / "patches").rglob("*/*"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    [problem] = verify(store(tmp_path), manifest)

    assert (problem.thing, problem.identity) == ("patch", path.name)


def test_verify_names_a_leaf_that_does_not_match_its_rows(tables: TableStore) -> None:
    manifest = version(tables, people(range(5_000)))
    hashes = manifest.leaves.hashes.copy()
    hashes[3, 0] ^= 1
    object.__setattr__(manifest.leaves, "hashes", hashes)

    [problem] = verify(tables, manifest)

    assert (problem.thing, problem.identity) == ("leaf", "3")


def test_an_importer_killed_at_any_object_leaves_the_old_version_whole_and_can_be_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("versioned_tables.write.packs.PACK_BYTES", 256 << 10)
    tables = store(tmp_path)
    base = imported(tables, "id,v\n" + "".join(f"{n},x\n" for n in range(40_000)), ImportOptions(key=("id",))).tables
    text = "id,v\n" + "".join(f"{n},{'y' if n % 50 == 0 else 'x'}\n" for n in range(60_000))
    put = tables.objects.put_if_absent
    expected = imported(store(tmp_path / "other"), text, ImportOptions(key=("id",))).tables["data"]

    for allowed in range(20):
        left = [allowed]

        def failing(key: str, data: bytes, left: list[int] = left) -> bool:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(28, os.strerror(28))
            return put(key, data)

        tables.objects.put_if_absent = failing  # type: ignore[method-assign]
        try:
            finished = imported(tables, text, ImportOptions(), bases=base).tables["data"]
        except OSError:
            assert verify(store(tmp_path), base["data"]) == []
            continue
        break

    assert allowed > 2
    assert finished.digest == expected.digest
    assert verify(store(tmp_path), finished) == []
