"""The write SQL of xAPI credentials."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tables import xapi_credentials

_RECORD_USES = text(
    "UPDATE identity.xapi_credentials c SET last_used_at = u.used_at "
    "FROM unnest(CAST(:keys AS text[]), CAST(:times AS timestamptz[])) u(key_id, used_at) "
    "WHERE c.key_id = u.key_id AND (c.last_used_at IS NULL OR c.last_used_at <= u.used_at - interval '1 minute')"
)
_RECORD_REFUSAL = text(
    "UPDATE identity.xapi_credentials SET last_refused_at = :at, last_refused_reason = :reason "
    "WHERE key_id = :key AND (last_refused_at IS NULL OR last_refused_at < :at)"
)


class XapiCredentials:
    """xAPI credentials in `identity.xapi_credentials`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert."""
        await self._connection.execute(insert(xapi_credentials).values(**values))

    async def revoke(self, key_id: str, at: datetime) -> bool:
        """Mark revoked; False when there is no such key."""
        statement = (
            update(xapi_credentials)
            .where(xapi_credentials.c.key_id == key_id)
            .values(
                revoked_at=func.coalesce(xapi_credentials.c.revoked_at, at),
                revision=xapi_credentials.c.revision + 1,
                published=False,
            )
            .returning(xapi_credentials.c.key_id)
        )
        return (await self._connection.execute(statement)).one_or_none() is not None

    async def change(self, key_id: str, changes: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a row of the table
        """Change columns of a locked row and raise its revision; returns the row."""
        statement = (
            update(xapi_credentials)
            .where(xapi_credentials.c.key_id == key_id)
            .values(**changes, revision=xapi_credentials.c.revision + 1, published=False)
            .returning(xapi_credentials)
        )
        return (await self._connection.execute(statement)).one()

    async def lock(self, key_id: str) -> Any | None:  # noqa: ANN401 - a row of the table
        """The row, locked until the end of the transaction."""
        query = select(xapi_credentials).where(xapi_credentials.c.key_id == key_id).with_for_update()
        return (await self._connection.execute(query)).one_or_none()

    async def keys_of(self, workspace_id: UUID) -> list[str]:
        """Keys of a workspace's credentials that are not revoked, locked until the end of the transaction."""
        query = select(xapi_credentials.c.key_id).where(
            xapi_credentials.c.workspace_id == workspace_id, xapi_credentials.c.revoked_at.is_(None)
        )
        ordered = query.order_by(xapi_credentials.c.key_id).with_for_update()
        return list((await self._connection.scalars(ordered)).all())

    async def suspend(self, workspace_id: UUID, at: datetime | None) -> list[str]:
        """Suspend a workspace's credentials, or no longer with None; keys of those that were not so already."""
        there = xapi_credentials.c.suspended_at
        statement = (
            update(xapi_credentials)
            .where(xapi_credentials.c.workspace_id == workspace_id, xapi_credentials.c.revoked_at.is_(None))
            .where(there.is_not(None) if at is None else there.is_(None))
            .values(suspended_at=at, revision=xapi_credentials.c.revision + 1, published=False)
            .returning(xapi_credentials.c.key_id)
        )
        return list((await self._connection.scalars(statement)).all())

    async def mark_published(self, key_id: str) -> None:
        """Remember that its present state is where it is checked."""
        statement = update(xapi_credentials).where(xapi_credentials.c.key_id == key_id).values(published=True)
        await self._connection.execute(statement)

    async def record_uses(self, used: Mapping[str, datetime]) -> None:
        """Write when credentials were last used, where that is a minute or more after the stored instant."""
        keys = sorted(used)
        await self._connection.execute(_RECORD_USES, {"keys": keys, "times": [used[key] for key in keys]})

    async def record_refusal(self, key_id: str, at: datetime, reason: str) -> None:
        """Write why a credential was last refused something."""
        await self._connection.execute(_RECORD_REFUSAL, {"key": key_id, "at": at, "reason": reason})
