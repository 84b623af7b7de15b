"""What the parts share: processes of their own, seconds, memory, and the record of a version beside its store."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa

from versioned_tables.format.manifest import Manifest
from versioned_tables.format.manifest_codec import EncodedManifest, decode_manifest, encode_manifest

SPAWN = multiprocessing.get_context("spawn")
# Arrow's allocator hands freed memory back to the system within milliseconds, and an import takes it again at once,
# page by page. The import function keeps it (template.yaml); floor and engine are both measured so.
ALLOCATOR = {"MIMALLOC_PURGE_DELAY": "-1"}
Figures = dict[str, float]
_Result = TypeVar("_Result")


def apart(call: Callable[..., _Result], *arguments: object) -> _Result:
    """Run in a fresh process, so that its peak memory is its own."""
    os.environ.update(ALLOCATOR)
    with SPAWN.Pool(1, initializer=_warm) as pool:
        return pool.apply(call, arguments)


def _warm() -> None:
    """The first array makes Arrow import pandas where it is installed, which functions do not carry."""
    pa.array(np.zeros(1))


@contextmanager
def measured(figures: Figures) -> Iterator[None]:
    """Wall and CPU seconds of the block, child processes that ended in it included, and the peak memory after it."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    yield
    figures["wall_s"], figures["cpu_s"] = time.perf_counter() - wall, cpu_seconds() - cpu
    figures["peak_mb"] = peak_mb()


def peak_mb() -> float:
    """The most memory this program has had. `ru_maxrss` would not do: it counts what the parent had when it forked."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS tells bytes and starts anew
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def cpu_seconds() -> float:
    """CPU of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def percentiles(seconds: Sequence[float]) -> Figures:
    """Median and 95th percentile in milliseconds."""
    found = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50_ms": float(found[0]), "p95_ms": float(found[1])}


def best(runs: Sequence[Figures]) -> Figures:
    """The smallest of each number: what the machine does beside only adds."""
    return {name: min(run[name] for run in runs) for name in runs[0]}


def median(runs: Sequence[Figures]) -> Figures:
    """The median of each number."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def records(folder: Path) -> dict[str, bytes]:
    """Manifest records kept in a folder, as Postgres keeps them in a table."""
    return {path.stem: path.read_bytes() for path in folder.glob("*.manifest")}


def keep(folder: Path, name: str, manifest: Manifest, parent: EncodedManifest | None = None) -> EncodedManifest:
    """Encode and keep the record of a version under a name."""
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
