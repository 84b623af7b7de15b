"""Pages of rows."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

After = tuple[Any, ...] | None


async def one_row(connection: AsyncConnection, query: Select[Any], missing: str) -> dict[str, Any]:
    """The one row of a query; raises NotFound with the message."""
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(missing)
    return row_dict(row)


async def page_of(
    connection: AsyncConnection, query: Select[Any], limit: int, key: tuple[str, ...]
) -> Page[dict[str, Any]]:
    """A page of a query for one row more than `limit`; `key` names what the next page begins after."""
    return paged([row_dict(row) for row in await connection.execute(query)], limit, key)


def paged(rows: list[dict[str, Any]], limit: int, key: tuple[str, ...]) -> Page[dict[str, Any]]:
    """`page_of` of rows that are read already."""
    more, rows = len(rows) > limit, rows[:limit]
    return Page(rows, tuple(str(rows[-1][name]) for name in key) if more else None)
