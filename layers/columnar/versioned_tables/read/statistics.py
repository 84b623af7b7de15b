"""Per-column statistics of a version in one pass and bounded memory and time.

Up to `MOST_CELLS` cells every row is read: nulls, minimum and maximum are exact, and distinct values are estimated
from the 1,024 smallest cell hashes (a KMV sketch, standard error about 3 %; exact below 1,024). Of larger tables as
many rows are read, in stretches spread evenly over the table; `rows_read` says how many, nulls are scaled up, and so
are distinct values where nearly every one of them was seen once. Quantiles, histogram and top values come from a
uniform sample of up to 16,384 of the rows read, the same on every run; they are exact when the table is not larger
(`sampled` says so).
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from versioned_tables.format.manifest import Manifest
from versioned_tables.hashing.row_hash import U64, cell_codes
from versioned_tables.read.rows import read_range, windows
from versioned_tables.schema.columns import Column
from versioned_tables.schema.texts import plain_values
from versioned_tables.storage.table_store import TableStore

MOST_CELLS = 24_000_000
SAMPLE_ROWS = 16_384
SAMPLE_BYTES = 32 << 20
SKETCH = 1_024
BINS = 20
TOP = 10
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SHOWN_TEXT = 200
_ONCE = 0.9


def table_statistics(store: TableStore, manifest: Manifest, *, most_cells: int = MOST_CELLS) -> dict[str, object]:
    """JSON: `row_count`, `rows_read`, `size_bytes`, `sampled`, and per column name, type, nulls, distinct, min, max,
    quantiles, histogram, top.
    """
    counts = {column.id: _Counts() for column in manifest.schema.columns}
    sample = _Sample()
    read = 0
    for start, stop in _stretches(manifest, max(1, most_cells // max(1, len(manifest.schema.columns)))):
        table = read_range(store, manifest, start, stop)
        read += table.num_rows
        sample.add(table, start)
        for column in manifest.schema.columns:
            counts[column.id].add(table.column(column.id), column.id)
    picked = sample.table(read_range(store, manifest, 0, 0))
    columns = [
        _described(column, counts[column.id], picked.column(column.id), manifest.rows, read)
        for column in manifest.schema.columns
    ]
    return {
        "row_count": manifest.rows,
        "rows_read": read,
        "size_bytes": manifest.size_bytes,
        "sampled": manifest.rows > picked.num_rows,
        "columns": columns,
    }


def _stretches(manifest: Manifest, most: int) -> list[tuple[int, int]]:
    """Row ranges to read: all of them, or about `most` rows, evenly spread."""
    every = list(windows(manifest, 0, manifest.rows))
    if manifest.rows <= most:
        return every
    rows = max(1, most // len(every))
    return [(start, min(stop, start + rows)) for start, stop in every]


class _Sample:
    """The rows whose scrambled row numbers are the smallest: `SAMPLE_ROWS`, or fewer where rows are wide."""

    def __init__(self) -> None:
        self._most = SAMPLE_ROWS
        self._parts: list[pa.Table] = []
        self._codes: U64 = np.empty(0, dtype=np.uint64)

    def add(self, table: pa.Table, start: int) -> None:
        """Count rows; `start` is the number of the first."""
        self._most = min(self._most, max(1, SAMPLE_BYTES * table.num_rows // max(1, table.nbytes)))
        codes = np.arange(start, start + table.num_rows, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        codes ^= codes >> np.uint64(32)
        codes *= np.uint64(0xD6E8FEB86659FD93)
        if len(self._codes) >= self._most:
            keep = np.flatnonzero(codes < self._codes.max())
            table, codes = table.take(pa.array(keep)), codes[keep]
        self._parts.append(table)
        self._codes = np.concatenate([self._codes, codes])
        if len(self._codes) > self._most:
            best = np.sort(np.argpartition(self._codes, self._most)[: self._most])
            self._parts, self._codes = [pa.concat_tables(self._parts).take(pa.array(best))], self._codes[best]

    def table(self, empty: pa.Table) -> pa.Table:
        """The rows in row order."""
        return pa.concat_tables([empty, *self._parts])


class _Counts:
    """What can be added up over parts of a column."""

    def __init__(self) -> None:
        self.nulls = 0
        self.low: pa.Scalar | None = None
        self.high: pa.Scalar | None = None
        self.not_finite = 0
        self._sketch: U64 = np.empty(0, dtype=np.uint64)

    def add(self, values: pa.ChunkedArray, column_id: str) -> None:
        """One more part."""
        self.nulls += values.null_count
        if values.null_count == len(values):
            return
        codes = cell_codes(values.unique(), column_id)
        if len(self._sketch) == SKETCH:
            codes = codes[codes < self._sketch[-1]]
        self._sketch = np.unique(np.concatenate([self._sketch, codes[codes != 0]]))[:SKETCH]
        if pa.types.is_floating(values.type):
            finite = pc.is_finite(values)
            self.not_finite += len(values) - values.null_count - (pc.sum(finite).as_py() or 0)
            values = values.filter(pc.fill_null(finite, False))  # noqa: FBT003 - pyarrow's own signature
            if not len(values):
                return
        if pa.types.is_binary(values.type):
            return
        ends = pc.min_max(values)
        if self.low is None or pc.less(ends["min"], self.low).as_py():
            self.low = ends["min"]
        if self.high is None or pc.greater(ends["max"], self.high).as_py():
            self.high = ends["max"]

    @property
    def distinct(self) -> int:
        """The estimate: k-1 over the k-th smallest hash as a fraction of the hash space."""
        if len(self._sketch) < SKETCH:
            return len(self._sketch)
        return round((SKETCH - 1) / (float(self._sketch[-1]) / 2.0**64))


def _described(column: Column, counts: _Counts, sample: pa.ChunkedArray, rows: int, read: int) -> dict[str, object]:
    present = sample.drop_null()
    nulls = round(counts.nulls * rows / max(1, read))
    distinct = min(counts.distinct, read - counts.nulls)
    if distinct >= _ONCE * (read - counts.nulls):
        distinct = round(distinct * rows / max(1, read))
    found: dict[str, object] = {
        "name": column.name,
        "type": column.type,
        "nulls": nulls,
        "distinct": min(distinct, rows - nulls),
        "min": _plain(counts.low),
        "max": _plain(counts.high),
        "not_finite": round(counts.not_finite * rows / max(1, read)),
    }
    numbers = _numbers(present)
    if numbers is not None and len(numbers):
        found["quantiles"] = _quantiles(present)
        edges = _edges(float(numbers.min()), float(numbers.max()))
        heights = np.histogram(numbers, bins=edges)[0]
        found["histogram"] = {
            "counts": heights.tolist(),
            "edges": [_shown(edge, present.type) for edge in edges],
        }
    if len(present) and not pa.types.is_binary(present.type):
        seen = pc.value_counts(present)
        texts, times = plain_values(seen.field("values")), seen.field("counts").to_pylist()
        top = sorted(zip(texts, times, strict=True), key=lambda entry: (-entry[1], str(entry[0])))[:TOP]
        scale = (rows - nulls) / len(present)
        found["top"] = [{"value": _short(value), "count": round(count * scale)} for value, count in top]
    return found


def _quantiles(present: pa.ChunkedArray) -> dict[str, object]:
    """Values of the column, as such: a whole number has all of its digits, a point in time its zone."""
    if pa.types.is_floating(present.type):
        present = present.filter(pc.is_finite(present))
    places = np.quantile(np.arange(len(present)), QUANTILES, method="inverted_cdf").astype(np.int64)
    values = present.take(pc.sort_indices(present).take(pa.array(places)))
    return dict(zip(map(str, QUANTILES), plain_values(values), strict=True))


def _edges(low: float, high: float) -> list[float]:
    """Edges of equal bins; halves are taken first, so that the widest range of doubles does not overflow."""
    if low == high:
        low, high = low - 0.5, high + 0.5
    inner = (low * (1 - at / BINS) + high * (at / BINS) for at in range(1, BINS))
    edges = [low, *inner, high]
    if all(one < two for one, two in pairwise(edges)):
        return edges
    above = math.nextafter(low, math.inf)
    return [math.nextafter(low, 0.0), low] if above == math.inf else [low, max(high, above)]


def _numbers(present: pa.ChunkedArray) -> np.ndarray | None:
    kind = present.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = present.cast(pa.float64(), safe=False).to_numpy()
        finite: np.ndarray = values[np.isfinite(values)]
        return finite
    if pa.types.is_date(kind):
        return np.asarray(present.cast(pa.int32()).to_numpy(), dtype=np.float64)
    if pa.types.is_timestamp(kind):
        return np.asarray(present.cast(pa.int64()).to_numpy(), dtype=np.float64)
    return None


def _shown(value: float, kind: pa.DataType) -> object:
    """A number of the axis; where it counts days or microseconds, as a text of the column's own type."""
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        counted = pa.int32() if pa.types.is_date(kind) else pa.int64()
        return plain_values(pa.array([round(value)], counted).view(kind))[0]
    return float(value)


def _plain(value: pa.Scalar | None) -> object:
    if value is None:
        return None
    return _short(plain_values(pa.array([value], value.type))[0])


def _short(value: object) -> object:
    """Texts are shown from their beginning; PostgreSQL's JSON has no NUL character."""
    if not isinstance(value, str):
        return value
    text = value.replace("\x00", "\ufffd")
    return text if len(text) <= SHOWN_TEXT else text[:SHOWN_TEXT] + "\u2026"
