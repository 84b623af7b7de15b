"""What changed between two versions: along history from the patch, between any two from pieces, leaves and sidecars.

Example: 1a 2b 3c 4d 5e and 1a 2b 3C 4d 6f, keyed. If one commit lies between them, its patch says update 2 → 2,
delete 4, insert 4, and nothing else is read. Between any two versions: equal leaves are passed over by their hash,
then rows that lie at one address; what remains (3c 5e | 3C 6f) is paired by key hash: 3c with 3C differs in its row
hash, so it is an update; 5e is deleted, 6f inserted. Cells are fetched only for the page that is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from versioned_tables.compare.unshared import Mask, renumbered, unshared_rows
from versioned_tables.format.manifest import EMPTY, I64, Manifest
from versioned_tables.format.patches import DELETE, INSERT, UPDATE, Operations
from versioned_tables.hashing.pairing import may_differ, pair_up
from versioned_tables.hashing.row_hash import U64, RowHashes
from versioned_tables.read.rows import addresses_at, leaf_rows, rows_at_positions
from versioned_tables.read.union import (
    Suspects,
    cells_apart,
    compared_types,
    hashes_in,
    restricted,
)
from versioned_tables.schema.arrow_types import conform
from versioned_tables.schema.columns import Column, SchemaChange, TableSchema, common_type, schema_changes
from versioned_tables.schema.texts import plain_rows
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.patch_builder import in_order

KINDS = {INSERT: "inserted", UPDATE: "updated", DELETE: "deleted"}
_NONE = -1
_NO_PAIRS = (EMPTY, EMPTY)


@dataclass(frozen=True)
class Difference:
    """The changed rows of two versions by row number; the cells are fetched for a page at a time.

    `operations.after` and `.before` are row numbers of head and base (-1 where a side does not exist).
    `guessed` are rows of the head that were paired with one of the base by similarity because there is no key.
    """

    base: Manifest
    head: Manifest
    operations: Operations
    guessed: I64 = field(default_factory=lambda: EMPTY)

    def __len__(self) -> int:
        return len(self.operations)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by kind: inserted, updated, deleted, as commits count them: what was guessed is one of the former and
        one of the latter.
        """
        guesses = {INSERT: len(self.guessed), UPDATE: -len(self.guessed), DELETE: len(self.guessed)}
        return {name: int((self.operations.kind == kind).sum()) + guesses[kind] for kind, name in KINDS.items()}

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


def difference(store: TableStore, base: Manifest, head: Manifest) -> Difference:
    """Every row that differs in any column of either version; a column that a version lacks reads as null in it.

    Along history this reads the commit's patch; otherwise it skips equal leaves and what both versions share physically
    and read alike, and compares the hashes of the rest.
    """
    change = head.change
    if (
        change is not None
        and change.complete
        and change.base_digest == base.digest
        and base.schema.signature == head.schema.signature
    ):
        return Difference(base, head, _from_patches(store, head))
    return Difference(base, head, in_order(_any_to_any(store, base, head)))


def count_changes(store: TableStore, base: Manifest, head: Manifest) -> dict[str, int]:
    """Rows inserted, updated and deleted, as `difference` counts them; from the commit's own note where that is the
    same.
    """
    change = head.change
    if change is None or change.base_digest != base.digest or not _counts_alike(base.schema, head):
        return difference(store, base, head).counts
    return {"inserted": change.inserted, "updated": change.updated, "deleted": change.deleted}


def _counts_alike(base: TableSchema, head: Manifest) -> bool:
    """Whether what was counted while a version was written is the difference: not where values went with a column, nor
    where rows without a key moved in bulk.
    """
    if not base.hashes_within(head.schema) or not base.keyed_like(head.schema):
        return False
    if head.schema.key:
        return True
    return head.change is not None and head.change.complete and len(base.columns) == len(head.schema.columns)


def _from_patches(store: TableStore, head: Manifest) -> Operations:
    assert head.change is not None  # noqa: S101 - narrows the type
    found = [store.patch(identity).operations for identity in head.change.patches]
    if not found:
        return Operations(EMPTY, EMPTY, EMPTY, EMPTY, EMPTY)
    kind, new, old = (
        np.concatenate([getattr(ops, name) for ops in found]) for name in ("kind", "new_position", "old_position")
    )
    return Operations(kind, np.where(kind == DELETE, _NONE, new), np.where(kind == INSERT, _NONE, old), new, old)


def _any_to_any(store: TableStore, base: Manifest, head: Manifest) -> Operations:
    store.learn(base.schema, head.schema)
    suspects = Suspects.of(base.schema, head.schema)
    left, right = _unequal_leaves(base, head)
    keyed = bool(head.schema.key) and head.schema.key == base.schema.key
    updated = _NO_PAIRS
    if not suspects.ids:
        old, new = unshared_rows(base, head, left, right)
    else:
        old, new = leaf_rows(base, np.flatnonzero(left)), leaf_rows(head, np.flatnonzero(right))
        old, new, updated = _read_apart(store, base, head, old, new, suspects)
        if not keyed or not set(suspects.ids).isdisjoint(head.schema.key):
            old, new, updated = np.union1d(old, updated[0]), np.union1d(new, updated[1]), _NO_PAIRS
    before = hashes_in(store, base, compared_types(base.schema, head.schema), old)
    after = hashes_in(store, head, compared_types(head.schema, base.schema), new)
    if keyed:
        return _keyed(old, new, before, after, updated)
    gone, come = _unmatched(before, after)
    return _unkeyed(store, (base, head), old[gone], new[come])


def _unequal_leaves(base: Manifest, head: Manifest) -> tuple[Mask, Mask]:
    """Which leaves of either side the other one has not."""
    one, two = (m.leaves.hashes[:, 0] ^ (m.leaves.hashes[:, 1] * np.uint64(3)) for m in (base, head))
    first, second = pair_up(one, two)
    left, right = np.ones(len(one), dtype=bool), np.ones(len(two), dtype=bool)
    left[first] = right[second] = False
    return left, right


def _read_apart(
    store: TableStore, base: Manifest, head: Manifest, old: I64, new: I64, suspects: Suspects
) -> tuple[I64, I64, tuple[I64, I64]]:
    """Without the rows at the same physical address, and apart those of them that the versions read differently."""
    first, second = pair_up(addresses_at(base, old), addresses_at(renumbered(base, head), new))
    apart = suspects.differ(store, base, old[first])
    left, right = np.ones(len(old), dtype=bool), np.ones(len(new), dtype=bool)
    left[first] = right[second] = False
    return old[left], new[right], (old[first[apart]], new[second[apart]])


def _keyed(old: I64, new: I64, before: RowHashes, after: RowHashes, updated: tuple[I64, I64]) -> Operations:
    left, right = (np.flatnonzero(side) for side in may_differ([(before.low, after.low), (before.high, after.high)]))
    old, new, before, after = old[left], new[right], before.take(left), after.take(right)
    first, second = pair_up(before.key, after.key)
    differ = (before.low[first] != after.low[second]) | (before.high[first] != after.high[second])
    gone, come = np.ones(len(old), dtype=bool), np.ones(len(new), dtype=bool)
    gone[first] = come[second] = False
    changed = (np.concatenate([old[first[differ]], updated[0]]), np.concatenate([new[second[differ]], updated[1]]))
    return _operations(old[gone], new[come], *changed)


def _unkeyed(store: TableStore, sides: tuple[Manifest, Manifest], old: I64, new: I64) -> Operations:
    """Rows that only one side has. Where columns came or went, those that are alike in all others are updates."""
    base, head = sides
    common = common_schema(base.schema, head.schema)
    if not common.columns or len(common.columns) == len(base.schema.columns) == len(head.schema.columns):
        return _operations(old, new, EMPTY, EMPTY)
    before, after = (
        hashes_in(store, restricted(side, common), common, rows) for side, rows in ((base, old), (head, new))
    )
    first, second = pair_up(_codes(before), _codes(after))
    gone, come = np.ones(len(old), dtype=bool), np.ones(len(new), dtype=bool)
    gone[first] = come[second] = False
    return _operations(old[gone], new[come], old[first], new[second])


def _unmatched(before: RowHashes, after: RowHashes) -> tuple[np.ndarray, np.ndarray]:
    """Which rows have no equal on the other side, each counted once."""
    first, second = pair_up(_codes(before), _codes(after))
    gone, come = np.ones(len(before), dtype=bool), np.ones(len(after), dtype=bool)
    gone[first] = come[second] = False
    return gone, come


def _codes(hashes: RowHashes) -> U64:
    return hashes.low ^ (hashes.high * np.uint64(3))


def _operations(gone: I64, come: I64, changed_old: I64, changed_new: I64) -> Operations:
    kind = np.concatenate([np.full(len(gone), DELETE), np.full(len(come), INSERT), np.full(len(changed_new), UPDATE)])
    none = np.full(len(gone), _NONE), np.full(len(come), _NONE)
    after = np.concatenate([none[0], come, changed_new])
    before = np.concatenate([gone, none[1], changed_old])
    return Operations(kind, after, before, after, before)


def select(
    found: Difference, store: TableStore, *, kinds: Sequence[str] = (), columns: Sequence[str] = ()
) -> Difference:
    """The same difference restricted to some kinds, and to updates that changed one of some columns (by id)."""
    ops = found.operations
    keep = np.ones(len(ops), dtype=bool)
    if kinds:
        wanted = [kind for kind, name in KINDS.items() if name in kinds]
        keep &= np.isin(ops.kind, wanted)
    if columns:
        rows = np.flatnonzero(keep & (ops.kind == UPDATE))
        old, new = (
            rows_at_positions(store, m, at[rows], [item for item in columns if m.schema.has(item)])
            for m, at in ((found.base, ops.before), (found.head, ops.after))
        )
        apart = np.any([*cells_apart(old, new, len(rows)).values()], axis=0)
        keep[rows[~apart]] = False
    picked = Operations(
        *(getattr(ops, name)[keep] for name in ("kind", "after", "before", "new_position", "old_position"))
    )
    return Difference(found.base, found.head, picked, found.guessed[np.isin(found.guessed, picked.after)])


@dataclass(frozen=True, slots=True)
class RowChange:
    """One changed row for people: cells by column name; `changed` names the columns whose value differs."""

    kind: str
    base_row: int | None
    head_row: int | None
    before: dict[str, object] | None
    after: dict[str, object] | None
    changed: tuple[str, ...] = ()


def difference_page(store: TableStore, found: Difference, offset: int, limit: int) -> list[RowChange]:
    """Changes `offset .. offset + limit` with the cells of both sides."""
    ops = found.operations
    page = slice(offset, offset + limit)
    kind, after, before = ops.kind[page], ops.after[page], ops.before[page]
    old_rows, new_rows = np.flatnonzero(before >= 0), np.flatnonzero(after >= 0)
    old, new = _cells(store, found, before[old_rows], after[new_rows])
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


def _cells(store: TableStore, found: Difference, before: I64, after: I64) -> tuple[pa.Table, pa.Table]:
    """Both sides' rows: from the patch when the difference runs along history, else from where they lie."""
    change = found.head.change
    if change is not None and change.complete and len(change.patches) == 1 and change.base_digest == found.base.digest:
        patch = store.patch(change.patches[0])
        ops = patch.operations
        removed = np.flatnonzero(ops.before >= 0)
        order = removed[np.argsort(ops.old_position[removed])]
        at = np.searchsorted(ops.old_position[order], before)
        if len(order) >= len(before) and (
            not len(before) or np.array_equal(ops.old_position[order][np.minimum(at, len(order) - 1)], before)
        ):
            rows = conform(patch.before.take(pa.array(ops.before[order][at])), found.base.schema)
            return rows, rows_at_positions(store, found.head, after)
    return rows_at_positions(store, found.base, before), rows_at_positions(store, found.head, after)


def _changed_columns(
    found: Difference, old: pa.Table, new: pa.Table, old_at: dict[int, int], new_at: dict[int, int], updates: I64
) -> dict[int, tuple[str, ...]]:
    left = pa.array([old_at[int(row)] for row in updates], pa.int64())
    right = pa.array([new_at[int(row)] for row in updates], pa.int64())
    names: list[dict[str, None]] = [{} for _ in updates]
    for item, apart in cells_apart(old.take(left), new.take(right), len(updates)).items():
        schema = found.head.schema if found.head.schema.has(item) else found.base.schema
        for row in np.flatnonzero(apart):
            names[row][schema.by_id(item).name] = None
    return {int(row): tuple(changed) for row, changed in zip(updates, names, strict=True)}
