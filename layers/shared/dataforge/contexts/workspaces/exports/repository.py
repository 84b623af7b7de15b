"""The write SQL of the end of workspaces: in whatever state they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.tables import members, workspaces
from dataforge.contexts.workspaces.workspaces.domain import missing_workspace, name_taken
from dataforge.kernel.access import MemberRole
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import VersionedRows

# Deleted, without an export, and with no job that makes one or has just failed.
_WITHOUT_EXPORT = text(
    "SELECT w.id FROM workspaces.workspaces w WHERE w.deleted_at < :since AND w.export_key IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM platform.jobs j WHERE j.kind = :kind "
    "AND j.run_parameters ->> 'workspace_id' = CAST(w.id AS text) "
    "AND (j.status IN ('pending', 'running') OR j.completed_at > :failed_since)) ORDER BY w.deleted_at LIMIT 20"
)


@dataclass(frozen=True, slots=True)
class EndingWorkspace:
    """A workspace that may be deleted, as one of its owners sees it."""

    id: UUID
    name: str
    owner_id: UUID
    deleted_at: datetime | None
    export_key: str | None


class Endings(VersionedRows):
    """Workspaces in whatever state, inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals = {
            "uq_workspaces_owner_id_name_ci": lambda row: name_taken("workspace", row["name"], Text("The owner"))
        }
        super().__init__(connection, workspaces, "workspace", now, refusals=refusals)

    async def enter(self, workspace_id: UUID, user_id: UUID) -> EndingWorkspace:
        """The workspace for an owner of it, locked; raises WorkspaceNotFound for everybody else."""
        query = (
            select(workspaces)
            .join(members, members.c.workspace_id == workspaces.c.id)
            .where(workspaces.c.id == workspace_id, members.c.user_id == user_id)
            .where(members.c.role == MemberRole.OWNER.value)
            .with_for_update(key_share=True, of=workspaces)
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise missing_workspace(workspace_id)
        return EndingWorkspace(row.id, row.name, row.owner_id, row.deleted_at, row.export_key)

    async def owner_of(self, workspace_id: UUID, user_id: UUID) -> UUID | None:
        """Whose a workspace is, for an owner of it; None for everybody else."""
        query = (
            select(workspaces.c.owner_id)
            .join(members, members.c.workspace_id == workspaces.c.id)
            .where(workspaces.c.id == workspace_id, members.c.user_id == user_id)
            .where(members.c.role == MemberRole.OWNER.value)
        )
        owner: UUID | None = await self._connection.scalar(query)
        return owner

    async def keep_export(self, workspace_id: UUID, deleted_at: datetime, key: str, size: int) -> bool:
        """Name the export of this deletion of a workspace; False where it was taken back, or has an export."""
        statement = (
            update(workspaces)
            .where(workspaces.c.id == workspace_id, workspaces.c.deleted_at == deleted_at)
            .where(workspaces.c.export_key.is_(None))
            .values(export_key=key, export_bytes=size, exported_at=self._now)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def without_export(self, kind: str, since: datetime, failed_since: datetime) -> Sequence[UUID]:
        """Workspaces that were deleted before `since` and nobody exports."""
        values = {"kind": kind, "since": since, "failed_since": failed_since}
        return (await self._connection.scalars(_WITHOUT_EXPORT, values)).all()
