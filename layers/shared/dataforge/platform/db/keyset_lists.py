"""Keyset lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

After = tuple[Any, ...] | None
Row = dict[str, Any]


async def keyset(
    connection: AsyncConnection,
    sql: str,
    parameters: Mapping[str, Any],
    *,
    key: Sequence[str],
    limit: int,
) -> Page[dict[str, Any]]:
    """Run a query that ends before its LIMIT, and give a page; `key` names the columns it is ordered by.

    Columns that start with `_` are part of the order only and are not shown.
    """
    found = await connection.execute(text(f"{sql} LIMIT :fetch"), {**parameters, "fetch": limit + 1})
    rows = [row_dict(row) for row in found]
    next_key = tuple(_text(rows[limit - 1][name]) for name in key) if len(rows) > limit else None
    shown = [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows[:limit]]
    return Page(shown, next_key)


def _text(value: object) -> object:
    return value if isinstance(value, int | str) else str(value)


def where(conditions: Sequence[str]) -> str:
    """The WHERE clause of some conditions."""
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def prefix_query(words: str) -> str:
    """A tsquery that wants every word as the beginning of one; words hold letters and digits only."""
    return " & ".join(f"{word}:*" for word in words.split())
