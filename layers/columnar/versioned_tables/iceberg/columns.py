"""Between columns of versions and fields of Iceberg.

| Column type | Iceberg | |
|---|---|---|
| `bool` `string` `binary` `date` | `boolean` `string` `binary` `date` | |
| `int` | `long` | |
| `float` | `double` | |
| `decimal(p,s)`, p up to 38 | `decimal(p,s)` | |
| `decimal(p,s)`, p above 38 | `string` | plain digits; Iceberg has no wider decimals |
| `time` `timestamp` `timestamptz` | `time` `timestamp` `timestamptz` | microseconds |
| `json` | `string` | compact JSON |

Durations, intervals, UUIDs and nested values are texts or JSON in a version already (FORMAT.md).
A column keeps its field as long as Iceberg can read what files hold as the column's type: a rename is a rename, a
decimal may get more digits. Any other change of type, and a name that comes again, is another field, as it is another
column here.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyiceberg.schema import Schema
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    LongType,
    NestedField,
    PrimitiveType,
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
)

from versioned_tables.schema.arrow_types import to_arrow, widen
from versioned_tables.schema.columns import Column, TableSchema, decimal_digits

MOST_DIGITS = 38
_MARK = "column "
_TYPES: dict[str, PrimitiveType] = {
    "bool": BooleanType(),
    "int": LongType(),
    "float": DoubleType(),
    "string": StringType(),
    "json": StringType(),
    "binary": BinaryType(),
    "date": DateType(),
    "time": TimeType(),
    "timestamp": TimestampType(),
    "timestamptz": TimestamptzType(),
}


def iceberg_type(type_: str) -> PrimitiveType:
    """The Iceberg type that shows a column type."""
    digits = decimal_digits(type_)
    if digits is None:
        return _TYPES[type_]
    return DecimalType(*digits) if digits[0] <= MOST_DIGITS else StringType()


def file_type(type_: str) -> pa.DataType:
    """The Arrow type that files of a published table hold a column in."""
    return pa.string() if isinstance(iceberg_type(type_), StringType) else to_arrow(type_)


def file_column(array: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """A column of a version as files of a published table hold it."""
    return widen(array, file_type(column.type))


def column_of(field: NestedField) -> str | None:
    """The id of the column that a field of ours shows; None for a field that somebody else has added."""
    doc = field.doc or ""
    return doc.removeprefix(_MARK) if doc.startswith(_MARK) else None


def next_fields(schema: TableSchema, current: Schema | None, last_id: int) -> Schema:
    """The schema of a published table at a version: present fields are kept where they can be, new ones get new ids.

    `last_id` is the highest field id that the table has ever used.
    """
    known = {} if current is None else {column_of(field): field for field in current.fields}
    fields = []
    for column in schema.columns:
        wanted = iceberg_type(column.type)
        field = known.get(column.id)
        if field is not None and _readable(field.field_type, wanted):
            identity = field.field_id
        else:
            last_id += 1
            identity = last_id
        fields.append(NestedField(identity, column.name, wanted, required=False, doc=_MARK + column.id))
    return Schema(*fields)


def same_fields(one: Schema, other: Schema) -> bool:
    """Whether two schemas have the same fields in the same order."""
    return list(one.fields) == list(other.fields)


def _readable(stored: IcebergType, wanted: PrimitiveType) -> bool:
    """Whether Iceberg reads values of one type as another: the rules of its specification, of which these occur."""
    if isinstance(stored, DecimalType) and isinstance(wanted, DecimalType):
        return stored.scale == wanted.scale and stored.precision <= wanted.precision
    return bool(stored == wanted)


def declared_types(schema: TableSchema, fields: Iterable[NestedField]) -> dict[str, str]:
    """Column types that a snapshot's own types do not tell, by name: of columns whose field is what publishing makes
    of them, JSON texts are JSON and digits are decimals again.
    """
    shown = {field.name: field.field_type for field in fields}
    as_published = (column for column in schema.columns if shown.get(column.name) == iceberg_type(column.type))
    return {
        column.name: column.type
        for column in as_published
        if column.type == "json" or to_arrow(column.type) != file_type(column.type)
    }
