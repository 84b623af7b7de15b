"""What the child of one statement does: locks the engine, looks at the statement's parse tree, runs it, answers.

Three walls keep a statement inside. It is run only if the engine's own parser says that it is one SELECT, with nothing
else in its tree, or an EXPLAIN of one. Files, network, extensions and settings are switched off and locked before it is
seen. And the process it runs in has no credentials, can write no file, and is bounded in memory and time.
"""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.schema.texts import plain_values
from versioned_tables.sql import limits, pruning, wire
from versioned_tables.sql.caps import SqlCaps
from versioned_tables.sql.refusals import Refusal, naming_tables, refusal_of
from versioned_tables.sql.scans import Rows, Scans, StreamedTable

_FETCH_ROWS = 2048
_MOST_REQUEST = 64 << 20
_THREADS = 2
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    # For files, which it cannot read.
    "async_threads": 0,
    "temp_directory": "",
    "python_enable_replacements": False,
}
_LOCKS = (
    f"SET threads = {_THREADS}",
    "SET enable_external_access = false",
    "SET allow_community_extensions = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_unsigned_extensions = false",
    "SET lock_configuration = true",
)
# The serialized tree names the kind of every query in it; text of the statement is escaped there, so that no literal
# can look like one. It may be nested deeper than Python's JSON reader goes.
_QUERY_NODE = re.compile(r'"type":"([A-Z_]+_NODE)"')
_NO_SCAN = "EMPTY_RESULT"
_READING_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
# EXPLAIN, ANALYZE, and a handful of options in parentheses.
_MOST_EXPLAIN_TOKENS = 24


def warm_up() -> None:
    """Do once what the first statement of a process would wait for."""
    connection = _locked(64)
    table = StreamedTable(Scans(None), "t", pa.schema([pa.field("x", pa.int64())]))
    connection.register("t", table)
    _checked(connection, "SELECT 1")
    found = connection.sql("SELECT 1.5::DECIMAL(5, 2) AS x").to_arrow_reader(1).read_all()
    _json(found, truncated=False)
    connection.close()


def empty_database() -> duckdb.DuckDBPyConnection:
    """A database that is not locked yet; it has no threads, which would not survive a fork."""
    return duckdb.connect(":memory:", config=_SETTINGS)


def answer(connection: socket.socket, database: duckdb.DuckDBPyConnection) -> None:
    """Read the request, run the statement in a locked database of the usual caps, send the answer or the refusal."""
    channel = wire.Channel(connection)
    channel.send(wire.READY)
    _, content = channel.receive(_MOST_REQUEST)
    request = json.loads(content)
    memory = (request["memory_mb"] + request["beside_mb"]) << 20
    limits.confine(seconds=request["seconds"], threads=_THREADS, memory=memory)
    try:
        channel.send(wire.ANSWER, _answer(channel, request, database))
    except wire.Closed:
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the function gets one sentence and no trace
        refusal = naming_tables(refusal_of(error), request["tables"])
        channel.send(wire.REFUSED, json.dumps(refusal.to_json()).encode())


def _answer(channel: wire.Channel, request: Mapping[str, Any], database: duckdb.DuckDBPyConnection) -> bytes:
    statement: str = request["statement"]
    scans = Scans(channel)
    usual = request["memory_mb"] == SqlCaps().memory_mb
    connection = database if usual else _locked(request["memory_mb"])
    streams = {
        name: StreamedTable(scans, name, pa.ipc.read_schema(pa.py_buffer(base64.b64decode(schema))))
        for name, schema in request["tables"].items()
    }
    _register(connection, streams)
    parsed, serialized = _checked(connection, statement)
    tree: pruning.Tree = {}
    if parsed.type == duckdb.StatementType.SELECT:
        tree = pruning.tree_of(serialized)
        narrow = _narrowed(connection, streams, statement)
        ranges = _ranges(connection, scans, streams, tree, request["zoned"])
        _register(connection, {name: stream.within(ranges.get(name)) for name, stream in narrow.items()})
    most = request["rows"], request["answer_bytes"]
    try:
        first = _first_sorted(connection, statement, *most) if pruning.sorts_everything(tree) else None
        found, truncated = first or _fetched(connection.sql(statement), *most)
    except duckdb.Error as error:
        # The engine counts lines from the first word, without the comments before it.
        before = statement.partition(parsed.query)[0].count("\n")
        raise refusal_of(error, statement, before) from error
    made = (_arrow if request["as_table"] else _json)(found, truncated=truncated)
    if len(made) > request["answer_bytes"]:
        raise _too_large(request["answer_bytes"])
    return made


def lock(connection: duckdb.DuckDBPyConnection, memory_mb: int = SqlCaps().memory_mb) -> None:
    """Have a database reach nothing outside of itself, with the caps of a statement."""
    connection.execute(f"SET memory_limit = '{memory_mb}MB'")
    for setting in _LOCKS:
        connection.execute(setting)


def _locked(memory_mb: int) -> duckdb.DuckDBPyConnection:
    connection = empty_database()
    lock(connection, memory_mb)
    return connection


def _checked(connection: duckdb.DuckDBPyConnection, text: str) -> tuple[duckdb.Statement, str]:
    """The SELECT or EXPLAIN that the text is, and the SELECT's parse tree as JSON; raises Refusal for anything else."""
    try:
        found = connection.extract_statements(text)
    except duckdb.Error as error:
        raise refusal_of(error, text) from error
    if len(found) != 1:
        raise Refusal(Text("Exactly one statement is run; this text has {count}.", count=len(found)))
    kind = found[0].type
    if kind == duckdb.StatementType.SELECT:
        tree = _check_tree(connection, text)
    elif kind == duckdb.StatementType.EXPLAIN:
        tree = _check_tree(connection, _explained(connection, found[0].query))
    elif kind == duckdb.StatementType.MULTI:
        raise Refusal(Text("This would run as several statements; name the values of a PIVOT: ... ON column IN (...)."))
    else:
        raise Refusal(Text("Only SELECT (or WITH ... SELECT, or EXPLAIN of one) is run."))
    return found[0], tree


def _check_tree(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """The parse tree of a SELECT, which may hold an INSERT, UPDATE, DELETE or COPY in its WITH: then raises Refusal."""
    [[tree]] = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()
    kinds = set(_QUERY_NODE.findall(tree))
    if not kinds or kinds - _READING_NODES:
        raise Refusal(Text("Only SELECT is run; the statement changes or writes something in a part of it."))
    return str(tree)


def _explained(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """What an EXPLAIN explains: the longest rest of it, by the parser's own tokens, that is a statement of its own."""
    for start, _ in duckdb.tokenize(text)[1:_MOST_EXPLAIN_TOKENS]:
        # Positions are counted in bytes.
        rest = text.encode()[start:].decode()
        try:
            found = connection.extract_statements(rest)
        except duckdb.ParserException:
            continue
        if [part.type for part in found] == [duckdb.StatementType.SELECT]:
            return rest
        break
    raise Refusal(Text("Only a SELECT can be explained."))


def _register(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, StreamedTable | Rows]) -> None:
    for name, table in tables.items():
        connection.register(name, table)


def _narrowed(
    connection: duckdb.DuckDBPyConnection, streams: Mapping[str, StreamedTable], statement: str
) -> Mapping[str, StreamedTable]:
    """The tables with only the columns that the statement's plan scans, so that no others are decoded.

    The plan must be the same then, to the letter, and so must the columns of the answer, which a plan that finds no
    rows says nothing of; where they are not (a name that meant something else, columns counted by place) all columns
    stay. Raises Refusal for a statement without a plan.
    """
    try:
        plan = _plan(connection, statement)
        shape = _shape(connection, statement)
    except duckdb.Error as error:
        raise refusal_of(error, statement, -1) from error
    if _NO_SCAN in plan:  # what is not scanned may still be a column of the answer
        return streams
    scanned = set(_scanned(json.loads(plan)))
    narrow = {name: stream.only(scanned) for name, stream in streams.items()}
    _register(connection, narrow)
    try:
        same = _plan(connection, statement) == plan and _shape(connection, statement) == shape
    except duckdb.Error:
        same = False
    return narrow if same else streams


def _ranges(
    connection: duckdb.DuckDBPyConnection,
    scans: Scans,
    streams: Mapping[str, StreamedTable],
    tree: pruning.Tree,
    zoned: Mapping[str, int],
) -> dict[str, pruning.Ranges | None]:
    """Per table the rows that the statement's WHERE does not rule out, where it rules out some."""
    columns = {name: streams[name].field(at) for name, at in zoned.items()}
    found = pruning.conditions(
        tree, {name: pruning.Zoned(column.name, column.type) for name, column in columns.items()}
    )
    name = "zones"
    while name in streams:
        name += "_"
    return {
        table: pruning.rows_of_zones(connection, condition, scans.zones(table), name)
        for table, condition in found.items()
    }


def _plan(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    rows = connection.execute(f"EXPLAIN (FORMAT json)\n{statement}").fetchall()
    return str(rows[0][1])


def _shape(connection: duckdb.DuckDBPyConnection, statement: str) -> tuple[list[str], list[str]]:
    """Names and types of the columns of the answer."""
    relation = connection.sql(statement)
    return relation.columns, [str(kind) for kind in relation.types]


def _scanned(nodes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Columns that scans of a plan read."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        names = node.get("extra_info", {}).get("Projections", []) if "ARROW_SCAN" in node["name"] else []
        yield from [names] if isinstance(names, str) else names
        waiting.extend(node["children"])


def _first_sorted(
    connection: duckdb.DuckDBPyConnection, statement: str, most_rows: int, most_bytes: int
) -> tuple[pa.Table, bool] | None:
    """The first rows of a sort that brings no more of them into order; None when it fails, since the engine then names
    no place in the statement.
    """
    relation = connection.sql(statement)
    names = relation.columns
    try:
        table, truncated = _fetched(relation.limit(most_rows + 1), most_rows, most_bytes)
    except (duckdb.OutOfMemoryException, MemoryError):
        raise
    except duckdb.Error:
        return None
    return table.rename_columns(names), truncated


def _fetched(relation: duckdb.DuckDBPyRelation, most_rows: int, most_bytes: int) -> tuple[pa.Table, bool]:
    """The first rows, and whether there are more."""
    reader = relation.to_arrow_reader(_FETCH_ROWS)
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if size > most_bytes:
            raise _too_large(most_bytes)
        if rows > most_rows:
            break
    table = pa.Table.from_batches(batches, reader.schema)
    return table.slice(0, most_rows), rows > most_rows


def _too_large(most_bytes: int) -> Refusal:
    return Refusal(
        Text("The answer has more than {most_bytes} MB; ask for fewer rows or columns.", most_bytes=most_bytes >> 20)
    )


def _arrow(table: pa.Table, *, truncated: bool) -> bytes:
    """A byte that says whether rows were cut, and an Arrow stream."""
    sink = pa.BufferOutputStream()
    sink.write(bytes([truncated]))
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _json(table: pa.Table, *, truncated: bool) -> bytes:
    columns = [(field.name, str(field.type)) for field in table.schema]
    values = (_values(table.column(at), field.name) for at, field in enumerate(table.schema))
    return json.dumps({"columns": columns, "rows": list(zip(*values, strict=True)), "truncated": truncated}).encode()


def _values(column: pa.ChunkedArray, name: str) -> list[object]:
    """A column as JSON values, as tables show them. Raises Refusal on a map that has a key twice."""
    try:
        return plain_values(column)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        message = Text(
            "Column {name!r} has values that JSON has no form for; ask for CAST({name} AS VARCHAR).", name=name
        )
        raise Refusal(message) from error
