"""Parquet files to tables.

Nested values become JSON text (type `json`) in one column each: lists, structs and maps are not flattened, so that no
row is multiplied and no name invented. What a column type cannot hold is kept as its text: see `arrow_columns`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from dataforge.kernel.texts import Text
from versioned_tables.errors import EncodingRefused, ImportRefused
from versioned_tables.files.arrow_columns import column_type, may_need_other_type, other_type, stored
from versioned_tables.files.heading import header_names
from versioned_tables.files.sources import FileSource
from versioned_tables.files.typed import TypedTable

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
        raise ImportRefused(
            Text("{name}: the Parquet file is encrypted; write it without encryption.", name=source.name)
        )
    file = _open(source)
    schema = file.schema_arrow
    if not schema.names:
        raise ImportRefused(Text("{name}: the Parquet file has no columns.", name=source.name))
    names, notes = header_names(schema.names)
    columns = [(name, column_type(field.type)) for name, field in zip(names, schema, strict=True)]
    others = _other_types(source, file)
    columns = [(name, others.get(at, type_)) for at, (name, type_) in enumerate(columns)]
    reasons = [f"Parquet {field.type}" for field in schema]

    def read() -> Iterator[pa.Table]:
        row = 1
        for table in _batches(source):
            yield pa.table(
                [stored(table.column(at), type_, name, row) for at, (name, type_) in enumerate(columns)], names=names
            )
            row += table.num_rows

    return TypedTable(columns, reasons, read, notes)


def _open(source: FileSource) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(pa.PythonFile(_Seekable(source), mode="r"), coerce_int96_timestamp_unit="us")
    except (pa.ArrowException, OSError) as error:
        raise ImportRefused(
            Text("{name}: the Parquet file is malformed: {error}", name=source.name, error=error)
        ) from error


def _batches(source: FileSource, columns: list[str] | None = None) -> Iterator[pa.Table]:
    try:
        for batch in _open(source).iter_batches(_ROWS, columns=columns, use_threads=False):
            yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        _refuse_text(_open(source))
        raise ImportRefused(
            Text("{name}: the Parquet file is malformed: {error}", name=source.name, error=error)
        ) from error


def _refuse_text(file: pq.ParquetFile) -> None:
    """Raise EncodingRefused when a dictionary has a text that is not UTF-8, with its column and the rows of its group.

    Arrow checks a dictionary with indices of other than 32 bits as a whole, before there are rows.
    """
    row = 1
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        for field in file.schema_arrow:
            if not pa.types.is_dictionary(field.type):
                continue
            try:
                file.read_row_group(group, columns=[field.name], use_threads=False)
            except pa.ArrowInvalid as error:
                if "UTF8" in str(error):
                    last = row + rows - 1
                    raise EncodingRefused(
                        Text(
                            "Column {name!r}: a text of the dictionary of rows {row} to {last} is not UTF-8.",
                            name=field.name,
                            row=row,
                            last=last,
                        ),
                        facts={"row": row, "last_row": last, "column": field.name},
                    ) from error
        row += rows


def _other_types(source: FileSource, file: pq.ParquetFile) -> dict[int, str]:
    """Columns whose values do not fit the usual type, found by reading those columns once; most files say in their
    statistics that they do.
    """
    schema = file.schema_arrow
    suspects = [at for at, field in enumerate(schema) if may_need_other_type(field.type) and not _known(file, at)]
    narrow = [schema.names[at] for at in suspects] if len(set(schema.names)) == len(schema.names) else None
    found: dict[int, str] = {}
    for table in _batches(source, narrow) if suspects else ():
        for place, at in enumerate(suspects):
            other = other_type(table.column(at if narrow is None else place))
            if other is not None:
                found[at] = other
    return found


def _known(file: pq.ParquetFile, at: int) -> bool:
    """Whether the statistics of every row group say that the values of a column are of the usual type."""
    kind, metadata = file.schema_arrow.field(at).type, file.metadata
    # Statistics of times come as times of the day, whatever they were.
    if metadata.num_columns != len(file.schema_arrow) or getattr(kind, "unit", "") == "ns" or pa.types.is_time(kind):
        return False
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(at).statistics
        if statistics is None or not statistics.has_min_max:
            return False
        try:
            ends = pa.chunked_array([pa.array([statistics.min, statistics.max], kind)])
        except (ValueError, OverflowError, TypeError, pa.ArrowException):
            return False
        if other_type(ends) is not None:
            return False
    return True
