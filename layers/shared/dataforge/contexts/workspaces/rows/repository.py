"""Rows with a revision that are found within their workspace or person, never by their id alone."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.errors import DataForgeError
from dataforge.platform.db.database import row_dict


@asynccontextmanager
async def unique(refusals: Mapping[str, Callable[[], DataForgeError]]) -> AsyncIterator[None]:
    """Turn the violation of a unique constraint, by its name, into the error that says so."""
    try:
        yield
    except IntegrityError as error:
        refusal = refusals.get(getattr(getattr(error.orig, "diag", None), "constraint_name", None) or "")
        if refusal is None:
            raise
        raise refusal() from error


class OwnedRows:
    """The rows of one table with `revision`, `created_at` and `updated_at`."""

    def __init__(self, connection: AsyncConnection, table: Table, now: datetime) -> None:
        self._connection = connection
        self._table = table
        self._now = now

    async def add(self, **values: object) -> None:
        """Insert; raises IntegrityError for what a constraint forbids."""
        row = {**values, "created_at": self._now, "updated_at": self._now}
        await self._connection.execute(insert(self._table).values(**row))

    async def lock(self, *conditions: ColumnElement[bool]) -> dict[str, Any] | None:
        """The one row that fits, locked until the end of the transaction."""
        found = await self._connection.execute(select(self._table).where(*conditions).with_for_update())
        row = found.one_or_none()
        return None if row is None else row_dict(row)

    async def change(self, row: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """Write the changes of a locked row and count its revision up."""
        values = {**changes, "revision": row["revision"] + 1, "updated_at": self._now}
        await self._connection.execute(update(self._table).where(*self._same(row)).values(**values))

    async def remove(self, row: Mapping[str, Any]) -> None:
        """Delete a locked row."""
        await self._connection.execute(delete(self._table).where(*self._same(row)))

    def _same(self, row: Mapping[str, Any]) -> list[ColumnElement[bool]]:
        return [column == row[column.name] for column in self._table.primary_key]
