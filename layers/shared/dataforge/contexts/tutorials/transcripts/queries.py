"""Reads of transcripts; whoever calls them has seen that the person may."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.tutorials.tables import transcript_segments, transcripts
from dataforge.contexts.tutorials.transcripts.domain import TranscriptFormat, missing_transcript
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

_SHOWN = [column for column in transcripts.c if column.name != "object_key"]
_SEGMENT = (
    transcript_segments.c.idx.label("index"),
    *(transcript_segments.c[name] for name in ("start_ms", "end_ms", "speaker", "text", "confidence")),
)


async def workspace_of(connection: AsyncConnection, transcript_id: UUID) -> UUID:
    """The workspace that a transcript is in; raises TranscriptNotFound."""
    found: UUID | None = await connection.scalar(
        select(transcripts.c.workspace_id).where(transcripts.c.id == transcript_id)
    )
    if found is None:
        raise missing_transcript(transcript_id)
    return found


async def get_transcript(connection: AsyncConnection, transcript_id: UUID) -> dict[str, Any]:
    """One transcript with its speakers; raises TranscriptNotFound."""
    row = (await connection.execute(select(*_SHOWN).where(transcripts.c.id == transcript_id))).one_or_none()
    if row is None:
        raise missing_transcript(transcript_id)
    spoken = func.sum(transcript_segments.c.end_ms - transcript_segments.c.start_ms)
    query = (
        select(transcript_segments.c.speaker.label("name"), func.count().label("segments"), spoken.label("spoken_ms"))
        .where(transcript_segments.c.transcript_id == transcript_id, transcript_segments.c.speaker.is_not(None))
        .group_by(transcript_segments.c.speaker)
        .order_by(spoken.desc(), transcript_segments.c.speaker)
    )
    return {**row_dict(row), "speakers": [row_dict(speaker) for speaker in await connection.execute(query)]}


async def object_of(connection: AsyncConnection, transcript_id: UUID) -> str:
    """The key that the transcript's file is kept under; raises TranscriptNotFound."""
    key: str | None = await connection.scalar(select(transcripts.c.object_key).where(transcripts.c.id == transcript_id))
    if key is None:
        raise missing_transcript(transcript_id)
    return key


async def list_transcripts(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    search: str | None = None,
    written_as: TranscriptFormat | None = None,
    after: tuple[Any, ...] | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Transcripts of a workspace, the newest first; `search` is a part of the title, large or small letters."""
    query = select(*_SHOWN).where(transcripts.c.workspace_id == workspace_id)
    if search:
        query = query.where(transcripts.c.title.icontains(search, autoescape=True))
    if written_as is not None:
        query = query.where(transcripts.c.format == written_as.value)
    if after is not None:
        place = tuple_(datetime.fromisoformat(after[0]), UUID(after[1]))
        query = query.where(tuple_(transcripts.c.created_at, transcripts.c.id) < place)
    order = (transcripts.c.created_at.desc(), transcripts.c.id.desc())
    rows = [row_dict(row) for row in await connection.execute(query.order_by(*order).limit(limit + 1))]
    key = None if len(rows) <= limit else (rows[limit - 1]["created_at"].isoformat(), str(rows[limit - 1]["id"]))
    return Page(rows[:limit], key)


async def list_segments(
    connection: AsyncConnection,
    transcript_id: UUID,
    *,
    from_ms: int | None = None,
    to_ms: int | None = None,
    after: tuple[Any, ...] | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Segments in order; with times, those of which something is said between them."""
    query = select(*_SEGMENT).where(transcript_segments.c.transcript_id == transcript_id)
    if from_ms is not None:
        query = query.where(transcript_segments.c.end_ms >= from_ms)
    if to_ms is not None:
        query = query.where(transcript_segments.c.start_ms <= to_ms)
    if after is not None:
        query = query.where(transcript_segments.c.idx > after[0])
    found = await connection.execute(query.order_by(transcript_segments.c.idx).limit(limit + 1))
    rows = [row_dict(row) for row in found]
    return Page(rows[:limit], (rows[limit - 1]["index"],) if len(rows) > limit else None)
