"""JSON to tables: an object a row (`json_values` finds them), a column per member in order of first appearance.

Of two members of one name the last counts, as JSON readers have it. Values that are objects or lists are kept as JSON
text (type `json`). A column is of the type all its values have; whole and fractional numbers make `float`, anything
else that mixes makes text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pyarrow as pa

from dataforge.contexts.datasets.engine.arrow_types import to_arrow
from dataforge.contexts.datasets.errors import EncodingRefused, ImportRefused
from dataforge.contexts.datasets.model.imports import REJECTED_LISTED, ImportOptions, RejectedRow
from dataforge.contexts.datasets.parsing.csv_table import too_many
from dataforge.contexts.datasets.parsing.encoding import Encoding, as_utf8, reconsidered
from dataforge.contexts.datasets.parsing.inference import convert, evidence_of, join
from dataforge.contexts.datasets.parsing.json_values import Document, json_values
from dataforge.contexts.datasets.parsing.text_file import Blocks
from dataforge.contexts.datasets.parsing.typed import TypedTable

_ROWS = 32_768
_BYTES = 16 << 20
_INT64 = 1 << 63


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

    def parts(self, rejected: list[RejectedRow]) -> Iterator[list[dict[str, object]]]:
        """Objects in bounded lists; values that are no object are rejected up to the caller's limit."""
        row = 0
        for part in _portions(json_values(as_utf8(self.blocks(), self.encoding), self.document)):
            rows: list[dict[str, object]] = []
            for line, raw in part:
                row += 1
                value, reason = _read(raw)
                if isinstance(value, dict):
                    rows.append(value)
                    continue
                self._reject(RejectedRow(row, reason, _shown(raw), line), raw, rejected)
            if rows:
                yield rows

    def _reject(self, bad: RejectedRow, raw: bytes, rejected: list[RejectedRow]) -> None:
        if not self.encoding.mark and self.encoding.is_utf8:
            _check_utf8(raw, bad)
        if self.document.layout != "lines":
            if bad.reason.startswith("not JSON"):
                raise ImportRefused(f"Line {bad.line} is {bad.reason}.", facts={"line": bad.line, "row": bad.row})
            if bad.row == 1:
                raise ImportRefused(f"The JSON holds {bad.reason}: a table needs an object for each row.")
        rejected.append(bad)
        if len(rejected) > max(self.max_rejected, REJECTED_LISTED):
            raise too_many(rejected, len(rejected), self.max_rejected)


def _table(source: JsonRows) -> TypedTable:
    kinds: dict[str, str] = {}
    rejected: list[RejectedRow] = []
    for rows in source.parts(rejected):
        for row in rows:
            for name, value in row.items():
                kinds[name] = _join(kinds.get(name, "nothing"), _kind(value))
        for name, kind in list(kinds.items()):
            if kind.startswith("text"):
                texts = pa.array([v for row in rows if isinstance(v := row.get(name), str)], pa.string())
                kinds[name] = "text:" + join(kind.partition(":")[2] or "nothing", evidence_of(texts))
    if len(rejected) > source.max_rejected:
        raise too_many(rejected, len(rejected), source.max_rejected)
    if not kinds:
        raise ImportRefused("The file has no JSON object with a member.")
    columns = [(name, _type_of(kind)) for name, kind in kinds.items()]

    def read() -> Iterator[pa.Table]:
        for rows in source.parts([]):
            yield pa.table([_column(rows, name, type_) for name, type_ in columns], names=[name for name, _ in columns])

    notes = [note for note in (source.encoding.note, source.document.note) if note]
    return TypedTable(
        columns, ["JSON values" for _ in columns], read, notes, rejected=rejected, encoding=source.encoding.name
    )


def _type_of(kind: str) -> str:
    """JSON says what a number is; of strings only dates and times are read, everything else stays as it is written."""
    texts = kind.partition(":")[2]
    if texts in {"date", "timestamp", "timestamptz"}:
        return texts
    return kind if kind in {"int", "float", "bool", "json"} else "string"


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -_INT64 <= value < _INT64 else "string"
    if isinstance(value, float):
        return "float"
    return "text" if isinstance(value, str) else "json"


def _join(one: str, other: str) -> str:
    if one in {"nothing", other} or (one.startswith("text") and other in {"text", "nothing"}):
        return one if one != "nothing" else other
    if other == "nothing":
        return one
    return "float" if {one, other} == {"int", "float"} else "string"


def _column(rows: list[dict[str, object]], name: str, type_: str) -> pa.Array:
    values = [row.get(name) for row in rows]
    if type_ in {"date", "timestamp", "timestamptz"}:
        found = convert(pa.array(values, pa.string()), type_)
        if found is None:
            raise ImportRefused(f"Column {name!r} changed while it was read.")
        return found
    if type_ in {"string", "json"}:
        values = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values]
    elif type_ == "float":
        values = [None if v is None else float(v) for v in values]  # type: ignore[arg-type]
    return pa.array(values, to_arrow(type_))


def _read(raw: bytes) -> tuple[object, str]:
    """The value of a row, and what is wrong with it when it is no object."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        value = _large_numbers(raw)
        if value is None:
            return None, f"not JSON: {error}"
    return value, f"{_JSON_NAMES.get(type(value), 'null')}, not a JSON object"


_JSON_NAMES = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


def _shown(raw: bytes) -> str:
    return raw[:200].decode("utf-8", "replace")


def _check_utf8(raw: bytes, bad: RejectedRow) -> None:
    """Tell bytes that are not UTF-8 from values that are not JSON: the encoding of the file may be another one."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EncodingRefused(
            f"Row {bad.row}, line {bad.line}: byte 0x{raw[error.start]:02X} is not UTF-8. Name the encoding.",
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


def _large_numbers(line: bytes) -> object:
    """What Python's reader takes and orjson does not: integers beyond 64 bits. NaN, Infinity and halves of surrogate
    pairs are no JSON.
    """
    try:
        value = json.loads(line, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def _no_constant(name: str) -> object:
    raise ValueError(name)
