"""Rows in any order to rows in key order, in bounded memory: sorted runs on local disk, merged by key range."""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import DuplicateKeys
from versioned_tables.format.keys import encode_keys
from versioned_tables.schema.columns import TableSchema

DUPLICATES_LISTED = 100
_BATCH = 4096
_OUT_ROWS = 65_536


class KeySorter:
    """Add tables (columns by id) in any order, then take them back in key order. Use as a context manager: it owns
    a directory.
    """

    def __init__(self, schema: TableSchema, folder: Path | None = None) -> None:
        self._schema = schema
        self._order = [(identity, "ascending") for identity in schema.key]
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix="sort-")
        self._runs: list[tuple[Path, list[bytes], int]] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def rows(self) -> int:
        """Rows taken in."""
        return self._rows

    def add(self, table: pa.Table) -> None:
        """One more run; sorted here (stably), so that later rows of one key stay later."""
        if not table.num_rows:
            return
        ordered = table.take(pc.sort_indices(table, sort_keys=self._order))
        firsts = [ordered.select(list(self._schema.key)).slice(at, 1) for at in range(0, ordered.num_rows, _BATCH)]
        path = Path(self._folder.name) / f"{len(self._runs)}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, ordered.schema) as writer:
            writer.write_table(ordered.combine_chunks(), max_chunksize=_BATCH)
        self._runs.append((path, encode_keys(pa.concat_tables(firsts), self._schema), ordered.num_rows))
        self._rows += ordered.num_rows

    def sorted_tables(self, *, refuse_duplicates: bool = True) -> Iterator[pa.Table]:
        """All rows in key order, about `_OUT_ROWS` at a time. Raises DuplicateKeys listing the first 100."""
        marks = sorted(key for _, firsts, _ in self._runs for key in firsts)
        step = max(1, _OUT_ROWS // _BATCH)
        bounds: list[bytes | None] = [*marks[step::step], None]
        duplicates: list[object] = []
        low: bytes | None = None
        for high in bounds:
            if high is not None and high == low:
                continue
            parts = [part for run in self._runs if (part := self._between(run, low, high)) is not None]
            low = high
            if not parts:
                continue
            table = pa.concat_tables(parts)
            if len(parts) > 1:
                table = table.take(pc.sort_indices(table, sort_keys=self._order))
            table = self._unique(table, duplicates, refuse=refuse_duplicates)
            if not duplicates:
                yield table
            elif len(duplicates) >= DUPLICATES_LISTED:
                break
        if duplicates:
            raise duplicate_keys(duplicates, self._schema)

    def _between(self, run: tuple[Path, list[bytes], int], low: bytes | None, high: bytes | None) -> pa.Table | None:
        """Rows of a run with `low <= key < high`."""
        path, firsts, _ = run
        first = 0 if low is None else max(0, bisect_left(firsts, low) - 1)
        last = len(firsts) if high is None else bisect_left(firsts, high)
        if first >= last:
            return None
        with pa.OSFile(str(path), "rb") as file:
            reader = pa.ipc.open_file(file)
            table = pa.Table.from_batches([reader.get_batch(at) for at in range(first, last)])
        keys = encode_keys(table.select(list(self._schema.key)), self._schema)
        start = 0 if low is None else bisect_left(keys, low)
        stop = len(keys) if high is None else bisect_left(keys, high)
        return table.slice(start, stop - start) if stop > start else None

    def _unique(self, table: pa.Table, duplicates: list[object], *, refuse: bool) -> pa.Table:
        """Without a repeated key; the last row of a key wins when duplicates are not refused."""
        keys = encode_keys(table.select(list(self._schema.key)), self._schema)
        repeated = [at for at in range(1, len(keys)) if keys[at] == keys[at - 1]]
        if not repeated:
            return table
        if refuse:
            names = table.select(list(self._schema.key))
            listed = repeated[: DUPLICATES_LISTED - len(duplicates)]
            duplicates.extend([names.column(n)[at].as_py() for n in range(names.num_columns)] for at in listed)
            return table
        gone = {at - 1 for at in repeated}
        return table.take(pa.array([at for at in range(len(keys)) if at not in gone]))


def duplicate_keys(keys: list[object], schema: TableSchema) -> DuplicateKeys:
    """The error for people: the first keys that occur twice, and the way out."""
    names = ", ".join(column.name for column in schema.key_columns)
    shown = ", ".join(str(key[0] if isinstance(key, list) and len(key) == 1 else key) for key in keys[:10])
    return DuplicateKeys(
        Text(
            "The key ({names}) is not unique: {keys}. Declare another key, or import without a key in file order.",
            names=names,
            keys=f"{shown} …" if len(keys) > 10 else shown,
        ),
        facts={"duplicates": [str(key) for key in keys[:DUPLICATES_LISTED]]},
    )
