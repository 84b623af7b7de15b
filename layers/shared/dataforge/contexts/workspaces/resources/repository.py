"""The write SQL of global resources and of what they are shared with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.resources.domain import AccessLevel, missing_resource
from dataforge.contexts.workspaces.tables import global_resources, workspace_global_resources
from dataforge.contexts.workspaces.workspaces.domain import name_taken
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import VersionedRows

_shares = workspace_global_resources


class Resources(VersionedRows):
    """Resources of people."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals = {
            "uq_global_resources_user_id_resource_type_name": lambda row: name_taken(
                Text("resource of this type"), row["name"], Text("The person")
            )
        }
        super().__init__(connection, global_resources, "resource", now, refusals=refusals)

    async def own(self, resource_id: UUID, user_id: UUID) -> dict[str, Any]:
        """The person's resource, locked; raises ResourceNotFound."""
        row = await self.find(global_resources.c.id == resource_id, global_resources.c.user_id == user_id)
        if row is None:
            raise missing_resource(resource_id)
        return row

    async def number_of(self, user_id: UUID) -> int:
        """How many resources the person has."""
        query = select(func.count()).where(global_resources.c.user_id == user_id)
        return int(await self._connection.scalar(query) or 0)

    async def shared(self, resource_id: UUID, workspace_id: UUID) -> tuple[dict[str, Any], AccessLevel]:
        """A resource that is shared with the workspace, locked, and for what; raises ResourceNotFound."""
        # The resource first, as whoever deletes it does.
        row = await self.find(global_resources.c.id == resource_id)
        level = await self._connection.scalar(select(_shares.c.access_level).where(*_share(workspace_id, resource_id)))
        if level is None or row is None:
            raise missing_resource(resource_id)
        return row, AccessLevel(level)

    async def share(self, resource_id: UUID, workspace_id: UUID, level: AccessLevel) -> None:
        """Share, or change for what."""
        row = {"workspace_id": workspace_id, "resource_id": resource_id, "access_level": level.value}
        statement = insert(_shares).values(**row, shared_at=self._now)
        key = [_shares.c.workspace_id, _shares.c.resource_id]
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_={"access_level": level.value})
        )

    async def unshare(self, resource_id: UUID, workspace_id: UUID) -> None:
        """Share no longer; raises ResourceNotFound for what was not shared."""
        statement = delete(_shares).where(*_share(workspace_id, resource_id))
        if not (await self._connection.execute(statement)).rowcount:
            raise missing_resource(resource_id)


def _share(workspace_id: UUID, resource_id: UUID) -> tuple[Any, Any]:
    return _shares.c.workspace_id == workspace_id, _shares.c.resource_id == resource_id
