"""Per-column statistics of a version in one pass and bounded memory.

Nulls, minimum and maximum are exact. Distinct values are estimated from the 1,024 smallest cell hashes (a KMV sketch,
standard error about 3 %; exact below 1,024). Quantiles, histogram and top values come from the rows with the smallest
row hashes, a uniform sample of up to 16,384 rows that is the same on every run; they are exact when the table is not
larger (`sampled` says so).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataforge.contexts.datasets.engine.arrow_types import plain_rows
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.reading import SCAN_ROWS, addresses_at, hashes_at, read_range, rows_at_positions
from dataforge.contexts.datasets.engine.rowhash import U64, cell_codes
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.model.columns import Column

SAMPLE_ROWS = 16_384
SKETCH = 1_024
BINS = 20
TOP = 10
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def table_statistics(tables: TableStore, manifest: Manifest) -> dict[str, object]:
    """JSON: `row_count`, `size_bytes`, `sampled`, and per column name, type, nulls, distinct, min, max, quantiles,
    histogram, top.
    """
    counts = {column.id: _Counts() for column in manifest.schema.columns}
    for start in range(0, manifest.rows, SCAN_ROWS):
        table = read_range(tables, manifest, start, start + SCAN_ROWS)
        for column in manifest.schema.columns:
            counts[column.id].add(table.column(column.id), column.id)
    sample = rows_at_positions(tables, manifest, _sample(tables, manifest))
    columns = [
        _described(column, counts[column.id], sample.column(column.id), manifest.rows)
        for column in manifest.schema.columns
    ]
    return {
        "row_count": manifest.rows,
        "size_bytes": manifest.size_bytes,
        "sampled": manifest.rows > SAMPLE_ROWS,
        "columns": columns,
    }


def _sample(tables: TableStore, manifest: Manifest) -> np.ndarray:
    """Row numbers of the smallest row hashes, in row order."""
    if manifest.rows <= SAMPLE_ROWS:
        return np.arange(manifest.rows)
    best = np.empty(0, dtype=np.int64)
    codes: U64 = np.empty(0, dtype=np.uint64)
    for start in range(0, manifest.rows, SCAN_ROWS * 4):
        rows = np.arange(start, min(manifest.rows, start + SCAN_ROWS * 4))
        found = hashes_at(tables, manifest.schema, manifest.sources, addresses_at(manifest, rows)).high
        rows, found = np.concatenate([best, rows]), np.concatenate([codes, found])
        if len(found) > SAMPLE_ROWS:
            keep = np.argpartition(found, SAMPLE_ROWS)[:SAMPLE_ROWS]
            rows, found = rows[keep], found[keep]
        best, codes = rows, found
    return np.sort(best)


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
        codes = cell_codes(values, column_id)
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


def _described(column: Column, counts: _Counts, sample: pa.ChunkedArray, rows: int) -> dict[str, object]:
    present = sample.drop_null()
    found: dict[str, object] = {
        "name": column.name,
        "type": column.type,
        "nulls": counts.nulls,
        "distinct": min(counts.distinct, rows - counts.nulls),
        "min": _plain(counts.low),
        "max": _plain(counts.high),
        "not_finite": counts.not_finite,
    }
    numbers = _numbers(present)
    if numbers is not None and len(numbers):
        found["quantiles"] = {
            str(q): _shown(value, present.type)
            for q, value in zip(QUANTILES, np.quantile(numbers, QUANTILES), strict=True)
        }
        heights, edges = np.histogram(numbers, bins=BINS)
        found["histogram"] = {"counts": heights.tolist(), "edges": [_shown(edge, present.type) for edge in edges]}
    if len(present) and not pa.types.is_binary(present.type):
        top = sorted(pc.value_counts(present).to_pylist(), key=lambda entry: (-entry["counts"], str(entry["values"])))[
            :TOP
        ]
        scale = (rows - counts.nulls) / len(present)
        values = plain_rows(pa.table({"v": pa.array([entry["values"] for entry in top], present.type)}))
        found["top"] = [
            {"value": value["v"], "count": round(entry["counts"] * scale)}
            for value, entry in zip(values, top, strict=True)
        ]
    return found


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
    """A number of the axis as the column's own type."""
    if pa.types.is_date(kind):
        return str(np.datetime64(round(value), "D"))
    if pa.types.is_timestamp(kind):
        return str(np.datetime64(round(value), "us"))
    return float(value)


def _plain(value: pa.Scalar | None) -> object:
    return None if value is None else plain_rows(pa.table({"v": pa.array([value.as_py()], value.type)}))[0]["v"]
