"""What changed between two versions: along history from the patch, between any two from pieces, leaves and sidecars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataforge.contexts.datasets.engine.arrow_types import conform, from_arrow, to_arrow, widen
from dataforge.contexts.datasets.engine.manifest import EMPTY, I64, Manifest, Pieces
from dataforge.contexts.datasets.engine.pairing import may_differ, pair_up
from dataforge.contexts.datasets.engine.patch_builder import in_order
from dataforge.contexts.datasets.engine.patches import DELETE, INSERT, UPDATE, Operations
from dataforge.contexts.datasets.engine.reading import addresses_at, hashes_at, leaf_rows, rows_at_positions
from dataforge.contexts.datasets.engine.rowhash import RowHashes, hash_rows
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.engine.texts import plain_rows
from dataforge.contexts.datasets.model.columns import Column, SchemaChange, TableSchema, common_type, schema_changes

KINDS = {INSERT: "inserted", UPDATE: "updated", DELETE: "deleted"}
_NONE = -1


@dataclass(frozen=True)
class Difference:
    """The changed rows of two versions by row number; the cells are fetched for a page at a time.

    `operations.after` and `.before` are row numbers of head and base (-1 where a side does not exist).
    `guessed` says that rows were paired by similarity because there is no key.
    """

    base: Manifest
    head: Manifest
    operations: Operations
    guessed: bool = False

    def __len__(self) -> int:
        return len(self.operations)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by kind: inserted, updated, deleted."""
        return {name: int((self.operations.kind == kind).sum()) for kind, name in KINDS.items()}

    @property
    def schema_changes(self) -> list[SchemaChange]:
        """Added, removed, renamed, retyped and moved columns."""
        return schema_changes(self.base.schema, self.head.schema)


def common_schema(base: TableSchema, head: TableSchema) -> TableSchema:
    """The columns that both versions have, each of the narrowest type that holds both."""
    shared = [
        Column(c.id, c.name, common_type(base.by_id(c.id).type, c.type), c.nullable)
        for c in head.columns
        if base.has(c.id)
    ]
    key = head.key if head.key == base.key else ()
    return TableSchema(tuple(shared), key)


def difference(tables: TableStore, base: Manifest, head: Manifest) -> Difference:
    """Every row that differs. Along history this reads the commit's patch; otherwise it skips what both versions share
    physically, then equal leaves, and compares the hashes of the rest. Columns that only one side has do not count as
    changed rows; they are schema changes."""
    change = head.change
    if (
        change is not None
        and change.complete
        and change.base_digest == base.digest
        and base.schema.signature == head.schema.signature
    ):
        return Difference(base, head, _from_patches(tables, head))
    return _any_to_any(tables, base, head)


def _from_patches(tables: TableStore, head: Manifest) -> Operations:
    assert head.change is not None  # noqa: S101 - narrows the type
    found = [tables.patch(identity).operations for identity in head.change.patches]
    if not found:
        return Operations(EMPTY, EMPTY, EMPTY, EMPTY, EMPTY)
    kind, new, old = (
        np.concatenate([getattr(ops, name) for ops in found]) for name in ("kind", "new_position", "old_position")
    )
    return Operations(kind, np.where(kind == DELETE, _NONE, new), np.where(kind == INSERT, _NONE, old), new, old)


def _any_to_any(tables: TableStore, base: Manifest, head: Manifest) -> Difference:
    schema = common_schema(base.schema, head.schema)
    comparable = base.schema.signature == head.schema.signature == schema.signature
    old, new = (np.arange(m.rows) for m in (base, head)) if not comparable else _unequal_leaf_rows(base, head)
    old, new = _not_shared(base, head, old, new)
    before = hashes_at(tables, schema, base.sources, addresses_at(base, old))
    after = hashes_at(tables, schema, head.sources, addresses_at(head, new))
    operations = _keyed(old, new, before, after) if schema.key else _unkeyed(old, new, before, after)
    return Difference(base, head, in_order(operations), guessed=False)


def _unequal_leaf_rows(base: Manifest, head: Manifest) -> tuple[I64, I64]:
    """Row numbers of both sides outside of leaves that both have."""
    one, two = (m.leaves.hashes[:, 0] ^ (m.leaves.hashes[:, 1] * np.uint64(3)) for m in (base, head))
    first, second = pair_up(one, two)
    left, right = np.ones(len(one), dtype=bool), np.ones(len(two), dtype=bool)
    left[first] = right[second] = False
    return leaf_rows(base, np.flatnonzero(left)), leaf_rows(head, np.flatnonzero(right))


def _not_shared(base: Manifest, head: Manifest, old: I64, new: I64) -> tuple[I64, I64]:
    """Drop rows that both versions name at the same physical address; each address counts once."""
    places = {source.id: at for at, source in enumerate(base.sources)}
    extra = len(base.sources)
    renumber = np.array([places.get(source.id, extra + at) for at, source in enumerate(head.sources)], dtype=np.int64)
    if not len(old) or not len(new) or not any(source.id in places for source in head.sources):
        return old, new
    renamed = Manifest(
        head.schema,
        head.sources,
        head.leaves,
        Pieces(renumber[head.pieces.source], head.pieces.start, head.pieces.count),
    )
    left, right = may_differ([(addresses_at(base, old), addresses_at(renamed, new))])
    return old[left], new[right]


def _keyed(old: I64, new: I64, before: RowHashes, after: RowHashes) -> Operations:
    left, right = (np.flatnonzero(side) for side in may_differ([(before.low, after.low), (before.high, after.high)]))
    old, new, before, after = old[left], new[right], before.take(left), after.take(right)
    first, second = pair_up(before.key, after.key)
    differ = (before.low[first] != after.low[second]) | (before.high[first] != after.high[second])
    gone, come = np.ones(len(old), dtype=bool), np.ones(len(new), dtype=bool)
    gone[first] = come[second] = False
    return _operations(old[gone], new[come], old[first[differ]], new[second[differ]])


def _unkeyed(old: I64, new: I64, before: RowHashes, after: RowHashes) -> Operations:
    first, second = pair_up(before.low ^ (before.high * np.uint64(3)), after.low ^ (after.high * np.uint64(3)))
    gone, come = np.ones(len(old), dtype=bool), np.ones(len(new), dtype=bool)
    gone[first] = come[second] = False
    return _operations(old[gone], new[come], EMPTY, EMPTY)


def _operations(gone: I64, come: I64, changed_old: I64, changed_new: I64) -> Operations:
    kind = np.concatenate([np.full(len(gone), DELETE), np.full(len(come), INSERT), np.full(len(changed_new), UPDATE)])
    none = np.full(len(gone), _NONE), np.full(len(come), _NONE)
    after = np.concatenate([none[0], come, changed_new])
    before = np.concatenate([gone, none[1], changed_old])
    return Operations(kind, after, before, after, before)


def select(
    found: Difference, tables: TableStore, *, kinds: Sequence[str] = (), column: str | None = None
) -> Difference:
    """The same difference restricted to some kinds, and to updates that changed one column (by id)."""
    ops = found.operations
    keep = np.ones(len(ops), dtype=bool)
    if kinds:
        wanted = [kind for kind, name in KINDS.items() if name in kinds]
        keep &= np.isin(ops.kind, wanted)
    if column is not None:
        rows = np.flatnonzero(keep & (ops.kind == UPDATE))
        sides = [
            rows_at_positions(tables, m, at[rows], [column]).column(column).combine_chunks()
            if m.schema.has(column)
            else None
            for m, at in ((found.base, ops.before), (found.head, ops.after))
        ]
        same = (
            np.zeros(len(rows), dtype=bool)
            if sides[0] is None or sides[1] is None
            else ~cells_differ(sides[0], sides[1])
        )
        keep[rows[same]] = False
    picked = Operations(
        *(getattr(ops, name)[keep] for name in ("kind", "after", "before", "new_position", "old_position"))
    )
    return Difference(found.base, found.head, picked, found.guessed)


def cells_differ(before: pa.Array, after: pa.Array) -> np.ndarray:
    """Per row whether two cells of one column differ by the rules of the row hash (null equals null, 1 equals 1.0)."""
    schema = TableSchema((Column("x", "x", "string"),))
    if before.type != after.type:
        kind = to_arrow(common_type(*_types(before, after)))
        before, after = (widen(pa.chunked_array([side]), kind) for side in (before, after))
    one, two = (hash_rows(pa.table({"x": side}), schema) for side in (before, after))
    differ: np.ndarray = (one.low != two.low) | (one.high != two.high)
    return differ


def _types(before: pa.Array, after: pa.Array) -> tuple[str, str]:
    return from_arrow(before.type), from_arrow(after.type)


@dataclass(frozen=True, slots=True)
class RowChange:
    """One changed row for people: cells by column name; `changed` names the columns whose value differs."""

    kind: str
    base_row: int | None
    head_row: int | None
    before: dict[str, object] | None
    after: dict[str, object] | None
    changed: tuple[str, ...] = ()


def difference_page(tables: TableStore, found: Difference, offset: int, limit: int) -> list[RowChange]:
    """Changes `offset .. offset + limit` with the cells of both sides."""
    ops = found.operations
    page = slice(offset, offset + limit)
    kind, after, before = ops.kind[page], ops.after[page], ops.before[page]
    old_rows, new_rows = np.flatnonzero(before >= 0), np.flatnonzero(after >= 0)
    old, new = _cells(tables, found, before[old_rows], after[new_rows])
    old_at = {int(row): at for at, row in enumerate(old_rows)}
    new_at = {int(row): at for at, row in enumerate(new_rows)}
    differing = _changed_columns(found, old, new, old_at, new_at, np.flatnonzero(kind == UPDATE))
    old_plain = plain_rows(old.rename_columns(found.base.schema.names))
    new_plain = plain_rows(new.rename_columns(found.head.schema.names))
    return [
        RowChange(
            KINDS[int(kind[row])],
            int(before[row]) if row in old_at else None,
            int(after[row]) if row in new_at else None,
            old_plain[old_at[row]] if row in old_at else None,
            new_plain[new_at[row]] if row in new_at else None,
            differing.get(row, ()),
        )
        for row in range(len(kind))
    ]


def _cells(tables: TableStore, found: Difference, before: I64, after: I64) -> tuple[pa.Table, pa.Table]:
    """Both sides' rows: from the patch when the difference runs along history, else from where they lie."""
    change = found.head.change
    if change is not None and change.complete and len(change.patches) == 1 and change.base_digest == found.base.digest:
        patch = tables.patch(change.patches[0])
        ops = patch.operations
        removed = np.flatnonzero(ops.before >= 0)
        order = removed[np.argsort(ops.old_position[removed])]
        at = np.searchsorted(ops.old_position[order], before)
        if len(order) >= len(before) and (
            not len(before) or np.array_equal(ops.old_position[order][np.minimum(at, len(order) - 1)], before)
        ):
            rows = conform(patch.before.take(pa.array(ops.before[order][at])), found.base.schema)
            return rows, rows_at_positions(tables, found.head, after)
    return rows_at_positions(tables, found.base, before), rows_at_positions(tables, found.head, after)


def _changed_columns(
    found: Difference, old: pa.Table, new: pa.Table, old_at: dict[int, int], new_at: dict[int, int], updates: I64
) -> dict[int, tuple[str, ...]]:
    left = pa.array([old_at[int(row)] for row in updates], pa.int64())
    right = pa.array([new_at[int(row)] for row in updates], pa.int64())
    names: list[list[str]] = [[] for _ in updates]
    for column in found.head.schema.columns:
        if not found.base.schema.has(column.id):
            continue
        one, two = old.column(column.id).take(left).combine_chunks(), new.column(column.id).take(right).combine_chunks()
        for row in np.flatnonzero(cells_differ(one, two)):
            names[row].append(column.name)
    return {int(row): tuple(changed) for row, changed in zip(updates, names, strict=True)}
