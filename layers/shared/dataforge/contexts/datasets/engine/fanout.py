"""A large CSV file through independent workers, with the result of the sequential reader.

The coordinator asks `call` to run a work item for every range: on a pool here, or over a queue. Workers store chunks
and answer with a manifest of their rows; the coordinator puts the manifests together and cuts the leaves anew at the
seams.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa

from dataforge.contexts.datasets.engine.importing import ImportOutcome, import_file
from dataforge.contexts.datasets.engine.keys import encode_keys, strictly_increasing
from dataforge.contexts.datasets.engine.landing import NotSorted
from dataforge.contexts.datasets.engine.leaves import cut, leaf_hashes
from dataforge.contexts.datasets.engine.manifest import (
    KeyList,
    Leaves,
    Manifest,
    Pieces,
    Source,
    join_leaves,
    join_pieces,
    slice_leaves,
)
from dataforge.contexts.datasets.engine.manifest_codec import EncodedManifest, decode_manifest, encode_manifest
from dataforge.contexts.datasets.engine.reading import hashes_at, rows_at
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.engine.writer import TableWriter
from dataforge.contexts.datasets.model.columns import TableSchema
from dataforge.contexts.datasets.model.imports import ImportOptions, ImportReport, RejectedRow, TableReport
from dataforge.contexts.datasets.parsing.csv_block import BlockPlan
from dataforge.contexts.datasets.parsing.csv_table import TextTable, too_many, work
from dataforge.contexts.datasets.parsing.ranges import (
    RANGE_BYTES,
    ByteRange,
    RangeEvidence,
    RangeScan,
    fold_scans,
    join_evidence,
    plan_ranges,
    range_buffers,
    range_evidence,
    scan_range,
)
from dataforge.contexts.datasets.parsing.sources import FileSource
from dataforge.contexts.datasets.parsing.splitting import Dialect, read_record
from dataforge.contexts.datasets.parsing.text_file import open_text

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Call(Protocol):
    """Runs a work item for each of the items, anywhere and in any order; answers come in the order of the items."""

    def __call__(self, work: Callable[[_Item], _Answer], items: Sequence[_Item], /) -> Iterable[_Answer]:
        """The answers."""
        ...


@dataclass(frozen=True, slots=True)
class WriteItem:
    """Store the rows of one exact range."""

    source: FileSource
    part: ByteRange
    plan: BlockPlan
    schema: TableSchema


@dataclass(frozen=True, slots=True)
class _Asked:
    """A scan or an evidence item."""

    source: FileSource
    part: ByteRange
    plan: BlockPlan


def _scan(item: _Asked) -> RangeScan:
    return scan_range(item.source, item.part, item.plan.dialect)


def _evidence(item: _Asked) -> RangeEvidence:
    return range_evidence(item.source, item.part, item.plan)


class RangeWriter:
    """What a worker runs for a `WriteItem`; picklable when its store is."""

    def __init__(self, tables: Callable[[], TableStore]) -> None:
        self._tables = tables

    def __call__(self, item: WriteItem) -> bytes:
        """The bytes of the range's manifest. Raises NotSorted when a keyed range is not in key order."""
        writer = TableWriter(self._tables(), item.schema)
        last = b""
        for data in range_buffers(item.source, item.part, item.plan.dialect):
            _, made = work(data, item.plan, item.schema)
            if made is None:
                message = "the evidence of the range does not cover its values"
                raise ArithmeticError(message)
            table, hashes = made
            if item.schema.key and table.num_rows:
                keys = table.select(list(item.schema.key))
                encoded = encode_keys(keys.take(pa.array([0, table.num_rows - 1])), item.schema)
                if encoded[0] <= last or not strictly_increasing(keys, item.schema):
                    raise NotSorted
                last = encoded[1]
            writer.add(table, hashes)
        return encode_manifest(writer.finish()).data


def import_ranges(
    tables: TableStore,
    source: FileSource,
    options: ImportOptions,
    call: Call,
    writer: Callable[[WriteItem], bytes],
    *,
    length: int = RANGE_BYTES,
) -> ImportOutcome:
    """Import a plain UTF-8 CSV file into a new version by ranges. Anything else is imported sequentially, and the
    report says why.

    Equal to `import_file` with mode replace and no base, in content hash and report. Raises what it raises.
    """
    file = open_text(
        lambda: (source.read(at, 6 << 20) for at in range(0, source.size, 6 << 20)), options, name=source.name
    )
    if not file.encoding.is_utf8 or file.dialect.escape:
        return _sequential(tables, source, options, "its encoding or its escapes need reading from the start")
    report = TableReport(options.table, notes=list(file.notes))
    view = TextTable(file, options, None, report)
    view.prepare()
    parts = plan_ranges(
        _first_record(source, file.encoding.mark, file.dialect, header=file.header), source.size, length=length
    )
    exact = fold_scans(parts, list(call(_scan, [_Asked(source, part, view.plan()) for part in parts])))
    evidence = list(call(_evidence, [_Asked(source, part, view.plan()) for part in exact]))
    stray = next((index for index, found in enumerate(evidence) if found.stray or found.problem), None)
    if stray is not None:
        return _sequential(
            tables, source, options, f"range {stray + 1} has quotes or bytes that need reading from the start"
        )
    _collect(report, evidence, options)
    view.settle(join_evidence(evidence, view.kinds))
    items = [WriteItem(source, part, view.plan(), view.schema) for part in exact]
    try:
        records = list(call(writer, items))
        manifest = stitch(tables, view.schema, [_decoded(data) for data in records])
    except NotSorted:
        return _sequential(tables, source, options, "its rows are not in key order and had to be sorted")
    view.describe(sum(found.records for found in evidence))
    report.inserted = manifest.rows
    outcome = ImportReport(
        "csv",
        "utf-8",
        "",
        file.dialect.delimiter,
        file.dialect.quote,
        file.header,
        bytes_read=source.size,
        tables=[report],
    )
    return ImportOutcome({options.table: manifest}, outcome)


def _sequential(tables: TableStore, source: FileSource, options: ImportOptions, reason: str) -> ImportOutcome:
    outcome = import_file(tables, source, options)
    outcome.report.notes.append(f"The file was read sequentially: {reason}.")
    return outcome


def _first_record(source: FileSource, mark: int, dialect: Dialect, *, header: bool) -> int:
    if not header:
        return mark
    data = source.read(mark, 4 << 20)
    text = data.decode("utf-8", "surrogateescape")
    record = read_record(text, 0, dialect, final=len(data) + mark >= source.size)
    return mark + len(text[: record.end].encode("utf-8", "surrogateescape"))


def _collect(report: TableReport, evidence: Sequence[RangeEvidence], options: ImportOptions) -> None:
    before = 0
    for found in evidence:
        report.rejected_count += found.rejected_count
        for row in found.rejected:
            if len(report.rejected) <= options.max_rejected:
                report.rejected.append(RejectedRow(before + int(str(row["row"])), str(row["reason"]), str(row["text"])))
        before += found.records
    if report.rejected_count > options.max_rejected:
        raise too_many(report.rejected, report.rejected_count, options.max_rejected)


def _decoded(data: bytes) -> Manifest:
    return decode_manifest(EncodedManifest(hashlib.sha256(data).hexdigest(), data))


def stitch(tables: TableStore, schema: TableSchema, parts: Sequence[Manifest]) -> Manifest:
    """Manifests of consecutive rows as one: the leaves of a seam are cut anew until the cuts meet. Raises NotSorted."""
    whole = _side_by_side(schema, [part for part in parts if part.rows])
    leaves: list[Leaves] = []
    leaf = 0
    ends = whole.leaf_ends
    seams = np.cumsum([part.rows for part in parts])
    for seam in seams[:-1].tolist():
        open_leaf = int(np.searchsorted(ends, seam - 1, side="right")) if seam else 0
        if seam == 0 or open_leaf < leaf or int(ends[open_leaf]) >= whole.rows:
            continue
        leaves.append(slice_leaves(whole.leaves, leaf, open_leaf))
        made, leaf = _recut(tables, whole, open_leaf)
        leaves.append(made)
    leaves.append(slice_leaves(whole.leaves, leaf, len(whole.leaves)))
    return replace(whole, leaves=join_leaves(leaves))


def _side_by_side(schema: TableSchema, parts: Sequence[Manifest]) -> Manifest:
    sources: list[Source] = []
    places: dict[str, int] = {}
    pieces: list[Pieces] = []
    for part in parts:
        for source in part.sources:
            if source.id not in places:
                places[source.id] = len(sources)
                sources.append(source)
        renumber = np.array([places[source.id] for source in part.sources], dtype=np.int64)
        pieces.append(replace(part.pieces, source=renumber[part.pieces.source]))
    return Manifest(schema, tuple(sources), join_leaves([part.leaves for part in parts]), join_pieces(pieces))


def _recut(tables: TableStore, whole: Manifest, first: int) -> tuple[Leaves, int]:
    """Fresh leaves from an open one on, and the first leaf that stays as it is."""
    stop = first
    while True:
        stop = min(stop + 8, len(whole.leaves))
        start_row, stop_row = whole.leaf_start(first), whole.leaf_start(stop)
        addresses = whole.addresses(start_row, stop_row)
        hashes = hashes_at(tables, whole.schema, whole.sources, addresses)
        ends = cut(hashes.key)
        old = set((whole.leaf_ends[first + 1 : stop] - start_row).tolist())
        meet = next((end for end in ends if end in old), None)
        if meet is not None or stop == len(whole.leaves):
            break
    if meet is None:
        meet = len(hashes)
        if not ends or ends[-1] < meet:
            ends.append(meet)
    ends = [end for end in ends if end <= meet]
    starts = [0, *ends[:-1]]
    keys = KeyList.of([])
    if whole.schema.key:
        table = rows_at(tables, whole.schema, whole.sources, addresses[:meet], list(whole.schema.key))
        if not strictly_increasing(table, whole.schema):
            raise NotSorted
        keys = KeyList.of(encode_keys(table.take(pa.array(starts)), whole.schema))
    made = Leaves(np.diff(np.array([0, *ends])), leaf_hashes(hashes.slice(0, meet), ends), keys)
    return made, int(np.searchsorted(whole.leaf_ends, start_row + meet, side="right"))
