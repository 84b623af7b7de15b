"""Sign-ins that go on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.platform.db.database import row_dict

_SESSIONS = text(
    "SELECT family AS id, coalesce(min(began_at), min(created_at)) AS began_at, "
    "greatest(max(created_at), max(last_used_at)) AS last_used_at, max(device) AS device, "
    "max(expires_at) FILTER (WHERE used_at IS NULL) AS expires_at "
    "FROM identity.refresh_tokens WHERE user_id = :person GROUP BY family "
    "HAVING bool_and(revoked_at IS NULL) AND max(expires_at) FILTER (WHERE used_at IS NULL) > :now "
    "ORDER BY last_used_at DESC, id LIMIT 500"
)


async def list_sessions(
    connection: AsyncConnection, user_id: UUID, current: UUID | None, now: datetime
) -> list[dict[str, Any]]:
    """The sign-ins of a person that go on, last used first; a use is known to a quarter of an hour, the tokens' age."""
    rows = await connection.execute(_SESSIONS, {"person": user_id, "now": now})
    return [{**row_dict(row), "current": row.id == current} for row in rows]
