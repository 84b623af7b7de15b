"""A large CSV file through independent workers, with the result of the sequential reader.

The coordinator asks `call` to do a task for every range: on a pool of processes, or over a queue. Workers store chunks
and answer with a manifest of their rows; the coordinator puts the manifests together and cuts the leaves anew at the
seams.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa

from dataforge.contexts.datasets.engine.fanout_codec import error_class
from dataforge.contexts.datasets.engine.fanout_tasks import (
    UNCOVERED,
    UNSORTED,
    RangeAnswer,
    RangeRows,
    RangeTask,
    RangeUnsuited,
    Stage,
)
from dataforge.contexts.datasets.engine.importing import ImportOutcome, import_file
from dataforge.contexts.datasets.engine.keys import encode_keys, strictly_increasing
from dataforge.contexts.datasets.engine.leaves import cut, leaf_hashes
from dataforge.contexts.datasets.engine.manifest import (
    Change,
    KeyList,
    Leaves,
    Manifest,
    Pieces,
    Source,
    join_leaves,
    join_pieces,
    slice_leaves,
)
from dataforge.contexts.datasets.engine.manifest_codec import EncodedManifest, decode_manifest
from dataforge.contexts.datasets.engine.reading import hashes_at, rows_at
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import CorruptStorage, ImportRefused
from dataforge.contexts.datasets.model.columns import TableSchema
from dataforge.contexts.datasets.model.imports import (
    ImportOptions,
    ImportReport,
    Progress,
    ProgressCallback,
    RejectedRow,
    TableReport,
    no_progress,
)
from dataforge.contexts.datasets.parsing.csv_block import RowProblem, StrayQuote
from dataforge.contexts.datasets.parsing.csv_table import TextTable, too_many, work
from dataforge.contexts.datasets.parsing.formats import plain_text
from dataforge.contexts.datasets.parsing.inference import join
from dataforge.contexts.datasets.parsing.ranges import (
    RANGE_BYTES,
    ByteRange,
    RangeEvidence,
    RangeScan,
    fold_scans,
    plan_ranges,
)
from dataforge.contexts.datasets.parsing.sources import FileSource
from dataforge.contexts.datasets.parsing.splitting import MOST_RECORD_BYTES, Dialect, read_record
from dataforge.contexts.datasets.parsing.text_file import TextFile

Answers = Generator[RangeAnswer, None, None]
_Answer = TypeVar("_Answer")
_STAGES = {Stage.SCAN: "scanning", Stage.EVIDENCE: "reading", Stage.WRITE: "writing"}
STRAY = "it has quotes that RFC 4180 does not allow"


class Call(Protocol):
    """Does a task for each of its ranges, anywhere and in any order.

    Gives the answers in the order of the ranges, each as soon as those before it are there. Raises the domain errors
    that workers met, in that order too.
    """

    def __call__(self, task: RangeTask, /) -> Answers:
        """The answers; a caller that has seen enough closes them."""
        ...


class Unsuited(Exception):
    """Ranges of this file cannot be read apart; the reason is for people."""


def import_ranges(
    tables: TableStore,
    source: FileSource,
    options: ImportOptions,
    call: Call,
    bases: Mapping[str, Manifest] | None = None,
    *,
    key: str = "",
    length: int = RANGE_BYTES,
    progress: ProgressCallback = no_progress,
    folder: Path | None = None,
) -> ImportOutcome:
    """Import a plain UTF-8 CSV file as the first rows of a table by ranges; `key` is where workers find the file.

    Equal to `import_file` in content hash and report. What cannot be read by ranges is imported sequentially, and the
    report says why. Raises what `import_file` raises.
    """
    base = (bases or {}).get(options.table)
    try:
        file = _opened(source, options, base)
        return _RangeImport(tables, source, options, base, call, key, progress).run(file, length)
    except Unsuited as unsuited:
        reason = str(unsuited)
    # Only here has the exception let go of the stage it ended, and the stage of its workers.
    outcome = import_file(tables, source, options, bases, progress=progress, folder=folder)
    outcome.report.notes.append(f"The file was read sequentially: {reason}.")
    return outcome


def _opened(source: FileSource, options: ImportOptions, base: Manifest | None) -> TextFile:
    if base is not None and base.rows:
        raise Unsuited("the table has rows already")
    if options.mode == "upsert":
        raise Unsuited("an upsert needs all rows in key order")
    file = plain_text(source, options)
    if file is None:
        raise Unsuited("it is not plain delimited text")
    if not file.encoding.is_utf8 or file.dialect.escape:
        raise Unsuited("its encoding or its escapes need reading from the start")
    return file


@dataclass(slots=True)
class _RangeImport:
    tables: TableStore
    source: FileSource
    options: ImportOptions
    base: Manifest | None
    call: Call
    key: str
    progress: ProgressCallback

    def run(self, file: TextFile, length: int) -> ImportOutcome:
        """The three stages. Raises Unsuited."""
        options = self.options
        report = TableReport(options.table, notes=list(file.notes))
        view = TextTable(file, options, self.base.schema if self.base else None, report)
        view.prepare()
        if file.careful:
            raise Unsuited(STRAY)
        _check_head(file, view)
        start = _first_record(self.source, file.encoding.mark, file.dialect, header=file.header)
        parts = self._scanned(plan_ranges(start, self.source.size, length=length), view, length)
        try:
            manifest, records = self._written(parts, view, report)
        except Unsuited as unsuited:
            if str(unsuited) != UNCOVERED:
                raise
            self._settle(parts, view)
            manifest, records = self._written(parts, view, report)
        if self.base is not None:
            manifest = replace(manifest, change=Change(self.base.digest, inserted=manifest.rows))
        view.describe(records)
        report.inserted = manifest.rows
        found = ImportReport(
            "csv",
            file.encoding.name,
            "",
            file.dialect.delimiter,
            file.dialect.quote,
            file.header,
            bytes_read=self.source.size,
            tables=[report],
        )
        return ImportOutcome({options.table: manifest}, found)

    def _scanned(self, parts: Sequence[ByteRange], view: TextTable, length: int) -> list[ByteRange]:
        """Exact ranges."""
        exact = fold_scans(parts, self._ask(Stage.SCAN, parts, view, RangeScan))
        if any(part.stop - part.start > length + MOST_RECORD_BYTES for part in exact):
            raise Unsuited("a record seems to have no end")
        return exact

    def _settle(self, parts: Sequence[ByteRange], view: TextTable) -> None:
        """Types of the whole file in the view, when they are wider than those of its head."""
        scratch = TableReport(self.options.table)
        records = 0
        kinds = view.kinds
        for found in self._ask(Stage.EVIDENCE, parts, view, RangeEvidence):
            records += self._told(found, records, scratch)
            kinds = tuple(join(one, other) for one, other in zip(kinds, found.kinds, strict=True))
        view.settle(kinds)

    def _written(self, parts: Sequence[ByteRange], view: TextTable, report: TableReport) -> tuple[Manifest, int]:
        """The rows, as the view has their types, and the number of records; their rejected rows are in the report."""
        report.rejected_count, report.rejected = 0, []
        records = 0
        made: list[Manifest] = []
        for found in self._ask(Stage.WRITE, parts, view, RangeRows):
            records += self._told(found.evidence, records, report)
            made.append(_decoded(found.manifest))
        return stitch(self.tables, view.schema, made), records

    def _told(self, found: RangeEvidence, before: int, report: TableReport) -> int:
        """The records of a range that ends neither the import nor reading by ranges; rejected rows go to the report."""
        _reject(report, found, before, self.options.max_rejected)
        if found.stray:
            raise Unsuited(STRAY)
        if found.problem is not None:
            raise _problem_of(found).refused(before)
        return found.records

    def _ask(self, stage: Stage, parts: Sequence[ByteRange], view: TextTable, kind: type[_Answer]) -> Iterator[_Answer]:
        schema = view.schema if stage is Stage.WRITE else TableSchema(())
        task = RangeTask(stage, self.key, self.source.name, tuple(parts), view.plan(), schema)
        rows = done = 0
        with closing(self.call(task)) as answers:
            for part, answer in zip(parts, answers, strict=True):
                if isinstance(answer, RangeUnsuited):
                    raise Unsuited(answer.reason)
                if not isinstance(answer, kind):
                    message = f"The stage {stage.value} was answered with {type(answer).__name__}."
                    raise CorruptStorage(message)
                done += part.stop - part.start
                rows += _records(answer)
                self.progress(Progress(_STAGES[stage], rows, done, self.source.size))
                yield answer


def _records(answer: RangeAnswer) -> int:
    if isinstance(answer, RangeRows):
        return answer.evidence.records
    return answer.records if isinstance(answer, RangeEvidence) else 0


def _check_head(file: TextFile, view: TextTable) -> None:
    """Raise Unsuited when the first rows of a keyed table are out of order already: two stages would be for nothing."""
    if not view.schema.key:
        return
    try:
        _, made = work(next(file.buffers(), b""), view.plan(), view.schema)
    except (RowProblem, StrayQuote, ImportRefused):
        return  # found again with its row by the stage that reads
    if made is not None and not strictly_increasing(made[0].select(list(view.schema.key)), view.schema):
        raise Unsuited(UNSORTED)


def _first_record(source: FileSource, mark: int, dialect: Dialect, *, header: bool) -> int:
    if not header:
        return mark
    data = source.read(mark, 4 << 20)
    text = data.decode("utf-8", "surrogateescape")
    record = read_record(text, 0, dialect, final=len(data) + mark >= source.size)
    return mark + len(text[: record.end].encode("utf-8", "surrogateescape"))


def _reject(report: TableReport, evidence: RangeEvidence, before: int, most: int) -> None:
    """Count rejected rows buffer by buffer, as the sequential reader does. Raises TooManyRejectedRows."""
    for part in evidence.rejections:
        report.rejected_count += part.count
        room = most + 1 - len(report.rejected)
        for row in part.rows[: max(0, room)]:
            report.rejected.append(RejectedRow(before + row.row, row.reason, row.text))
        if report.rejected_count > most:
            raise too_many(report.rejected, report.rejected_count, most)


def _problem_of(evidence: RangeEvidence) -> RowProblem:
    assert evidence.problem is not None  # noqa: S101 - the caller looked
    error = error_class(evidence.problem.code)
    if not issubclass(error, ImportRefused):
        message = f"{evidence.problem.code} is no error of a row."
        raise CorruptStorage(message)
    return RowProblem(error, evidence.problem.row, evidence.problem.text)


def _decoded(data: bytes) -> Manifest:
    return decode_manifest(EncodedManifest(hashlib.sha256(data).hexdigest(), data))


def stitch(tables: TableStore, schema: TableSchema, parts: Sequence[Manifest]) -> Manifest:
    """Manifests of consecutive rows as one: the leaves of a seam are cut anew until the cuts meet. Raises Unsuited."""
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
            raise Unsuited(UNSORTED)
        keys = KeyList.of(encode_keys(table.take(pa.array(starts)), whole.schema))
    made = Leaves(np.diff(np.array([0, *ends])), leaf_hashes(hashes.slice(0, meet), ends), keys)
    return made, int(np.searchsorted(whole.leaf_ends, start_row + meet, side="right"))
