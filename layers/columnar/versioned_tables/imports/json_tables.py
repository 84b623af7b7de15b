"""JSON to tables: an object a row (`json_values` finds them), a column per member in order of first appearance.

Of two members of one name the last counts, as JSON readers have it. Values that are objects or lists are kept as JSON
text (type `json`). The types of columns are in `json_cells`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import EncodingRefused, ImportRefused
from versioned_tables.files.encoding import Encoding, as_utf8, reconsidered
from versioned_tables.files.json_cells import (
    cells_column,
    is_spelled,
    join_kinds,
    kind_of_cell,
    read_json,
    read_spelled,
    type_of_cells,
)
from versioned_tables.files.json_values import Document, json_values
from versioned_tables.files.options import REJECTED_LISTED, ImportOptions, RejectedRow
from versioned_tables.files.text_file import Blocks
from versioned_tables.files.typed import TypedTable
from versioned_tables.imports.text_tables import too_many
from versioned_tables.schema.inference import evidence_of, join

_ROWS = 32_768
_BYTES = 16 << 20


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
        row = 0
        for part in _portions(json_values(as_utf8(self.blocks(), self.encoding), self.document)):
            rows: list[dict[str, object]] = []
            read = _reader(part) if spelled else read_json
            for line, raw in part:
                row += 1
                value, reason, rule = _read(raw, read)
                if isinstance(value, dict):
                    rows.append(value)
                    continue
                self._reject(RejectedRow(row, reason, _shown(raw), line, rule), raw, rejected)
            if rows:
                yield rows

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
    kinds: dict[str, str] = {}
    rejected: list[RejectedRow] = []
    for rows in source.parts(rejected):
        for row in rows:
            for name, value in row.items():
                kind, known = kind_of_cell(value), kinds.get(name)
                if kind != known:
                    kinds[name] = join_kinds(known or "nothing", kind)
        for name, kind in list(kinds.items()):
            if kind.startswith("text"):
                texts = pa.array([v for row in rows if isinstance(v := row.get(name), str)], pa.string())
                kinds[name] = "text:" + join(kind.partition(":")[2] or "nothing", evidence_of(texts))
    if len(rejected) > source.max_rejected:
        raise too_many(rejected, len(rejected), source.max_rejected)
    if not kinds:
        raise ImportRefused(Text("The file has no JSON object with a member."))
    columns = [(name or f"column_{at}", type_of_cells(kind)) for at, (name, kind) in enumerate(kinds.items(), 1)]

    # Numbers within text, or in a column that others make text, are text as it stands.
    spelled = not {"string", "json"}.isdisjoint(kinds.values())

    def read() -> Iterator[pa.Table]:
        for rows in source.parts([], spelled=spelled):
            arrays = [cells_column(rows, name, type_) for name, (_, type_) in zip(kinds, columns, strict=True)]
            yield pa.table(arrays, names=[name for name, _ in columns])

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
