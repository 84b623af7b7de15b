"""Data files and position deletes: rows and their bounds as Iceberg's manifests name them."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.utils.decimal import decimal_to_bytes
from pyiceberg.utils.truncate import truncate_upper_bound_binary_string, truncate_upper_bound_text_string

from versioned_tables.format.manifest import I64

_FIELD_ID = b"PARQUET:field_id"
_PATH_FIELD, _POSITION_FIELD = 2147483546, 2147483545
_DELETES = pa.schema(
    [
        pa.field("file_path", pa.string(), nullable=False, metadata={_FIELD_ID: str(_PATH_FIELD)}),
        pa.field("pos", pa.int64(), nullable=False, metadata={_FIELD_ID: str(_POSITION_FIELD)}),
    ]
)
# Characters or bytes of bounds, as Iceberg's writers have them by default.
_BOUND = 16
_ROW_GROUP = 65_536
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """The bytes of a file and what a manifest says of it, but where it is."""

    data: pa.Buffer
    record: Mapping[str, Any]

    def at(self, path: str) -> DataFile:
        """The entry of the file stored at a path."""
        return DataFile.from_args(file_path=path, **self.record)


def arrow_schema_of(schema: Schema, types: Sequence[pa.DataType]) -> pa.Schema:
    """The schema of a data file: names of now, with the ids of the fields that readers go by."""
    return pa.schema(
        [
            pa.field(field.name, type_, metadata={_FIELD_ID: str(field.field_id)})
            for field, type_ in zip(schema.fields, types, strict=True)
        ]
    )


def write_rows(schema: pa.Schema, tables: Iterable[pa.Table]) -> WrittenFile:
    """A data file of rows, in row groups that can be skipped by their bounds.

    Parquet's bounds leave NaN out, and engines that order it above all numbers would skip row groups that have it. So
    floats have none there, and in the manifest where a file has no NaN.
    """
    sink = pa.BufferOutputStream()
    floats = {
        name: _FloatBounds(identity)
        for name, identity, type_ in zip(schema.names, _field_ids(schema), schema.types, strict=True)
        if pa.types.is_floating(type_)
    }
    bounded = [name for name in schema.names if name not in floats]
    with pq.ParquetWriter(sink, schema, compression="zstd", compression_level=1, write_statistics=bounded) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=_ROW_GROUP)
            for name, bounds in floats.items():
                bounds.add(table.column(name))
    data = sink.getvalue()
    record = _record(data, DataFileContent.DATA)
    for bounds in floats.values():
        bounds.note(record)
    return WrittenFile(data, record)


class _FloatBounds:
    """What a manifest says of a column of floats."""

    def __init__(self, identity: int) -> None:
        self._identity = identity
        self._nulls = self._nans = 0
        self._low, self._high = math.inf, -math.inf

    def add(self, column: pa.ChunkedArray) -> None:
        """Take the values of some rows."""
        self._nulls += column.null_count
        self._nans += pc.sum(pc.is_nan(column)).as_py() or 0
        ends = pc.min_max(column).as_py()
        if ends["min"] is not None and not self._nans:
            self._low, self._high = min(self._low, ends["min"]), max(self._high, ends["max"])

    def note(self, record: Mapping[str, Any]) -> None:
        """Write it into the record of the file."""
        record["null_value_counts"][self._identity] = self._nulls
        record["nan_value_counts"][self._identity] = self._nans
        if not self._nans and self._low <= self._high:
            record["lower_bounds"][self._identity] = _bound(self._low)
            record["upper_bounds"][self._identity] = _bound(self._high)


def write_deletes(path: str, positions: I64) -> WrittenFile:
    """A file that leaves out rows of one data file, by their positions in order."""
    paths = pa.DictionaryArray.from_arrays(pa.array([0] * len(positions), pa.int8()), pa.array([path])).cast(
        pa.string()
    )
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays([paths, pa.array(positions)], schema=_DELETES), sink, compression="zstd")
    data = sink.getvalue()
    # Whole bounds: equal ones tell readers that the file is about one data file only.
    bounds = {_PATH_FIELD: path.encode()}
    whole = _record(data, DataFileContent.POSITION_DELETES)
    lower = {**whole.pop("lower_bounds"), **bounds}
    upper = {**whole.pop("upper_bounds"), **bounds}
    return WrittenFile(data, {**whole, "lower_bounds": lower, "upper_bounds": upper})


def _field_ids(schema: pa.Schema) -> list[int]:
    return [int(field.metadata[_FIELD_ID]) for field in schema]


def _record(data: pa.Buffer, content: DataFileContent) -> dict[str, Any]:
    """What a manifest says of a Parquet file: sizes, counts and bounds by field id."""
    metadata = pq.read_metadata(pa.BufferReader(data))
    ids = _field_ids(metadata.schema.to_arrow_schema())
    sizes, values, nulls = (dict.fromkeys(ids, 0) for _ in range(3))
    lows: dict[int, list[Any]] = {identity: [] for identity in ids}
    highs: dict[int, list[Any]] = {identity: [] for identity in ids}
    unknown: set[int] = set()
    offsets = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        offsets.append(_first_page(group.column(0)))
        for at, identity in enumerate(ids):
            column = group.column(at)
            sizes[identity] += column.total_compressed_size
            values[identity] += column.num_values
            statistics = column.statistics
            if statistics is None or not statistics.has_null_count:
                unknown.add(identity)
                continue
            nulls[identity] += statistics.null_count
            if statistics.has_min_max:
                lows[identity].append(statistics.min)
                highs[identity].append(statistics.max)
            elif statistics.null_count < column.num_values:
                unknown.add(identity)
    known = [identity for identity in ids if identity not in unknown and lows[identity]]
    lower = {identity: _bound(min(lows[identity])) for identity in known}
    upper = {identity: _upper(max(highs[identity])) for identity in known}
    return {
        "content": content,
        "file_format": FileFormat.PARQUET,
        "partition": Record(),
        "record_count": metadata.num_rows,
        "file_size_in_bytes": data.size,
        "column_sizes": sizes,
        "value_counts": values,
        "null_value_counts": {identity: count for identity, count in nulls.items() if identity not in unknown},
        "nan_value_counts": {},
        "lower_bounds": lower,
        "upper_bounds": {identity: bound for identity, bound in upper.items() if bound is not None},
        "split_offsets": offsets,
        "equality_ids": None,
        "sort_order_id": None,
        "key_metadata": None,
        "spec_id": 0,
    }


def _first_page(column: pq.ColumnChunkMetaData) -> int:
    return int(column.dictionary_page_offset or column.data_page_offset)


def _upper(value: object) -> bytes | None:
    if isinstance(value, str):
        shown = truncate_upper_bound_text_string(value, _BOUND)
        return None if shown is None else shown.encode()
    if isinstance(value, bytes):
        return truncate_upper_bound_binary_string(value, _BOUND)
    return _bound(value)


def _bound(value: object) -> bytes:
    """A bound as Iceberg's specification writes single values; raises KeyError for what no column holds."""
    return _PACKED[type(value)](value)


def _packed_timestamp(value: datetime) -> bytes:
    since = (value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH
    return struct.pack("<q", (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _packed_time(value: time) -> bytes:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return struct.pack("<q", seconds * 1_000_000 + value.microsecond)


_PACKED: Mapping[type, Callable[[Any], bytes]] = {
    bool: lambda value: struct.pack("<?", value),
    int: lambda value: struct.pack("<q", value),
    float: lambda value: struct.pack("<d", value),
    str: lambda value: value[:_BOUND].encode(),
    bytes: lambda value: value[:_BOUND],
    Decimal: decimal_to_bytes,
    datetime: _packed_timestamp,
    date: lambda value: struct.pack("<i", value.toordinal() - _EPOCH.toordinal()),
    time: _packed_time,
}
