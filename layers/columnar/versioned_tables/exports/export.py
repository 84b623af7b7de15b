"""What `dataset_export` runs: a version, or a difference, to a sink."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataforge.kernel.texts import Text
from versioned_tables.compare.diff import Difference, difference_page
from versioned_tables.errors import FilterRefused
from versioned_tables.exports.sinks import Compression, CountingFile, Sink
from versioned_tables.exports.text import csv_header, csv_rows, json_lines, json_rows
from versioned_tables.exports.workbook import write_workbook
from versioned_tables.format.manifest import Manifest
from versioned_tables.progress import Progress, ProgressCallback, no_progress
from versioned_tables.read.filtering import matching
from versioned_tables.read.filters import Filter, check_filter, filter_columns
from versioned_tables.read.rows import read_range, windows
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore

BATCH = 32_768
_AHEAD = 3
# Rows read at once for Parquet and Arrow: neighbours in a pack come with one request. As many rows or decoded bytes as
# the second and third say make a row group of Parquet, a batch of an Arrow stream.
_READ_ROWS = 131_072
_GROUP_ROWS = 65_536
_GROUP_BYTES = 32 << 20
# A column is written with a dictionary when its values come again: others would fill one and throw it away.
_REPEATED = 4
_GROUPED = ("parquet", "arrow", "arrow_file")
ExportFormat = Literal["csv", "excel", "parquet", "jsonl", "arrow", "arrow_file"]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to write: column names (None for all, in schema order), a filter, the order of rows; and for CSV the
    delimiter, and whether it is for spreadsheets (see `text.csv_rows`).
    """

    format: ExportFormat = "csv"
    compression: Compression = "none"
    columns: tuple[str, ...] | None = None
    where: Filter | None = None
    descending: bool = False
    delimiter: str = ","
    excel: bool = False


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Rows and bytes written."""

    rows: int
    bytes: int


def export_table(
    store: TableStore,
    manifest: Manifest,
    options: ExportOptions,
    sink: Sink,
    *,
    name: str = "data",
    progress: ProgressCallback = no_progress,
) -> ExportReport:
    """Write one table. Raises FilterRefused on unknown columns, OperationRefused beyond the limits of a workbook."""
    return (
        export_workbook(store, {name: manifest}, options, sink, progress=progress)
        if options.format == "excel"
        else _export(store, manifest, options, sink, progress)
    )


def export_workbook(
    store: TableStore,
    manifests: Mapping[str, Manifest],
    options: ExportOptions,
    sink: Sink,
    *,
    progress: ProgressCallback = no_progress,
) -> ExportReport:
    """Write tables as the sheets of one workbook."""
    out = CountingFile(sink, options.compression)
    shown = [
        (name, _names(manifest, options), _batches(store, manifest, options, progress))
        for name, manifest in manifests.items()
    ]
    rows = write_workbook(cast("BinaryIO", out), shown)
    out.finish()
    return ExportReport(rows, out.written)


def _names(manifest: Manifest, options: ExportOptions) -> list[str]:
    schema = manifest.schema
    names = list(options.columns) if options.columns is not None else schema.names
    missing = [name for name in names if schema.by_name(name) is None]
    if missing:
        raise FilterRefused(
            Text(
                "There is no column {missing!r}; the table has {names}.",
                missing=missing[0],
                names=", ".join(schema.names[:30]),
            )
        )
    check_filter(options.where, schema)
    return names


def _batches(
    store: TableStore, manifest: Manifest, options: ExportOptions, progress: ProgressCallback
) -> Iterator[pa.Table]:
    """Matching rows with columns by name."""
    names = _names(manifest, options)
    ids = [column.id for name in names if (column := manifest.schema.by_name(name))]
    read = list(
        dict.fromkeys([*ids, *(c.id for n in filter_columns(options.where) if (c := manifest.schema.by_name(n)))])
    )
    done = 0
    for start, stop in _ranges(manifest, options):
        table = read_range(store, manifest, start, stop, read)
        if options.where is not None:
            table = table.filter(pa.array(matching(table, options.where, manifest.schema)))
        if options.descending:
            table = table.take(pa.array(np.arange(table.num_rows - 1, -1, -1)))
        done += stop - start
        progress(Progress("exporting", done, 0))
        yield table.select(ids).rename_columns(names)


def _ranges(manifest: Manifest, options: ExportOptions) -> Iterable[tuple[int, int]]:
    ranges = windows(manifest, 0, manifest.rows, _READ_ROWS if options.format in _GROUPED else BATCH)
    return reversed(list(ranges)) if options.descending else ranges


def _ahead(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same, read on a thread of its own while the one before is written."""
    with ThreadPoolExecutor(1, thread_name_prefix="export-read") as pool:
        following = pool.submit(next, batches, None)
        while (table := following.result()) is not None:
            following = pool.submit(next, batches, None)
            yield table


def _grouped(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Batches put together to what a row group holds."""
    group: list[pa.Table] = []
    rows = size = 0
    for table in batches:
        if not table.num_rows:
            continue
        group.append(table)
        rows, size = rows + table.num_rows, size + table.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.concat_tables(group)
            group, rows, size = [], 0, 0
    if group:
        yield pa.concat_tables(group)


def _export(
    store: TableStore, manifest: Manifest, options: ExportOptions, sink: Sink, progress: ProgressCallback
) -> ExportReport:
    batches = _batches(store, manifest, options, progress)
    return _written_as(options, _arrow_schema(manifest, _names(manifest, options)), batches, sink)


def export_rows(rows: pa.Table, options: ExportOptions, sink: Sink) -> ExportReport:
    """Write rows that are there, in every form but a workbook; their columns are those of the table."""
    return _written_as(options, rows.schema, iter([rows]), sink)


def _written_as(options: ExportOptions, schema: pa.Schema, batches: Iterator[pa.Table], sink: Sink) -> ExportReport:
    out = CountingFile(sink, options.compression)
    if options.format == "parquet":
        rows = _parquet(out, _ahead(_grouped(batches)), schema)
    elif options.format in ("arrow", "arrow_file"):
        rows = _arrow(out, _ahead(_grouped(batches)), schema, as_file=options.format == "arrow_file")
    else:
        if options.format == "csv":
            out.write(csv_header(schema.names, options.delimiter, excel=options.excel))
        rows = _lines(out, batches, options)
    out.finish()
    return ExportReport(rows, out.written)


def _lines(out: CountingFile, batches: Iterator[pa.Table], options: ExportOptions) -> int:
    """Render batches on two threads, write them in order."""

    def render(table: pa.Table) -> tuple[int, bytes | pa.Buffer]:
        if options.format == "csv":
            return table.num_rows, csv_rows(table, options.delimiter, excel=options.excel)
        return table.num_rows, json_rows(table)

    rows = 0
    waiting: deque[Future[tuple[int, bytes | pa.Buffer]]] = deque()
    with ThreadPoolExecutor(2, thread_name_prefix="export") as pool:
        for table in batches:
            waiting.append(pool.submit(render, table))
            if len(waiting) > _AHEAD:
                rows += _written(out, waiting.popleft())
        while waiting:
            rows += _written(out, waiting.popleft())
    return rows


def _written(out: CountingFile, done: Future[tuple[int, bytes | pa.Buffer]]) -> int:
    rows, data = done.result()
    out.write(memoryview(data) if isinstance(data, pa.Buffer) else data)  # type: ignore[arg-type]  # pyarrow's Buffer has the buffer protocol, but no types
    return rows


def _arrow_schema(manifest: Manifest, names: list[str]) -> pa.Schema:
    return pa.schema([pa.field(name, to_arrow(c.type)) for name in names if (c := manifest.schema.by_name(name))])


def _parquet(out: CountingFile, groups: Iterator[pa.Table], schema: pa.Schema) -> int:
    first = next(groups, None)
    repeated = [] if first is None else [name for name in schema.names if _repeats(first.column(name))]
    # Bounds leave NaN out (Parquet format, `Statistics`), and engines that order it above all numbers skip row groups
    # that have it: DuckDB 2.0 then counts no row for `isnan(x)` or `x > 5`. Without bounds they have to look.
    bounded = [field.name for field in schema if not pa.types.is_floating(field.type)]
    rows = 0
    with pq.ParquetWriter(
        pa.PythonFile(out, mode="w"),
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=repeated or False,
        write_statistics=bounded or False,
    ) as writer:
        for table in () if first is None else chain([first], groups):
            writer.write_table(table, row_group_size=table.num_rows)
            rows += table.num_rows
    return rows


def _repeats(column: pa.ChunkedArray) -> bool:
    if pa.types.is_nested(column.type):
        return False
    part = column.slice(0, BATCH)
    return bool(pc.count_distinct(part).as_py() * _REPEATED <= len(part))


def _arrow(out: CountingFile, groups: Iterator[pa.Table], schema: pa.Schema, *, as_file: bool) -> int:
    """Write Arrow IPC: a schema, then batches with compressed buffers; as a file, where they are at its end."""
    rows = 0
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    begin = pa.ipc.new_file if as_file else pa.ipc.new_stream
    with begin(pa.PythonFile(out, mode="w"), schema, options=options) as writer:
        for table in groups:
            writer.write_table(table.combine_chunks())
            rows += table.num_rows
    return rows


def export_difference(store: TableStore, found: Difference, options: ExportOptions, sink: Sink) -> ExportReport:
    """Write changed rows: `_change`, then every column of both versions, `before` and `after` where it was updated.
    CSV and JSON lines. A renamed column is one, under its present name.
    """
    pairs = _column_pairs(found.base.schema, found.head.schema)
    out = CountingFile(sink, options.compression)
    header = ["_change", *(f"{label}{side}" for label, _, _ in pairs for side in (" (before)", " (after)"))]
    if options.format == "csv":
        out.write(csv_header(header, options.delimiter))
    for start in range(0, len(found), 1000):
        page = difference_page(store, found, start, 1000)
        columns: list[list[object]] = [[change.kind for change in page]]
        for _, old, new in pairs:
            columns.append([_cell(change.before, old) for change in page])
            columns.append([_cell(change.after, new) for change in page])
        if options.format == "csv":
            table = pa.table([pa.array(map(_text, values), pa.string()) for values in columns], names=header)
            out.write(bytes(csv_rows(table, options.delimiter)))
        else:
            out.write(json_lines([dict(zip(header, row, strict=True)) for row in zip(*columns, strict=True)]))
    out.finish()
    return ExportReport(len(found), out.written)


def _text(value: object) -> str | None:
    """The text of a JSON value as CSV has it."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(row: Mapping[str, object] | None, name: str | None) -> object:
    return None if row is None or name is None else row[name]


def _column_pairs(base: TableSchema, head: TableSchema) -> list[tuple[str, str | None, str | None]]:
    """What each column is called in the file, in the base and in the head, None where it is not.

    A column that was dropped and one that took its name are one pair of cells.
    """
    pairs: list[tuple[str, str | None, str | None]] = []
    for column in head.columns:
        heir = base.by_name(column.name)
        if base.has(column.id):
            pairs.append((column.name, base.by_id(column.id).name, column.name))
        elif heir is not None and not head.has(heir.id):
            pairs.append((column.name, column.name, column.name))
        else:
            pairs.append((column.name, None, column.name))
    shown = {old for _, old, _ in pairs}
    labels = set(head.names)
    for name in (column.name for column in base.columns if column.name not in shown):
        label = name
        while label in labels:
            label += " (dropped)"
        labels.add(label)
        pairs.append((label, name, None))
    return pairs
