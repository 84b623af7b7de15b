"""Ranges of a large CSV file for independent workers: exact record boundaries from quote parity, then type evidence.

The steps: `plan_ranges`, then `scan_range` for each (any order), `fold_scans` to exact ranges, `range_evidence` for
each (any order), `join_evidence`. A range that is a multiple of `STEP` long is cut into the very buffers that the
sequential reader makes, so that both meet the same errors at the same rows. Valid for RFC 4180 quoting, which
`range_evidence` proves; where it does not hold the caller reads the file sequentially.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dataforge.contexts.datasets.model.imports import RejectedRow
from dataforge.contexts.datasets.parsing.csv_block import BlockPlan, ParsedBlock, RowProblem, StrayQuote, parse_block
from dataforge.contexts.datasets.parsing.inference import join
from dataforge.contexts.datasets.parsing.sources import BLOCK as STEP
from dataforge.contexts.datasets.parsing.sources import FileSource
from dataforge.contexts.datasets.parsing.splitting import (
    MOST_RECORD_BYTES,
    Dialect,
    last_record_end,
    quote_positions,
)

RANGE_BYTES = 10 * STEP


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start .. stop` of the file."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class RangeScan:
    """What one range says about quotes: odd or even, and where its last record ends if it begins outside or inside
    quotes (-1: none does).
    """

    odd: bool
    outside: int
    inside: int


@dataclass(frozen=True, slots=True)
class Rejections:
    """The rows that one buffer left out: how many, and the first of them, numbered from the start of the range."""

    count: int
    rows: tuple[RejectedRow, ...]


@dataclass(frozen=True, slots=True)
class RangeProblem:
    """What ends the import at a row of the range: the code of the error, the row, and the rest of its sentence."""

    code: str
    row: int
    text: str


@dataclass(frozen=True, slots=True)
class RangeEvidence:
    """Types and number of records of an exact range up to where it ends or its reading does.

    Reading ends at a `problem`, at quoting that is not RFC 4180 (`stray`), or when more rows are rejected than the
    whole import allows.
    """

    kinds: tuple[str, ...]
    records: int
    rejections: tuple[Rejections, ...] = ()
    stray: bool = False
    problem: RangeProblem | None = None


def plan_ranges(start: int, size: int, *, length: int = RANGE_BYTES) -> list[ByteRange]:
    """Ranges that cover a file from its first record on and end at multiples of `length`."""
    stops = [*range((start // length + 1) * length, size, length), size]
    return [ByteRange(at, stop) for at, stop in zip([start, *stops[:-1]], stops, strict=True) if stop > at]


def scan_range(source: FileSource, part: ByteRange, dialect: Dialect) -> RangeScan:
    """Count quotes and find the last record end under both hypotheses."""
    odd = False
    found = [-1, -1]
    newline = dialect.newline.encode()
    stop = part.start
    for data in source.stream(part.start, part.stop, STEP):
        start, stop = stop, stop + len(data)
        # A CR that ends the range may be half of CRLF, so that the sequential reader does not cut behind it either.
        ends_in_cr = newline == b"\r" and stop == part.stop and data.endswith(b"\r")
        whole = len(data) - ends_in_cr
        if not dialect.quote or dialect.quote.encode() not in data:
            end = data.rfind(newline, 0, whole)
            if end >= 0:
                found[odd] = start + end + 1
            continue
        view = np.frombuffer(data, dtype=np.uint8)
        quotes = quote_positions(view, dialect)
        ends = np.flatnonzero(view[:whole] == newline[0])
        parity = (np.searchsorted(quotes, ends) + odd) % 2
        for hypothesis in (0, 1):
            hits = ends[parity == hypothesis]
            if len(hits):
                found[hypothesis] = start + int(hits[-1]) + 1
        odd ^= bool(len(quotes) % 2)
    return RangeScan(odd, found[0], found[1])


def fold_scans(parts: Sequence[ByteRange], scans: Iterable[RangeScan]) -> list[ByteRange]:
    """Ranges that begin and end with a record. The first one begins with a record by construction."""
    if not parts:
        return []
    cuts = [parts[0].start]
    odd = False
    for scan in list(scans)[:-1]:
        end = scan.inside if odd else scan.outside
        if end >= 0:
            cuts.append(end)
        odd ^= scan.odd
    stops = [*cuts[1:], parts[-1].stop]
    return [ByteRange(start, stop) for start, stop in zip(cuts, stops, strict=True) if stop > start]


def range_buffers(source: FileSource, part: ByteRange, dialect: Dialect) -> Iterator[bytes]:
    """The sequential reader's buffers of an exact range. Raises StrayQuote when a record seems to have no end."""
    carry = b""
    for block in source.stream(part.start, part.stop, STEP):
        data = carry + block
        cut = last_record_end(data, dialect, final=False)
        if cut:
            yield data[:cut]
        elif len(data) > MOST_RECORD_BYTES:
            raise StrayQuote
        carry = data[cut:]
    if carry:
        yield carry


def range_evidence(
    source: FileSource, part: ByteRange, plan: BlockPlan, parse: Callable[[bytes], ParsedBlock] | None = None
) -> RangeEvidence:
    """Parse an exact range and keep what it says about types, its record count and its rejected rows.

    `parse` does more with each buffer than `parse_block`, which is what it begins with.
    """
    kinds = plan.kinds
    records = rejected = 0
    rejections: list[Rejections] = []
    try:
        for data in range_buffers(source, part, plan.dialect):
            parsed = parse_block(data, plan) if parse is None else parse(data)
            if parsed.widened:
                kinds = tuple(join(one, other) for one, other in zip(kinds, parsed.widened, strict=True))
            if parsed.rejected_count:
                rejected += parsed.rejected_count
                rejections.append(Rejections(parsed.rejected_count, shifted(parsed, records)))
            records += parsed.records
            if rejected > plan.most_rejected:
                break
    except StrayQuote:
        return RangeEvidence(kinds, records, tuple(rejections), stray=True)
    except RowProblem as problem:
        found = RangeProblem(problem.error.code, problem.row + records, problem.text)
        return RangeEvidence(kinds, records, tuple(rejections), problem=found)
    return RangeEvidence(kinds, records, tuple(rejections))


def shifted(parsed: ParsedBlock, before: int) -> tuple[RejectedRow, ...]:
    """Rejected rows of a buffer numbered from the start of the range."""
    return tuple(
        RejectedRow(row.row + before, row.reason, row.text)
        for row in sorted(parsed.rejected, key=lambda item: item.row)
    )


def join_evidence(found: Iterable[RangeEvidence], start: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of the whole file."""
    kinds = start
    for evidence in found:
        kinds = tuple(join(one, other) for one, other in zip(kinds, evidence.kinds, strict=True))
    return kinds
