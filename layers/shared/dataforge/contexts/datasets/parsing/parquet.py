"""Parquet files to tables.

Nested values become JSON text (type `json`) in one column each: lists, structs and maps are not flattened, so that no
row is multiplied and no name invented. Unsigned 64-bit integers above 2^63 become decimals; nanosecond times that
microseconds cannot hold become ISO text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataforge.contexts.datasets.engine.arrow_types import from_arrow, to_arrow
from dataforge.contexts.datasets.errors import ImportRefused
from dataforge.contexts.datasets.parsing.dialect import header_names
from dataforge.contexts.datasets.parsing.sources import FileSource
from dataforge.contexts.datasets.parsing.typed import TypedTable

_ROWS = 65_536


class _Seekable:
    """A source as a seekable file object, which Arrow's Parquet reader wants."""

    def __init__(self, source: FileSource) -> None:
        self._source = source
        self._at = 0
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        length = self._source.size - self._at if size < 0 else size
        data = self._source.read(self._at, length) if length > 0 else b""
        self._at += len(data)
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        self._at = place + (0, self._at, self._source.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True

    def flush(self) -> None:
        """Nothing is buffered."""


def parquet_table(source: FileSource) -> TypedTable:
    """The table of a Parquet file. Raises ImportRefused when it is malformed or encrypted."""
    if source.read(source.size - 4, 4) == b"PARE":
        raise ImportRefused(f"{source.name}: the Parquet file is encrypted; write it without encryption.")
    schema = _open(source).schema_arrow
    names, notes = header_names(schema.names)
    columns = [(name, _type_of(field.type)) for name, field in zip(names, schema, strict=True)]
    wide = _need_wider(source, schema)
    columns = [(name, wide.get(at, type_)) for at, (name, type_) in enumerate(columns)]
    reasons = [f"Parquet {field.type}" for field in schema]

    def read() -> Iterator[pa.Table]:
        for table in _batches(source):
            yield pa.table([_column(table.column(at), type_) for at, (_, type_) in enumerate(columns)], names=names)

    return TypedTable(columns, reasons, read, notes)


def _open(source: FileSource) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(pa.PythonFile(_Seekable(source), mode="r"))
    except (pa.ArrowException, OSError) as error:
        raise ImportRefused(f"{source.name}: the Parquet file is malformed: {error}") from error


def _batches(source: FileSource) -> Iterator[pa.Table]:
    try:
        for batch in _open(source).iter_batches(_ROWS, use_threads=False):
            yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise ImportRefused(f"{source.name}: the Parquet file is malformed: {error}") from error


def _type_of(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return _type_of(kind.value_type)
    try:
        return from_arrow(kind)
    except KeyError:
        return "json" if pa.types.is_nested(kind) else "string"


def _need_wider(source: FileSource, schema: pa.Schema) -> dict[int, str]:
    """Columns whose values do not fit the usual type, found by reading those columns once."""
    suspects = [
        at
        for at, field in enumerate(schema)
        if field.type == pa.uint64() or (pa.types.is_timestamp(field.type) and field.type.unit == "ns")
    ]
    found: dict[int, str] = {}
    for table in _batches(source) if suspects else ():
        for at in suspects:
            column = table.column(at)
            if column.type == pa.uint64():
                if (pc.max(column).as_py() or 0) >= 1 << 63:
                    found[at] = "decimal(20,0)"
            elif column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(column.type) != column:
                found[at] = "string"
    return found


def _column(array: pa.ChunkedArray, type_: str) -> pa.ChunkedArray:
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.cast(kind.value_type)
        kind = array.type
    if type_ == "json":
        return pa.chunked_array(
            [
                pa.array(
                    [None if v is None else json.dumps(v, default=str, ensure_ascii=False) for v in array.to_pylist()],
                    pa.string(),
                )
            ]
        )
    if type_ == "string" and not pa.types.is_string(kind):
        if pa.types.is_timestamp(kind):
            return pc.strftime(array, "%Y-%m-%dT%H:%M:%S")
        return (
            array.cast(pa.string())
            if not pa.types.is_null(kind)
            else pa.chunked_array([pa.nulls(len(array), pa.string())])
        )
    if pa.types.is_timestamp(kind) and kind.tz:
        return array.cast(pa.timestamp("us", "UTC"), safe=False)
    return array.cast(to_arrow(type_), safe=not pa.types.is_floating(kind))
