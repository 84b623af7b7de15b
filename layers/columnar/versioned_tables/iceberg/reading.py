"""Rows of a snapshot, whoever wrote it, as one Parquet file with the names and types of its columns.

Reads what the specification's second format allows in Parquet files with position deletes, a row group at a time:
`pyiceberg` plans, and its own reader is left aside because it needs `pyarrow.dataset` and holds whole files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.name_mapping import NameMapping
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

from dataforge.kernel.texts import Text
from versioned_tables.errors import SnapshotRefused
from versioned_tables.format.manifest import I64

_FIELD_ID = b"PARQUET:field_id"
_NEWEST_FORMAT = 2
_ARROW: dict[type[IcebergType], pa.DataType] = {
    BooleanType: pa.bool_(),
    IntegerType: pa.int32(),
    LongType: pa.int64(),
    FloatType: pa.float32(),
    DoubleType: pa.float64(),
    StringType: pa.string(),
    BinaryType: pa.binary(),
    DateType: pa.date32(),
    TimeType: pa.time64("us"),
    TimestampType: pa.timestamp("us"),
    TimestamptzType: pa.timestamp("us", "UTC"),
    UUIDType: pa.binary(16),
}
Report = Callable[[int, int], None]
"""Hears of rows and bytes read so far; may raise to stop."""


def schema_of(table: Table, snapshot: Snapshot) -> Schema:
    """The columns that a snapshot was written with."""
    schemas = {schema.schema_id: schema for schema in table.metadata.schemas}
    return table.schema() if snapshot.schema_id is None else schemas.get(snapshot.schema_id, table.schema())


class Sink(Protocol):
    """Where the bytes go: a file, or an upload in parts."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes; returns how many."""
        ...


def write_parquet(table: Table, snapshot: Snapshot, sink: Sink, report: Report = lambda *_: None) -> int:
    """The rows of a snapshot as one Parquet file; how many. Raises SnapshotRefused."""
    if table.metadata.format_version > _NEWEST_FORMAT:
        version = table.metadata.format_version
        raise SnapshotRefused(Text("The table has format version {version}; up to 2 can be read.", version=version))
    schema = schema_of(table, snapshot)
    target = pa.schema([pa.field(field.name, _arrow_type(field)) for field in schema.fields])
    rows = read = 0
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), target, compression="zstd", compression_level=1) as writer:
        for task in _planned(table, snapshot):
            for part in _rows_of(table, schema, target, task):
                writer.write_table(part)
                rows += part.num_rows
                report(rows, read)
            read += task.file.file_size_in_bytes
    return rows


def _planned(table: Table, snapshot: Snapshot) -> Iterable[FileScanTask]:
    try:
        return table.scan(snapshot_id=snapshot.snapshot_id).plan_files()
    except ValueError as error:
        # What pyiceberg says of deletes by values, the only ones that it plans no scan over.
        message = Text(
            "Snapshot {snapshot_id} has equality deletes, which are not supported; rewrite the table's data files.",
            snapshot_id=snapshot.snapshot_id,
        )
        raise SnapshotRefused(message) from error


def _arrow_type(field: NestedField) -> pa.DataType:
    kind = field.field_type
    if isinstance(kind, DecimalType):
        return pa.decimal128(kind.precision, kind.scale)
    if isinstance(kind, FixedType):
        return pa.binary(len(kind))
    found = _ARROW.get(type(kind))
    if found is None:
        message = Text(
            "Column {name!r} is a {kind}, which no column of a dataset holds; write it as JSON text.",
            name=field.name,
            kind=str(kind),
        )
        raise SnapshotRefused(message)
    return found


def _rows_of(table: Table, schema: Schema, target: pa.Schema, task: FileScanTask) -> Iterator[pa.Table]:
    """The live rows of a data file, a row group at a time."""
    if task.file.file_format is not FileFormat.PARQUET:
        raise SnapshotRefused(
            Text("The table has files of format {format}; only Parquet is read.", format=task.file.file_format.value)
        )
    dead = np.sort(
        np.concatenate(
            [np.empty(0, np.int64), *(_dead(table.io, task.file.file_path, one) for one in task.delete_files)]
        )
    )
    with _parquet(table.io, task.file) as file:
        columns = _columns_by_field(file.schema_arrow, table.metadata.name_mapping())
        _require_stored(table, schema, task.file, set(columns))
        wanted = [columns[field.field_id] for field in schema.fields if field.field_id in columns]
        first = 0
        for number in range(file.num_row_groups):
            count = file.metadata.row_group(number).num_rows
            here = dead[np.searchsorted(dead, first) : np.searchsorted(dead, first + count)] - first
            first += count
            if len(here) == count:
                continue
            group = file.read_row_group(number, columns=wanted)
            arrays = [
                group.column(columns[field.field_id])
                if field.field_id in columns
                else pa.chunked_array([pa.nulls(count)])
                for field in schema.fields
            ]
            cast = [_cast(array, into) for array, into in zip(arrays, target, strict=True)]
            rows = pa.Table.from_arrays(cast, schema=target)
            if len(here):
                alive = np.ones(count, dtype=np.bool_)
                alive[here] = False
                rows = rows.filter(pa.array(alive))
            yield rows


def _cast(array: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return array.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        message = Text(
            "Column {name!r} is {stored} in a file of the table and {shown} in its schema.",
            name=field.name,
            stored=str(array.type),
            shown=str(field.type),
        )
        raise SnapshotRefused(message) from error


def _columns_by_field(schema: pa.Schema, names: NameMapping | None) -> dict[int, str]:
    """Columns of a file by the fields they are: by their ids, or by the table's names for files that carry none."""
    found = {
        int(field.metadata[_FIELD_ID]): field.name for field in schema if field.metadata and _FIELD_ID in field.metadata
    }
    if found or names is None:
        return found
    by_name = {name: mapped.field_id for mapped in names.root for name in mapped.names}
    return {by_name[name]: name for name in schema.names if by_name.get(name) is not None}  # type: ignore[misc]  # looked at


def _require_stored(table: Table, schema: Schema, file: DataFile, present: set[int]) -> None:
    """Refuse a file whose missing columns are not null: values of partitions that stand in its path only."""
    spec = table.metadata.specs()[file.spec_id]
    kept_apart = {field.source_id for field in spec.fields if isinstance(field.transform, IdentityTransform)}
    missing = [field.name for field in schema.fields if field.field_id in kept_apart - present]
    if missing or not present & {field.field_id for field in schema.fields}:
        message = Text(
            "A file of the table does not hold its column {name!r}; rewrite the table's data files.",
            name=(missing or [schema.fields[0].name])[0],
        )
        raise SnapshotRefused(message)


def _dead(io: FileIO, path: str, deletes: DataFile) -> I64:
    """Positions of a data file that a delete file leaves out."""
    with _parquet(io, deletes) as file:
        table = file.read(columns=["file_path", "pos"])
    here = pa.compute.equal(table.column("file_path"), path)
    found: I64 = table.column("pos").filter(here).to_numpy().astype(np.int64)
    return found


@contextmanager
def _parquet(io: FileIO, file: DataFile) -> Iterator[pq.ParquetFile]:
    with io.new_input(file.file_path).open() as stream:
        try:
            yield pq.ParquetFile(pa.PythonFile(stream, mode="r"))
        except (pa.ArrowInvalid, OSError) as error:
            message = Text("A file of the table cannot be read as Parquet: {reason}", reason=str(error)[:200])
            raise SnapshotRefused(message) from error
