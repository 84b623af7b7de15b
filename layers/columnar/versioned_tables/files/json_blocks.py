"""Many JSON lines at once by Arrow's reader, where nothing in them is read otherwise than line by line.

A block is left to the reader of lines when it holds anything but flat objects, each on a line of its own, with members
and types that are known; a number of which a double does not keep every digit; text that is not UTF-8; a member twice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from versioned_tables.files.json_cells import EXACT, Digits, exact_fraction
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.inference import convert
from versioned_tables.schema.texts import NOT_FINITE

# Numbers of which a double may not keep every digit; strings with a colon before such digits are only looked at.
_LONG = r":[ \t]*-?(?:[0-9][0-9.]{14}|[0-9.]+[eE])"
_LONG_NUMBER = re.compile(rb":[ \t]*(-?(?:[0-9][0-9.]{14}[0-9.eE+-]*|[0-9.]+[eE][0-9.eE+-]+))")
_ARROW = {
    "nothing": pa.null(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "big": pa.int64(),
    "float": pa.float64(),
    "named": pa.string(),
    "text": pa.string(),
}


def arrow_schema(kinds: Mapping[str, str]) -> pa.Schema | None:
    """The types of members as Arrow reads them; None where one mixes types or is nested."""
    types = [_ARROW.get(kind.partition(":")[0]) for kind in kinds.values()]
    return None if not types or None in types else pa.schema(list(zip(kinds, types, strict=True)))


def read_block(block: bytes, schema: pa.Schema) -> pa.Table | None:
    """The rows of whole lines, or None when they are to be read line by line."""
    # Objects are flat and strings hold no line ends, so as many objects as lines that begin with one are one a line.
    if block[:1] != b"{" or _has(block, r"\n[^{]"):
        return None
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    try:
        table = arrow_json.read_json(
            pa.BufferReader(block),
            arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
        # Texts are looked at byte by byte only here.
        table.validate(full=True)
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    if table.num_rows != lines or table.schema.names != schema.names:
        return None
    floats = [column for column in table.columns if column.type == pa.float64()]
    return table if not floats or (all(map(_is_short, floats)) and _keeps_digits(block)) else None


def _has(block: bytes, pattern: str) -> bool:
    """Whether an expression matches anywhere: Arrow's take a twentieth of the time of Python's."""
    return bool(pc.match_substring_regex(pa.array([block], pa.large_binary()), pattern)[0].as_py())


def _is_short(values: pa.ChunkedArray) -> bool:
    """Whether all numbers are finite, small enough to be a whole number's double, and no zero has a sign: -0 is 0."""
    below = pc.all(pc.less(pc.abs(values), float(EXACT))).as_py() is not False
    return below and pc.min(pc.divide(1.0, values)).as_py() != -math.inf


def _keeps_digits(block: bytes) -> bool:
    """Whether every fraction is the one that its double prints, or exactly its double."""
    if not _has(block, _LONG):
        return True
    numbers = [text.decode() for text in _LONG_NUMBER.findall(block)]
    try:
        texts = pa.array(numbers, pa.string())
        others = texts.filter(pc.not_equal(texts.cast(pa.float64()).cast(pa.string()), texts)).to_pylist()
        return not any(isinstance(exact_fraction(text), Digits) for text in others if not text.lstrip("-").isdigit())
    except (pa.ArrowInvalid, ValueError, ArithmeticError):
        return False


def kind_of_column(values: pa.ChunkedArray) -> str:
    """What the values of a member are evidence for."""
    if values.null_count == len(values):
        return "nothing"
    if values.type == pa.int64():
        ends = pc.min_max(values).as_py()
        return "big" if ends["min"] < -EXACT or ends["max"] > EXACT else "int"
    if values.type != pa.string():
        return "bool" if values.type == pa.bool_() else "float"
    named = pc.sum(pc.is_in(values, pa.array(sorted(NOT_FINITE), pa.string()))).as_py()
    return "text" if not named else "named" if named == len(values) - values.null_count else "text:string"


def typed_values(values: pa.Array, type_: str) -> pa.Array | None:
    """Values of a block as the type of the column, as `cells_column` has them; None when that needs their text."""
    kind = to_arrow(type_)
    if pa.types.is_null(values.type):
        return values.cast(kind)
    if values.type == pa.string():
        if type_ in {"date", "timestamp", "timestamptz"}:
            return convert(values, type_)
        return values if type_ == "string" else None
    if values.type == pa.int64() and type_ == "float":
        return values.cast(pa.float64())
    return values if values.type == kind else None
