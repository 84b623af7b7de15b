"""The write SQL of profiles."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.profiles.domain import missing_profile
from dataforge.contexts.workspaces.tables import profiles, workspaces
from dataforge.kernel.errors import AlreadyExists
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import VersionedRows


class Profiles(VersionedRows):
    """Profiles; whoever counts what belongs to a person locks the profile first."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals = {"pk_profiles": lambda _: AlreadyExists(Text("You have a profile; change it instead."))}
        super().__init__(connection, profiles, "profile", now, refusals=refusals)

    async def ensure(self, user_id: UUID) -> dict[str, Any]:
        """The person's profile, locked; an empty one if there was none."""
        row = {"user_id": user_id, "created_at": self._now, "updated_at": self._now}
        await self._connection.execute(insert(profiles).values(**row).on_conflict_do_nothing())
        return await self.locked(user_id)

    async def locked(self, user_id: UUID) -> dict[str, Any]:
        """The person's profile, locked; raises ProfileNotFound."""
        row = await self.find(profiles.c.user_id == user_id)
        if row is None:
            raise missing_profile(user_id)
        return row

    async def owned(self, user_id: UUID, *, deleted: bool = False) -> int:
        """How many workspaces the person owns, with or without deleted ones that are not erased yet."""
        query = select(func.count()).select_from(workspaces).where(workspaces.c.owner_id == user_id)
        if not deleted:
            query = query.where(workspaces.c.deleted_at.is_(None))
        return int(await self._connection.scalar(query) or 0)
