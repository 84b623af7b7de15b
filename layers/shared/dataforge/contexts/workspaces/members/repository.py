"""The write SQL of members."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.members.domain import Member, Membership
from dataforge.contexts.workspaces.tables import members
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
)
from dataforge.kernel.access import MemberRole
from dataforge.platform.db.reassign import reassign


class Members:
    """Who is in workspaces; the workspace is entered alone before any of it changes."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def of(self, workspace: Workspace, actor: UUID) -> Membership:
        """Everybody in the workspace."""
        query = select(members).where(members.c.workspace_id == workspace.id).order_by(members.c.user_id)
        rows = (await self._connection.execute(query)).all()
        found = tuple(Member(row.user_id, MemberRole(row.role), row.joined_at) for row in rows)
        return Membership(workspace, actor, found)

    async def join(self, workspace_id: UUID, user_id: UUID, role: MemberRole) -> bool:
        """Add a member; False for somebody who is one already, whose role stays."""
        row = {"workspace_id": workspace_id, "user_id": user_id, "role": role.value, "joined_at": self._now}
        statement = insert(members).values(**row).on_conflict_do_nothing()
        return (await self._connection.execute(statement)).rowcount == 1

    async def set_role(self, workspace_id: UUID, member: Member) -> None:
        """Store the role."""
        same = (members.c.workspace_id == workspace_id, members.c.user_id == member.user_id)
        await self._connection.execute(update(members).where(*same).values(role=member.role.value))

    async def leave(self, workspace_id: UUID, member: Member) -> None:
        """Take the member out."""
        same = (members.c.workspace_id == workspace_id, members.c.user_id == member.user_id)
        await self._connection.execute(delete(members).where(*same))


async def merge_members(connection: AsyncConnection, *, merged: UUID, kept: UUID) -> None:
    """Let the memberships of one account be another's, who stays what they are where they are a member, too."""
    await reassign(connection, members.c.user_id, before=merged, after=kept)
