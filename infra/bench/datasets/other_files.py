"""Files other than CSV as versions, beside what reads the same file in the same minutes.

A workbook of three sheets beside python-calamine's read of it, JSON lines beside pyarrow's read and its Parquet write,
Parquet beside the import of the same rows as CSV. They take turns, and medians count. An import reads, checks, finds
types, hashes and writes; its memory is that of all of its processes at once, each shared page counted once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine
from pyarrow import csv, json

from infra.bench.datasets.imports import clear
from infra.bench.datasets.measuring import Figures, apart, keep, measured, median
from infra.bench.datasets.stores import Place
from infra.bench.figure import Figure
from versioned_tables.exports.workbook import write_workbook
from versioned_tables.files.options import ImportOptions
from versioned_tables.files.sources import BytesSource
from versioned_tables.imports.importing import import_file

ROUNDS = 5
SHEETS, SHEET_ROWS = 3, 100_000
MOST_PEAK_MB = 400
# Ours to the other's, by the clock.
LIMITS = {"workbook": 1.6, "JSON lines": 1.5, "Parquet": 1.0}
OTHERS = {
    "workbook": "python-calamine's read",
    "JSON lines": "pyarrow's read and Parquet write",
    "Parquet": "the import as CSV",
}


def other_files(place: Place, one: Path) -> Iterator[Figure]:
    """Every kind of file, made of the rows of `one`; ours and the other in turns."""
    files = {
        "workbook": (apart(workbook_file, one), calamine, ()),
        "JSON lines": (apart(json_lines, one), json_floor, ("id",)),
        "Parquet": (apart(parquet_file, one), None, ("id",)),
    }
    for kind, (path, floor, key) in files.items():
        rounds: dict[str, list[Figures]] = {"ours": [], "other": []}
        for _ in range(ROUNDS):
            of_csv = apart(import_of, one, _emptied(place), key) if floor is None else apart(floor, path)
            rounds["other"].append(of_csv)
            rounds["ours"].append(apart(import_of, path, _emptied(place), key))
        ours, other = (median(rounds[side]) for side in ("ours", "other"))
        for name, unit in (("wall_s", "wall"), ("cpu_s", "CPU")):
            yield Figure(f"import of {kind}, {unit} s", ours[name])
            yield Figure(f"{OTHERS[kind]}, {unit} s", other[name])
            limit = LIMITS[kind] if unit == "wall" else None
            yield Figure(f"import of {kind}, {unit} to {OTHERS[kind]}", ours[name] / other[name], limit)
        memory = apart(most_memory, path, _emptied(place), key)
        yield Figure(f"import of {kind}, peak MB of all processes", memory, MOST_PEAK_MB)


def _emptied(place: Place) -> Place:
    fresh = place.at(f"{place.folder.name}-files")
    clear(fresh)
    return fresh


def import_of(path: Path, place: Place, key: tuple[str, ...]) -> Figures:
    """Import a file whole, and keep the manifest record of every table."""
    figures: Figures = {}
    load = _loading(path, place, key)
    with measured(figures):
        load()
    return figures


def _loading(path: Path, place: Place, key: tuple[str, ...]) -> Callable[[], None]:
    store, source = place.store(), place.source(path)
    tables = place.tables(store)
    import_file(tables, BytesSource(b"id,a\n1,b\n", "warm-up.csv"), ImportOptions())

    def load() -> None:
        outcome = import_file(tables, source, ImportOptions(key=key))
        for name, manifest in outcome.tables.items():
            keep(place.manifests, name, manifest, None)

    return load


def most_memory(path: Path, place: Place, key: tuple[str, ...]) -> float:
    """MB of an import and the processes that it starts, looked at every 30 ms, and therefore not timed."""
    load, most, ended = _loading(path, place, key), [0], threading.Event()

    def look() -> None:
        while not ended.wait(0.03):
            most[0] = max(most[0], _memory(os.getpid()))

    watching = threading.Thread(target=look)
    watching.start()
    try:
        load()
    finally:
        ended.set()
        watching.join()
    return most[0] / 1024


def _memory(process: int) -> int:
    """KB of a process and its children; of what several share, each has its part."""
    folder = Path(f"/proc/{process}")
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
        children = (folder / "task" / str(process) / "children").read_text().split()
    except OSError:
        return 0  # it has ended, or the system has no /proc
    own = next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return own + sum(_memory(int(child)) for child in children)


def calamine(path: Path) -> Figures:
    """Every cell of every sheet as a Python value."""
    figures: Figures = {}
    with measured(figures):
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python()
    return figures


def json_floor(path: Path) -> Figures:
    """pyarrow: read JSON lines, write Parquet with zstd level 1."""
    out = path.with_suffix(".floor")
    figures: Figures = {}
    with measured(figures):
        pq.write_table(json.read_json(path), out, compression="zstd", compression_level=1)
    out.unlink()
    return figures


def workbook_file(one: Path) -> Path:
    """The first 300,000 rows on three sheets."""

    def write(path: Path) -> None:
        table = csv.read_csv(one)
        with path.open("wb") as out:
            write_workbook(out, [(f"sheet {at}", table.column_names, _batches(table, at)) for at in range(SHEETS)])

    return _written(one.with_suffix(".xlsx"), write)


def _batches(table: pa.Table, sheet: int) -> Iterator[pa.Table]:
    step = SHEET_ROWS // 5
    return (table.slice(sheet * SHEET_ROWS + at, step) for at in range(0, SHEET_ROWS, step))


def json_lines(one: Path) -> Path:
    """An object a line."""

    def write(path: Path) -> None:
        with path.open("wb") as out:
            for batch in csv.read_csv(one).to_batches():
                out.writelines(orjson.dumps(row) + b"\n" for row in batch.to_pylist())

    return _written(one.with_suffix(".jsonl"), write)


def parquet_file(one: Path) -> Path:
    """What pyarrow writes when nobody asks for anything else."""
    return _written(one.with_suffix(".parquet"), lambda path: pq.write_table(csv.read_csv(one), path))


def _written(path: Path, write: Callable[[Path], None]) -> Path:
    """The file; kept when it is there."""
    if not path.exists():
        temporary = path.with_suffix(".part")
        write(temporary)
        temporary.rename(path)
    return path
