"""What differs between two versions: sheets, schemas, rows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache

from dataforge.contexts.datasets.commits.versions import Version, Versions
from dataforge.kernel.texts import Text
from versioned_tables.compare.diff import Difference, difference, difference_page, select
from versioned_tables.compare.similarity import guess_updates
from versioned_tables.errors import FilterRefused
from versioned_tables.format.manifest import Manifest
from versioned_tables.schema.columns import TableSchema, schema_changes
from versioned_tables.storage.table_store import TableStore

CACHED_DIFFERENCES = 8


def schema_diff(before: TableSchema, after: TableSchema) -> dict[str, Any]:
    """`{identical, changes:[{column, change_type, before, after}]}`."""
    changes = [
        {"column": item.column, "change_type": item.change_type, "before": item.before, "after": item.after}
        for item in schema_changes(before, after)
    ]
    return {"identical": not changes and before.key == after.key, "changes": changes}


@dataclass(frozen=True, slots=True)
class SheetDifference:
    """One sheet of two versions; `base` or `head` None: it was added or removed."""

    sheet: str
    base: Manifest | None
    head: Manifest | None

    @property
    def status(self) -> str:
        """added, removed, changed or unchanged."""
        if self.base is None:
            return "added"
        if self.head is None:
            return "removed"
        same = self.base.digest == self.head.digest and self.base.schema.same_as(self.head.schema)
        return "unchanged" if same else "changed"

    @property
    def sides(self) -> tuple[Manifest, Manifest]:
        """Both manifests; an empty one stands for a missing one."""
        if self.base is None:
            assert self.head is not None  # noqa: S101 - one of them exists
            return Manifest(self.head.schema), self.head
        return self.base, self.head if self.head is not None else Manifest(self.base.schema)


def sheets_of(base: Version, head: Version) -> list[SheetDifference]:
    """All sheets of two versions, those of the head first."""
    names = dict.fromkeys([*head.tables, *base.tables])
    before, after = base.manifests, head.manifests
    return [SheetDifference(name, before.get(name), after.get(name)) for name in names]


class Comparer:
    """Compares versions; keeps the last differences, so that their pages cost only the cells they show."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._known: LRUCache[tuple[object, ...], Difference] = LRUCache(CACHED_DIFFERENCES)

    async def summary(self, base: Version, head: Version, sheet: str | None) -> list[dict[str, Any]]:
        """Each sheet with its status, schema diff and counts of changed rows as a commit counts them. Of a sheet
        without a key, `guessed_updates` rows inserted and as many deleted are shown as pairs.
        """
        answers = []
        for one in sheets_of(base, head):
            if sheet is not None and one.sheet != sheet:
                continue
            before, after = one.sides
            counts, guesses = {"inserted": 0, "updated": 0, "deleted": 0}, 0
            if one.status == "changed":
                found = await self._difference(head, one)
                counts, guesses = found.counts, len(found.guessed)
            elif one.status != "unchanged":
                counts = {"inserted": after.rows, "updated": 0, "deleted": before.rows}
            answers.append(
                {
                    "sheet_name": one.sheet,
                    "status": one.status,
                    "schema": schema_diff(before.schema, after.schema),
                    "counts": counts,
                    "guessed_updates": guesses,
                    "base_rows": 0 if one.base is None else before.rows,
                    "head_rows": 0 if one.head is None else after.rows,
                }
            )
        return answers

    async def rows(
        self,
        base: Version,
        head: Version,
        sheet: str,
        *,
        kinds: Sequence[str],
        column: str | None,
        offset: int,
        limit: int,
    ) -> tuple[list[dict[str, Any]], int]:
        """A page of changed rows with their cells before and after, and how many there are; raises FilterRefused."""
        one = next(item for item in sheets_of(base, head) if item.sheet == sheet)
        found = await self._difference(head, one)
        store = self._versions.store(head.dataset_id)
        if kinds or column is not None:
            ids = () if column is None else _column_ids(one, column)
            found = await asyncio.to_thread(select, found, store, kinds=tuple(kinds), columns=ids)
        guessed = set(found.guessed.tolist())
        page = await asyncio.to_thread(difference_page, store, found, offset, limit)
        rows = [
            {
                "kind": change.kind,
                "base_row": change.base_row,
                "head_row": change.head_row,
                "changed_columns": list(change.changed),
                "before": change.before,
                "after": change.after,
                "guessed": change.kind == "updated" and change.head_row in guessed,
            }
            for change in page
        ]
        return rows, len(found)

    async def _difference(self, head: Version, one: SheetDifference) -> Difference:
        before, after = one.sides
        key = (head.dataset_id, before.digest, before.schema, after.digest, after.schema)
        known = self._known.get(key)
        if known is not None:
            return known
        computed = self._known[key] = await asyncio.to_thread(self._compute, head, before, after)
        return computed

    def _compute(self, head: Version, before: Manifest, after: Manifest) -> Difference:
        return changed_rows(self._versions.store(head.dataset_id), before, after)


def changed_rows(store: TableStore, before: Manifest, after: Manifest) -> Difference:
    """The difference as people see it: without a key, like rows at one location are updates. Blocks."""
    return guess_updates(store, difference(store, before, after))


def _column_ids(one: SheetDifference, name: str) -> list[str]:
    """The column of this name in either version: two, when one took the name after another."""
    found = [column.id for side in reversed(one.sides) if (column := side.schema.by_name(name)) is not None]
    if not found:
        message = Text("There is no column {name!r} in either version.", name=name)
        raise FilterRefused(message)
    return list(dict.fromkeys(found))
