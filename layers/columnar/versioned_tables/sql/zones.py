"""Between which values the first key column of a table lies, run of rows by run of rows: the manifest alone says it.

Tables with a key are in its order, and the manifest holds the first key of every leaf. So a filter on that column
leaves out what cannot pass without reading it, however long the table is.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from versioned_tables.format.manifest import I64, KeyList, Manifest
from versioned_tables.schema.arrow_types import to_arrow

# A request for a few rows costs about as much as decoding a chunk or two.
LEAST_ROWS = 20_000
_MOST_ZONES = 16_384
_SIGN = np.uint64(1 << 63)
_WHOLE = frozenset({"int", "date", "timestamp", "timestamptz"})


def zoned_column(manifest: Manifest) -> int | None:
    """The index of the column that has zones, if one has."""
    schema = manifest.schema
    if manifest.rows < LEAST_ROWS or not schema.key_columns or len(manifest.leaves.first_keys) < len(manifest.leaves):
        return None
    first = schema.key_columns[0]
    if first.type not in _WHOLE and first.type not in {"float", "string"}:
        return None
    return next(at for at, column in enumerate(schema.columns) if column.id == first.id)


def zones(manifest: Manifest) -> pa.Table:
    """Rows `start .. stop` of the version, the lowest value of the zoned column there and one that none is above;
    `high` is null in the last zone.
    """
    count = len(manifest.leaves)
    firsts = np.arange(0, count, math.ceil(count / _MOST_ZONES))
    starts = manifest.leaf_ends[firsts] - manifest.leaves.counts[firsts]
    type_ = manifest.schema.key_columns[0].type
    low = _values(manifest.leaves.first_keys, firsts, type_)
    high = pa.concat_arrays([low.slice(1), pa.nulls(1, low.type)])
    stops = np.append(starts[1:], manifest.rows)
    return pa.table({"start": pa.array(starts), "stop": pa.array(stops), "low": low, "high": high})


def _values(keys: KeyList, picked: I64, type_: str) -> pa.Array:
    """The first part of encoded keys (see `format.keys`), decoded."""
    kind = to_arrow(type_)
    if type_ == "string":
        parts = (keys[at].split(b"\x00\x01", 1)[0] for at in picked.tolist())
        return pa.array([part.replace(b"\x00\xff", b"\x00").decode() for part in parts], kind)
    blob = np.frombuffer(keys.blob, dtype=np.uint8)
    raw = blob[keys.offsets[picked][:, None] + np.arange(8)]
    bits = np.ascontiguousarray(raw).view(">u8").ravel().astype(np.uint64)
    if type_ == "float":
        unflipped = np.where(bits >> np.uint64(63), bits ^ _SIGN, ~bits)
        return pa.array(unflipped.view(np.float64), kind, from_pandas=False)
    whole = pa.array((bits ^ _SIGN).view(np.int64))
    return whole.cast(pa.int32()).cast(kind) if type_ == "date" else whole.cast(kind)
