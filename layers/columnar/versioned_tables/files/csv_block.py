"""One record-aligned buffer of CSV to typed columns: what a worker does, on a thread here or in another function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from pyarrow import csv

from dataforge.kernel.texts import Text
from versioned_tables.errors import EncodingRefused, ImportRefused
from versioned_tables.files.options import REJECTED_LISTED, RejectedRow
from versioned_tables.files.splitting import Dialect, count_byte, record_starts, stray_quote
from versioned_tables.schema.inference import NOTHING, convert, evidence_of, join, rows_that_break

_SHOWN = 200


class StrayQuote(Exception):
    """A quote that RFC 4180 does not allow, so the cuts by quote parity may be wrong."""


class RowProblem(Exception):
    """A problem at a row and line of one buffer; whoever knows what came before names those of the file."""

    def __init__(self, error: type[ImportRefused], row: int, line: int, text: str) -> None:
        super().__init__(error, row, line, text)
        self.error = error
        self.row = row
        self.line = line
        self.text = text

    def refused(self, rows_before: int, lines_before: int) -> ImportRefused:
        """The error for people."""
        row, line = rows_before + self.row, lines_before + self.line
        return self.error(f"Row {row}, {self.text} (line {line} of the file)", facts={"row": row, "line": line})


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """How to read a buffer: dialect, number of columns, null texts, and per column the expected evidence.

    `declared` columns have a type that decides: values that do not read as it reject their row.
    """

    dialect: Dialect
    columns: int
    kinds: tuple[str, ...]
    declared: frozenset[int] = frozenset()
    required: frozenset[int] = frozenset()
    null_values: tuple[str, ...] = ("",)
    names: tuple[str, ...] = ()
    most_rejected: int = 0


@dataclass(slots=True)
class ParsedBlock:
    """Columns in file order, or the wider evidence when a value breaks the plan; rows numbered from 0 in the buffer."""

    records: int
    columns: list[pa.Array] | None
    widened: tuple[str, ...] | None = None
    rejected: list[RejectedRow] = field(default_factory=list)
    rejected_count: int = 0
    lines: int = 0


def text_columns(data: bytes, plan: BlockPlan) -> tuple[list[pa.Array], list[RejectedRow], int]:
    """Every field as text (null only when unquoted and a null text), the ragged rows, and the number of records.

    Raises RowProblem on bytes that are not UTF-8 and on NUL bytes, ImportRefused on anything else that cannot be read.
    """
    if stray_quote(data, plan.dialect) >= 0:
        raise StrayQuote
    if b"\x00" in data:
        row, line, column, _ = locate(data, data.index(b"\x00"), plan)
        raise RowProblem(
            ImportRefused,
            row,
            line,
            Text(
                "column {column}: a NUL byte. This is no text, or it is UTF-16 without a byte order mark.",
                column=column,
            ),
        )
    # Before anything is parsed: Arrow drops a ragged row that is not UTF-8 without a word.
    if not _is_utf8(data):
        raise _not_utf8(data, plan)
    ragged: list[RejectedRow] = []

    def on_ragged(row: csv.InvalidRow) -> str:
        text = row.text if isinstance(row.text, str) else row.text.decode("utf-8", "replace")
        fields = "1 field" if row.actual_columns == 1 else f"{row.actual_columns} fields"
        ragged.append(
            RejectedRow(
                row.number,
                Text("{fields} instead of {expected_columns}", fields=fields, expected_columns=row.expected_columns),
                text[:_SHOWN],
                rule="fields",
            )
        )
        return "skip"

    names = [str(at) for at in range(plan.columns)]
    kind = pa.string()
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            csv.ParseOptions(
                delimiter=plan.dialect.delimiter,
                quote_char=plan.dialect.quote or False,
                escape_char=plan.dialect.escape or False,
                newlines_in_values=True,
                ignore_empty_lines=plan.columns > 1,
                invalid_row_handler=on_ragged,
            ),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, kind),
                null_values=list(plan.null_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise ImportRefused(Text("The rows cannot be read: {error}", error=error)) from error
    columns = [column.combine_chunks() if column.num_chunks != 1 else column.chunk(0) for column in table.columns]
    return columns, ragged, table.num_rows + len(ragged)


def _is_utf8(data: bytes) -> bool:
    """Whether a buffer is UTF-8, found at once, which is cheaper than field by field."""
    places = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, places, pa.py_buffer(data)])
    try:
        whole.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _not_utf8(data: bytes, plan: BlockPlan) -> RowProblem:
    """The place of the first byte that is not UTF-8."""
    at = len(data)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as bad:
        at = bad.start
    row, line, column, byte = locate(data, at, plan)
    found = f"byte 0x{data[at]:02X} at place {byte} of the field"
    return RowProblem(
        EncodingRefused,
        row,
        line,
        Text("column {column}: {found} is not UTF-8. Name the encoding of the file.", column=column, found=found),
    )


def locate(data: bytes, place: int, plan: BlockPlan) -> tuple[int, int, int, int]:
    """Record, line, column and byte within the field of a place in a buffer, all counted from 1."""
    starts, lines = record_starts(data, plan.dialect, blank=plan.columns == 1)
    row = max(1, int(np.searchsorted(starts, place, side="right")))
    start = int(starts[row - 1])
    column, field_start, inside = 1, start, False
    quote, delimiter = plan.dialect.quote.encode(), plan.dialect.delimiter.encode()
    for at in range(start, place):
        if data[at : at + 1] == quote:
            inside = not inside
        elif data[at : at + 1] == delimiter and not inside:
            column, field_start = column + 1, at + 1
    line = int(lines[row - 1]) + 1 + data.count(plan.dialect.newline.encode(), start, place)
    return row, line, column, place - field_start + 1


def parse_block(data: bytes, plan: BlockPlan) -> ParsedBlock:
    """Typed columns of a buffer, or the evidence that its values need a wider plan."""
    texts, ragged, records = text_columns(data, plan)
    ragged_count = len(ragged)
    columns: list[pa.Array] = []
    widened: list[str] = []
    broken: dict[int, tuple[str, str]] = {}
    for at, kind in enumerate(plan.kinds):
        if at in plan.declared:
            values = convert(texts[at], kind, lenient=True)
            if values is None:
                _collect(broken, texts[at], kind, plan, at)
            columns.append(texts[at] if values is None else values)
            widened.append(kind)
            continue
        values = convert(texts[at], kind)
        columns.append(texts[at] if values is None else values)
        widened.append(kind if values is not None else join(kind, evidence_of(texts[at])))
    for at in plan.required:
        for row in _nulls(columns[at]):
            reason = Text("column {names!r} is empty and may not be", names=plan.names[at])
            broken.setdefault(row, (reason, "required"))
    if broken:
        columns = _without(columns, texts, plan, sorted(broken))
        ragged += _broken_rows(broken, texts, ragged)
    found = None if widened == list(plan.kinds) else tuple(widened)
    listed = sorted(ragged, key=lambda item: item.row)[: max(plan.most_rejected, REJECTED_LISTED) + 1]
    return ParsedBlock(
        records,
        None if found else columns,
        found,
        _on_lines(listed, data, plan) if listed else listed,
        ragged_count + len(broken),
        count_byte(data, plan.dialect.newline),
    )


def _on_lines(rows: list[RejectedRow], data: bytes, plan: BlockPlan) -> list[RejectedRow]:
    _, lines = record_starts(data, plan.dialect, blank=plan.columns == 1)
    return [replace(row, line=int(lines[row.row - 1]) + 1) for row in rows]


def _nulls(column: pa.Array) -> list[int]:
    if not column.null_count:
        return []
    flags: list[bool] = column.is_null().to_pylist()
    return [row for row, null in enumerate(flags) if null]


def _collect(broken: dict[int, tuple[str, str]], texts: pa.Array, kind: str, plan: BlockPlan, at: int) -> None:
    for row in rows_that_break(texts, kind, most=len(texts)):
        reason = Text(
            "column {names!r}: {texts!r:.80} is not {kind}", names=plan.names[at], texts=texts[row].as_py(), kind=kind
        )
        broken.setdefault(row, (reason, "type"))


def _broken_rows(
    broken: dict[int, tuple[str, str]], texts: Sequence[pa.Array], ragged: Sequence[RejectedRow]
) -> list[RejectedRow]:
    """Number rows as records, which counts the ragged ones before them."""
    skipped = sorted(row.row for row in ragged)
    found = []
    for row, (reason, rule) in sorted(broken.items()):
        number = row + 1
        for other in skipped:
            if other > number:
                break
            number += 1
        text = ",".join(str(column[row].as_py() or "") for column in texts[:20])
        found.append(RejectedRow(number, reason, text[:_SHOWN], rule=rule))
    return found


def _without(columns: list[pa.Array], texts: list[pa.Array], plan: BlockPlan, rows: list[int]) -> list[pa.Array]:
    gone = set(rows)
    keep = pa.array([row for row in range(len(texts[0])) if row not in gone], pa.int64())
    kept: list[pa.Array] = []
    for at, column in enumerate(columns):
        picked = column.take(keep)
        if at in plan.declared and pa.types.is_string(column.type):
            picked = convert(picked, plan.kinds[at], lenient=True)
        kept.append(picked)
    return kept


def first_evidence(data: bytes, plan: BlockPlan) -> tuple[str, ...]:
    """The evidence of a sample: where the plan of the whole file begins."""
    texts, _, _ = text_columns(data, plan)
    return tuple(
        kind if at in plan.declared else evidence_of(texts[at]) if len(texts[at]) else NOTHING
        for at, kind in enumerate(plan.kinds)
    )
