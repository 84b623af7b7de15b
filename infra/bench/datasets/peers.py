"""The peers on the same table in the same run: import v1, bring it to v2, storage grown, difference, page at an offset.

    python -m infra.bench.datasets.peers <folder> [--rows 1000000] [--python .local/peers/bin/python]

Lance, Delta and Oxen run under another Python, which `--python` names (a virtual environment with `pylance`,
`deltalake` and `oxenai`); DuckDB and PostgreSQL run here. A peer that is not installed is left out and said so.
Each one does what its own users would do: Lance and Delta merge by key, Oxen commits the file, DuckDB rewrites a table,
PostgreSQL copies into a table per version.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import LiteralString

import duckdb
import psycopg

from infra.bench.datasets.figures import percentiles, stored, timed
from infra.bench.datasets.generate import write
from infra.local.postgres import start

COMMON = """
import json, random, shutil, sys, time
from pathlib import Path
import pyarrow as pa
from pyarrow import csv
one, two, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
size = lambda: sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
found = {}
def step(name, call):
    before, wall, cpu = size(), time.perf_counter(), time.process_time()
    call()
    found[name] = {"wall_s": round(time.perf_counter() - wall, 3), "cpu_s": round(time.process_time() - cpu, 3),
                   "grown_mb": round((size() - before) / 1e6, 3)}
def pages(call, rows, count=50):
    seconds = []
    for _ in range(count):
        at = random.randrange(rows - 100)
        started = time.perf_counter()
        call(at)
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    middle, late = seconds[count // 2], seconds[int(count * 0.95)]
    found["page"] = {"p50_ms": round(middle * 1e3, 2), "p95_ms": round(late * 1e3, 2)}
"""
LANCE = """
import lance
path = str(folder / "t.lance")
step("import v1", lambda: lance.write_dataset(csv.read_csv(one), path))
def merge():
    new = csv.read_csv(two)
    merged = lance.dataset(path).merge_insert("id").when_matched_update_all("target.status <> source.status")
    merged.when_not_matched_insert_all().when_not_matched_by_source_delete().execute(new)
step("merge to v2", merge)
data = lance.dataset(path)
pages(lambda at: data.to_table(offset=at, limit=100), data.count_rows())
"""
DELTA = """
from deltalake import DeltaTable, write_deltalake
path = str(folder / "t")
step("import v1", lambda: write_deltalake(path, csv.read_csv(one)))
step("overwrite with v2", lambda: write_deltalake(path, csv.read_csv(two), mode="overwrite"))
data = DeltaTable(path).to_pyarrow_dataset()
pages(lambda at: data.take(pa.array(range(at, at + 100))), data.count_rows(), 10)
"""
OXEN = """
from oxen import Repo
from oxen.user import config_user
config_user("bench", "bench@example.org")
repo = Repo(str(folder / "r"), mkdir=True)
repo.init()
target = folder / "r" / "t.csv"
def commit(source, message):
    shutil.copy(source, target)
    repo.add(str(target))
    repo.commit(message)
step("import v1", lambda: commit(one, "v1"))
step("commit v2", lambda: commit(two, "v2"))
"""


def elsewhere(python: Path, name: str, script: str, one: Path, two: Path) -> dict[str, object]:
    """Run a peer under another Python."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        command = [str(python), "-c", COMMON + script + "\nprint(json.dumps(found))", str(one), str(two), folder]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return {"left out": f"{name}: {type(error).__name__}"}
    if done.returncode:
        return {"left out": done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else "it failed"}
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def duck(one: Path, two: Path) -> dict[str, object]:
    """A DuckDB file with a table per version; the difference by a full outer comparison."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="peer-") as name:
        folder = Path(name)
        with duckdb.connect(str(folder / "t.duckdb")) as connection:
            for version, path in (("v1", one), ("v2", two)):
                before, started, cpu = stored(folder), time.perf_counter(), time.process_time()
                connection.execute(f"CREATE TABLE {version} AS SELECT * FROM read_csv(?)", [str(path)])
                connection.execute("CHECKPOINT")
                found[f"import {version}"] = {
                    "wall_s": round(time.perf_counter() - started, 3),
                    "cpu_s": round(time.process_time() - cpu, 3),
                    "grown_mb": round((stored(folder) - before) / 1e6, 3),
                }
            compare = "SELECT count(*) FROM (FROM v1 EXCEPT FROM v2)"
            found["difference, s"] = round(timed(lambda: connection.execute(compare).fetchall()), 3)
            seconds = [
                timed(lambda at=at: connection.execute("FROM v2 LIMIT 100 OFFSET ?", [at]).fetchall())  # type: ignore[misc]
                for at in range(0, 500_000, 10_000)
            ]
            found["page"] = percentiles(seconds)
    return found


def _rows(
    connection: psycopg.Connection[tuple[object, ...]], statement: LiteralString, at: int
) -> list[tuple[object, ...]]:
    return connection.execute(statement, [at]).fetchall()


def postgres(one: Path, two: Path) -> dict[str, object]:
    """A table per version by COPY; the difference by EXCEPT."""
    found: dict[str, object] = {}
    types = "id bigint primary key, email text, first_name text, last_name text, city text, status text, score float8, "
    types += "attempts int, amount float8, born_on date, updated_at timestamp, note text"
    with tempfile.TemporaryDirectory(prefix="peer-") as name:
        server = start(Path(name) / "pg", durable=False)
        try:
            url = server.create_database("peer").replace("+psycopg", "")
            with psycopg.connect(url, autocommit=True) as connection:
                for version, path in (("v1", one), ("v2", two)):
                    started = time.perf_counter()
                    connection.execute(f"CREATE TABLE {version} ({types})")
                    with (
                        path.open("rb") as file,
                        connection.cursor().copy(f"COPY {version} FROM STDIN (FORMAT csv, HEADER)") as copy,
                    ):
                        while block := file.read(1 << 20):
                            copy.write(block)
                    row = connection.execute("SELECT pg_total_relation_size(%s)", [version]).fetchone()
                    found[f"import {version}"] = {
                        "wall_s": round(time.perf_counter() - started, 3),
                        "grown_mb": round((row[0] if row else 0) / 1e6, 3),
                    }
                compare = "SELECT count(*) FROM (TABLE v1 EXCEPT TABLE v2) AS changed"
                found["difference, s"] = round(timed(lambda: connection.execute(compare).fetchall()), 3)
                page: LiteralString = "SELECT * FROM v2 ORDER BY id LIMIT 100 OFFSET %s"
                seconds = [timed(partial(_rows, connection, page, at)) for at in range(0, 500_000, 25_000)]
                found["page"] = percentiles(seconds)
        finally:
            server.stop()
    return found


def main() -> None:
    """Run every peer and keep what it did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--python", type=Path, default=Path(".local/peers/bin/python"))
    arguments = parser.parse_args()
    one, two = write(arguments.folder, arguments.rows)
    found: dict[str, object] = {}
    for name, script in (("lance", LANCE), ("delta", DELTA), ("oxen", OXEN)):
        found[name] = elsewhere(arguments.python, name, script, one, two)
        print(name, json.dumps(found[name]), flush=True)
    for name, call in (("duckdb", duck), ("postgresql", postgres)):
        found[name] = call(one, two)
        print(name, json.dumps(found[name]), flush=True)
    (arguments.folder / f"peers-{arguments.rows}.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
