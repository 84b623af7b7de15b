"""The audit log, as administrators search it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.paging import Page
from dataforge.platform.db.keyset_lists import After, keyset, where

_SHOWN = (
    "a.id, a.at, a.actor_id, d.display_name AS actor, a.workspace_id, a.action, a.entity, a.entity_id, a.before, "
    "a.after, a.request_id"
)
_CONDITIONS = {
    "actor_id": "a.actor_id = :actor_id",
    "workspace_id": "a.workspace_id = :workspace_id",
    "action": "a.action = :action",
    "entity": "a.entity = :entity",
    "entity_id": "a.entity_id = :entity_id",
    "request_id": "a.request_id = :request_id",
    "since": "a.at >= :since",
    "until": "a.at < :until",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are asked for; all of what is given."""

    actor_id: UUID | None = None
    workspace_id: UUID | None = None
    action: str | None = None
    entity: str | None = None
    entity_id: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_entries(
    connection: AsyncConnection, asked: AuditFilter, *, after: After, limit: int
) -> Page[dict[str, Any]]:
    """Entries that fit, newest first, with what was there before and after."""
    values = {name: value for name in _CONDITIONS if (value := getattr(asked, name)) is not None}
    conditions = [_CONDITIONS[name] for name in values]
    if after is not None:
        conditions.append("a.id < :last")
        values["last"] = int(after[0])
    sql = (
        f"SELECT {_SHOWN} FROM platform.audit_log a LEFT JOIN identity.directory d ON d.user_id = a.actor_id "
        f"{where(conditions)} ORDER BY a.id DESC"
    )
    return await keyset(connection, sql, values, key=("id",), limit=limit)
