"""Who is in a workspace."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.members.domain import MemberNotFound
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict

_MEMBERS = """
SELECT m.user_id, d.username, d.display_name, d.avatar, m.role, m.joined_at, d.suspended_at IS NOT NULL AS suspended
FROM workspaces.members m JOIN identity.directory d ON d.user_id = m.user_id
WHERE m.workspace_id = :workspace_id
"""
_ONE = text(f"{_MEMBERS} AND m.user_id = :user_id")
_LIST = text(
    f"{_MEMBERS} AND (CAST(:name AS text) IS NULL OR (d.username, m.user_id) > (:name, CAST(:after AS uuid)))"
    " ORDER BY d.username, m.user_id LIMIT :limit"
)


async def get_member(connection: AsyncConnection, workspace_id: UUID, user_id: UUID) -> dict[str, Any]:
    """One member, whoever asks; raises MemberNotFound."""
    row = (await connection.execute(_ONE, {"workspace_id": workspace_id, "user_id": user_id})).one_or_none()
    if row is None:
        message = Text("User {user_id} is not a member of this workspace.", user_id=user_id)
        raise MemberNotFound(message)
    return row_dict(row)


async def names_of_people(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, str]:
    """How people are called, whether they are members or were; somebody whose account is gone has no name."""
    query = text("SELECT user_id, display_name FROM identity.directory WHERE user_id = ANY(:ids)")
    return {row.user_id: row.display_name for row in await connection.execute(query, {"ids": list(ids)})}


async def list_members(
    connection: AsyncConnection, workspace_id: UUID, person: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Members by username; raises WorkspaceNotFound for somebody who is none."""
    await seen_workspace(connection, workspace_id, person)
    name, user_id = after or (None, None)
    given = {"workspace_id": workspace_id, "name": name, "after": user_id, "limit": limit + 1}
    found = [row_dict(row) for row in await connection.execute(_LIST, given)]
    rows = found[:limit]
    return Page(rows, (rows[-1]["username"], str(rows[-1]["user_id"])) if len(found) > limit else None)
