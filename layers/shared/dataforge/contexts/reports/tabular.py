"""A report as rows and columns, and as a file of them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

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


def csv_bytes(table: Tabular) -> bytes:
    """RFC 4180 with a header, in UTF-8; times in UTC, no value for what is not known.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, which such programs do not show
    (OWASP, CSV injection): names come from anywhere.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(table.columns)
    writer.writerows([_shown(value) for value in row] for row in table.rows)
    return file.getvalue().encode()


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


def _shown(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return repr(value)
