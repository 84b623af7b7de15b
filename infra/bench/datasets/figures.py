"""The engine's figures, each beside the pyarrow floor of the same run: wall seconds, CPU seconds, peak memory, bytes
grown.

    python -m infra.bench.datasets.figures <folder> [--rows 1000000] [--get-delay-ms 30]

Every measurement of an import runs in a process of its own, so that its peak memory is its own. Wall times on a shared
machine say little; compare the ratios to the floor of the same run and the CPU seconds.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from pyarrow import csv

from dataforge.contexts.datasets.engine.diffing import difference, difference_page
from dataforge.contexts.datasets.engine.importing import import_file
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.manifest_codec import EncodedManifest, decode_manifest, encode_manifest
from dataforge.contexts.datasets.engine.operations import RowOperation, apply_operations
from dataforge.contexts.datasets.engine.pages import PageRequest, read_page
from dataforge.contexts.datasets.engine.stores import LocalDirectoryStore
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.exporting import ExportOptions, export_table
from dataforge.contexts.datasets.model.imports import ImportOptions
from dataforge.contexts.datasets.parsing.sources import BytesSource, PathSource
from infra.bench.datasets.generate import write

SPAWN = multiprocessing.get_context("spawn")


@contextmanager
def measured(figures: dict[str, float]) -> Iterator[None]:
    """Wall and CPU seconds of the block."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    figures["wall_s"], figures["cpu_s"] = round(time.perf_counter() - wall, 4), round(time.process_time() - cpu, 4)


def peak_mb() -> float:
    """Peak memory of this process."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def apart(call: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Run in a fresh process."""
    with SPAWN.Pool(1) as pool:
        return pool.apply(call, arguments)


def floor(path: Path, out: Path) -> dict[str, float]:
    """pyarrow: read the CSV, write Parquet with zstd level 1."""
    figures: dict[str, float] = {}
    with measured(figures):
        pq.write_table(csv.read_csv(path), out, compression="zstd", compression_level=1)
    figures["peak_mb"] = peak_mb()
    return figures


def stored(folder: Path) -> int:
    """Bytes of all objects."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def records(folder: Path) -> dict[str, bytes]:
    """Manifest records kept beside the store by name."""
    return {path.stem: path.read_bytes() for path in folder.glob("*.manifest")}


def keep(folder: Path, name: str, manifest: Manifest, parent: EncodedManifest | None = None) -> EncodedManifest:
    """Store a manifest record as Postgres would."""
    folder.mkdir(parents=True, exist_ok=True)
    record = encode_manifest(manifest, parent=parent, others=records(folder))
    (folder / f"{record.id}.manifest").write_bytes(record.data)
    (folder / f"{name}.json").write_text(json.dumps({"id": record.id, "chain": list(record.chain)}))
    return record


def load(folder: Path, name: str) -> tuple[EncodedManifest, Manifest]:
    """A record and its manifest."""
    named = json.loads((folder / f"{name}.json").read_text())
    known = records(folder)
    record = EncodedManifest(named["id"], known[named["id"]], tuple(named["chain"]))
    return record, decode_manifest(record, known)


def ours(path: Path, folder: Path, name: str, base: str | None, key: str | None = "id") -> dict[str, float]:
    """Import a file as a version against another one, manifest record included."""
    tables = TableStore(LocalDirectoryStore(folder / "objects"))
    import_file(tables, BytesSource(b"id,a\n1,b\n", "warm-up.csv"), ImportOptions())
    parent = load(folder / "manifests", base) if base else None
    before = stored(folder)
    figures: dict[str, float] = {}
    with measured(figures):
        bases = {"data": parent[1]} if parent else None
        outcome = import_file(tables, PathSource(path), ImportOptions(key=(key,) if key else ()), bases)
        keep(folder / "manifests", name, outcome.tables["data"], parent[0] if parent else None)
    figures["peak_mb"], figures["grown_mb"] = peak_mb(), round((stored(folder) - before) / 1e6, 3)
    return figures


class Slow(LocalDirectoryStore):
    """A directory whose every read takes as long as an object store's."""

    delay = 0.0

    def get(self, key: str) -> bytes:
        """The object, later."""
        time.sleep(self.delay)
        return super().get(key)


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds."""
    found = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50_ms": round(float(found[0]), 2), "p95_ms": round(float(found[1]), 2)}


def timed(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def pages(folder: Path, name: str, *, delay: float = 0.0, count: int = 300) -> dict[str, float]:
    """Pages of 100 rows at random offsets: warm after as many others, or every one cold with a delayed read."""
    rng = np.random.default_rng(5)
    _, manifest = load(folder / "manifests", name)
    store = Slow(folder / "objects")
    store.delay = delay
    tables = TableStore(store)
    seconds = []
    for number in range(count * (1 if delay else 2)):
        if delay:
            tables = TableStore(store)
        offset = int(rng.integers(0, manifest.rows - 100))
        seconds.append(timed(lambda at=offset, t=tables: read_page(t, manifest, PageRequest(at, 100))))  # type: ignore[misc]
        if number == count and not delay:
            seconds.clear()
    return percentiles(seconds)


def diffs(folder: Path) -> dict[str, float]:
    """Differences with their first page: along history, and between versions that were imported apart."""
    found: dict[str, float] = {}
    for label, head, history in (
        ("history", "v2", True),
        ("any_sharing", "v2", False),
        ("any_apart", "v2-apart", False),
    ):
        (_, base), (_, manifest) = load(folder / "manifests", "v1"), load(folder / "manifests", head)
        manifest = manifest if history else manifest.without_change()
        runs = []
        for _ in range(5):
            tables = TableStore(LocalDirectoryStore(folder / "objects"))
            runs.append(timed(lambda t=tables, b=base, m=manifest: difference_page(t, difference(t, b, m), 0, 100)))  # type: ignore[misc]
        found[f"{label}_ms"] = round(float(np.median(runs)) * 1000, 1)
    return found


def commits(folder: Path, count: int = 60) -> dict[str, float]:
    """One-row commits on top of each other, record and objects included."""
    record, manifest = load(folder / "manifests", "v2")
    tables = TableStore(LocalDirectoryStore(folder / "objects"))
    rng = np.random.default_rng(6)
    known = {record.id: record.data, **records(folder / "manifests")}
    seconds, sizes = [], []
    for _ in range(count):
        row = read_page(tables, manifest, PageRequest(int(rng.integers(0, manifest.rows)), 1)).rows[0]
        operation = RowOperation("update", {"id": int(str(row["logical_row_id"]))}, {"note": "seen"})
        before = stored(folder / "objects")
        started = time.perf_counter()
        manifest = apply_operations(tables, manifest, [operation])
        record = encode_manifest(manifest, parent=record, others=known)
        seconds.append(time.perf_counter() - started)
        known[record.id] = record.data
        sizes.append(stored(folder / "objects") - before + len(record.data))
    return {**percentiles(seconds), "bytes_p50": float(np.median(sizes)), "bytes_max": float(max(sizes))}


def export(folder: Path, kind: str) -> dict[str, float]:
    """Export a version to memory."""
    _, manifest = load(folder / "manifests", "v2")
    figures: dict[str, float] = {}
    with measured(figures):
        export_table(TableStore(LocalDirectoryStore(folder / "objects")), manifest, ExportOptions(kind), io.BytesIO())  # type: ignore[arg-type]
    return figures


def wide(folder: Path) -> dict[str, float]:
    """200 columns by 100,000 rows."""
    rng = np.random.default_rng(7)
    path = folder / "wide.csv"
    if not path.exists():
        import pyarrow as pa

        numbers = {f"n{at}": rng.integers(0, 10_000, 100_000) for at in range(150)}
        texts = {f"t{at}": np.char.mod("text %d", rng.integers(0, 500, 100_000)) for at in range(50)}
        csv.write_csv(pa.table({**numbers, **texts}), path)
    return ours(path, folder / "wide", "wide", None, None)


def workbook(folder: Path) -> dict[str, float]:
    """A workbook of three sheets of 100,000 rows and 12 columns."""
    source = folder / "workbook.xlsx"
    tables = TableStore(LocalDirectoryStore(folder / "objects"))
    if not source.exists():
        from dataforge.contexts.datasets.engine.reading import read_range
        from dataforge.contexts.datasets.exporting.workbook import write_workbook

        _, manifest = load(folder / "manifests", "v1")
        names = manifest.schema.names
        parts = [
            [
                read_range(tables, manifest, at, at + 20_000).rename_columns(names)
                for at in range(start, start + 100_000, 20_000)
            ]
            for start in (0, 100_000, 200_000)
        ]
        with source.open("wb") as out:
            write_workbook(out, [(f"sheet {number}", names, part) for number, part in enumerate(parts)])
    figures: dict[str, float] = {}
    with measured(figures):
        outcome = import_file(TableStore(LocalDirectoryStore(folder / "book")), PathSource(source), ImportOptions())
    figures["rows"] = float(sum(manifest.rows for manifest in outcome.tables.values()))
    return figures


def run(folder: Path, rows: int, delay: float) -> dict[str, dict[str, float]]:
    """Every figure; the store starts empty."""
    one, two = write(folder, rows)
    store = folder / f"store-{rows}"
    shutil.rmtree(store, ignore_errors=True)
    found: dict[str, dict[str, float]] = {}

    def figure(name: str, call: Callable[..., dict[str, float]], *arguments: object) -> None:
        found[name] = apart(call, *arguments)
        print(name, json.dumps(found[name]), flush=True)

    for number in (1, 2):
        figure(f"floor {number}", floor, one, folder / "floor.parquet")
    figure("import v1", ours, one, store, "v1", None)
    figure("import v2", ours, two, store, "v2", "v1")
    figure("import v2 without its base", ours, two, store, "v2-apart", None)
    figure("floor 3", floor, one, folder / "floor.parquet")
    figure("diff", diffs, store)
    for name in ("v1", "v2"):
        figure(f"page of {name}, warm", pages, store, name)
        found[f"page of {name}, cold"] = pages(store, name, delay=delay, count=60)
        print(
            f"page of {name}, cold with {delay * 1000:.0f} ms reads",
            json.dumps(found[f"page of {name}, cold"]),
            flush=True,
        )
    figure("1-row commit", commits, store)
    for kind in ("csv", "parquet"):
        figure(f"export {kind}", export, store, kind)
    if rows >= 300_000:
        figure("workbook", workbook, store)
    figure("200 columns", wide, folder)
    best = min(found[f"floor {number}"]["wall_s"] for number in (1, 2, 3))
    mean = float(np.mean([found[f"floor {number}"]["wall_s"] for number in (1, 2, 3)]))
    cpu = float(np.mean([found[f"floor {number}"]["cpu_s"] for number in (1, 2, 3)]))
    for name in ("import v1", "import v2"):
        ratios = {
            "to_best_floor": found[name]["wall_s"] / best,
            "to_mean_floor": found[name]["wall_s"] / mean,
            "cpu": found[name]["cpu_s"] / cpu,
        }
        found[f"{name} against the floor"] = {key: round(value, 2) for key, value in ratios.items()}
        print(f"{name} against the floor", json.dumps(found[f"{name} against the floor"]), flush=True)
    return found


def main() -> None:
    """Run and keep the figures as JSON beside the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--get-delay-ms", type=float, default=30)
    arguments = parser.parse_args()
    found = run(arguments.folder, arguments.rows, arguments.get_delay_ms / 1000)
    (arguments.folder / f"figures-{arguments.rows}.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
