"""Rows that name one person name another: two accounts turned out to be one person's."""

from uuid import UUID

from sqlalchemy import Column, delete, exists, update
from sqlalchemy.ext.asyncio import AsyncConnection


async def reassign(
    connection: AsyncConnection, column: "Column[UUID]", *, before: UUID, after: UUID, revised: bool = False
) -> None:
    """Put `after` wherever the column says `before`; twice changes nothing more.

    Where the column is part of the primary key and the row of `after` is there already, that one stays and the other
    goes. With `revised` the rows' revisions move on.
    """
    table = column.table
    change = update(table).where(column == before).values({column.name: after})
    if revised:
        change = change.values(revision=table.c.revision + 1)
    if not column.primary_key:
        await connection.execute(change)
        return
    other = table.alias()
    rest = [other.c[part.name] == part for part in table.primary_key.columns if part is not column]
    await connection.execute(change.where(~exists().where(other.c[column.name] == after, *rest)))
    await connection.execute(delete(table).where(column == before))
