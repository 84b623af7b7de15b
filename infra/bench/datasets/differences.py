"""The difference of two versions of one table beside DuckDB's of the same rows, in turns in one process.

Both say how many rows were inserted, updated and deleted, and show the first 100 changes with the cells of both sides.
DuckDB has the versions as two tables of one file and takes the rows of each that the other has not; the full join by
key that names all columns is printed, too. Ours has nothing cached. A function has one core or a little more and DuckDB
takes all there are, so CPU time is compared; wall time is printed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from infra.bench.datasets.measuring import Figures, apart, load
from infra.bench.datasets.stores import Place
from infra.bench.figure import Figure
from versioned_tables.compare.diff import difference, difference_page

ROUNDS, SHOWN = 7, 100
EXCEPT = """
WITH gone AS (FROM v1 EXCEPT FROM v2), come AS (FROM v2 EXCEPT FROM v1)
SELECT gone AS before, come AS after FROM gone FULL JOIN come USING (id)
"""
JOIN = "SELECT v1 AS before, v2 AS after FROM v1 FULL JOIN v2 USING (id) WHERE v1.id IS NULL OR v2.id IS NULL OR "
KINDS = {"inserted": "before.id IS NULL", "deleted": "after.id IS NULL"}
COUNTS = ", ".join(f"count(*) FILTER ({condition})" for condition in KINDS.values())
PAGE = f"FROM changes ORDER BY coalesce(after.id, before.id) LIMIT {SHOWN}"


class Duck:
    """Both versions in a DuckDB file."""

    def __init__(self, path: Path, one: Path, two: Path) -> None:
        self._connection = duckdb.connect(str(path))
        for name, source in (("v1", one), ("v2", two)):
            self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM read_csv(?)", [str(source)])
        columns = [row[0] for row in self._connection.execute("DESCRIBE v1").fetchall() if row[0] != "id"]
        self.join = JOIN + " OR ".join(f"v1.{name} IS DISTINCT FROM v2.{name}" for name in columns)

    def __call__(self, changes: str) -> tuple[int, ...]:
        """Inserted, deleted, and the number of changes shown."""
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE changes AS {changes}")
        row = self._connection.execute(f"SELECT {COUNTS} FROM changes").fetchone()
        return (*(row or ()), len(self._connection.execute(PAGE).fetchall()))


def beside(place: Place, one: Path, two: Path) -> Figures:
    """Medians of wall and CPU milliseconds of each, in turns."""
    versions = {name: load(place.manifests, name)[1].without_change() for name in ("v1", "v2", "v2-apart")}
    duck = Duck(place.folder.parent / "differences.duckdb", one, two)

    def ours(head: str) -> tuple[int, ...]:
        tables = place.tables()
        changes = difference(tables, versions["v1"], versions[head])
        shown = difference_page(tables, changes, 0, SHOWN)
        return (*(changes.counts[kind] for kind in KINDS), len(shown))

    calls: dict[str, Callable[[], tuple[int, ...]]] = {
        "chunks shared": lambda: ours("v2"),
        "imported apart": lambda: ours("v2-apart"),
        "DuckDB, EXCEPT both ways": lambda: duck(EXCEPT),
        "DuckDB, full join": lambda: duck(duck.join),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(ROUNDS + 1):
        answers = {}
        for name, call in calls.items():
            wall, cpu = time.perf_counter(), time.process_time()
            answers[name] = call()
            taken[name].append(((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000))
        if len({*answers.values()}) > 1:
            message = f"not the same difference: {answers}"
            raise ArithmeticError(message)
    found: Figures = {}
    for name, rounds in taken.items():
        found[f"{name}, ms"] = statistics.median(wall for wall, _ in rounds[1:])
        found[f"{name}, CPU ms"] = statistics.median(cpu for _, cpu in rounds[1:])
    return found


def differences(place: Place, one: Path, two: Path) -> Iterator[Figure]:
    """What `beside` found, and the CPU time of ours to DuckDB's."""
    found = apart(beside, place, one, two)
    for name, value in found.items():
        yield Figure(f"difference any to any: {name}", value)
    for name, most in (("chunks shared", 0.1), ("imported apart", 0.2)):
        for peer in ("EXCEPT both ways", "full join"):
            limit = most if peer.startswith("EXCEPT") else None
            ratio = found[f"{name}, CPU ms"] / found[f"DuckDB, {peer}, CPU ms"]
            yield Figure(f"difference any to any: {name}, CPU to that of DuckDB, {peer}", ratio, limit)
