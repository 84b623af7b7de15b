"""The write SQL of workspaces."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.tables import invitations, members, repos, vaults, workspaces
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
    WorkspaceArchived,
    missing_workspace,
    name_taken,
)
from dataforge.kernel.access import MemberRole
from dataforge.platform.db.versioned_rows import VersionedRows


class Workspaces(VersionedRows):
    """Workspaces, entered by one of their members."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals = {"uq_workspaces_owner_id_name_ci": lambda row: name_taken("workspace", row["name"], "The owner")}
        super().__init__(connection, workspaces, "workspace", now, refusals=refusals)

    async def enter(self, workspace_id: UUID, user_id: UUID, *, alone: bool = False) -> Workspace:
        """The workspace as the member sees it; raises WorkspaceNotFound for everybody else.

        Until the end of the transaction it is not archived, and the role stays; with `alone` nobody else changes
        anything in it either.
        """
        query = (
            select(workspaces, members.c.role)
            .join(members, members.c.workspace_id == workspaces.c.id)
            .where(workspaces.c.id == workspace_id, workspaces.c.deleted_at.is_(None), members.c.user_id == user_id)
        )
        query = query.with_for_update(read=not alone, key_share=alone, of=workspaces)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise missing_workspace(workspace_id)
        return Workspace(row.id, row.name, row.owner_id, MemberRole(row.role), row.archived_at, row.revision)

    async def is_open_to_join(self, workspace_id: UUID) -> bool:
        """Whether there is such a workspace, locked for who wants in; raises WorkspaceArchived."""
        query = select(workspaces.c.archived_at).where(
            workspaces.c.id == workspace_id, workspaces.c.deleted_at.is_(None)
        )
        row = (await self._connection.execute(query.with_for_update(key_share=True))).one_or_none()
        if row is not None and row.archived_at is not None:
            message = "The workspace is archived; nobody can join it."
            raise WorkspaceArchived(message)
        return row is not None

    async def create(self, values: dict[str, Any]) -> None:
        """Insert, with its owner as the first member; raises AlreadyExists for a name that the owner has used."""
        await self.add(values)
        owner = {"workspace_id": values["id"], "user_id": values["owner_id"], "role": MemberRole.OWNER.value}
        await self._connection.execute(insert(members).values(**owner, joined_at=self._now))

    async def update(self, workspace: Workspace, changes: dict[str, Any]) -> None:
        """Write changes of a workspace that was entered alone; raises AlreadyExists."""
        await self.change({"id": workspace.id, "name": workspace.name}, changes)

    async def counts(self, workspace_id: UUID) -> dict[str, int]:
        """How many members, open invitations, repos and vaults there are."""
        found = {}
        for name, table in (("members", members), ("repos", repos), ("vaults", vaults)):
            query = select(func.count()).select_from(table).where(table.c.workspace_id == workspace_id)
            found[name] = int(await self._connection.scalar(query) or 0)
        open_invitations = select(func.count()).where(
            invitations.c.workspace_id == workspace_id,
            invitations.c.accepted_at.is_(None),
            invitations.c.revoked_at.is_(None),
            invitations.c.expires_at > self._now,
        )
        found["invitations"] = int(await self._connection.scalar(open_invitations) or 0)
        return found

    async def erase_deleted(self, before: datetime) -> int:
        """Delete for good, with all that is in them, the workspaces that were deleted before that instant."""
        return (await self._connection.execute(delete(workspaces).where(workspaces.c.deleted_at < before))).rowcount
