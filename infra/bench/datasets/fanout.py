"""A large CSV file by ranges on worker processes, against the sequential reader: time, memory, equal content.

`python -m infra.bench.datasets.fanout <folder> --gigabytes 5 --workers 2` writes the table of `generate` to the folder,
imports it both ways into stores beside it, prints both, and removes what it wrote. Tasks and answers go through the
codec of the queue. The file and both stores take about twice its size.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from pyarrow import csv

from dataforge.contexts.datasets.engine.fanout import Answers, import_ranges
from dataforge.contexts.datasets.engine.fanout_codec import (
    decode_answer,
    decode_task,
    encode_answer,
    encode_task,
    task_id,
)
from dataforge.contexts.datasets.engine.fanout_tasks import RangeTask, do_range
from dataforge.contexts.datasets.engine.importing import ImportOutcome, import_file
from dataforge.contexts.datasets.engine.manifest_codec import encode_manifest
from dataforge.contexts.datasets.engine.stores import LocalDirectoryStore
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.model.imports import ImportOptions
from dataforge.contexts.datasets.parsing.sources import PathSource
from dataforge.kernel.errors import DataForgeError
from infra.bench.datasets.generate import BLOCK, block

SPAWN = multiprocessing.get_context("spawn")
SEED = 4
MOST_PEAK_MB = 600
OPTIONS = ImportOptions(key=("id",))


def write_part(path: Path, start: int) -> int:
    """One block of the table as CSV; its bytes."""
    header = start == 0
    with path.open("wb") as out:
        csv.write_csv(block(start, BLOCK, SEED), out, csv.WriteOptions(include_header=header, quoting_style="needed"))
    return path.stat().st_size


def generate(folder: Path, size: int) -> Path:
    """A CSV file of about this many bytes, its blocks made on all cores; kept when it is there."""
    path = folder / f"fanout-{size}.csv"
    if path.exists():
        return path
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as out, ProcessPoolExecutor(mp_context=SPAWN) as pool:
        number = 0
        while out.tell() < size:
            pieces = [folder / f"piece-{number + at}.csv" for at in range(8)]
            starts = [(number + at) * BLOCK for at in range(8)]
            for piece, _ in zip(pieces, pool.map(write_part, pieces, starts), strict=True):
                if out.tell() < size:
                    out.write(piece.read_bytes())
                piece.unlink()
            number += 8
    return temporary.rename(path)


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    """Peak memory of this process, or of the largest of its children."""
    return round(resource.getrusage(who).ru_maxrss / 1024, 1)


def cpu_seconds() -> float:
    """CPU of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


_TASKS: dict[str, RangeTask] = {}


def answer(store: Path, asked: bytes, number: int) -> bytes:
    """What a worker process does with one range."""
    task = _TASKS.get(task_id(asked))
    if task is None:
        _TASKS.clear()
        task = _TASKS[task_id(asked)] = decode_task(asked)
    tables = TableStore(LocalDirectoryStore(store))
    return encode_answer(do_range(task, number, lambda key, name: PathSource(Path(key), name), tables))


class Pool:
    """Tasks for worker processes that live as long as the import."""

    def __init__(self, pool: ProcessPoolExecutor, store: Path) -> None:
        self._pool = pool
        self._store = store
        self.wall: dict[str, float] = {}

    def __call__(self, task: RangeTask) -> Answers:
        """Every range at once, answers in order."""
        began = time.perf_counter()
        asked = encode_task(task)
        waiting: list[Future[bytes]] = [
            self._pool.submit(answer, self._store, asked, number) for number in range(len(task.parts))
        ]
        for future in waiting:
            found = decode_answer(future.result())
            if isinstance(found, DataForgeError):
                raise found
            yield found
        self.wall[f"{task.stage.value}_s"] = round(time.perf_counter() - began, 2)


def by_ranges(path: Path, store: Path, workers: int) -> dict[str, Any]:
    """Import with worker processes."""
    tables = TableStore(LocalDirectoryStore(store))
    began, used = time.perf_counter(), cpu_seconds()
    with ProcessPoolExecutor(workers, mp_context=SPAWN) as processes:
        pool = Pool(processes, store)
        outcome = import_ranges(tables, PathSource(path), OPTIONS, pool, key=str(path))
    found = told(outcome, time.perf_counter() - began, cpu_seconds() - used)
    return {**found, **pool.wall, "workers_peak_mb": peak_mb(resource.RUSAGE_CHILDREN)}


def sequentially(path: Path, store: Path) -> dict[str, Any]:
    """Import in one process with its threads."""
    tables = TableStore(LocalDirectoryStore(store))
    began, used = time.perf_counter(), cpu_seconds()
    outcome = import_file(tables, PathSource(path), OPTIONS)
    return told(outcome, time.perf_counter() - began, cpu_seconds() - used)


def told(outcome: ImportOutcome, wall: float, cpu: float) -> dict[str, Any]:
    """The figures of an import, its record encoded as the commit does."""
    manifest = outcome.tables[OPTIONS.table]
    record = encode_manifest(manifest)
    return {
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "peak_mb": peak_mb(),
        "rows": manifest.rows,
        "leaves": len(manifest.leaves),
        "chunks": len(manifest.sources),
        "stored_mb": round(manifest.size_bytes / 1e6, 1),
        "record_kb": round(len(record.data) / 1e3, 1),
        "content": manifest.digest,
        "report": json.dumps(outcome.report.to_json(), sort_keys=True),
    }


def apart(call: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    """Run in a fresh process, whose children are its own."""
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        return pool.submit(call, *arguments).result()


def run(folder: Path, gigabytes: float, workers: int) -> bool:
    """Both imports; whether they are equal and within their memory."""
    folder.mkdir(parents=True, exist_ok=True)
    path = generate(folder, round(gigabytes * 1e9))
    print(f"file: {path.stat().st_size / 1e9:.2f} GB, {workers} workers", flush=True)
    found = {}
    for name, call, arguments in (("by ranges", by_ranges, (workers,)), ("sequentially", sequentially, ())):
        store = folder / f"store-{name.replace(' ', '-')}"
        shutil.rmtree(store, ignore_errors=True)
        found[name] = apart(call, path, store, *arguments)
        shutil.rmtree(store)
        shown = {key: value for key, value in found[name].items() if key not in {"content", "report"}}
        print(f"{name}: {json.dumps(shown)}", flush=True)
    one, other = found["by ranges"], found["sequentially"]
    equal = all(one[key] == other[key] for key in ("content", "rows", "report"))
    largest = max(one["peak_mb"], one["workers_peak_mb"], other["peak_mb"])
    print(f"content and report equal: {equal}; content {one['content']}")
    print(f"largest process {largest} MB of {MOST_PEAK_MB}; CPU ratio {one['cpu_s'] / other['cpu_s']:.2f}", flush=True)
    return equal and largest <= MOST_PEAK_MB


def main() -> int:
    """Generate, import, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="keep the generated file")
    arguments = parser.parse_args()
    try:
        return 0 if run(arguments.folder, arguments.gigabytes, arguments.workers) else 1
    finally:
        if not arguments.keep:
            for left in arguments.folder.glob("fanout-*.csv"):
                left.unlink()


if __name__ == "__main__":
    raise SystemExit(main())
