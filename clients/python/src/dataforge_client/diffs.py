"""The difference of two versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataforge_client.flows import Flow
from dataforge_client.frames import pandas_of_rows
from dataforge_client.session import Session

if TYPE_CHECKING:
    import pandas as pd

_PAGE = 1000
_COLUMNS = ("sheet", "kind", "row", "column", "before", "after")


@dataclass(frozen=True, slots=True)
class Change:
    """A row that differs: inserted (no `before`), deleted (no `after`) or updated, in the columns named."""

    sheet: str
    kind: str
    row: int | None
    changed_columns: list[str]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two commits: counts and changes of columns in `sheets`, rows in `changes`, maybe not all."""

    base: str
    head: str
    identical: bool
    sheets: list[dict[str, Any]]
    changes: list[Change]
    truncated: bool

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows were inserted, updated and deleted, in all tables."""
        return {
            kind: sum(int(sheet["counts"][kind]) for sheet in self.sheets)
            for kind in ("inserted", "updated", "deleted")
        }

    def to_pandas(self) -> pd.DataFrame:
        """One line for each cell that differs: `sheet, kind, row, column, before, after`."""
        return pandas_of_rows(_cells(self.changes), _COLUMNS)


def _cells(changes: list[Change]) -> Iterator[dict[str, Any]]:
    for change in changes:
        before, after = change.before or {}, change.after or {}
        columns = change.changed_columns if change.kind == "updated" else list(after or before)
        for column in columns:
            cell = (change.sheet, change.kind, change.row, column, before.get(column), after.get(column))
            yield dict(zip(_COLUMNS, cell, strict=True))


def read_diff(session: Session, dataset_id: str, asked: Mapping[str, Any], limit: int) -> Flow[Diff]:
    """Compare two versions, and read up to `limit` changed rows of the sheets that differ."""
    path = f"/api/datasets/{dataset_id}/compare"
    rows = {"limit": max(1, min(limit, _PAGE))}
    first = yield from session.get_json(path, {**asked, **rows})
    changes: list[Change] = []
    truncated = False
    for summary in first["sheets"]:
        if summary["status"] == "unchanged":
            continue
        sheet = summary["sheet_name"]
        # A cursor goes on with the parameters that it was given for.
        here = asked if first["sheet_name"] == sheet else {**asked, "sheet": sheet}
        page = first if here is asked else (yield from session.get_json(path, {**here, **rows}))
        while True:
            room = limit - len(changes)
            changes += [_change(sheet, row) for row in page["rows"][:room]]
            if page["next_cursor"] is None or len(page["rows"]) >= room:
                truncated = truncated or page["next_cursor"] is not None or len(page["rows"]) > room
                break
            page = yield from session.get_json(path, {**here, **rows, "cursor": page["next_cursor"]})
    return Diff(
        first["base"]["commit_id"], first["head"]["commit_id"], first["identical"], first["sheets"], changes, truncated
    )


def _change(sheet: str, row: Mapping[str, Any]) -> Change:
    number = row["head_row"] if row["head_row"] is not None else row["base_row"]
    return Change(sheet, row["kind"], number, row["changed_columns"], row["before"], row["after"])
