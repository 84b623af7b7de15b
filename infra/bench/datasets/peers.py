"""The peers on the same table in the same run: import v1, bring it to v2, storage grown, difference, page at an offset.

Lance, Delta and Oxen run under a Python of their own, a virtual environment in `.local/peers` that is made when it is
missing; DuckDB and PostgreSQL run here. A peer that cannot be installed or started is left out, and the line says so.
Each one does what its own users would do: Lance and Delta merge v2 into v1 by key with the deletion of rows that v2
lacks, and overwrite besides; Oxen commits the file; DuckDB and PostgreSQL load a table per version. Every step has a
time limit, and one that does not end within it is printed as `at least` that long. Pages are `LIMIT 100 OFFSET`;
Lance and Oxen are not asked for a difference, because their Python interface has none by row.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import LiteralString

import duckdb
import psycopg

from infra.bench.datasets.generate import write
from infra.bench.datasets.measuring import Figures, percentiles, timed
from infra.bench.figure import Figure
from infra.local.postgres import start

HOME = Path(".local/peers")
PACKAGES = ("pylance==14.0.2", "deltalake==1.6.6", "oxenai==0.65.1", "pyarrow>=26,<27")
STEP_SECONDS = 240

COMMON = """
import json, random, shutil, sys, time
from pathlib import Path
import pyarrow as pa
from pyarrow import csv
one, two, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
size = lambda: sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
def tell(**found):
    print(json.dumps(found), flush=True)
def step(name, call):
    tell(began=name)
    before, wall, cpu = size(), time.perf_counter(), time.process_time()
    call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    tell(done=name, figures={"s": wall, "CPU s": cpu, "grown MB": (size() - before) / 1e6})
def pages(call, rows, count=50):
    tell(began="page of 100")
    seconds = []
    for _ in range(count):
        at = random.randrange(rows - 100)
        started = time.perf_counter()
        call(at)
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    tell(done="page of 100", figures={"p50 ms": seconds[count // 2] * 1e3, "p95 ms": seconds[int(count * 0.95)] * 1e3})
"""
LANCE = """
import lance
path = str(folder / "t.lance")
step("import v1", lambda: lance.write_dataset(csv.read_csv(one), path))
def merge():
    new = csv.read_csv(two)
    merged = lance.dataset(path).merge_insert("id")
    merged = merged.when_matched_update_all("target.status <> source.status OR target.amount <> source.amount")
    merged.when_not_matched_insert_all().when_not_matched_by_source_delete().execute(new)
step("merge to v2", merge)
data = lance.dataset(path)
pages(lambda at: data.to_table(offset=at, limit=100), data.count_rows())
step("overwrite with v2", lambda: lance.write_dataset(csv.read_csv(two), path, mode="overwrite"))
"""
DELTA = """
from deltalake import DeltaTable, write_deltalake
path = str(folder / "t")
step("import v1", lambda: write_deltalake(path, csv.read_csv(one)))
data = DeltaTable(path).to_pyarrow_dataset()
pages(lambda at: data.take(pa.array(range(at, at + 100))), data.count_rows(), 20)
step("overwrite with v2", lambda: write_deltalake(path, csv.read_csv(two), mode="overwrite"))
shutil.rmtree(path)
write_deltalake(path, csv.read_csv(one))
def merge():
    merged = DeltaTable(path).merge(csv.read_csv(two), "t.id = s.id", source_alias="s", target_alias="t")
    merged = merged.when_matched_update_all("t.status <> s.status OR t.amount <> s.amount")
    merged.when_not_matched_insert_all().when_not_matched_by_source_delete().execute()
step("merge to v2", merge)
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
ELSEWHERE = {"Lance": LANCE, "Delta": DELTA, "Oxen": OXEN}


def peers(folder: Path, rows: int) -> Iterator[Figure]:
    """Every peer, one after the other."""
    one, two = write(folder, rows)
    python = installed()
    for name, script in ELSEWHERE.items():
        yield from elsewhere(python, name, script, one, two)
    for name, call in (("DuckDB", duck), ("PostgreSQL", postgres)):
        for label, value in call(one, two).items():
            yield Figure(f"{name}: {label}", value)


def installed() -> Path:
    """The Python of the peers, made when it is missing. What cannot be installed is missed when a peer is started."""
    python = HOME / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
        for package in PACKAGES:
            subprocess.run([str(python), "-m", "pip", "install", "-q", package], check=False)
    return python.absolute()


def elsewhere(python: Path, name: str, script: str, one: Path, two: Path) -> Iterator[Figure]:
    """Run a peer under the other Python. Steps are reported as they end: a slow one hides none before it."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder, tempfile.TemporaryFile() as errors:
        command = [str(python), "-c", COMMON + script, str(one), str(two), folder]
        environment = {"HOME": folder, "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment) as process:
            assert process.stdout is not None  # narrows the type
            began, step, limit = time.perf_counter(), "start", _Alarm(process, STEP_SECONDS)
            for line in process.stdout:
                if not line.startswith(b"{"):
                    continue  # what the peer itself prints
                report = json.loads(line)
                limit.restart()
                began, step = time.perf_counter(), report.get("began", "between steps")
                for label, value in report.get("figures", {}).items():
                    yield Figure(f"{name}: {report['done']}, {label}", value)
            limit.stop()
        errors.seek(0)
        if limit.rang:
            yield Figure(f"{name}: {step}, at least s (ended at the limit)", time.perf_counter() - began)
        elif process.returncode:
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["it failed"]
            print(json.dumps({"part": "peers", "left out": f"{name}: {step}", "why": last[0][:200]}), flush=True)


class _Alarm:
    """Ends a process when it says nothing for too long."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self._process = process
        self._seconds = seconds
        self.rang = False
        self._timer = self._set()

    def _set(self) -> threading.Timer:
        timer = threading.Timer(self._seconds, self._ring)
        timer.daemon = True
        timer.start()
        return timer

    def _ring(self) -> None:
        self.rang = True
        self._process.kill()

    def restart(self) -> None:
        """Something was said."""
        self._timer.cancel()
        self._timer = self._set()

    def stop(self) -> None:
        """The process is done."""
        self._timer.cancel()


def duck(one: Path, two: Path) -> Figures:
    """A DuckDB file with a table per version; the difference is EXCEPT both ways."""
    found: Figures = {}
    with tempfile.TemporaryDirectory(prefix="peer-") as name:
        path = Path(name) / "t.duckdb"
        with duckdb.connect(str(path)) as connection:
            for version, source in (("v1", one), ("v2", two)):
                before = path.stat().st_size
                create = f"CREATE TABLE {version} AS SELECT * FROM read_csv(?)"
                wall, cpu = time.perf_counter(), time.process_time()
                connection.execute(create, [str(source)])
                connection.execute("CHECKPOINT")
                found[f"import {version}, s"] = time.perf_counter() - wall
                found[f"import {version}, CPU s"] = time.process_time() - cpu
                found[f"import {version}, grown MB"] = (path.stat().st_size - before) / 1e6
            compare = "SELECT count(*) FROM ((FROM v1 EXCEPT FROM v2) UNION ALL (FROM v2 EXCEPT FROM v1))"
            found["difference, s"] = timed(lambda: connection.execute(compare).fetchall())
            page = "FROM v2 LIMIT 100 OFFSET ?"
            found |= _pages(lambda at: connection.execute(page, [at]).fetchall(), one)
    return found


def postgres(one: Path, two: Path) -> Figures:
    """A table per version by COPY; the difference is EXCEPT both ways."""
    found: Figures = {}
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
                    found[f"import {version}, s"] = time.perf_counter() - started
                    row = connection.execute("SELECT pg_total_relation_size(%s)", [version]).fetchone()
                    found[f"import {version}, grown MB"] = (row[0] if row else 0) / 1e6
                compare = "SELECT count(*) FROM ((TABLE v1 EXCEPT TABLE v2) UNION ALL (TABLE v2 EXCEPT TABLE v1)) AS c"
                found["difference, s"] = timed(lambda: connection.execute(compare).fetchall())
                page: LiteralString = "SELECT * FROM v2 ORDER BY id LIMIT 100 OFFSET %s"
                found |= _pages(partial(_rows, connection, page), one)
        finally:
            server.stop()
    return found


def _rows(
    connection: psycopg.Connection[tuple[object, ...]], statement: LiteralString, at: int
) -> list[tuple[object, ...]]:
    return connection.execute(statement, [at]).fetchall()


def _pages(read: Callable[[int], object], one: Path) -> Figures:
    """Twenty pages spread over the table, whose length the name of the file says."""
    rows = int(one.stem.rpartition("-")[2])
    found = percentiles([timed(partial(read, at)) for at in range(0, rows - 100, rows // 20)])
    return {f"page of 100, {name.replace('_', ' ')}": value for name, value in found.items()}
