"""Values of one column type as another: all of them, exactly, or none, with the rows that do not fit.

A value fits when nothing of it is lost: 9 is a decimal(10,2) and 9.005 is not, 2**53 + 1 is no float. A float is the
shortest decimal that reads back as it. Text is read as imports read a declared type. A time without a zone is taken
for UTC, true for 1. What no rule is for fits only where it is null.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import SchemaMismatch
from versioned_tables.schema.arrow_types import to_arrow, widen
from versioned_tables.schema.columns import family
from versioned_tables.schema.decimals import from_numbers, from_text
from versioned_tables.schema.inference import convert
from versioned_tables.schema.texts import is_json, text_of

ROWS_LISTED = 100
_TEXT_SHOWN = 80
_Converter = Callable[[pa.ChunkedArray, str], "pa.ChunkedArray | None"]


def converted(values: pa.ChunkedArray, old: str, new: str) -> pa.ChunkedArray | None:
    """The values as another type; None when one of them does not fit."""
    if old == new:
        return values
    if values.null_count == len(values):
        return pa.chunked_array([pa.nulls(len(values), to_arrow(new))], to_arrow(new))
    try:
        return _converter(family(old), family(new))(values, new)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def misfits(values: pa.ChunkedArray, old: str, new: str, most: int = ROWS_LISTED) -> list[int]:
    """The first `most` rows that do not fit, found by halving."""
    found: list[int] = []
    todo = [(0, len(values))]
    while todo and len(found) < most:
        start, stop = todo.pop()
        if start == stop or converted(values.slice(start, stop - start), old, new) is not None:
            continue
        if stop - start == 1:
            found.append(start)
            continue
        middle = (start + stop) // 2
        todo += [(middle, stop), (start, middle)]
    return found


def refusal(name: str, values: pa.ChunkedArray, old: str, new: str, first_row: int) -> SchemaMismatch:
    """The error for people. `first_row` is the number of the first of these rows."""
    rows = misfits(values, old, new)
    shown = text_of(values.take(pa.array(rows, pa.int64()))).to_pylist()
    listed = [{"row": first_row + row, "value": text[:_TEXT_SHOWN]} for row, text in zip(rows, shown, strict=True)]
    return misfit(name, new, listed)


def misfit(name: str, type_: str, listed: list[dict[str, object]]) -> SchemaMismatch:
    """The error for rows of a column that are not of a type, the first of them in the sentence."""
    more = f"; {len(listed) - 1} more of the rows looked at do not fit either" if len(listed) > 1 else ""
    first = listed[0]
    return SchemaMismatch(
        Text(
            "Column {name!r} cannot be read as {type} without loss: row {row} has {value!r}{more}.",
            name=name,
            type=type_,
            row=first["row"],
            value=first["value"],
            more=more,
        ),
        facts={"column": name, "type": type_, "rows": listed},
    )


def _converter(old: str, new: str) -> _Converter:
    if new == "string":
        return lambda values, _: text_of(values)
    if new == "json":
        return _to_json if old in {"bool", "int", "float", "decimal", "string"} else _never
    if old in {"string", "json"}:
        return _from_text
    return _CONVERTERS.get((old, new), _never)


def _never(values: pa.ChunkedArray, new: str) -> None:
    del values, new


def _to_json(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray | None:
    del new
    texts = text_of(values)
    return texts if all(text is None or is_json(text) for text in texts.to_pylist()) else None


def _from_text(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray | None:
    """Empty text is no number and no date, and null is no text."""
    if new != "binary" and pc.any(pc.equal(values, "")).as_py():
        return None
    found = convert(values.combine_chunks(), new, lenient=True)
    return None if found is None else pa.chunked_array([found])


def _cast(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray:
    return values.cast(to_arrow(new))


def _bool_to_number(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray | None:
    return converted(values.cast(pa.int64()), "int", new)


def _number_to_bool(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray | None:
    whole = values.cast(pa.int64())
    return whole.cast(to_arrow(new)) if _all(pc.is_in(whole, pa.array([0, 1, None]))) else None


def _int_to_float(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray | None:
    found = values.cast(to_arrow(new), safe=False)
    # The largest integers become 2**63, which is none of them.
    inside = pc.less(found, 2.0**63)
    if not _all(inside):
        return None
    return found if _all(pc.equal(found.cast(pa.int64()), values)) else None


def _float_to_int(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray | None:
    numbers = values.drop_null().to_numpy()
    fits = (np.floor(numbers) == numbers) & (numbers >= -(2.0**63)) & (numbers < 2.0**63)
    return values.cast(to_arrow(new)) if bool(fits.all()) else None


def _to_decimal(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray:
    return from_numbers(values, to_arrow(new))


def _float_to_decimal(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray:
    return from_text(text_of(values), to_arrow(new))


def _decimal_to_float(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray | None:
    found = widen(values, to_arrow(new))
    try:
        if _all(pc.equal(from_text(text_of(found), values.type), values)):
            return found
    except pa.ArrowInvalid:  # the double has other digits than the type has room for
        pass
    pairs = zip(found.to_pylist(), values.to_pylist(), strict=True)
    return found if all(number is None or Decimal(number) == value for number, value in pairs) else None


def _to_date(values: pa.ChunkedArray, new: str) -> pa.ChunkedArray | None:
    local = values.cast(pa.timestamp("us"))
    found = local.cast(to_arrow(new))
    return found if _all(pc.equal(found.cast(pa.timestamp("us")), local)) else None


def _all(flags: pa.ChunkedArray) -> bool:
    return pc.all(flags).as_py() is not False


_CONVERTERS: dict[tuple[str, str], _Converter] = {
    **{("bool", number): _bool_to_number for number in ("int", "float", "decimal")},
    **{(number, "bool"): _number_to_bool for number in ("int", "float", "decimal")},
    ("int", "float"): _int_to_float,
    ("int", "decimal"): _to_decimal,
    ("float", "int"): _float_to_int,
    ("float", "decimal"): _float_to_decimal,
    ("decimal", "int"): _cast,
    ("decimal", "float"): _decimal_to_float,
    ("decimal", "decimal"): _to_decimal,
    ("date", "timestamp"): _cast,
    ("date", "timestamptz"): _cast,
    ("timestamp", "date"): _to_date,
    ("timestamptz", "date"): _to_date,
    ("timestamp", "timestamptz"): _cast,
    ("timestamptz", "timestamp"): _cast,
}
