"""Growth from 10⁵ over 10⁶ to 10⁷ rows: time per imported row, pages, and differences of 1,000 changed rows.

The files of a size are deleted before the next one is written; 10⁷ rows are 1.5 GB of CSV and 0.6 GB of objects.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from infra.bench.datasets.generate import write_first
from infra.bench.datasets.imports import ours
from infra.bench.datasets.measuring import Figures, apart, best, keep, load
from infra.bench.datasets.stores import Place
from infra.bench.datasets.uses import pages, shared
from infra.bench.figure import Figure
from versioned_tables.write.operations import RowOperation, apply_operations

SIZES = (100_000, 1_000_000, 10_000_000)
MOST_GROWTH = 1.1
FLAT = 1.5
MOST_PEAK_MB = 400
CHANGES = 1_000


def growth(folder: Path, most: int) -> Iterator[Figure]:
    """Each size, then each ratio; `most` leaves out larger sizes."""
    found: dict[int, Figures] = {}
    for rows in SIZES:
        if rows <= most:
            found[rows] = of_size(folder / f"growth-{rows}", rows)
            yield from figures_of(rows, found[rows])
    sizes = list(found)
    for small, large in pairwise(sizes):
        for name, label in (("wall_s", "wall"), ("cpu_s", "CPU")):
            ratio = found[large][name] / large / (found[small][name] / small)
            yield Figure(f"import, {label} per row at {large:,} rows to {small:,}", ratio, MOST_GROWTH)
    if len(sizes) == len(SIZES):
        # A line, whatever an import costs before its first row.
        for name, label in (("wall_s", "wall"), ("cpu_s", "CPU")):
            before, after = ((found[b][name] - found[a][name]) / (b - a) for a, b in pairwise(sizes))
            yield Figure(
                f"import, {label} per further row, from {sizes[1]:,} on to before", after / before, MOST_GROWTH
            )
            yield Figure(f"import, {label} per further row, before {sizes[1]:,} to after", before / after, MOST_GROWTH)
    if len(sizes) > 1:
        for name, label in (("page_cold", "page of 100, nothing cached, p50"), ("diff", "difference along history")):
            ratio = found[sizes[-1]][name] / found[sizes[0]][name]
            yield Figure(f"{label} at {sizes[-1]:,} rows to {sizes[0]:,}", ratio, FLAT)


def of_size(folder: Path, rows: int) -> Figures:
    """Import a size, commit to it and read it, and leave nothing behind."""
    place = Place(folder / "store")
    try:
        one = apart(write_first, folder, rows)
        runs = []
        for _ in range(2 if rows > SIZES[1] else 5):
            shutil.rmtree(place.folder, ignore_errors=True)
            runs.append(apart(ours, one, place, "v1", None))
        one.unlink()
        apart(edit, place)
        page, cold = apart(pages, place, "v2"), apart(cold_pages, place)
        return {
            **best(runs),
            "page": page["p50_ms"],
            "page_cold": cold["p50_ms"],
            "page_p95": page["p95_ms"],
            "diff": apart(shared, place, "v2")["p50_ms"],
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def edit(place: Place) -> None:
    """v2: v1 with 1,000 rows updated, wherever they are."""
    record, manifest = load(place.manifests, "v1")
    picked = np.random.default_rng(8).choice(manifest.rows, CHANGES, replace=False)
    operations = [RowOperation("update", {"id": int(row) * 3 + 1_000_000}, {"note": "corrected"}) for row in picked]
    keep(place.manifests, "v2", apply_operations(place.tables(), manifest, operations), record)


def cold_pages(place: Place) -> Figures:
    """Pages of which nothing is in a cache: what all sizes have in common, since 10⁵ rows fit into one."""
    return pages(place, "v2", cold=True)


def figures_of(rows: int, found: Figures) -> Iterator[Figure]:
    """The figures of one size."""
    yield Figure(f"import of {rows:,} rows, wall s", found["wall_s"])
    yield Figure(f"import of {rows:,} rows, CPU s", found["cpu_s"])
    yield Figure(f"import of {rows:,} rows, peak MB", found["peak_mb"], MOST_PEAK_MB)
    yield Figure(f"page of 100 of {rows:,} rows, warm, p50 ms", found["page"])
    yield Figure(f"page of 100 of {rows:,} rows, warm, p95 ms", found["page_p95"], 10)
    yield Figure(f"page of 100 of {rows:,} rows, nothing cached, p50 ms", found["page_cold"])
    yield Figure(f"difference along history of {rows:,} rows, ms", found["diff"], 50)
