"""Running one statement, locked in and capped.

What keeps it inside is the engine's own lock-down, not a list of forbidden words: external access, extensions and
configuration changes are switched off before the statement is seen, and only statements that the parser itself calls
SELECT or EXPLAIN are run. Tables are streams over the manifests' chunks. Time, memory, rows and the size of the answer
are capped.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from dataforge.contexts.datasets.engine.arrow_types import plain_rows
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import SqlRefused
from dataforge.contexts.datasets.sql.limits import Deadline, memory_ceiling
from dataforge.contexts.datasets.sql.streams import Reading, StreamedTable, table_names

MOST_STATEMENT = 100_000
_FETCH_ROWS = 2048
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "temp_directory": "",
    "python_enable_replacements": False,
}
_LOCKS = (
    "SET enable_external_access = false",
    "SET allow_community_extensions = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_unsigned_extensions = false",
    "SET lock_configuration = true",
)
# The memory ceiling is the process's, so statements take turns. A function serves one request at a time anyway.
_TURN = threading.Lock()


@dataclass(frozen=True, slots=True)
class SqlCaps:
    """Limits of one statement: time, DuckDB's own memory, what the process may take beside it, rows and bytes of the
    answer.
    """

    seconds: float = 20.0
    memory_mb: int = 512
    beside_mb: int = 768
    rows: int = 10_000
    answer_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True)
class SqlResult:
    """The answer: (name, Arrow type) per column, rows as lists of JSON values; `truncated` when the row cap cut it."""

    columns: list[tuple[str, str]]
    rows: list[list[object]]
    truncated: bool
    elapsed_ms: float


def run_sql(
    tables: TableStore, manifests: Mapping[str, Manifest], statement: str, caps: SqlCaps | None = None
) -> SqlResult:
    """Run a SELECT or EXPLAIN over tables named as in the commit (see `streams.table_names`).

    Raises SqlRefused with DuckDB's own sentence; CorruptStorage and ObjectMissing when the tables cannot be read.
    """
    limits = caps or SqlCaps()
    if len(statement) > MOST_STATEMENT:
        raise SqlRefused(f"The statement is longer than {MOST_STATEMENT} characters.")
    with _TURN, memory_ceiling((limits.memory_mb + limits.beside_mb) << 20):
        started = time.perf_counter()
        settings = {**_SETTINGS, "memory_limit": f"{limits.memory_mb}MB"}
        with duckdb.connect(":memory:", config=settings) as connection:
            reading = Reading(tables)
            deadline = Deadline(limits.seconds, connection.interrupt, reading.stop)
            try:
                with deadline:
                    table, truncated = _run(connection, reading, manifests, statement, limits)
            except (duckdb.Error, pa.ArrowException, OSError, RuntimeError, MemoryError) as error:
                if deadline.over:
                    message = f"The statement took more than {limits.seconds:g} seconds and was stopped."
                    raise SqlRefused(message) from error
                if reading.failure is not None:
                    raise reading.failure from error
                raise SqlRefused(_sentence(error)) from error
        return _result(table, truncated=truncated, elapsed=(time.perf_counter() - started) * 1000)


def _run(
    connection: duckdb.DuckDBPyConnection,
    reading: Reading,
    manifests: Mapping[str, Manifest],
    statement: str,
    limits: SqlCaps,
) -> tuple[pa.Table, bool]:
    kind = _only_statement(connection, statement)
    streams = {name: reading.table(manifests[sheet]) for name, sheet in table_names(manifests).items()}
    _register(connection, streams)
    for lock in _LOCKS:
        connection.execute(lock)
    if kind == duckdb.StatementType.SELECT:
        _narrow(connection, streams, statement)
    return _fetched(connection, statement, limits)


def _only_statement(connection: duckdb.DuckDBPyConnection, statement: str) -> duckdb.StatementType:
    found = connection.extract_statements(statement)
    if len(found) != 1:
        raise SqlRefused(f"Exactly one statement is run; this text has {len(found)}.")
    kind = found[0].type
    if kind not in {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}:
        raise SqlRefused("Only SELECT (or WITH ... SELECT, or EXPLAIN of one) is run.")
    if kind == duckdb.StatementType.EXPLAIN:
        inner = statement.lstrip().split(None, 1)[1] if len(statement.split(None, 1)) > 1 else ""
        if inner.upper().startswith("ANALYZE"):
            inner = inner[7:]
        if [part.type for part in connection.extract_statements(inner)] != [duckdb.StatementType.SELECT]:
            raise SqlRefused("Only a SELECT can be explained.")
    return kind


def _register(connection: duckdb.DuckDBPyConnection, streams: Mapping[str, StreamedTable]) -> None:
    for name, stream in streams.items():
        connection.register(name, stream)


def _narrow(connection: duckdb.DuckDBPyConnection, streams: Mapping[str, StreamedTable], statement: str) -> None:
    """Offer only the columns that the statement's plan scans, so that no others are decoded.

    The plan must be the same then, to the letter; where it is not (a name that meant something else, columns counted
    by place) all columns stay.
    """
    plan = _plan(connection, statement)
    scanned = set(_scanned(json.loads(plan)))
    narrow = {name: stream.only(scanned) for name, stream in streams.items()}
    _register(connection, narrow)
    try:
        same = _plan(connection, statement) == plan
    except duckdb.Error:
        same = False
    if not same:
        _register(connection, streams)


def _plan(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    rows = connection.execute(f"EXPLAIN (FORMAT json) {statement}").fetchall()
    return str(rows[0][1])


def _scanned(nodes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Columns that scans of a plan read."""
    for node in nodes:
        names = node.get("extra_info", {}).get("Projections", []) if "ARROW_SCAN" in node["name"] else []
        yield from [names] if isinstance(names, str) else names
        yield from _scanned(node["children"])


def _fetched(connection: duckdb.DuckDBPyConnection, statement: str, limits: SqlCaps) -> tuple[pa.Table, bool]:
    reader = connection.sql(statement).to_arrow_reader(_FETCH_ROWS)
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if size > limits.answer_bytes:
            message = f"The answer has more than {limits.answer_bytes >> 20} MB; ask for fewer rows or columns."
            raise SqlRefused(message)
        if rows > limits.rows:
            break
    table = pa.Table.from_batches(batches, reader.schema)
    return table.slice(0, limits.rows), rows > limits.rows


def _sentence(error: BaseException) -> str:
    """DuckDB's message without the place in its source and without advice about settings that are locked."""
    return str(error).split("\n\nLINE")[0].split("\n\nPossible solutions")[0].strip() or "The statement failed."


def _result(table: pa.Table, *, truncated: bool, elapsed: float) -> SqlResult:
    columns = [(field.name, str(field.type)) for field in table.schema]
    rows = zip(*(_values(table.column(at), field.name) for at, field in enumerate(table.schema)), strict=True)
    return SqlResult(columns, [list(row) for row in rows], truncated, elapsed)


def _values(column: pa.ChunkedArray, name: str) -> list[object]:
    """A column as JSON values; what JSON has no form for as text. Raises SqlRefused when it has no text either."""
    kind = column.type
    try:
        if pa.types.is_timestamp(kind) and kind.unit == "ns":
            column = column.cast(pa.string())
        elif _is_exotic(kind):
            column = pa.chunked_array(
                [pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())]
            )
        return [row["v"] for row in plain_rows(pa.table({"v": column}))]
    except (pa.ArrowException, ValueError, OverflowError) as error:
        message = f"Column {name!r} has values that JSON has no form for; ask for CAST({name} AS VARCHAR)."
        raise SqlRefused(message) from error


def _is_exotic(kind: pa.DataType) -> bool:
    return (
        pa.types.is_nested(kind)
        or pa.types.is_interval(kind)
        or pa.types.is_duration(kind)
        or isinstance(kind, pa.BaseExtensionType)
    )
