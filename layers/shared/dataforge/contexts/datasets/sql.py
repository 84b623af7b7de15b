"""SQL over a version: one read-only SELECT in DuckDB, over the commit's tables and nothing else.

What keeps it inside is the engine's own lock-down, not a list of forbidden words: external access, extensions and
configuration changes are switched off before the statement is seen, and only statements that the parser itself calls
SELECT or EXPLAIN are run. Tables are Arrow streams over the manifests' chunks. Time, memory and rows are capped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from dataforge.contexts.datasets.engine.arrow_types import plain_rows, to_arrow
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.reading import scan
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import SqlRefused

MOST_STATEMENT = 100_000
_LOCKS = (
    "SET enable_external_access = false",
    "SET allow_community_extensions = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_unsigned_extensions = false",
    "SET lock_configuration = true",
)


@dataclass(frozen=True, slots=True)
class SqlCaps:
    """Limits of one statement."""

    seconds: float = 20.0
    memory_mb: int = 512
    rows: int = 10_000


@dataclass(frozen=True, slots=True)
class SqlResult:
    """The answer: (name, DuckDB type) per column, rows as lists of JSON values; `truncated` when the row cap cut it."""

    columns: list[tuple[str, str]]
    rows: list[list[object]]
    truncated: bool
    elapsed_ms: float


def run_sql(
    tables: TableStore, manifests: Mapping[str, Manifest], statement: str, caps: SqlCaps | None = None
) -> SqlResult:
    """Run a SELECT or EXPLAIN over tables named as in the commit. Raises SqlRefused with DuckDB's own sentence."""
    limits = caps or SqlCaps()
    if len(statement) > MOST_STATEMENT:
        raise SqlRefused(f"The statement is longer than {MOST_STATEMENT} characters.")
    started = time.perf_counter()
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{limits.memory_mb}MB",
            "threads": 2,
            "temp_directory": "",
            "python_enable_replacements": False,
        },
    )
    try:
        _only_statement(connection, statement)
        for name, manifest in manifests.items():
            if _mentions(statement, name):
                connection.register(name, _reader(tables, manifest))
        for lock in _LOCKS:
            connection.execute(lock)
        table, truncated = _run(connection, statement, limits)
    except duckdb.Error as error:
        raise SqlRefused(_sentence(error)) from error
    finally:
        connection.close()
    return _result(table, truncated=truncated, elapsed=(time.perf_counter() - started) * 1000)


def _only_statement(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    found = connection.extract_statements(statement)
    if len(found) != 1:
        raise SqlRefused(f"Exactly one statement is run; this text has {len(found)}.")
    if found[0].type not in {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}:
        raise SqlRefused("Only SELECT (or WITH ... SELECT, or EXPLAIN of one) is run.")
    if found[0].type == duckdb.StatementType.EXPLAIN:
        inner = statement.lstrip().split(None, 1)[1] if len(statement.split(None, 1)) > 1 else ""
        if inner.upper().startswith("ANALYZE"):
            inner = inner[7:]
        if [part.type for part in connection.extract_statements(inner)] != [duckdb.StatementType.SELECT]:
            raise SqlRefused("Only a SELECT can be explained.")


def _mentions(statement: str, name: str) -> bool:
    return name.lower() in statement.lower()


def _reader(tables: TableStore, manifest: Manifest) -> pa.Table:
    """The rows under the columns' names. Held as Arrow memory while the statement runs."""
    names = manifest.schema.names
    parts = [part.rename_columns(names) for part in scan(tables, manifest)]
    schema = pa.schema([pa.field(c.name, to_arrow(c.type)) for c in manifest.schema.columns])
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _run(connection: duckdb.DuckDBPyConnection, statement: str, limits: SqlCaps) -> tuple[pa.Table, bool]:
    timed_out = threading.Event()

    def stop() -> None:
        timed_out.set()
        connection.interrupt()

    timer = threading.Timer(limits.seconds, stop)
    timer.start()
    try:
        reader = connection.sql(statement).to_arrow_reader(4096)
        batches: list[pa.RecordBatch] = []
        held = 0
        for batch in reader:
            batches.append(batch)
            held += batch.num_rows
            if held > limits.rows:
                break
        table = pa.Table.from_batches(batches, reader.schema)
        return table.slice(0, limits.rows), held > limits.rows
    except (duckdb.Error, pa.ArrowException, RuntimeError) as error:
        if timed_out.is_set():
            raise SqlRefused(f"The statement took more than {limits.seconds:g} seconds and was stopped.") from error
        raise SqlRefused(_sentence(error)) from error
    finally:
        timer.cancel()


def _sentence(error: BaseException) -> str:
    """DuckDB's message without the place in its source."""
    return str(error).split("\n\nLINE")[0].strip() or "The statement failed."


def _result(table: pa.Table, *, truncated: bool, elapsed: float) -> SqlResult:
    columns = [(field.name, str(field.type)) for field in table.schema]
    unique = table.rename_columns([str(at) for at in range(table.num_columns)])
    flat = [_flat(unique.column(at)) for at in range(unique.num_columns)]
    rows = plain_rows(pa.table(flat, names=unique.schema.names)) if flat else []
    return SqlResult(columns, [list(row.values()) for row in rows], truncated, elapsed)


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Nested and exotic results as text."""
    if pa.types.is_nested(column.type) or pa.types.is_interval(column.type) or pa.types.is_duration(column.type):
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])
    return column
