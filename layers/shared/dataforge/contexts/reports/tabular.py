"""A report as rows and columns, and as a file of them."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from dataforge.kernel.csv_cells import write_cell, write_lines

if TYPE_CHECKING:
    import pyarrow as pa

Cell = str | int | float | bool | datetime | date | None


class Kind(StrEnum):
    """What a column holds; ids are texts."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Tabular:
    """Rows under named columns."""

    columns: Mapping[str, Kind]
    rows: Sequence[Sequence[Cell]]

    @classmethod
    def of(cls, columns: Mapping[str, Kind], rows: Iterable[Mapping[str, Cell]]) -> Self:
        """Rows that are given by the names of their columns."""
        return cls(columns, [[row[name] for name in columns] for row in rows])


def csv_bytes(table: Tabular, *, excel: bool = False) -> bytes:
    """RFC 4180 with a header, in UTF-8; for spreadsheets what they would take for a formula is made harmless."""
    rows = ([write_cell(value, excel=excel) for value in row] for row in table.rows)
    return write_lines([[write_cell(name, excel=excel) for name in table.columns], *rows])


def parquet_bytes(table: Tabular, facts: Mapping[str, str]) -> bytes:
    """A Parquet file with `facts` as its metadata: times are timestamps in UTC, counts int64, numbers doubles."""
    import pyarrow as pa
    from pyarrow import parquet

    fields = [pa.field(name, _arrow_type(kind)) for name, kind in table.columns.items()]
    columns: Iterable[Sequence[Cell]] = zip(*table.rows, strict=True) if table.rows else [()] * len(fields)
    arrays = [pa.array(values, type=field.type) for values, field in zip(columns, fields, strict=True)]
    sink = io.BytesIO()
    parquet.write_table(pa.table(arrays, schema=pa.schema(fields, metadata=facts)), sink, compression="zstd")
    return sink.getvalue()


def _arrow_type(kind: Kind) -> "pa.DataType":
    import pyarrow as pa

    kinds = {
        Kind.TEXT: pa.string(),
        Kind.COUNT: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.FLAG: pa.bool_(),
        Kind.TIME: pa.timestamp("us", tz="UTC"),
        Kind.DATE: pa.date32(),
    }
    return kinds[kind]
