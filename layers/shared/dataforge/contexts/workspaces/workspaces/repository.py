"""The write SQL of workspaces."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.tables import invitations, members, repos, vaults, workspaces
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
    WorkspaceArchived,
    missing_workspace,
    name_taken,
)
from dataforge.kernel.access import MemberRole
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import VersionedRows

_DELETE_LONELY = text(
    "DELETE FROM workspaces.workspaces w WHERE (w.owner_id = :user_id OR EXISTS (SELECT 1 FROM workspaces.members m "
    "WHERE m.workspace_id = w.id AND m.user_id = :user_id)) AND NOT EXISTS (SELECT 1 FROM workspaces.members m "
    "WHERE m.workspace_id = w.id AND m.user_id <> :user_id) RETURNING w.id"
)
# To whoever may do most, and has been there longest.
_HEIRS = text(
    "SELECT DISTINCT ON (w.id) w.id, m.user_id FROM workspaces.workspaces w "
    "JOIN workspaces.members m ON m.workspace_id = w.id WHERE w.owner_id = :user_id AND m.user_id <> :user_id "
    "ORDER BY w.id, array_position(CAST(:roles AS text[]), CAST(m.role AS text)), m.joined_at, m.user_id"
)
_GIVE_PROFILE = text(
    "INSERT INTO workspaces.profiles (user_id, created_at, updated_at) VALUES (:heir, :now, :now) "
    "ON CONFLICT DO NOTHING"
)
_GIVE_ROLE = text("UPDATE workspaces.members SET role = 'owner' WHERE workspace_id = :id AND user_id = :heir")
_GIVE = text(
    "UPDATE workspaces.workspaces w SET owner_id = :heir, revision = revision + 1, updated_at = :now, "
    "name = CASE WHEN EXISTS (SELECT 1 FROM workspaces.workspaces o WHERE o.owner_id = :heir AND o.deleted_at IS NULL "
    "AND lower(o.name) = lower(w.name)) THEN left(w.name, 240) || ' (' || left(CAST(w.id AS text), 8) || ')' "
    "ELSE w.name END WHERE w.id = :id"
)


class Workspaces(VersionedRows):
    """Workspaces, entered by one of their members."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals = {
            "uq_workspaces_owner_id_name_ci": lambda row: name_taken("workspace", row["name"], Text("The owner"))
        }
        super().__init__(connection, workspaces, "workspace", now, refusals=refusals)

    async def enter(self, workspace_id: UUID, user_id: UUID, *, alone: bool = False) -> Workspace:
        """The workspace as the member sees it; raises WorkspaceNotFound for everybody else.

        Until the end of the transaction it is not archived, and the role stays; with `alone` nobody else changes
        anything in it either.
        """
        query = (
            select(workspaces)
            .join(members, members.c.workspace_id == workspaces.c.id)
            .where(workspaces.c.id == workspace_id, workspaces.c.deleted_at.is_(None), members.c.user_id == user_id)
        )
        query = query.with_for_update(read=not alone, key_share=alone, of=workspaces)
        row = (await self._connection.execute(query)).one_or_none()
        # Whoever had the lock before may have changed the role: what this statement has seen of it was earlier.
        role = None if row is None else await self._role_of(workspace_id, user_id)
        if row is None or role is None:
            raise missing_workspace(workspace_id)
        return Workspace(row.id, row.name, row.owner_id, role, row.archived_at, row.revision)

    async def _role_of(self, workspace_id: UUID, user_id: UUID) -> MemberRole | None:
        query = select(members.c.role).where(members.c.workspace_id == workspace_id, members.c.user_id == user_id)
        role = await self._connection.scalar(query)
        return None if role is None else MemberRole(role)

    async def is_open_to_join(self, workspace_id: UUID) -> bool:
        """Whether there is such a workspace, locked for who wants in; raises WorkspaceArchived."""
        query = select(workspaces.c.archived_at).where(
            workspaces.c.id == workspace_id, workspaces.c.deleted_at.is_(None)
        )
        row = (await self._connection.execute(query.with_for_update(key_share=True))).one_or_none()
        if row is not None and row.archived_at is not None:
            message = Text("The workspace is archived; nobody can join it.")
            raise WorkspaceArchived(message)
        return row is not None

    async def enter_open(self, workspace_id: UUID) -> None:
        """Until the end of the transaction it is neither archived nor deleted; raises WorkspaceArchived.

        For what no member does; raises WorkspaceNotFound for one that is deleted.
        """
        query = select(workspaces.c.archived_at).where(
            workspaces.c.id == workspace_id, workspaces.c.deleted_at.is_(None)
        )
        row = (await self._connection.execute(query.with_for_update(read=True))).one_or_none()
        if row is None:
            raise missing_workspace(workspace_id)
        if row.archived_at is not None:
            message = Text("The workspace is archived; nothing in it changes.")
            raise WorkspaceArchived(message)

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

    async def erase_deleted(self, before: datetime) -> Sequence[UUID]:
        """Delete for good, with all that is in them, what was deleted before that instant and exported; their ids."""
        exported = workspaces.c.export_key.is_not(None)
        old = delete(workspaces).where(workspaces.c.deleted_at < before, exported).returning(workspaces.c.id)
        return (await self._connection.scalars(old)).all()

    async def delete_lonely(self, user_id: UUID) -> Sequence[UUID]:
        """Delete for good the workspaces in which nobody is but this person; their ids."""
        return (await self._connection.scalars(_DELETE_LONELY, {"user_id": user_id})).all()

    async def hand_over(self, user_id: UUID) -> int:
        """Make another member the owner of whatever counts as this person's; how many.

        A name that the new owner uses already gets the beginning of the workspace's id behind it.
        """
        values = {"user_id": user_id, "roles": [role.value for role in MemberRole]}
        heirs = (await self._connection.execute(_HEIRS, values)).all()
        for workspace_id, heir in heirs:
            given = {"id": workspace_id, "heir": heir, "now": self._now}
            await self._connection.execute(_GIVE_PROFILE, {"heir": heir, "now": self._now})
            await self._connection.execute(_GIVE_ROLE, {"id": workspace_id, "heir": heir})
            await self._connection.execute(_GIVE, given)
        return len(heirs)
