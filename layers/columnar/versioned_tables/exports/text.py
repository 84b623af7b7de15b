"""Rows to CSV and JSON lines, a batch at a time and vectorised where it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from versioned_tables.schema.texts import plain_rows, text_of

_BYTE_ORDER_MARK = "\ufeff"
# What makes a spreadsheet calculate, or skip to the character that does (OWASP, CSV injection).
_FORMULA = r"\A([=+\-@\t\r])"


def csv_header(names: Sequence[str], delimiter: str, *, excel: bool = False) -> bytes:
    """The header line; names are quoted where they must be. For spreadsheets a byte order mark comes before it."""
    cells = pa.array(list(names), pa.string())
    cells = _harmless(cells) if excel else cells
    line = delimiter.join(_quoted(cells, delimiter).to_pylist()) + "\n"
    return (_BYTE_ORDER_MARK + line if excel else line).encode()


def csv_rows(table: pa.Table, delimiter: str, *, excel: bool = False) -> pa.Buffer:
    """Rows as CSV (RFC 4180 quoting, LF): null is an empty field and empty text is `""`, so that both come back.

    For spreadsheets, a text that one would take for a formula gets an apostrophe before it.
    """
    if not table.num_rows or not table.num_columns:
        return pa.py_buffer(b"\n" * table.num_rows)
    cells = [_cells(table.column(at), delimiter, excel=excel) for at in range(table.num_columns)]
    if len(cells) > 1:
        lines = pc.binary_join_element_wise(*cells, pa.scalar(delimiter), null_handling="replace", null_replacement="")
    else:
        lines = pc.fill_null(cells[0], "")
    ended = pc.binary_join_element_wise(lines, pa.scalar(""), pa.scalar("\n"))
    return _data(ended)


def _data(array: pa.Array) -> pa.Buffer:
    """The bytes of all values one after the other, without a copy."""
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32, count=len(array) + 1, offset=array.offset * 4)
    return array.buffers()[2].slice(int(offsets[0]), int(offsets[-1]) - int(offsets[0]))


def _cells(column: pa.ChunkedArray, delimiter: str, *, excel: bool) -> pa.Array:
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    text = text_of(array)
    if not pa.types.is_string(array.type) and not pa.types.is_binary(array.type):
        return text
    return _quoted(_harmless(text) if excel else text, delimiter)


def _harmless(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, _FORMULA, r"'\1")


def _quoted(text: pa.Array, delimiter: str) -> pa.Array:
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int32, count=len(text) + 1, offset=text.offset * 4)
    data = text.buffers()[2]
    used = (
        np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]]
        if data is not None
        else np.empty(0, dtype=np.uint8)
    )
    special = _NEEDS_QUOTES[used].any() or bool((used == ord(delimiter)).any())
    empty = bool((np.diff(offsets) == 0).any())
    if not special and not empty:
        return text
    mask = pc.equal(text, "")
    if special:
        mask = pc.or_(mask, pc.match_substring_regex(text, "[\"\r\n'" + ("\\" + delimiter) + "]"))
        doubled = pc.replace_substring(text, '"', '""')
    else:
        doubled = text
    wrapped = pc.binary_join_element_wise(pa.scalar('"'), doubled, pa.scalar('"'), pa.scalar(""))
    return pc.if_else(mask, wrapped, text)


_NEEDS_QUOTES = np.zeros(256, dtype=bool)
_NEEDS_QUOTES[[ord(char) for char in "\"\r\n'"]] = True


def json_rows(table: pa.Table) -> bytes:
    """Rows as JSON lines; NaN and the infinities are texts, because JSON has no numbers for them."""
    return json_lines(plain_rows(table))


def json_lines(rows: Iterable[Mapping[str, object]]) -> bytes:
    """JSON values as JSON lines."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
