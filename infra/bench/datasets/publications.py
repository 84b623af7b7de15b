"""Publication as an Iceberg table: a version, and the next commit, which adds only what is new; beside pyiceberg's own
writer, which holds the whole version in memory and for the next commit writes every file anew with a changed row in it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import compute
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from infra.bench.datasets.imports import MOST_PEAK_MB, ours
from infra.bench.datasets.measuring import Figures, apart, load, measured, median
from infra.bench.datasets.stores import Place
from infra.bench.figure import Figure
from versioned_tables.iceberg.publishing import Publishing, first_schema, publish
from versioned_tables.read.rows import read_range

ROUNDS = 3
# CPU to that; bytes and rows of a commit of 1,000 changed, 500 new and 500 deleted rows anywhere.
MOST_CPU_RATIO = 1.5
MOST_ADDED_MB = 0.3
ADDED_ROWS = 1_500


@contextmanager
def lake(place: Place) -> Iterator[tuple[SqlCatalog, Path]]:
    """An empty catalog in memory, with its files beside the store."""
    folder = place.folder.parent / "lake"
    shutil.rmtree(folder, ignore_errors=True)
    catalog = SqlCatalog("bench", uri="sqlite://", warehouse=f"file://{folder}")
    catalog.create_namespace("n")
    try:
        yield catalog, folder
    finally:
        catalog.close()


def published(place: Place) -> Figures:
    """Publish v1, then v2."""
    tables, figures = place.tables(), Figures()
    with lake(place) as (catalog, folder):
        manifests = [load(place.manifests, name)[1] for name in ("v1", "v2")]
        table = catalog.create_table(
            "n.t", first_schema(manifests[0].schema), properties={"commit.retry.num-retries": "0"}
        )
        for number, manifest in enumerate(manifests, 1):
            before, run = stored(folder), Figures()
            with measured(run):
                made = publish(tables, manifest, table, Publishing(f"v{number}", {}))
            figures |= {f"v{number} {name}": value for name, value in run.items()}
            figures[f"v{number} mb"] = (stored(folder) - before) / 1e6
            figures[f"v{number} rows"] = made.rows
    return figures


def theirs(place: Place) -> Figures:
    """The same by pyiceberg's own writer: v1 is read as a whole and appended, of v2 it is given what has changed."""
    figures = Figures()
    before = whole(place, "v1")
    gone, new = changes(before, whole(place, "v2"))
    with lake(place) as (catalog, folder):
        table: Table = catalog.create_table("n.t", before.schema)
        for number in (1, 2):
            held, run = stored(folder), Figures()
            with measured(run):
                if number == 1:
                    table.append(whole(place, "v1"))
                else:
                    table.delete(f"id in ({', '.join(map(str, gone))})")
                    table.append(new)
            figures |= {f"v{number} {name}": value for name, value in run.items()}
            figures[f"v{number} mb"] = (stored(folder) - held) / 1e6
    return figures


def whole(place: Place, name: str) -> pa.Table:
    """All rows of a version in memory."""
    _, manifest = load(place.manifests, name)
    return read_range(place.tables(), manifest, 0, manifest.rows).rename_columns(manifest.schema.names)


def changes(before: pa.Table, after: pa.Table) -> tuple[list[int], pa.Table]:
    """Ids of rows that go or change, and the rows that come."""
    was, now = _rows(before), _rows(after)
    gone = [identity for identity, row in was.items() if now.get(identity) != row]
    fresh = pa.array([identity for identity, row in now.items() if was.get(identity) != row])
    return gone, after.filter(compute.is_in(after.column("id"), fresh))


def _rows(table: pa.Table) -> dict[int, tuple[object, ...]]:
    columns = [table.column(name).to_pylist() for name in table.column_names]
    return dict(zip(table.column("id").to_pylist(), zip(*columns, strict=True), strict=True))


def stored(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def publications(place: Place, one: Path, two: Path) -> Iterator[Figure]:
    """Rounds of ours and theirs one after the other, the median of each; versions that are not there are imported."""
    if not (place.manifests / "v2.json").exists():
        apart(ours, one, place, "v1", None)
        apart(ours, two, place, "v2", "v1")
    rounds: dict[str, list[Figures]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        rounds["ours"].append(apart(published, place))
        rounds["theirs"].append(apart(theirs, place))
    here, there = median(rounds["ours"]), median(rounds["theirs"])
    yield Figure("publication of v1, wall s", here["v1 wall_s"])
    yield Figure("publication of v1, peak MB", here["v2 peak_mb"], MOST_PEAK_MB)
    yield Figure("publication of v1, CPU s", here["v1 cpu_s"])
    yield Figure("read of v1 and pyiceberg's append, CPU s", there["v1 cpu_s"])
    yield Figure("publication of v1, CPU to that", here["v1 cpu_s"] / there["v1 cpu_s"], MOST_CPU_RATIO)
    yield Figure("publication of v1, MB", here["v1 mb"])
    yield Figure("publication of v2, CPU s", here["v2 cpu_s"])
    yield Figure("pyiceberg's delete and append of v2, CPU s", there["v2 cpu_s"])
    yield Figure("publication of v2, rows written", here["v2 rows"], ADDED_ROWS)
    yield Figure("publication of v2, MB added", here["v2 mb"], MOST_ADDED_MB)
    yield Figure("pyiceberg's delete and append of v2, MB added", there["v2 mb"])
