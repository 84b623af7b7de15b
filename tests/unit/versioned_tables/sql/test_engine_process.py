"""The engine's process and its children: killed, crashed, hung, left alone, and the answers that callers get then."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from infra.local.layout import SOURCE_PATH
from tests.builders.processes import alive, children_of, eventually
from tests.builders.tables import people, store, version
from versioned_tables.errors import SqlRefused
from versioned_tables.format.manifest import Source
from versioned_tables.sql import wire
from versioned_tables.sql.caps import SqlCaps
from versioned_tables.sql.process import EngineProcess
from versioned_tables.sql.running import answer_sql, run_sql
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore

pytestmark = pytest.mark.slow  # each starts processes

ENDLESS = "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"
# Doubled at every step, and told to be written out instead of computed once.
DOUBLED = ", ".join(f"c{n} AS NOT MATERIALIZED (SELECT p.*, q.* FROM c{n - 1} p, c{n - 1} q)" for n in range(1, 15))
GRACE_SECONDS = 2.0


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    engine = EngineProcess()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def answers(engine: EngineProcess, tables: TableStore) -> bool:
    """Whether the engine runs a statement, and keeps no child then but the one that it has made ahead."""
    found = run_sql(tables, {}, "SELECT 40 + 2", engine=engine)
    return (
        found.rows == [[42]] and engine.pid is not None and eventually(lambda: len(children_of(engine.pid or 0)) == 1)
    )


@pytest.mark.parametrize(
    ("phase", "statement"),
    [
        ("parse", "SELECT " + "(" * 49_000 + "1" + ")" * 49_000),
        ("bind", f"WITH c0 AS (SELECT id AS x FROM people), {DOUBLED} SELECT count(*) FROM c14"),
        ("plan", "SELECT " + "+".join(["id"] * 900) + " FROM people"),
        ("fold", "SELECT count(*) FROM people WHERE length(repeat('ab', 200000000)) > id"),
        ("run", ENDLESS),
        ("write out", "SELECT [NULL FOR x IN range(20000000)] FROM people"),
    ],
)
def test_whatever_takes_long_the_caller_hears_in_time(
    engine: EngineProcess, tables: TableStore, phase: str, statement: str
) -> None:
    assert answers(engine, tables), phase
    caps, manifest = SqlCaps(seconds=1.0), version(tables, people(range(2)))
    started = time.monotonic()

    with pytest.raises(SqlRefused):
        run_sql(tables, {"people": manifest}, statement, caps, engine)

    assert time.monotonic() - started < caps.seconds + GRACE_SECONDS
    assert answers(engine, tables)


def test_planning_is_stopped_and_said_to_have_taken_too_long(engine: EngineProcess, tables: TableStore) -> None:
    statement = "SELECT " + "+".join(["id"] * 900) + " FROM people"

    with pytest.raises(SqlRefused, match=r"took more than 0\.5 seconds"):
        run_sql(tables, {"people": version(tables, people(range(2)))}, statement, SqlCaps(seconds=0.5), engine)


def next_child(process: int) -> int:
    """The child that was made ahead: it will run the next statement."""
    found: list[int] = []
    assert eventually(lambda: found.extend(children_of(process)) or found)
    return found[0]


def runs(child: int) -> bool:
    """Whether a child has its statement: then it has confined itself."""
    return eventually(lambda: Path(f"/proc/{child}/oom_score_adj").read_text(encoding="ascii") == "1000\n")


def test_a_child_that_dies_before_it_has_a_statement_is_replaced(engine: EngineProcess, tables: TableStore) -> None:
    assert answers(engine, tables)
    process = engine.pid
    assert process is not None

    os.kill(next_child(process), signal.SIGKILL)

    assert answers(engine, tables)
    assert engine.pid == process


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_child_that_dies_takes_its_own_statement_along_only(
    engine: EngineProcess, tables: TableStore, how: signal.Signals
) -> None:
    assert answers(engine, tables)
    process = engine.pid
    assert process is not None
    child = next_child(process)
    with ThreadPoolExecutor(1) as threads:
        statement = threads.submit(run_sql, tables, {}, ENDLESS, SqlCaps(), engine)

        assert runs(child)
        os.kill(child, how)

        with pytest.raises(SqlRefused, match="The SQL engine stopped"):
            statement.result(timeout=20)
    assert answers(engine, tables)
    assert engine.pid == process


def test_a_process_that_dies_takes_its_children_along_and_is_replaced(
    engine: EngineProcess, tables: TableStore
) -> None:
    assert answers(engine, tables)
    process = engine.pid
    assert process is not None
    child = next_child(process)
    with ThreadPoolExecutor(1) as threads:
        statement = threads.submit(run_sql, tables, {}, ENDLESS, SqlCaps(), engine)
        assert runs(child)

        os.kill(process, signal.SIGKILL)

        with pytest.raises(SqlRefused, match="The SQL engine stopped"):
            statement.result(timeout=20)
    assert eventually(lambda: not alive(child))
    assert answers(engine, tables)
    assert engine.pid != process


def test_a_process_that_died_between_statements_is_replaced(engine: EngineProcess, tables: TableStore) -> None:
    assert answers(engine, tables)
    assert engine.pid is not None

    os.kill(engine.pid, signal.SIGKILL)

    assert answers(engine, tables)


def test_a_process_that_hangs_is_ended_with_its_children(engine: EngineProcess, tables: TableStore) -> None:
    assert answers(engine, tables)
    process = engine.pid
    assert process is not None
    child, caps = next_child(process), SqlCaps(seconds=1.5)
    started = time.monotonic()
    with ThreadPoolExecutor(1) as threads:
        statement = threads.submit(run_sql, tables, {}, ENDLESS, caps, engine)
        assert runs(child)

        os.kill(process, signal.SIGSTOP)

        with pytest.raises(SqlRefused, match="took more than"):
            statement.result(timeout=20)
    assert time.monotonic() - started < caps.seconds + GRACE_SECONDS
    assert eventually(lambda: not alive(process) and not alive(child))
    assert answers(engine, tables)


FUNCTION = """
import sys, tempfile, threading, time
from pathlib import Path
from versioned_tables.sql.caps import SqlCaps
from versioned_tables.sql.process import shared_engine
from versioned_tables.sql.running import run_sql
threading.Thread(target=run_sql, args=(None, {{}}, {statement!r}, SqlCaps())).start()
print(shared_engine().pid or time.sleep(0.5) or shared_engine().pid, flush=True)
time.sleep(60)
"""


def test_nothing_is_left_of_a_function_that_was_killed() -> None:
    program = FUNCTION.format(statement=ENDLESS)
    environment = os.environ | {"PYTHONPATH": SOURCE_PATH}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as function:
        assert function.stdout is not None
        process = int(function.stdout.readline())
        assert eventually(lambda: len(children_of(process)) == 2)
        children = children_of(process)

        function.kill()

    assert eventually(lambda: not any(map(alive, [process, *children])))


def test_statements_at_once_each_get_their_own_answer(engine: EngineProcess, tables: TableStore) -> None:
    manifest = version(tables, people(range(5_000)))

    def count(n: int) -> list[list[object]]:
        statement = f"SELECT count(*) FROM people WHERE id < {n}"
        return run_sql(tables, {"people": manifest}, statement, engine=engine).rows

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(count, range(0, 800, 20)))

    assert found == [[[n]] for n in range(0, 800, 20)]


def test_the_engine_has_nothing_of_the_environment_and_no_open_file(
    tables: TableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for the engine")
    engine = EngineProcess()
    try:
        assert answers(engine, tables)
        environment = Path(f"/proc/{engine.pid}/environ").read_bytes()
        opened = {str(entry.readlink()) for entry in Path(f"/proc/{engine.pid}/fd").iterdir()}

        assert b"not for the engine" not in environment
        assert {name.split(":")[0] for name in opened} <= {"/dev/null", "socket", "anon_inode"}
        rows = run_sql(tables, {}, "SELECT value FROM duckdb_settings()", engine=engine).rows
        assert not [value for [value] in rows if str(value).strip("[]").startswith("/")]
    finally:
        engine.stop()


class Hanging(TableStore):
    """A store that does not answer for a while."""

    def rows(self, source: Source | Sequence[Source], columns: Sequence[str] | None = None, **_: object) -> pa.Table:
        time.sleep(6)
        raise AssertionError((source, columns))


async def test_a_store_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    manifest = version(store(tmp_path), people(range(10)))
    hanging = Hanging(LocalDirectoryStore(tmp_path), "t/", cache_bytes=0)
    started = time.monotonic()

    with pytest.raises(SqlRefused, match="took more than"):
        await answer_sql(hanging, {"people": manifest}, "FROM people", SqlCaps(seconds=1.0))

    assert time.monotonic() - started < 1.0 + GRACE_SECONDS
    await asyncio.sleep(0)


def test_a_frame_beyond_what_its_reader_allows_is_not_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.Channel(theirs).send(wire.ANSWER, b"x" * 1_000)

        with pytest.raises(wire.FrameTooLarge):
            wire.Channel(ours).receive(999)
