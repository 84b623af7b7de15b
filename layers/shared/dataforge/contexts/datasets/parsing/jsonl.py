"""JSON lines to tables: one object a line; columns in order of first appearance.

Values that are objects or lists are kept as JSON text (type `json`). A column is of the type all its values have;
whole and fractional numbers make `float`, anything else that mixes makes text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import orjson
import pyarrow as pa

from dataforge.contexts.datasets.engine.arrow_types import to_arrow
from dataforge.contexts.datasets.errors import ImportRefused
from dataforge.contexts.datasets.model.imports import ImportOptions, RejectedRow
from dataforge.contexts.datasets.parsing.csv_table import too_many
from dataforge.contexts.datasets.parsing.encoding import as_utf8, detect_encoding
from dataforge.contexts.datasets.parsing.inference import convert, evidence_of, join
from dataforge.contexts.datasets.parsing.splitting import MOST_RECORD_BYTES
from dataforge.contexts.datasets.parsing.text_file import Blocks
from dataforge.contexts.datasets.parsing.typed import TypedTable

_ROWS = 32_768
_BYTES = 16 << 20
_INT64 = 1 << 63


def json_table(blocks: Blocks, options: ImportOptions) -> TypedTable:
    """The table of a JSON lines file: read once for columns and types, then again for the rows. Raises
    ImportRefused.
    """
    kinds: dict[str, str] = {}
    rejected: list[RejectedRow] = []
    for rows in _parts(blocks, options, rejected):
        for row in rows:
            for name, value in row.items():
                kinds[name] = _join(kinds.get(name, "nothing"), _kind(value))
        for name, kind in list(kinds.items()):
            if kind.startswith("text"):
                texts = pa.array([v for row in rows if isinstance(v := row.get(name), str)], pa.string())
                kinds[name] = "text:" + join(kind.partition(":")[2] or "nothing", evidence_of(texts))
    if not kinds:
        raise ImportRefused("The file has no JSON object with a member.")
    columns = [(name, _type_of(kind)) for name, kind in kinds.items()]

    def read() -> Iterator[pa.Table]:
        for rows in _parts(blocks, options, []):
            yield pa.table([_column(rows, name, type_) for name, type_ in columns], names=[name for name, _ in columns])

    return TypedTable(columns, ["JSON values" for _ in columns], read, rejected=rejected)


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


def _parts(blocks: Blocks, options: ImportOptions, rejected: list[RejectedRow]) -> Iterator[list[dict[str, object]]]:
    """Objects in bounded lists; lines that are no object are rejected up to the caller's limit."""
    for part in _portions(enumerate(_lines(blocks, options), 1)):
        rows: list[dict[str, object]] = []
        for number, line in part:
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                value = _large_numbers(line)
                reason = f"not JSON: {error}"
            else:
                reason = "not a JSON object"
            if isinstance(value, dict):
                rows.append(value)
                continue
            rejected.append(RejectedRow(number, reason, line[:200].decode("utf-8", "replace")))
            if len(rejected) > options.max_rejected:
                raise too_many(rejected, len(rejected), options.max_rejected)
        if rows:
            yield rows


def _portions(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Up to `_ROWS` lines, or about `_BYTES`, at a time."""
    held: list[tuple[int, bytes]] = []
    size = 0
    for item in lines:
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


def _lines(blocks: Blocks, options: ImportOptions) -> Iterator[bytes]:
    first = next(iter(blocks()), b"")
    carry = b""
    for block in as_utf8(blocks(), detect_encoding(first, blocks, options.encoding)):
        *lines, carry = (carry + block).split(b"\n")
        if len(carry) > MOST_RECORD_BYTES:
            raise ImportRefused(f"A line is longer than {MOST_RECORD_BYTES >> 20} MB; this is not JSON lines.")
        yield from (line for line in lines if line.strip())
    if carry.strip():
        yield carry
