"""Writes of sections."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.contexts.academics.tables import section_meetings, sections
from dataforge.platform.db.versioned_rows import VersionedRows


class Sections(VersionedRows):
    """Sections and their meetings."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, sections, "section", now)

    async def set_meetings(self, section_id: UUID, meetings: Sequence[Meeting]) -> None:
        """Replace the meetings of a section."""
        await self._connection.execute(delete(section_meetings).where(section_meetings.c.section_id == section_id))
        if meetings:
            rows = [
                {"section_id": section_id, "weekday": m.weekday, "starts": m.starts, "ends": m.ends, "room": m.room}
                for m in meetings
            ]
            await self._connection.execute(insert(section_meetings), rows)

    async def is_instructor(self, user_id: UUID) -> bool:
        """Whether a user of identity may teach and is not suspended."""
        known = (
            "SELECT 1 FROM identity.directory WHERE user_id = :id AND suspended_at IS NULL "
            "AND role IN ('instructor','registrar','admin')"
        )
        return await self._connection.scalar(text(known), {"id": user_id}) is not None
