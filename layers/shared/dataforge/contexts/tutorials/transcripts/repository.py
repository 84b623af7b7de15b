"""The write SQL of transcripts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.tutorials.tables import lessons, transcript_segments, transcripts
from dataforge.contexts.tutorials.transcripts.domain import (
    Segment,
    Transcript,
    TranscriptFormat,
    TranscriptState,
    missing_transcript,
)
from dataforge.platform.db.database import row_dict

_COLUMNS = tuple(transcripts.c[name] for name in Transcript.__dataclass_fields__)
_SEGMENT_COLUMNS = (
    transcript_segments.c.idx.label("index"),
    *(transcript_segments.c[name] for name in ("start_ms", "end_ms", "text", "speaker", "confidence")),
)


class Transcripts:
    """Transcripts in PostgreSQL; see `TranscriptRepository`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, transcript: Transcript, segments: Sequence[Segment]) -> UUID:
        """Keep it, or give the id of the one that has its content; two at once wait for each other."""
        values = {**asdict(transcript), "created_at": self._now, "updated_at": self._now}
        new = insert(transcripts).values(values).on_conflict_do_nothing().returning(transcripts.c.id)
        same = select(transcripts.c.id).where(
            transcripts.c.workspace_id == transcript.workspace_id, transcripts.c.sha256 == transcript.sha256
        )
        while await self._connection.scalar(new) is None:
            first: UUID | None = await self._connection.scalar(same)
            if first is not None:
                return first
        await self._add_segments(transcript.id, segments)
        return transcript.id

    async def _add_segments(self, transcript_id: UUID, segments: Sequence[Segment]) -> None:
        statement = text("""
INSERT INTO tutorials.transcript_segments (transcript_id, idx, start_ms, end_ms, speaker, text, confidence)
SELECT :transcript_id, s.* FROM unnest(
    CAST(:index AS int[]), CAST(:start_ms AS bigint[]), CAST(:end_ms AS bigint[]),
    CAST(:speaker AS text[]), CAST(:text AS text[]), CAST(:confidence AS float[])) AS s""")
        names = ("index", "start_ms", "end_ms", "speaker", "text", "confidence")
        columns = {name: [getattr(segment, name) for segment in segments] for name in names}
        await self._connection.execute(statement, {"transcript_id": transcript_id, **columns})

    async def knows_lesson(self, lesson_id: UUID, workspace_id: UUID) -> bool:
        """Whether it is a lesson of the workspace or of the whole organisation."""
        query = select(lessons.c.lesson_id).where(
            lessons.c.lesson_id == lesson_id,
            lessons.c.workspace_id.is_(None) | (lessons.c.workspace_id == workspace_id),
        )
        return await self._connection.scalar(query) is not None

    async def lock(self, transcript_id: UUID) -> Transcript:
        """The transcript, locked until the end of the transaction; raises TranscriptNotFound."""
        query = select(*_COLUMNS).where(transcripts.c.id == transcript_id).with_for_update(key_share=True)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise missing_transcript(transcript_id)
        values = row_dict(row)
        return Transcript(
            **{**values, "format": TranscriptFormat(values["format"]), "state": TranscriptState(values["state"])}
        )

    async def segments(self, transcript_id: UUID) -> Sequence[Segment]:
        """All segments in order."""
        query = select(*_SEGMENT_COLUMNS).where(transcript_segments.c.transcript_id == transcript_id)
        rows = await self._connection.execute(query.order_by(transcript_segments.c.idx))
        return [Segment(**row_dict(row)) for row in rows]

    async def change(self, transcript: Transcript, changes: Mapping[str, Any]) -> None:
        """Write changes of one that is locked; its revision moves on."""
        change = update(transcripts).where(transcripts.c.id == transcript.id)
        values = {**changes, "revision": transcripts.c.revision + 1, "updated_at": self._now}
        await self._connection.execute(change.values(**values))

    async def rename_speakers(self, transcript_id: UUID, names: Mapping[str, str | None]) -> None:
        """Give speakers other names, all at once."""
        statement = text("""
UPDATE tutorials.transcript_segments AS s SET speaker = n.after
FROM unnest(CAST(:before AS text[]), CAST(:after AS text[])) AS n (before, after)
WHERE s.transcript_id = :transcript_id AND s.speaker = n.before""")
        values = {"transcript_id": transcript_id, "before": list(names), "after": list(names.values())}
        await self._connection.execute(statement, values)

    async def remove(self, transcript: Transcript) -> None:
        """Delete one that is locked, with its segments; its tutorials stay."""
        await self._connection.execute(delete(transcripts).where(transcripts.c.id == transcript.id))

    async def remove_all(self, workspace_id: UUID) -> None:
        """Delete all of a workspace."""
        await self._connection.execute(delete(transcripts).where(transcripts.c.workspace_id == workspace_id))
