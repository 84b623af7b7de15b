"""Packs: cut alike for the same rows, read by ranges, and hashes that are believed under their own schema only."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.tables import PEOPLE, people, table, version
from versioned_tables.errors import CorruptStorage
from versioned_tables.format.manifest import Manifest, Source
from versioned_tables.hashing.row_hash import RowHashes, hash_rows
from versioned_tables.read.rows import GATHERED_CHUNKS, rows_at
from versioned_tables.schema.arrow_types import arrow_schema, conform
from versioned_tables.schema.columns import Column, TableSchema
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write import packs
from versioned_tables.write.packs import PackWriter, layout_for, read_back

OTHER = replace(PEOPLE, columns=tuple(replace(c, type="string") if c.name == "score" else c for c in PEOPLE.columns))


class Counting(LocalDirectoryStore):
    """Counts requests for ranges and bytes."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads = self.read_bytes = 0

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self.reads += 1
        self.read_bytes += length
        return super().get_range(key, start, length)


class Slow(LocalDirectoryStore):
    """Takes a while to store anything."""

    begun = done = 0

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self.begun += 1
        time.sleep(0.05)
        stored = super().put_if_absent(key, data)
        self.done += 1
        return stored


def written(tables: TableStore, chunks: int, *, pool: ThreadPoolExecutor | None = None) -> list[Source]:
    writer = PackWriter(tables, PEOPLE, pool)
    for at in range(chunks):
        rows = table(people(range(at * 500, at * 500 + 500)))
        assert len(writer) == at
        writer.add(rows, hash_rows(rows, PEOPLE))
    return writer.finish()


def packs_of(made: list[Source]) -> list[str]:
    return list(dict.fromkeys(source.place.pack for source in made if source.place))


def test_the_same_rows_make_the_same_packs_with_and_without_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "PACK_BYTES", 100_000)
    monkeypatch.setattr(packs, "_ENCODING", 2)

    alone = written(TableStore(LocalDirectoryStore(tmp_path / "one")), 40)
    with ThreadPoolExecutor(3) as pool:
        together = written(TableStore(LocalDirectoryStore(tmp_path / "two")), 40, pool=pool)

    assert alone == together
    assert len(packs_of(alone)) == 10
    assert written(TableStore(LocalDirectoryStore(tmp_path / "one")), 0) == []


def test_chunks_and_hashes_of_neighbours_are_read_with_one_request(tmp_path: Path) -> None:
    objects = Counting(tmp_path)
    made = written(TableStore(objects), 20)
    assert len(packs_of(made)) == 1

    tables = TableStore(objects)
    found = tables.rows(made)
    rows_read, objects.reads = objects.reads, 0
    hashes = tables.hashes(made[3:15], PEOPLE)
    hashes_read, objects.reads = objects.reads, 0
    again = tables.rows(made), tables.hashes(made[3:15], PEOPLE)

    assert (rows_read, hashes_read, objects.reads) == (1, 1, 0)
    assert again == (found, hashes)
    for at, rows in enumerate(found):
        assert rows.to_pylist() == table(people(range(at * 500, at * 500 + 500))).to_pylist()
    for rows, stored in zip(found[3:15], hashes, strict=True):
        assert np.array_equal(stored.high, hash_rows(rows, PEOPLE).high)


def test_chunks_far_apart_are_not_read_with_what_lies_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = Counting(tmp_path)
    made = written(TableStore(objects), 20)
    monkeypatch.setattr("versioned_tables.storage.table_store._MOST_GAP", 100)

    TableStore(objects).rows([made[12], made[0], made[13], made[0]])

    assert objects.reads == 2
    assert objects.read_bytes == made[0].size + made[12].size + made[13].size


def test_hashes_made_under_another_schema_are_made_anew_from_few_requests(tmp_path: Path) -> None:
    objects = Counting(tmp_path)
    made = written(TableStore(objects), 30)
    tables = TableStore(objects)

    found = tables.hashes(made, OTHER)
    reads = objects.reads

    assert reads == 2
    for rows, hashes in zip(tables.rows(made), found, strict=True):
        anew = hash_rows(conform(rows, OTHER), OTHER)
        assert np.array_equal(hashes.low, anew.low)
        assert np.array_equal(hashes.high, anew.high)
        assert not np.array_equal(hashes.low, hash_rows(rows, PEOPLE).low)


def test_many_chunks_are_never_held_decoded_at_once(tmp_path: Path) -> None:
    """Zeros pack well: what matters is how many chunks there are and not how many bytes they have when stored."""
    most = 0

    class Watched(TableStore):
        def each(
            self,
            sources: Sequence[Source],
            columns: Sequence[str] | None = None,
            *,
            keep: bool = True,
            coded: bool = False,
        ) -> Iterator[pa.Table]:
            nonlocal most
            most = max(most, len(sources))
            return super().each(sources, columns, keep=keep, coded=coded)

    tables = Watched(LocalDirectoryStore(tmp_path))
    made = written(tables, 100)
    addresses = np.arange(100, dtype=np.uint64)[::-1] << np.uint64(32)

    found = rows_at(tables, PEOPLE, made, addresses)

    assert found.column(PEOPLE.columns[0].id).to_pylist() == [at * 500 for at in range(99, -1, -1)]
    assert most <= GATHERED_CHUNKS


def test_a_writer_that_is_given_up_leaves_nothing_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "PACK_BYTES", 50_000)
    slow = Slow(tmp_path)
    tables = TableStore(slow)

    with ThreadPoolExecutor(2) as pool:
        writer = PackWriter(tables, PEOPLE, pool)
        for at in range(6):
            rows = table(people(range(at * 500, at * 500 + 500)))
            writer.add(rows, hash_rows(rows, PEOPLE))
        tables.drain()

    assert slow.begun == slow.done > 0


def test_rows_that_are_passed_once_stay_out_of_the_cache(tmp_path: Path) -> None:
    objects = Counting(tmp_path)
    made = written(TableStore(objects), 2)
    tables = TableStore(objects)

    for keep, reads in ((False, 1), (True, 2), (True, 2)):
        tables.rows(made, keep=keep)
        assert objects.reads == reads


WHOLE = TableSchema(
    (
        Column("w", "whole", "int"),
        Column("d", "day", "date"),
        Column("t", "moment", "timestamp"),
        Column("n", "name", "string"),
        Column("f", "number", "float"),
    )
)
WHOLE_ROWS = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
    st.none() | st.dates(),
    st.none() | st.datetimes(),
    st.none() | st.sampled_from(["Ada", "Grace", ""]) | st.text(max_size=5),
    st.none() | st.floats(),
)


@given(rows=st.lists(WHOLE_ROWS, min_size=1, max_size=40), times=st.integers(1, 60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_first_chunk_is_like_chunks_read_back_as_they_were(
    rows: list[tuple[object, ...]], times: int, tmp_path: Path
) -> None:
    """Written as the first chunk wants it, which the second one does not look like."""
    kinds = arrow_schema(WHOLE)
    first, second = (
        pa.table(
            [pa.array(column, field.type) for column, field in zip(zip(*part, strict=True), kinds, strict=True)],
            schema=kinds,
        )
        for part in (rows * times, rows[::-1])
    )
    tables = TableStore(LocalDirectoryStore(tmp_path), cache_bytes=0)
    writer = PackWriter(tables, WHOLE)
    for part in (first, second):
        writer.add(part, hash_rows(part, WHOLE))

    made = writer.finish()

    addresses = np.concatenate([(at << 32) + np.arange(source.rows) for at, source in enumerate(made)]).astype(
        np.uint64
    )
    taken = rows_at(tables, WHOLE, made, addresses, keep=False)
    for found in (pa.concat_tables(tables.rows(made)), taken):
        assert found.schema == kinds
        assert hash_rows(found, WHOLE).to_bytes() == hash_rows(pa.concat_tables([first, second]), WHOLE).to_bytes()


def test_numbers_are_stored_as_differences_and_what_zstd_makes_no_smaller_as_it_is() -> None:
    rng = np.random.default_rng(3)
    rows = pa.table(
        {
            "consecutive": pa.array(np.arange(8192) * 3),
            "status": pa.array(rng.choice(["enrolled", "completed", "dropped"], 8192)),
            "anything": pa.array(rng.integers(-(2**62), 2**62, 8192)),
            "note": pa.array([f"the learner asked for section {at}" for at in range(8192)]),
        }
    )

    layout = layout_for(rows)

    assert layout.dictionary == ("status",)
    assert "consecutive" in layout.deltas
    assert "note" in layout.compressed
    assert "anything" not in layout.compressed


def test_a_table_of_very_many_columns_is_not_tried() -> None:
    wide = pa.table({f"c{at}": pa.array([at, at + 1]) for at in range(1_500)})

    assert layout_for(wide).compressed == tuple(wide.schema.names)


def test_a_pack_that_ends_too_soon_is_corrupt(tmp_path: Path) -> None:
    tables = TableStore(LocalDirectoryStore(tmp_path))
    manifest: Manifest = version(tables, people(range(3_000)))
    path = next((tmp_path / "packs").rglob("*/*"))
    path.write_bytes(path.read_bytes()[:-100])

    tables = TableStore(LocalDirectoryStore(tmp_path))
    with pytest.raises(CorruptStorage, match="inside of a chunk"):
        tables.hashes(manifest.sources, manifest.schema)


@pytest.mark.parametrize(
    ("changed", "most_reads", "most_chunks"), [([20_000], 2, 2), (range(0, 40_000, 100), 14, 130)], ids=["one", "many"]
)
def test_hashes_are_read_ahead_only_where_edits_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: Sequence[int], most_reads: int, most_chunks: int
) -> None:
    monkeypatch.setattr("versioned_tables.write.writer.CHUNK_ROWS", 512)
    objects = Counting(tmp_path)
    base = version(TableStore(objects), people(range(40_000)))
    assert len(base.sources) > 70
    asked: list[int] = []

    class Asked(TableStore):
        def hashes(self, sources: Sequence[Source], schema: TableSchema) -> list[RowHashes]:
            asked.append(sum(source.rows for source in sources))
            return super().hashes(sources, schema)

    edited = [row | ({"name": "edited"} if at in set(changed) else {}) for at, row in enumerate(people(range(40_000)))]
    hashed = objects.reads
    made = version(Asked(objects), edited, base=base, parts=20)

    assert made.change is not None
    assert made.change.updated == len(changed)
    assert sum(asked) <= most_chunks * 512 * 2
    assert objects.reads - hashed <= most_reads + 6


def test_a_chunk_is_read_back_before_anything_names_it() -> None:
    table = pa.table(
        {
            "f": pa.array([float("nan"), -0.0, None]),
            "d": pa.array([Decimal("0.1"), None, Decimal(1)], pa.decimal256(60, 10)),
            "t": pa.array([0, None, 1], pa.timestamp("us", "UTC")),
            "s": pa.array(["", None, "x"]),
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, store_schema=False)
    data = sink.getvalue()

    read_back(table, data)

    for other in (
        table.slice(1),
        table.rename_columns(["f", "d", "t", "z"]),
        table.set_column(3, "s", [["", "", "x"]]),
    ):
        with pytest.raises(CorruptStorage, match="reads back"):
            read_back(other, data)
    with pytest.raises(CorruptStorage, match="cannot be read back"):
        read_back(table, data.slice(0, data.size - 8))
