"""Imports against the floor of the same run: v1, v2 against v1, v2 without its base, 200 columns."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from infra.bench.datasets.measuring import Figures, apart, keep, load, measured, median
from infra.bench.datasets.stores import Place
from infra.bench.figure import Figure
from versioned_tables.files.options import ImportOptions
from versioned_tables.files.sources import BytesSource
from versioned_tables.imports.importing import import_file

ROUNDS = 7
# Wall time to a floor: that of local files on a local directory, that through the same store in a bucket.
FILES_LIMITS = {"v1": 0.9, "v2": 1.0}
STORE_LIMITS = {"v1": 0.65, "v2": 0.65}
MOST_PEAK_MB = 400
MOST_GROWN_MB = 0.3


def floor(path: Path, out: Path) -> Figures:
    """pyarrow: read the CSV file, write Parquet with zstd level 1."""
    figures: Figures = {}
    with measured(figures):
        pq.write_table(csv.read_csv(path), out, compression="zstd", compression_level=1)
    out.unlink()
    return figures


def floor_through(path: Path, place: Place) -> Figures:
    """The same through the store that the import uses: get the file, read it, write Parquet, put it."""
    store, source = place.store(), place.source(path)
    figures: Figures = {}
    with measured(figures):
        table = csv.read_csv(pa.BufferReader(source.read(0, source.size)))
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", compression_level=1)
        store.put_if_absent(f"{place.folder.name}/floor.parquet", sink.getvalue().to_pybytes())
    return figures


def ours(path: Path, place: Place, name: str, base: str | None, key: str | None = "id") -> Figures:
    """Import a file as a version against another one, and keep its manifest record."""
    store, source = place.store(), place.source(path)
    tables = place.tables(store)
    import_file(tables, BytesSource(b"id,a\n1,b\n", "warm-up.csv"), ImportOptions())
    parent = load(place.manifests, base) if base else None
    before = store.grown
    figures: Figures = {}
    with measured(figures):
        bases = {"data": parent[1]} if parent else None
        outcome = import_file(tables, source, ImportOptions(key=(key,) if key else ()), bases)
        record = keep(place.manifests, name, outcome.tables["data"], parent[0] if parent else None)
    figures["grown_mb"] = (store.grown - before + len(record.data)) / 1e6
    return figures


def imports(place: Place, one: Path, two: Path) -> Iterator[Figure]:
    """Rounds of floor, v1 and v2 one after the other, the median of each; the stores of the last round stay.

    Objects in a bucket have a floor of their own beside that of files, and their limits are to that one.
    """
    floors = {"floor": "floor: pyarrow read and Parquet write"}
    limits: dict[str, dict[str, float]] = {"floor": FILES_LIMITS}
    if place.endpoint:
        floors["floor_through"] = "floor through the same store"
        limits = {"floor_through": STORE_LIMITS}
    rounds: dict[str, list[Figures]] = {name: [] for name in (*floors, "v1", "v2")}
    for _ in range(ROUNDS):
        clear(place)
        rounds["floor"].append(apart(floor, one, place.folder.parent / "floor.parquet"))
        if place.endpoint:
            rounds["floor_through"].append(apart(floor_through, one, place))
        rounds["v1"].append(apart(ours, one, place, "v1", None))
        rounds["v2"].append(apart(ours, two, place, "v2", "v1"))
    apart(ours, two, place, "v2-apart", None)
    usual = {name: median(runs) for name, runs in rounds.items()}
    for name, figures in usual.items():
        label = floors.get(name, f"import {name}")
        yield Figure(f"{label}, wall s", figures["wall_s"])
        yield Figure(f"{label}, CPU s", figures["cpu_s"])
        yield Figure(f"{label}, peak MB", figures["peak_mb"], None if name in floors else MOST_PEAK_MB)
    for name in ("v1", "v2"):
        for kind in ("wall", "CPU"):
            of = f"{kind.lower()}_s"
            for base in floors:
                base_name = "the floor's" if base == "floor" else "that through the same store"
                limit = limits.get(base, {}).get(name) if kind == "wall" else None
                yield Figure(f"import {name}, {kind} to {base_name}", usual[name][of] / usual[base][of], limit)
    yield Figure("import v1, stored MB", usual["v1"]["grown_mb"])
    yield Figure("import v2, grown MB", usual["v2"]["grown_mb"], MOST_GROWN_MB)


def clear(place: Place) -> None:
    """An empty store; objects of a bucket are deleted one by one."""
    shutil.rmtree(place.folder, ignore_errors=True)
    if place.endpoint:
        store = place.store()
        for found in list(store.list(f"{place.folder.name}/")):
            store.delete(found.key)


def shapes(place: Place) -> Iterator[Figure]:
    """200 columns by 100,000 rows."""
    wide = apart(ours, apart(wide_file, place.folder.parent), place.at(f"{place.folder.name}-wide"), "wide", None, None)
    yield Figure("import of 200 columns by 100,000 rows, s", wide["wall_s"], 6)
    yield Figure("import of 200 columns by 100,000 rows, peak MB", wide["peak_mb"], MOST_PEAK_MB)


def wide_file(folder: Path) -> Path:
    """150 columns of numbers and 50 of text; kept when it is there."""
    path = folder / "wide.csv"
    if not path.exists():
        rng = np.random.default_rng(7)
        numbers = {f"n{at}": rng.integers(0, 10_000, 100_000) for at in range(150)}
        texts = {f"t{at}": np.char.mod("text %d", rng.integers(0, 500, 100_000)) for at in range(50)}
        csv.write_csv(pa.table({**numbers, **texts}), path)
    return path
