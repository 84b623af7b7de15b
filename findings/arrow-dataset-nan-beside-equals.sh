#!/usr/bin/env bash
# pyarrow 26.0.1: filtering a Parquet file loses the rows with NaN of a row group whose other values are all equal.
# Guess: a filter given to read_table() or a dataset keeps the same rows as the same filter on the table once it is read;
#   bounds are used only to skip what cannot match, and NaN is in no bound.
# Seen: with 1.0, 1.0 and NaN, `is_nan(x)`, `x != 1.0` and `~(x <= 5.0)` keep one row of the table, and none of the file.
#   With 1.0, 2.0 and NaN, is_nan finds the row.
# Source: pyarrow.dataset, Expression simplification with a row group's guarantee: equal bounds become `x == 1.0`.
# What we do: exports have no bounds of floats (versioned_tables/exports/export.py), with which the file is right as well.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

x = pc.field("x")
filters = {"is_nan(x)": pc.is_nan(x), "x != 1.0": x != 1.0, "~(x <= 5.0)": ~(x <= 5.0)}
print("pyarrow", pa.__version__)


def kept(values, **options):
    table = pa.table({"x": values})
    pq.write_table(table, "x.parquet", **options)
    return {
        name: (table.filter(rule).num_rows, pq.read_table("x.parquet", filters=rule).num_rows)
        for name, rule in filters.items()
    }


equal = kept([1.0, 1.0, float("nan")])
apart = kept([1.0, 2.0, float("nan")])
without = kept([1.0, 1.0, float("nan")], write_statistics=False)
for label, found in (("equal values", equal), ("values apart", apart), ("equal values, no bounds", without)):
    for name, (table, file) in found.items():
        print(f"{label}: {name} keeps {table} of the table, {file} of the file")
assert set(equal.values()) == {(1, 0)}
assert apart["is_nan(x)"] == (1, 1)
assert set(without.values()) == {(1, 1)}
PY
