"""Columns of any Arrow type as columns of a table.

What no column type holds becomes its text (see `engine.texts`): lengths of time, UUIDs, and columns with a date
outside the years 1 to 9999, a time that is none of the day, or more digits of a second than six. Unsigned whole
numbers above 2^63 become decimals. Nested values become JSON.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import ImportRefused
from versioned_tables.schema.arrow_types import from_arrow, to_arrow
from versioned_tables.schema.readable import bounds, counts_of
from versioned_tables.schema.texts import is_json, is_nested, text_of


def column_type(kind: pa.DataType) -> str:
    """The usual column type of an Arrow type."""
    if isinstance(kind, pa.BaseExtensionType):
        return _EXTENSIONS.get(kind.extension_name) or column_type(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return column_type(kind.value_type)
    try:
        return from_arrow(kind)
    except KeyError:
        return "json" if is_nested(kind) else "string"


_EXTENSIONS = {"arrow.uuid": "string", "arrow.json": "json", "arrow.bool8": "bool"}


def may_need_other_type(kind: pa.DataType) -> bool:
    """Whether some values of the type do not fit its usual column type."""
    return bool(kind == pa.uint64() or bounds(kind) is not None)


def other_type(values: pa.ChunkedArray) -> str | None:
    """The type that a column needs for these values when it is not the usual one."""
    kind = values.type
    if kind == pa.uint64():
        return "decimal(20,0)" if (pc.max(values).as_py() or 0) >= 1 << 63 else None
    limits = bounds(kind)
    if limits is None:
        return None
    counts = counts_of(values)
    ends = pc.min_max(counts).as_py()
    if ends["min"] is not None and (ends["min"] < limits[0] or ends["max"] >= limits[1]):
        return "string"
    if getattr(kind, "unit", "") == "ns":
        micros = pc.multiply(pc.divide(counts, 1000), 1000)
        return None if pc.all(pc.equal(micros, counts)).as_py() is not False else "string"
    return None


def stored(values: pa.ChunkedArray, type_: str, name: str, first_row: int) -> pa.ChunkedArray:
    """Values as the array of their column type. Raises ImportRefused naming the first row without a text."""
    if type_ in {"string", "json"}:
        texts = _texts(values, name, first_row)
        if type_ == "json" and not is_nested(values.type):
            _require_json(texts, name, first_row)
        return texts
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        values = _chunks(values, lambda chunk: chunk.storage)
        return pc.not_equal(values, 0) if type_ == "bool" else stored(values, type_, name, first_row)
    if pa.types.is_dictionary(kind):
        return stored(values.cast(kind.value_type), type_, name, first_row)
    if pa.types.is_run_end_encoded(kind):
        return stored(_chunks(values, pc.run_end_decode), type_, name, first_row)
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary_view(kind):
        values = values.cast(pa.large_binary())
    return values.cast(to_arrow(type_), safe=not (pa.types.is_floating(kind) or pa.types.is_temporal(kind)))


def _texts(values: pa.ChunkedArray, name: str, first_row: int) -> pa.ChunkedArray:
    try:
        return text_of(values)
    except ValueError:
        for row in range(len(values)):
            try:
                text_of(values.slice(row, 1))
            except UnicodeDecodeError as error:
                message = Text(
                    "Row {first_row}, column {name!r}: a text in it is not UTF-8.", first_row=first_row + row, name=name
                )
                raise ImportRefused(message, facts={"row": first_row + row, "column": name}) from error
            except ValueError as error:
                message = Text(
                    "Row {first_row}, column {name!r}: a map has a key twice.", first_row=first_row + row, name=name
                )
                raise ImportRefused(message, facts={"row": first_row + row, "column": name}) from error
        raise


def _require_json(texts: pa.ChunkedArray, name: str, first_row: int) -> None:
    for row, text in enumerate(texts.to_pylist(), first_row):
        if text is not None and not is_json(text):
            raise ImportRefused(
                Text("Row {row}, column {name!r}: {text!r:.80} is not JSON.", row=row, name=name, text=text),
                facts={"row": row},
            )


def _chunks(values: pa.ChunkedArray, call: Callable[[pa.Array], pa.Array]) -> pa.ChunkedArray:
    return pa.chunked_array([call(chunk) for chunk in values.chunks])
