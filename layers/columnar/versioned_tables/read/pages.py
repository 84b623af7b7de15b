"""Pages of rows for people: by offset or cursor, filtered, in key order either way; and the history of one row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused
from versioned_tables.format.manifest import Manifest
from versioned_tables.hashing.row_hash import hash_rows
from versioned_tables.read.filtering import matching
from versioned_tables.read.filters import Filter, check_filter, filter_columns
from versioned_tables.read.rows import (
    SCAN_ROWS,
    read_range,
    row_by_key,
    rows_at_positions,
    windows,
)
from versioned_tables.read.union import cells_apart
from versioned_tables.schema.columns import TableSchema
from versioned_tables.schema.texts import plain_rows
from versioned_tables.storage.table_store import TableStore

MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Rows to read: `offset` counts matching rows after `after`; `after` is the `next_after` of the page before."""

    offset: int = 0
    limit: int = 100
    after: int | None = None
    columns: tuple[str, ...] | None = None
    where: Filter | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as `{logical_row_id, data}`; `total_rows` is None when a filter makes it unknown; `next_after` continues
    the page.
    """

    rows: list[dict[str, object]]
    total_rows: int | None
    has_more: bool
    next_after: int | None


@dataclass(frozen=True, slots=True)
class TablePage:
    """Rows of a page as a table, columns by name; the rest as in `Page`."""

    table: pa.Table
    has_more: bool
    next_after: int | None


def read_page(store: TableStore, manifest: Manifest, request: PageRequest) -> Page:
    """One page. Raises FilterRefused on unknown columns, values that do not fit, and limits outside 1 .. 1,000."""
    schema = manifest.schema
    wanted = _wanted(schema, request)
    ids = list(dict.fromkeys([*(wanted or [c.id for c in schema.columns]), *schema.key])) if schema.key else None
    positions, more = _positions(store, manifest, request)
    table = _rows(store, manifest, positions, ids)
    rows: list[dict[str, object]] = [
        {"logical_row_id": name, "data": data}
        for name, data in zip(row_ids(table, schema), _data(table, schema, wanted), strict=True)
    ]
    return Page(rows, manifest.rows if request.where is None else None, more, _last(positions, more=more))


def page_table(store: TableStore, manifest: Manifest, request: PageRequest) -> TablePage:
    """`read_page` for those who take Arrow; raises as it does."""
    schema = manifest.schema
    wanted = _wanted(schema, request) or [column.id for column in schema.columns]
    positions, more = _positions(store, manifest, request)
    table = _rows(store, manifest, positions, wanted).select(wanted)
    table = table.rename_columns([schema.by_id(item).name for item in wanted])
    return TablePage(table, more, _last(positions, more=more))


def _wanted(schema: TableSchema, request: PageRequest) -> list[str] | None:
    if not 1 <= request.limit <= MOST_ROWS or request.offset < 0:
        raise FilterRefused(
            Text("The limit is between 1 and {most_rows}, and the offset is not negative.", most_rows=MOST_ROWS)
        )
    check_filter(request.where, schema)
    return _column_ids(schema, request.columns)


def _positions(store: TableStore, manifest: Manifest, request: PageRequest) -> tuple[np.ndarray, bool]:
    return _window(manifest, request) if request.where is None else _search(store, manifest, request)


def _last(positions: np.ndarray, *, more: bool) -> int | None:
    return int(positions[-1]) if more and len(positions) else None


def _column_ids(schema: TableSchema, names: Sequence[str] | None) -> list[str] | None:
    if names is None:
        return None
    found = []
    for name in names:
        column = schema.by_name(name)
        if column is None:
            raise FilterRefused(
                Text(
                    "There is no column {name!r}; the table has {names}.", name=name, names=", ".join(schema.names[:30])
                )
            )
        found.append(column.id)
    return found


def _window(manifest: Manifest, request: PageRequest) -> tuple[np.ndarray, bool]:
    total = manifest.rows
    start = (
        request.offset
        if request.after is None
        else request.offset + (total - request.after if request.descending else request.after + 1)
    )
    stop = min(start + request.limit, total)
    found = np.arange(min(start, total), stop)
    return (total - 1 - found if request.descending else found), stop < total


def _search(store: TableStore, manifest: Manifest, request: PageRequest) -> tuple[np.ndarray, bool]:
    """Row numbers of the page's rows; one row more is looked for to know whether there is a next page."""
    assert request.where is not None  # noqa: S101 - narrows the type
    schema = manifest.schema
    columns = [column.id for name in filter_columns(request.where) if (column := schema.by_name(name))]
    need = request.offset + request.limit + 1
    found: list[np.ndarray] = []
    have = 0
    step = SCAN_ROWS // 4
    bounds = _bounds(manifest, request, step)
    for start, stop in bounds:
        table = read_range(store, manifest, start, stop, columns)
        hits = np.flatnonzero(matching(table, request.where, schema)) + start
        found.append(hits[::-1] if request.descending else hits)
        have += len(hits)
        if have >= need:
            break
    every = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
    return every[request.offset : request.offset + request.limit], len(every) >= need


def _bounds(manifest: Manifest, request: PageRequest, step: int) -> Iterable[tuple[int, int]]:
    if request.descending:
        return reversed(list(windows(manifest, 0, manifest.rows if request.after is None else request.after, step)))
    return windows(manifest, 0 if request.after is None else request.after + 1, manifest.rows, step)


def _rows(store: TableStore, manifest: Manifest, positions: np.ndarray, ids: Sequence[str] | None) -> pa.Table:
    if not len(positions):
        return read_range(store, manifest, 0, 0, ids)
    low, high = int(positions.min()), int(positions.max()) + 1
    if high - low == len(positions):
        table = read_range(store, manifest, low, high, ids)
        return table if positions[0] == low else table.take(pa.array(positions - low))
    return rows_at_positions(store, manifest, positions, ids)


def _data(table: pa.Table, schema: TableSchema, wanted: Sequence[str] | None) -> list[dict[str, object]]:
    shown = table.select([c.id for c in schema.columns] if wanted is None else list(wanted))
    if not shown.num_columns:
        return [{} for _ in range(table.num_rows)]
    return plain_rows(shown.rename_columns([schema.by_id(name).name for name in shown.schema.names]))


def row_ids(table: pa.Table, schema: TableSchema) -> list[str]:
    """What a row is called in answers: its key, several parts as a JSON list; without a key the 32 hex digits of
    its hash.
    """
    if schema.key:
        rows = plain_rows(table.select(list(schema.key)))
        if len(schema.key) == 1:
            return [str(next(iter(row.values()))) for row in rows]
        return [json.dumps(list(row.values()), ensure_ascii=False) for row in rows]
    hashes = hash_rows(table, schema)
    return [f"{high:016x}{low:016x}" for low, high in zip(hashes.low.tolist(), hashes.high.tolist(), strict=True)]


@dataclass(frozen=True, slots=True)
class RowVersion:
    """A commit that changed a row: what it did, and the row after it (None when deleted)."""

    commit_id: str
    kind: str
    data: dict[str, object] | None


def row_history(store: TableStore, versions: Sequence[tuple[str, Manifest]], key: Sequence[object]) -> list[RowVersion]:
    """The commits that changed the row with this key, newest first. `versions` is a line of history, newest first.

    As in a difference, a column that a version lacks is null in it, and another type alone is no change.

    Raises OperationRefused when a key value fits no key; FilterRefused when the newest version has no key.
    """
    if versions and not versions[0][1].schema.key:
        raise FilterRefused(Text("Rows of a table without a key have no history of their own."))
    states: list[tuple[str, pa.Table | None, dict[str, object] | None]] = []
    for commit, manifest in versions:
        at = row_by_key(store, manifest, key) if manifest.schema.key == versions[0][1].schema.key else None
        if at is None:
            states.append((commit, None, None))
            continue
        table = read_range(store, manifest, at, at + 1)
        states.append((commit, table, _data(table, manifest.schema, None)[0]))
    found: list[RowVersion] = []
    for index, (commit, now, data) in enumerate(states):
        before = states[index + 1][1] if index + 1 < len(states) else None
        if now is None or before is None:
            if now is not before:
                found.append(RowVersion(commit, "inserted" if before is None else "deleted", data))
        elif any(apart.any() for apart in cells_apart(before, now, 1).values()):
            found.append(RowVersion(commit, "updated", data))
    return found
