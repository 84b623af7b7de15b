"""What `dataset_export` runs: a version, or a difference, to a sink."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq

from dataforge.kernel.texts import Text
from versioned_tables.compare.diff import Difference, difference_page
from versioned_tables.errors import FilterRefused
from versioned_tables.exports.text import csv_header, csv_rows, json_lines, json_rows
from versioned_tables.exports.workbook import write_workbook
from versioned_tables.format.manifest import Manifest
from versioned_tables.progress import Progress, ProgressCallback, no_progress
from versioned_tables.read.filtering import matching
from versioned_tables.read.filters import Filter, check_filter, filter_columns
from versioned_tables.read.rows import read_range
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import TableSchema
from versioned_tables.storage.table_store import TableStore

BATCH = 32_768
_AHEAD = 3
ExportFormat = Literal["csv", "excel", "parquet", "jsonl"]
Compression = Literal["none", "gzip", "zstd"]


class Sink(Protocol):
    """Where the bytes go: a file, or a multipart upload."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to write: column names (None for all, in schema order), a filter, and for CSV the delimiter."""

    format: ExportFormat = "csv"
    compression: Compression = "none"
    columns: tuple[str, ...] | None = None
    where: Filter | None = None
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Rows and bytes written."""

    rows: int
    bytes: int


class _Counting:
    """A write-only binary file over a sink, compressing on the way when asked to."""

    def __init__(self, sink: Sink, compression: Compression) -> None:
        self._sink = sink
        self._gzip = zlib.compressobj(6, wbits=31) if compression == "gzip" else None
        self._zstd: pa.CompressedOutputStream | None = None
        self.written = 0
        self.closed = False
        self._at = 0
        if compression == "zstd":
            self._zstd = pa.CompressedOutputStream(pa.PythonFile(_Raw(self._raw), mode="w"), "zstd")

    def _raw(self, data: bytes) -> int:
        if data:
            self._sink.write(data)
            self.written += len(data)
        return len(data)

    def write(self, data: bytes) -> int:
        self._at += len(data)
        if self._gzip is not None:
            self._raw(self._gzip.compress(data))
        elif self._zstd is not None:
            self._zstd.write(data)
        else:
            self._raw(bytes(data))
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """The sink decides when bytes leave."""

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True

    def finish(self) -> None:
        """End the compressed stream."""
        if self._gzip is not None:
            self._raw(self._gzip.flush())
        if self._zstd is not None:
            self._zstd.close()


class _Raw:
    """The file object Arrow's compressor writes to."""

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self._write = write
        self.closed = False

    def write(self, data: bytes) -> int:
        return self._write(bytes(data))

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return 0


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
    out = _Counting(sink, options.compression)
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
    for start in range(0, manifest.rows, BATCH):
        table = read_range(store, manifest, start, start + BATCH, read)
        if options.where is not None:
            table = table.filter(pa.array(matching(table, options.where, manifest.schema)))
        progress(Progress("exporting", min(start + BATCH, manifest.rows), 0))
        yield table.select(ids).rename_columns(names)


def _export(
    store: TableStore, manifest: Manifest, options: ExportOptions, sink: Sink, progress: ProgressCallback
) -> ExportReport:
    out = _Counting(sink, options.compression)
    batches = _batches(store, manifest, options, progress)
    names = _names(manifest, options)
    if options.format == "parquet":
        rows = _parquet(out, batches, manifest, names)
    else:
        if options.format == "csv":
            out.write(csv_header(names, options.delimiter))
        rows = _lines(out, batches, options)
    out.finish()
    return ExportReport(rows, out.written)


def _lines(out: _Counting, batches: Iterator[pa.Table], options: ExportOptions) -> int:
    """Render batches on two threads, write them in order."""

    def render(table: pa.Table) -> tuple[int, bytes | pa.Buffer]:
        return table.num_rows, csv_rows(table, options.delimiter) if options.format == "csv" else json_rows(table)

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


def _written(out: _Counting, done: Future[tuple[int, bytes | pa.Buffer]]) -> int:
    rows, data = done.result()
    out.write(memoryview(data) if isinstance(data, pa.Buffer) else data)  # type: ignore[arg-type]  # pyarrow's Buffer has the buffer protocol, but no types
    return rows


def _parquet(out: _Counting, batches: Iterator[pa.Table], manifest: Manifest, names: list[str]) -> int:
    schema = pa.schema([pa.field(name, to_arrow(c.type)) for name in names if (c := manifest.schema.by_name(name))])
    rows = 0
    # Bounds leave NaN out (Parquet format, `Statistics`), and engines that order it above all numbers skip row groups
    # that have it: DuckDB 2.0 then counts no row for `isnan(x)` or `x > 5`. Without bounds they have to look.
    bounded = [field.name for field in schema if not pa.types.is_floating(field.type)]
    with pq.ParquetWriter(
        pa.PythonFile(out, mode="w"), schema, compression="zstd", compression_level=1, write_statistics=bounded or False
    ) as writer:
        for table in batches:
            writer.write_table(table)
            rows += table.num_rows
    return rows


def export_difference(store: TableStore, found: Difference, options: ExportOptions, sink: Sink) -> ExportReport:
    """Write changed rows: `_change`, then every column of both versions, `before` and `after` where it was updated.
    CSV and JSON lines. A renamed column is one, under its present name.
    """
    pairs = _column_pairs(found.base.schema, found.head.schema)
    out = _Counting(sink, options.compression)
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
