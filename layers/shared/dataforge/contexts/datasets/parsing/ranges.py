"""Ranges of a large CSV file for independent workers: exact record boundaries from quote parity, then type evidence.

Every work item and every answer is plain JSON, so that a queue can carry them. The steps: `plan_ranges`, then
`scan_range` for each (any order),
`fold_scans` to exact ranges, `range_evidence` for each (any order), `join_evidence`. Valid for RFC 4180 quoting, which
`range_evidence` proves; where it does not hold the caller reads the file sequentially.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from dataforge.contexts.datasets.model.imports import RejectedRow
from dataforge.contexts.datasets.parsing.csv_block import BlockPlan, ParsedBlock, RowProblem, StrayQuote, parse_block
from dataforge.contexts.datasets.parsing.inference import join
from dataforge.contexts.datasets.parsing.sources import FileSource
from dataforge.contexts.datasets.parsing.splitting import Dialect, last_record_end, quote_positions

RANGE_BYTES = 64 << 20
_STEP = 6 << 20


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start .. stop` of the file."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class RangeScan:
    """What one range says about quotes: odd or even, and the first record end if it begins outside or inside quotes
    (-1: none).
    """

    odd: bool
    outside: int
    inside: int


@dataclass(frozen=True, slots=True)
class RangeEvidence:
    """Types and number of records of an exact range; `stray` says that its quoting is not RFC 4180."""

    kinds: tuple[str, ...]
    records: int
    stray: bool
    rejected_count: int
    rejected: tuple[dict[str, object], ...]
    problem: str = ""
    problem_row: int = 0

    def to_json(self) -> dict[str, object]:
        """Plain JSON for a queue."""
        return asdict(self)


def plan_ranges(start: int, size: int, *, length: int = RANGE_BYTES) -> list[ByteRange]:
    """Ranges of about equal length that cover a file from its first record on."""
    return [ByteRange(at, min(size, at + length)) for at in range(start, size, length)]


def scan_range(source: FileSource, part: ByteRange, dialect: Dialect) -> RangeScan:
    """Count quotes and find the first record end under both hypotheses."""
    odd = False
    found = [-1, -1]
    newline = ord(dialect.newline)
    for at in range(part.start, part.stop, _STEP):
        view = np.frombuffer(source.read(at, min(_STEP, part.stop - at)), dtype=np.uint8)
        quotes = quote_positions(view, dialect)
        if -1 in found:
            ends = np.flatnonzero(view == newline)
            parity = (np.searchsorted(quotes, ends) + odd) % 2
            for hypothesis in (0, 1):
                hits = ends[parity == hypothesis]
                if found[hypothesis] < 0 and len(hits):
                    found[hypothesis] = at + int(hits[0]) + 1
        odd ^= bool(len(quotes) % 2)
    return RangeScan(odd, found[0], found[1])


def fold_scans(parts: Sequence[ByteRange], scans: Sequence[RangeScan]) -> list[ByteRange]:
    """Ranges that begin and end with a record. The first one begins with a record by construction."""
    starts = [parts[0].start] if parts else []
    odd = False
    for index, scan in enumerate(scans):
        if index:
            first = scan.inside if odd else scan.outside
            if first >= 0:
                starts.append(first)
        odd ^= scan.odd
    stops = [*starts[1:], parts[-1].stop] if parts else []
    return [ByteRange(start, stop) for start, stop in zip(starts, stops, strict=True) if stop > start]


def range_buffers(source: FileSource, part: ByteRange, dialect: Dialect) -> Iterator[bytes]:
    """Buffers of whole records of an exact range."""
    carry = b""
    for at in range(part.start, part.stop, _STEP):
        data = carry + source.read(at, min(_STEP, part.stop - at))
        cut = last_record_end(data, dialect, final=at + _STEP >= part.stop)
        if cut:
            yield data[:cut]
        carry = data[cut:]


def range_evidence(source: FileSource, part: ByteRange, plan: BlockPlan) -> RangeEvidence:
    """Parse an exact range and keep only what it says about types, its record count and its rejected rows."""
    kinds = plan.kinds
    records = count = 0
    rejected: list[RejectedRow] = []
    try:
        for data in range_buffers(source, part, plan.dialect):
            parsed = parse_block(data, plan)
            if parsed.widened:
                kinds = tuple(join(one, other) for one, other in zip(kinds, parsed.widened, strict=True))
            count += parsed.rejected_count
            rejected += shifted(parsed, records)[: plan.most_rejected + 1 - len(rejected)]
            records += parsed.records
    except StrayQuote:
        return RangeEvidence(kinds, records, stray=True, rejected_count=count, rejected=())
    except RowProblem as problem:
        return RangeEvidence(
            kinds,
            records,
            stray=False,
            rejected_count=count,
            rejected=(),
            problem=problem.text,
            problem_row=problem.row + records,
        )
    return RangeEvidence(
        kinds, records, stray=False, rejected_count=count, rejected=tuple(asdict(row) for row in rejected)
    )


def shifted(parsed: ParsedBlock, before: int) -> list[RejectedRow]:
    """Rejected rows numbered from the start of the range."""
    return [
        RejectedRow(row.row + before, row.reason, row.text)
        for row in sorted(parsed.rejected, key=lambda item: item.row)
    ]


def join_evidence(found: Iterable[RangeEvidence], start: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of the whole file."""
    kinds = start
    for evidence in found:
        kinds = tuple(join(one, other) for one, other in zip(kinds, evidence.kinds, strict=True))
    return kinds
