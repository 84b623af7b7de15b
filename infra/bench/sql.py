"""SQL over a version of 1,000,000 rows of 12 columns through the handler, beside DuckDB on one Parquet file.

Run as `python -m infra.bench.sql [--rows 1000000] [--largest 10000000]`. The app answers in this process, over a
database and a bucket of its own (PostgreSQL and the emulator), with the engine's process started ahead; the peer is a
DuckDB with as many threads that reads the same rows from a Parquet file, fetches as many and no more. Both are warm
and take turns; a figure is the median of the rounds. `--largest` adds a selective filter over growing tables.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import duckdb
import httpx
import psutil
import pyarrow.parquet as pq
from pyarrow import csv

from infra.bench.datasets.generate import write_first
from infra.bench.figure import Figure, show

ROUNDS, FETCHED, THREADS = 9, 1000, 2
_AGGREGATE = """
SELECT city, status, count(*) AS n, avg(score) AS mean, sum(amount) AS total FROM data
GROUP BY city, status ORDER BY city, status
"""
STATEMENTS = {
    "aggregate": (_AGGREGATE, 5.0),
    "aggregate of few groups": ("SELECT status, count(*) AS n, avg(score) AS mean FROM data GROUP BY status", 5.0),
    "sort of all columns": ("SELECT * FROM data ORDER BY amount DESC, id", 3.0),
    "sort of two columns": ("SELECT id, amount FROM data ORDER BY amount DESC, id", 3.0),
    "first 100 of a sort": ("SELECT * FROM data ORDER BY amount DESC, id LIMIT 100", 3.0),
    "rows of 300 keys": ("SELECT * FROM data WHERE id BETWEEN 1500000 AND 1500900 ORDER BY id", None),
}
SELECTIVE = "SELECT count(*) AS n, min(note) AS note FROM data WHERE id BETWEEN 1150000 AND 1150900"
SIZES = (100_000, 1_000_000, 10_000_000)
FLAT, SELECTIVE_ROUNDS = 1.5, 15


class Parquet:
    """The peer: the rows of a CSV file in one Parquet file, and a DuckDB over it."""

    def __init__(self, path: Path) -> None:
        parquet = path.with_suffix(".parquet")
        pq.write_table(csv.read_csv(path), parquet, compression="zstd", compression_level=1)
        self._connection = duckdb.connect(config={"threads": THREADS})
        self._connection.execute(f"CREATE VIEW data AS SELECT * FROM '{parquet}'")

    def close(self) -> None:
        """Let go of the engine."""
        self._connection.close()

    def seconds(self, statement: str) -> float:
        """Run a statement and fetch its first rows."""
        began = time.perf_counter()
        self._connection.execute(statement).fetchmany(FETCHED)
        took = time.perf_counter() - began
        self._connection.execute("SELECT 1").fetchall()  # lets go of what was not fetched
        return took


async def answered(client: httpx.AsyncClient, path: str, statement: str) -> tuple[float, Any]:
    """Seconds of one call, and its answer."""
    began = time.perf_counter()
    response = await client.post(path, json={"sql": statement, "max_rows": FETCHED})
    took = time.perf_counter() - began
    response.raise_for_status()
    return took, response.json()


async def imported(datasets: Any, client: httpx.AsyncClient, path: Path, rows: int) -> str:  # noqa: ANN401 - imported late
    """A dataset of a file; the address of SQL over its branch."""
    from tests.builders.datasets import import_file, new_dataset

    dataset = await new_dataset(client, f"table of {rows}")
    await import_file(datasets, client, dataset, await asyncio.to_thread(path.read_bytes), key=["id"])
    return f"/api/datasets/{dataset}/refs/main/sql"


async def beside(client: httpx.AsyncClient, address: str, peer: Parquet) -> list[Figure]:
    """Every statement, in turns with the peer."""
    figures = []
    for name, (statement, most) in STATEMENTS.items():
        cold, _ = await answered(client, address, statement)
        await answered(client, address, statement)
        ours, theirs, inside = [], [], []
        for _ in range(ROUNDS):
            theirs.append(peer.seconds(statement))
            took, answer = await answered(client, address, statement)
            ours.append(took)
            inside.append(answer["elapsed_ms"])
        mine, others = statistics.median(ours), statistics.median(theirs)
        figures += [
            Figure(f"{name}, first run, ms", cold * 1000),
            Figure(f"{name}, ms", mine * 1000),
            Figure(f"{name}, of it from the function to the engine and back, ms", statistics.median(inside)),
            Figure(f"{name}, DuckDB on one Parquet file, ms", others * 1000),
            Figure(f"{name}, times DuckDB's", mine / others, most),
        ]
    return figures


async def selective(client: httpx.AsyncClient, address: str) -> tuple[float, float, float]:
    """Seconds of a filter that 300 rows pass, the first time and the median later, and by how many MB this process and
    the engine's grew meanwhile at most.
    """
    first, _ = await answered(client, address, SELECTIVE)
    before = _memory()
    with _Peak() as peak:
        seconds = [(await answered(client, address, SELECTIVE))[0] for _ in range(SELECTIVE_ROUNDS)]
    return first, statistics.median(seconds), peak.most - before


class _Peak:
    """The most memory while a block runs, looked at every few milliseconds."""

    def __init__(self) -> None:
        self.most = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.most = max(self.most, _memory())


def _memory() -> float:
    """MB of this process and its children, what they share counted once."""
    found = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # a statement's process ends when it has answered
            found += process.memory_full_info().pss / 1e6
    return found


async def measure(database_url: str, folder: Path, rows: int, largest: int) -> int:
    """Show the figures, in a database that is there; returns how many limits were missed."""
    from dataforge.kernel.clock import SystemClock
    from dataforge.platform.db.database import Database
    from infra.local.emulator import Emulator
    from tests.builders.datasets import DatasetsUnderTest
    from tests.builders.emulator import EmulatedAws
    from versioned_tables.sql.process import shared_engine

    shared_engine().start()
    database = Database(database_url, pool_size=4)
    async with DatasetsUnderTest(database, SystemClock(), EmulatedAws(Emulator(Path(), 0))) as datasets:
        client = await datasets.analyst()
        sql = await datasets.sql_client(client)
        path = write_first(folder, rows)
        addresses = {rows: await imported(datasets, client, path, rows)}
        peer = Parquet(path)
        missed = show("sql", await beside(sql, addresses[rows], peer))
        peer.close()
        flat: dict[int, float] = {}
        for size in (size for size in SIZES if size <= largest):
            if size not in addresses:
                path = write_first(folder, size)
                addresses[size] = await imported(datasets, client, path, size)
                path.unlink()
            first, flat[size], grown = await selective(sql, addresses[size])
            found = {"first run, ms": first * 1000, "ms": flat[size] * 1000, "MB taken at most": grown}
            show("sql", [Figure(f"300 of {size:,} rows by key, {name}", value) for name, value in found.items()])
        if len(flat) > 1:
            small, *_, large = flat
            ratio = flat[large] / flat[small]
            missed += show("sql", [Figure(f"300 rows by key, time at {large:,} rows to {small:,}", ratio, FLAT)])
    await database.dispose()
    return missed


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    from dataforge.platform.db import roles
    from dataforge.platform.db.grants import GRANTS
    from dataforge.platform.db.migrations import upgrade
    from infra.local import emulator, postgres
    from infra.local.layout import StackDirectory

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--largest", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        server = postgres.start(Path(name) / "pg")
        try:
            cloud = emulator.start(StackDirectory(root=Path(name), stack_name="bench", preferred_port=None))
            try:
                environment = {"POWERTOOLS_TRACE_DISABLED": "true", "LOG_LEVEL": "WARNING"}
                # Buckets of the tests are made anywhere but in us-east-1, which takes no constraint.
                environment |= dict.fromkeys(("AWS_DEFAULT_REGION", "AWS_REGION"), "eu-central-1")
                os.environ.update({**cloud.environment(), **environment})
                url = server.create_database("sql")
                upgrade(url)
                roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
                return min(asyncio.run(measure(url, Path(name), given.rows, given.largest)), 1)
            finally:
                cloud.stop()
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
