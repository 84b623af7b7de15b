#!/usr/bin/env bash
# pyarrow 26.0.1: casting a list_view column to list empties its last row.
# Guess: casting list_view to list, or large_list_view to large_list, keeps every list, as casts between string_view and
#   string do; the layouts differ only in how the sizes of the lists are stored.
# Seen: whatever the length of the column, its last list comes out empty; no error is raised.
# Source: Apache Arrow, cast kernel from list views to lists (compute/kernels/scalar_cast_nested.cc).
# What we do: lists are written as JSON by their own offsets and sizes, never by this cast; a test of the texts of types
#   holds it.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PY'
import pyarrow as pa

print("pyarrow", pa.__version__)
for rows in (1, 4, 2_000):
    lists = [[number, number + 1] for number in range(rows)]
    for view, plain in ((pa.list_view, pa.list_), (pa.large_list_view, pa.large_list)):
        found = pa.array(lists, view(pa.int64())).cast(plain(pa.int64())).to_pylist()
        print(f"{rows} rows of {view(pa.int64())}: all but the last kept: {found[:-1] == lists[:-1]}, last: {found[-1]}")
        assert found[:-1] == lists[:-1]
        assert found[-1] == []
PY
