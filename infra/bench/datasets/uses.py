"""What is done with versions: pages, differences, one-row commits, exports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from infra.bench.datasets.measuring import Figures, apart, best, load, measured, percentiles, records, timed
from infra.bench.datasets.stores import Place
from infra.bench.figure import Figure
from versioned_tables.compare.diff import difference, difference_page
from versioned_tables.exports import ExportOptions, export_table
from versioned_tables.format.manifest_codec import encode_manifest
from versioned_tables.read.pages import PageRequest, read_page
from versioned_tables.read.rows import scan
from versioned_tables.write.operations import RowOperation, apply_operations

RUNS = 7
DOWNLOADS = 3
DOWNLOAD_LIMIT = 1.5
MOST_DOWNLOAD_MB = 500


def pages(place: Place, name: str, delay: float = 0.0, count: int = 300, *, cold: bool = False) -> Figures:
    """Pages of 100 rows at random offsets: warm after as many others, or every one cold, with delayed GETs or not."""
    cold = cold or delay > 0
    rng = np.random.default_rng(5)
    _, manifest = load(place.manifests, name)
    store = place.store(delay=delay)
    tables = place.tables(store)
    seconds: list[float] = []
    for number in range(count * (1 if cold else 2)):
        if cold:
            tables = place.tables(store)
        offset = int(rng.integers(0, manifest.rows - 100))
        seconds.append(timed(lambda at=offset, t=tables: read_page(t, manifest, PageRequest(at, 100))))  # type: ignore[misc]  # mypy infers no lambda with a default
        if number == count and not cold:
            seconds.clear()
    return percentiles(seconds)


def diffs(place: Place, head: str, *, history: bool) -> Figures:
    """A difference from v1 with its first page, nothing cached: the median of a few."""
    _, base = load(place.manifests, "v1")
    _, manifest = load(place.manifests, head)
    manifest = manifest if history else manifest.without_change()
    seconds = []
    for _ in range(RUNS):
        tables = place.tables()
        seconds.append(timed(lambda t=tables: difference_page(t, difference(t, base, manifest), 0, 100)))  # type: ignore[misc]  # as above
    return percentiles(seconds)


def unshared(place: Place, head: str) -> Figures:
    """The same between versions that share no chunk or have forgotten their history."""
    return diffs(place, head, history=False)


def shared(place: Place, head: str) -> Figures:
    """Along history."""
    return diffs(place, head, history=True)


def commits(place: Place, count: int = 60) -> Figures:
    """One-row commits on top of each other: objects and the encoded record."""
    record, manifest = load(place.manifests, "v2")
    store = place.store()
    tables = place.tables(store)
    rng = np.random.default_rng(6)
    known = {record.id: record.data, **records(place.manifests)}
    seconds, sizes = [], []
    for _ in range(count):
        row = read_page(tables, manifest, PageRequest(int(rng.integers(0, manifest.rows)), 1)).rows[0]
        operation = RowOperation("update", {"id": int(str(row["logical_row_id"]))}, {"note": f"seen {row}"})
        before = store.grown

        def commit(operation: RowOperation = operation) -> None:
            nonlocal manifest, record
            manifest = apply_operations(tables, manifest, [operation])
            record = encode_manifest(manifest, parent=record, others=known)

        seconds.append(timed(commit))
        known[record.id] = record.data
        sizes.append(store.grown - before + len(record.data))
    return {**percentiles(seconds), "most_kb": max(sizes) / 1e3}


class Counted:
    """A sink that only counts: what becomes of the bytes is not the export's."""

    size = 0

    def write(self, data: bytes, /) -> int:
        """Count."""
        self.size += len(data)
        return len(data)


def export(place: Place, kind: str) -> Figures:
    """Export v2 to nowhere."""
    _, manifest = load(place.manifests, "v2")
    figures: Figures = {}
    with measured(figures):
        export_table(place.tables(), manifest, ExportOptions(kind), Counted())  # type: ignore[arg-type]  # the bench's own list of kinds
    return figures


def parquet_floor(place: Place, out: Path) -> Figures:
    """pyarrow: the same rows, in memory already, to a Parquet file with zstd level 1."""
    _, manifest = load(place.manifests, "v2")
    rows = pa.concat_tables(list(scan(place.tables(), manifest)))
    figures: Figures = {}
    with measured(figures):
        pq.write_table(rows, out, compression="zstd", compression_level=1)
    out.unlink()
    return figures


def downloads(place: Place) -> Iterator[Figure]:
    """A table as Parquet beside pyarrow, in rounds one after the other, the best of each: reading is ours alone."""
    floors, exports = [], []
    for _ in range(DOWNLOADS):
        floors.append(apart(parquet_floor, place, place.folder.parent / "floor.parquet"))
        exports.append(apart(export, place, "parquet"))
    floor, ours = best(floors), best(exports)
    yield Figure("floor: pyarrow writing the rows of v2 as Parquet, s", floor["wall_s"])
    yield Figure("export parquet, s", ours["wall_s"])
    yield Figure("export parquet, CPU s", ours["cpu_s"])
    yield Figure("export parquet, peak MB", ours["peak_mb"], MOST_DOWNLOAD_MB)
    yield Figure("export parquet, wall to the floor's", ours["wall_s"] / floor["wall_s"], DOWNLOAD_LIMIT)


def uses(place: Place, delay: float) -> Iterator[Figure]:
    """Every figure of a store that holds v1, v2 and v2-apart."""
    for name in ("v1", "v2"):
        found = apart(pages, place, name)
        yield Figure(f"page of 100 of {name}, warm, p50 ms", found["p50_ms"])
        yield Figure(f"page of 100 of {name}, warm, p95 ms", found["p95_ms"], 10)
        cold = apart(pages, place, name, delay, 60)
        yield Figure(f"page of 100 of {name}, cold, {delay * 1000:g} ms a GET, p95 ms", cold["p95_ms"], 120)
    yield Figure("difference of v1 and v2 along history, ms", apart(shared, place, "v2")["p50_ms"], 50)
    found = apart(commits, place)
    yield Figure("1-row commit, p50 ms", found["p50_ms"])
    yield Figure("1-row commit, p95 ms", found["p95_ms"], 50)
    yield Figure("1-row commit, most KB", found["most_kb"], 20)
    yield from downloads(place)
    for kind, most in (("csv", 2), ("arrow", None), ("jsonl", None)):
        found = best([apart(export, place, kind) for _ in range(2)])
        yield Figure(f"export {kind}, s", found["wall_s"], most)
        yield Figure(f"export {kind}, CPU s", found["cpu_s"])
