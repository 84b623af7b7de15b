"""Merges of tables as plain values: conflicts, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Rule = Literal["ours", "theirs"]
ConflictKind = Literal["cells", "both_inserted", "both_replaced", "deleted_by_us", "deleted_by_them"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """How one conflict ends: the row of a side or of the base, with these cells (by column name) over it."""

    take: Literal["ours", "theirs", "base"] = "ours"
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row both sides changed; rows by column name, None where a side has none.

    `row_id` is the key, or `row 41` for row 41 of the base (from 1) of a table without one. `columns` are those whose
    cells both sides changed to different values; in a table without a key, those in which the two new rows differ.
    """

    row_id: str
    kind: ConflictKind
    columns: tuple[str, ...]
    base: dict[str, object] | None
    ours: dict[str, object] | None
    theirs: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How the conflicts of a table end: one by one by row id, all others by rule."""

    rule: Rule | None = None
    rows: Mapping[str, Resolution] = field(default_factory=dict)

    def of(self, row_id: str) -> Resolution | None:
        """How the conflict of a row ends; None when nobody has said."""
        found = self.rows.get(row_id)
        return found if found is not None or self.rule is None else Resolution(self.rule)
