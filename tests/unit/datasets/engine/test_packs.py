"""Packs: cut alike for the same rows, read by ranges, and hashes that are believed under their own schema only."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dataforge.contexts.datasets.engine import packs
from dataforge.contexts.datasets.engine.manifest import Manifest, Source
from dataforge.contexts.datasets.engine.packs import PackWriter
from dataforge.contexts.datasets.engine.rowhash import hash_rows
from dataforge.contexts.datasets.engine.stores import LocalDirectoryStore
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import CorruptStorage
from dataforge.contexts.datasets.model.columns import make_schema
from tests.builders.tables import PEOPLE, people, table, version

WIDER = make_schema([("id", "int"), ("name", "string"), ("score", "float"), ("note", "string")], ["id"])


class Counting(LocalDirectoryStore):
    """Counts requests for ranges and bytes."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads = self.read_bytes = 0

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self.reads += 1
        self.read_bytes += length
        return super().get_range(key, start, length)


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
    monkeypatch.setattr("dataforge.contexts.datasets.engine.table_store._MOST_GAP", 100)

    TableStore(objects).rows([made[12], made[0], made[13], made[0]])

    assert objects.reads == 2
    assert objects.read_bytes == made[0].size + made[12].size + made[13].size


def test_hashes_made_under_another_schema_are_made_anew(tmp_path: Path) -> None:
    tables = TableStore(LocalDirectoryStore(tmp_path))
    made = written(tables, 3)

    found = tables.hashes(made, WIDER)

    for rows, hashes in zip(tables.rows(made), found, strict=True):
        assert np.array_equal(hashes.key, hash_rows(rows, PEOPLE).key)
        assert len(hashes) == rows.num_rows


def test_rows_that_are_passed_once_stay_out_of_the_cache(tmp_path: Path) -> None:
    objects = Counting(tmp_path)
    made = written(TableStore(objects), 2)
    tables = TableStore(objects)

    for keep, reads in ((False, 1), (True, 2), (True, 2)):
        tables.rows(made, keep=keep)
        assert objects.reads == reads


def test_a_pack_that_ends_too_soon_is_corrupt(tmp_path: Path) -> None:
    tables = TableStore(LocalDirectoryStore(tmp_path))
    manifest: Manifest = version(tables, people(range(3_000)))
    path = next((tmp_path / "packs").rglob("*/*"))
    path.write_bytes(path.read_bytes()[:-100])

    tables = TableStore(LocalDirectoryStore(tmp_path))
    with pytest.raises(CorruptStorage, match="inside of a chunk"):
        tables.hashes(manifest.sources, manifest.schema)
