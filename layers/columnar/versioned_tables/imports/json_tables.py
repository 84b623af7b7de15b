"""JSON to tables: an object a row (`json_values` finds them), a column per member in order of first appearance.

Of two members of one name the last counts, as JSON readers have it. Values that are objects or lists are kept as JSON
text (type `json`). The types of columns are in `json_cells`.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice

import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import EncodingRefused, ImportRefused
from versioned_tables.files.encoding import Encoding, as_utf8, reconsidered
from versioned_tables.files.json_blocks import arrow_schema, kind_of_column, read_block, typed_values
from versioned_tables.files.json_cells import (
    cells_column,
    is_spelled,
    join_kinds,
    kind_of_cell,
    read_json,
    read_spelled,
    type_of_cells,
)
from versioned_tables.files.json_values import Document, json_values, whole_lines
from versioned_tables.files.options import REJECTED_LISTED, ImportOptions, RejectedRow
from versioned_tables.files.text_file import Blocks
from versioned_tables.files.typed import TypedTable
from versioned_tables.imports.text_tables import too_many
from versioned_tables.schema.inference import evidence_of, join

_ROWS = 32_768
_BYTES = 16 << 20
_AHEAD = 2
# Of the temporary space of a function; what is beyond it is read twice.
_MOST_KEPT = 1 << 30


def json_table(blocks: Blocks, document: Document, encoding: Encoding, options: ImportOptions) -> TypedTable:
    """The table of a JSON file: read once for columns and types, then again for the rows. Raises ImportRefused."""
    try:
        return _table(JsonRows(blocks, document, encoding, options.max_rejected))
    except EncodingRefused:
        if encoding.proven:
            raise
        encoding = reconsidered(blocks)
        if encoding.is_utf8:
            raise
    return _table(JsonRows(blocks, document, encoding, options.max_rejected))


@dataclass(frozen=True, slots=True)
class JsonRows:
    """The rows of a JSON file, to be read again and again."""

    blocks: Blocks
    document: Document
    encoding: Encoding
    max_rejected: int

    def parts(self, rejected: list[RejectedRow], *, spelled: bool = False) -> Iterator[list[dict[str, object]]]:
        """Objects in bounded lists, numbers as they are `spelled` if asked for; values that are no object are rejected
        up to the caller's limit.
        """
        values = json_values(as_utf8(self.blocks(), self.encoding), self.document)
        for rows, _ in self.objects(values, rejected, spelled=spelled):
            if rows:
                yield rows

    def objects(
        self, values: Iterator[tuple[int, bytes]], rejected: list[RejectedRow], *, first: int = 1, spelled: bool = False
    ) -> Iterator[tuple[list[dict[str, object]], int]]:
        """Objects of values with their lines, the first of which is row `first`, and how many values were read."""
        row = first - 1
        for part in _portions(values):
            rows: list[dict[str, object]] = []
            read = _reader(part) if spelled else read_json
            for line, raw in part:
                row += 1
                value, reason, rule = _read(raw, read)
                if isinstance(value, dict):
                    rows.append(value)
                    continue
                self._reject(RejectedRow(row, reason, _shown(raw), line, rule), raw, rejected)
            yield rows, len(part)

    def places(self, rows: Sequence[int]) -> list[tuple[int, int]]:
        """Numbers and lines in the file of the objects with these numbers (from 1, ascending), by reading it again."""
        found: list[tuple[int, int]] = []
        wanted, objects = iter(rows), 0
        want = next(wanted, 0)
        values = json_values(as_utf8(self.blocks(), self.encoding), self.document)
        for number, (line, raw) in enumerate(values, 1):
            objects += isinstance(_read(raw, read_json)[0], dict)
            while want == objects and want:
                found.append((number, line))
                want = next(wanted, 0)
            if not want:
                break
        return found

    def _reject(self, bad: RejectedRow, raw: bytes, rejected: list[RejectedRow]) -> None:
        if not self.encoding.mark and self.encoding.is_utf8:
            _check_utf8(raw, bad)
        if self.document.layout != "lines":
            if bad.reason.startswith("not JSON"):
                raise ImportRefused(
                    Text("Line {line} is {reason}.", line=bad.line, reason=bad.reason),
                    facts={"line": bad.line, "row": bad.row},
                )
            if bad.row == 1:
                raise ImportRefused(
                    Text("The JSON holds {reason}: a table needs an object for each row.", reason=bad.reason)
                )
        rejected.append(bad)
        if len(rejected) > max(self.max_rejected, REJECTED_LISTED):
            raise too_many(rejected, len(rejected), self.max_rejected)


def _table(source: JsonRows) -> TypedTable:
    rejected: list[RejectedRow] = []
    evidence = Evidence({})
    lines = BlocksOfLines(source) if source.document.layout == "lines" and source.encoding.is_utf8 else None
    if lines is not None:
        lines.examine(evidence, rejected)
    else:
        for rows in source.parts(rejected):
            evidence.add(rows)
    kinds = evidence.kinds
    if len(rejected) > source.max_rejected:
        raise too_many(rejected, len(rejected), source.max_rejected)
    if not kinds:
        raise ImportRefused(Text("The file has no JSON object with a member."))
    columns = [(name or f"column_{at}", type_of_cells(kind)) for at, (name, kind) in enumerate(kinds.items(), 1)]

    # Numbers within text, or in a column that others make text, are text as it stands.
    spelled = not {"string", "json"}.isdisjoint(kinds.values())
    types = dict(zip(kinds, (type_ for _, type_ in columns), strict=True))

    def read() -> Iterator[pa.Table]:
        if lines is not None:
            tables: Iterator[pa.Table] = lines.tables(types, spelled=spelled)
        else:
            tables = (cells_table(rows, types) for rows in source.parts([], spelled=spelled))
        return (table.rename_columns([name for name, _ in columns]) for table in tables)

    unnamed = [
        f"Column {at} has no name and is called {name!r}."
        for at, (known, (name, _)) in enumerate(zip(kinds, columns, strict=True), 1)
        if not known
    ]
    notes = [note for note in (source.encoding.note, source.document.note, *unnamed) if note]
    return TypedTable(
        columns,
        ["JSON values" for _ in columns],
        read,
        notes,
        rejected=rejected,
        encoding=source.encoding.name,
        places=source.places,
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the values of each member are, in order of first appearance."""

    kinds: dict[str, str]

    def add(self, rows: list[dict[str, object]]) -> None:
        """Learn from objects."""
        kinds = self.kinds
        for row in rows:
            for name, value in row.items():
                kind, known = kind_of_cell(value), kinds.get(name)
                if kind != known:
                    kinds[name] = join_kinds(known or "nothing", kind)
        for name, kind in list(kinds.items()):
            if kind.startswith("text"):
                self._texts(name, pa.array([v for row in rows if isinstance(v := row.get(name), str)], pa.string()))

    def add_table(self, table: pa.Table) -> None:
        """Learn from rows that Arrow has read; their members are known."""
        for name, values in zip(table.column_names, table.columns, strict=True):
            self.kinds[name] = join_kinds(self.kinds[name], kind_of_column(values))
            if self.kinds[name].startswith("text"):
                texts = values.drop_null().combine_chunks() if values.type == pa.string() else pa.array([], pa.string())
                self._texts(name, texts)

    def _texts(self, name: str, texts: pa.Array) -> None:
        known = self.kinds[name].partition(":")[2] or "nothing"
        self.kinds[name] = "text:" + join(known, evidence_of(texts))


def cells_table(rows: list[dict[str, object]], types: Mapping[str, str]) -> pa.Table:
    """Objects as a table of members of known types."""
    return pa.table([cells_column(rows, name, type_) for name, type_ in types.items()], names=list(types))


class BlocksOfLines:
    """JSON lines in blocks: those that Arrow reads as they are read line by line are read once and kept in a temporary
    file; the others are read again when their types are known.
    """

    def __init__(self, source: JsonRows) -> None:
        self._source = source
        self._kept: list[tuple[int, int] | None] = []  # where a block's table begins and ends
        self._file = tempfile.TemporaryFile(prefix="json-lines-")  # noqa: SIM115 - it lives as long as the table
        weakref.finalize(self, self._file.close)

    def _blocks(self) -> Iterator[bytes]:
        return whole_lines(as_utf8(self._source.blocks(), self._source.encoding))

    def examine(self, evidence: Evidence, rejected: list[RejectedRow]) -> None:
        """Find members and types; rows that are no objects are rejected."""
        row = line = 1
        with ThreadPoolExecutor(_AHEAD, thread_name_prefix="json") as pool:
            waiting: deque[tuple[bytes, pa.Schema | None, Future[pa.Table | None]]] = deque()
            for block in chain(self._blocks(), [b""] * _AHEAD):
                schema = arrow_schema(evidence.kinds)
                waiting.append((block, schema, pool.submit(_by_arrow, block, schema)))
                if len(waiting) <= _AHEAD:
                    continue
                text, then, reading = waiting.popleft()
                if not text:
                    continue
                table, now = reading.result(), arrow_schema(evidence.kinds)
                if table is None and now != then:
                    table = _by_arrow(text, now)
                if table is not None and _holds(table, evidence.kinds):
                    evidence.add_table(table)
                    row += table.num_rows
                    self._keep(table)
                else:
                    for rows, count in self._source.objects(_lines_from(text, line), rejected, first=row):
                        evidence.add(rows)
                        row += count
                    self._kept.append(None)
                line += text.count(b"\n")

    def _keep(self, table: pa.Table) -> None:
        begin = self._file.tell()
        if begin > _MOST_KEPT:
            self._kept.append(None)
            return
        with pa.ipc.new_stream(self._file, table.schema) as writer:
            writer.write_table(table)
        self._kept.append((begin, self._file.tell()))

    def tables(self, types: Mapping[str, str], *, spelled: bool) -> Iterator[pa.Table]:
        """The rows with their types, block by block."""
        self._file.flush()
        blocks, passed = self._blocks(), 0
        for number, kept in enumerate(self._kept):
            table = None if kept is None else self._typed(kept, types)
            if table is not None:
                yield table
                continue
            block = next(islice(blocks, number - passed, None))
            passed = number + 1
            for rows, _ in self._source.objects(_lines_from(block, 1), [], spelled=spelled):
                if rows:
                    yield cells_table(rows, types)

    def _typed(self, kept: tuple[int, int], types: Mapping[str, str]) -> pa.Table | None:
        """A kept table with the types that the whole file gives its members; None when they need its text."""
        begin, end = kept
        data = os.pread(self._file.fileno(), end - begin, begin)
        table = pa.ipc.open_stream(data).read_all()
        columns = []
        for name, type_ in types.items():
            at = table.schema.get_field_index(name)
            values = pa.nulls(table.num_rows) if at < 0 else table.column(at).combine_chunks()
            typed = typed_values(values, type_)
            if typed is None:
                return None
            columns.append(typed)
        return pa.table(columns, names=list(types))


def _by_arrow(block: bytes, schema: pa.Schema | None) -> pa.Table | None:
    return None if schema is None or not block else read_block(block, schema)


def _holds(table: pa.Table, kinds: Mapping[str, str]) -> bool:
    """Whether the members of a table are all in the order that is known."""
    return bool(table.column_names == list(kinds)[: table.num_columns])


def _lines_from(block: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    return ((first + number - 1, raw) for number, raw in json_values(iter((block,)), Document("lines")))


def _reader(part: Iterable[tuple[int, bytes]]) -> Callable[[bytes], object]:
    """What reads numbers as they are written, found once for many rows."""
    return read_spelled if is_spelled(b"\n".join(raw for _, raw in part)) else partial(read_json, spelled=True)


def _read(raw: bytes, read: Callable[[bytes], object]) -> tuple[object, str, str]:
    """The value of a row, and what is wrong with it, and by which rule, when it is no object."""
    try:
        value = read(raw)
    except ValueError as error:
        return None, f"not JSON: {error}", "json"
    return value, f"{_JSON_NAMES.get(type(value), 'null')}, not a JSON object", "object"


_JSON_NAMES = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


def _shown(raw: bytes) -> str:
    return raw[:200].decode("utf-8", "replace")


def _check_utf8(raw: bytes, bad: RejectedRow) -> None:
    """Tell bytes that are not UTF-8 from values that are not JSON: the encoding of the file may be another one."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EncodingRefused(
            Text(
                "Row {row}, line {line}: byte 0x{raw:02X} is not UTF-8. Name the encoding.",
                row=bad.row,
                line=bad.line,
                raw=raw[error.start],
            ),
            facts={"row": bad.row, "line": bad.line},
        ) from error


def _portions(values: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Up to `_ROWS` values, or about `_BYTES`, at a time."""
    held: list[tuple[int, bytes]] = []
    size = 0
    for item in values:
        held.append(item)
        size += len(item[1])
        if len(held) == _ROWS or size >= _BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held
