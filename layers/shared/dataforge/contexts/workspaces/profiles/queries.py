"""Profiles, with what identity's directory says of the person."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.profiles.domain import missing_profile
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import Page
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import may_any
from dataforge.platform.db.database import row_dict

# The person's own, those of people in a common workspace, and to administrators everybody's.
_SEEN = """(
    CAST(:everybody AS boolean) OR p.user_id = :person OR EXISTS (
        SELECT FROM workspaces.memberships mine JOIN workspaces.memberships theirs USING (workspace_id)
        WHERE mine.user_id = :person AND theirs.user_id = p.user_id))"""
_PROFILE = f"""
SELECT p.user_id, d.username, d.display_name, d.avatar, p.about,
       CASE WHEN p.user_id = :person THEN p.preferences END AS preferences, p.revision, p.created_at, p.updated_at
FROM workspaces.profiles p JOIN identity.directory d ON d.user_id = p.user_id
WHERE {_SEEN}
"""
_ONE = text(f"{_PROFILE} AND p.user_id = :user_id")
_LIST = text(
    f"{_PROFILE} AND (CAST(:name AS text) IS NULL OR (d.username, p.user_id) > (:name, CAST(:after AS uuid)))"
    " ORDER BY d.username, p.user_id LIMIT :limit"
)


def _who(principal: Principal) -> dict[str, Any]:
    return {"everybody": may_any(principal, Action.READ, Kind.PROFILE), "person": principal.user_id}


async def get_profile(connection: AsyncConnection, user_id: UUID, principal: Principal) -> dict[str, Any]:
    """A profile; the preferences are for the person alone. Raises ProfileNotFound."""
    row = (await connection.execute(_ONE, {**_who(principal), "user_id": user_id})).one_or_none()
    if row is None:
        raise missing_profile(user_id)
    return row_dict(row)


async def list_profiles(
    connection: AsyncConnection, principal: Principal, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Profiles that the person may see, by username."""
    name, user_id = after or (None, None)
    given = {**_who(principal), "name": name, "after": user_id, "limit": limit + 1}
    found = [row_dict(row) for row in await connection.execute(_LIST, given)]
    rows = found[:limit]
    return Page(rows, (rows[-1]["username"], str(rows[-1]["user_id"])) if len(found) > limit else None)
