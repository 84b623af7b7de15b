"""The write SQL of the trash: what requests ask for, and what the deployer has put there and deleted."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection as Driver
from psycopg import sql
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.schemas.designs.domain.names import namespace_of, trash_of
from dataforge.contexts.schemas.plans.domain.kept import Kept
from dataforge.contexts.schemas.tables import trash
from dataforge.contexts.schemas.trash.domain import kept_until
from dataforge.kernel.ids import uuid7


class TrashItems:
    """Things in `schemas.trash`, which tells of tables in the trash of each workspace."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ask_for_end(self, workspace_id: UUID, item_id: UUID, now: datetime) -> bool:
        """Mark one to be deleted; False when it is gone."""
        statement = update(trash).where(trash.c.id == item_id, trash.c.workspace_id == workspace_id)
        done = await self._connection.execute(statement.values(end_asked_at=now))
        return bool(done.rowcount)


_GONE = "DELETE FROM schemas.trash WHERE workspace_id = %s AND name <> ALL(%s)"
_THERE = """
INSERT INTO schemas.trash (id, workspace_id, name, object, kind, stable_id, size_bytes, kept_at, keep_until)
SELECT %(id)s, %(workspace)s, %(name)s::text, %(object)s, %(kind)s, %(stable_id)s,
       coalesce((SELECT pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE n.nspname = %(namespace)s AND c.relname = %(name)s::text), 0), %(now)s, %(until)s
    ON CONFLICT (workspace_id, name) DO UPDATE SET object = excluded.object
"""
_DUE = """
SELECT name FROM schemas.trash
 WHERE workspace_id = %s AND (keep_until <= %s OR end_asked_at IS NOT NULL) FOR UPDATE
"""
_DELETED = "DELETE FROM schemas.trash WHERE workspace_id = %s AND name = ANY(%s)"


async def record_trash(connection: "Driver[Any]", workspace_id: UUID, kept: Iterable[Kept], now: datetime) -> None:
    """Write down what is in the trash after a deployment: what is new there, and what has left it."""
    items = list(kept)
    await connection.execute(_GONE, [workspace_id, [item.name for item in items]])
    for item in items:
        values = {"id": uuid7(), "workspace": workspace_id, "name": item.name, "object": item.object}
        values |= {"kind": item.kind, "stable_id": item.stable_id, "now": now, "until": kept_until(now)}
        await connection.execute(_THERE, {**values, "namespace": trash_of(namespace_of(workspace_id))})


async def delete_due(connection: "Driver[Any]", workspace_id: UUID, now: datetime) -> list[str]:
    """Drop what has been kept long enough or shall go at once; returns the names, in one transaction with its rows."""
    names = [name for (name,) in await (await connection.execute(_DUE, [workspace_id, now])).fetchall()]
    schema = sql.Identifier(trash_of(namespace_of(workspace_id)))
    for name in names:
        await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}.{}").format(schema, sql.Identifier(name)))
    await connection.execute(_DELETED, [workspace_id, names])
    return names
