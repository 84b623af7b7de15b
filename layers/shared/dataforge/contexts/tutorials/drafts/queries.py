"""Transcripts to draft from, and the jobs that do it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.tutorials.tables import transcript_segments, transcripts
from dataforge.contexts.tutorials.transcripts.domain import Segment, missing_transcript
from dataforge.kernel.errors import Conflict
from dataforge.kernel.jobs import OPEN, JobNotFound
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.jobs.tables import jobs

KIND = "tutorial_draft"
_JOB_COLUMNS = (
    *(jobs.c.id, jobs.c.status, jobs.c.run_parameters, jobs.c.progress, jobs.c.output_summary),
    *(jobs.c.failure, jobs.c.created_at, jobs.c.completed_at),
)
_SPOKEN = select(transcripts.c.id, transcripts.c.workspace_id, transcripts.c.language, transcripts.c.state)
_SEGMENTS = select(
    transcript_segments.c.idx.label("index"),
    *(transcript_segments.c[name] for name in ("start_ms", "end_ms", "text", "speaker", "confidence")),
)


class TranscriptNotReady(Conflict):
    """The transcript's file has not been read, or could not be."""

    code = "transcript_not_ready"
    title = "The transcript cannot be used yet"


@dataclass(frozen=True, slots=True)
class SpokenTranscript:
    """What a draft needs to know of a transcript besides its segments."""

    id: UUID
    workspace_id: UUID
    language: str | None
    state: str

    def require_ready(self) -> None:
        """Raise TranscriptNotReady for one without segments."""
        if self.state != "ready":
            message = Text("The transcript is {state}; a tutorial is drafted from one that is ready.", state=self.state)
            raise TranscriptNotReady(message, facts={"state": self.state})


async def spoken_transcript(connection: AsyncConnection, transcript_id: UUID) -> SpokenTranscript:
    """The transcript, whoever asks; raises TranscriptNotFound."""
    return await _one(connection, transcript_id, _SPOKEN)


async def lock_transcript(connection: AsyncConnection, transcript_id: UUID) -> SpokenTranscript:
    """The same, locked until the end of the transaction."""
    return await _one(connection, transcript_id, _SPOKEN.with_for_update(key_share=True))


async def spoken_segments(connection: AsyncConnection, transcript_id: UUID) -> Sequence[Segment]:
    """All segments of a transcript in order."""
    query = _SEGMENTS.where(transcript_segments.c.transcript_id == transcript_id).order_by(transcript_segments.c.idx)
    return [Segment(**row_dict(row)) for row in await connection.execute(query)]


async def open_draft_job(connection: AsyncConnection, transcript_id: UUID) -> UUID | None:
    """The job that is still to draft this transcript, unless somebody has cancelled it."""
    query = (
        select(jobs.c.id)
        .where(jobs.c.kind == KIND, jobs.c.status.in_([status.value for status in OPEN]))
        .where(jobs.c.cancel_requested.is_(False))
        .where(jobs.c.run_parameters["transcript_id"].astext == str(transcript_id))
        .order_by(jobs.c.id)
        .limit(1)
    )
    job_id: UUID | None = await connection.scalar(query)
    return job_id


async def read_draft_job(connection: AsyncConnection, job_id: UUID) -> dict[str, Any]:
    """How far a draft is, whoever asks; raises JobNotFound."""
    row = (
        await connection.execute(select(*_JOB_COLUMNS).where(jobs.c.id == job_id, jobs.c.kind == KIND))
    ).one_or_none()
    if row is None:
        raise missing_draft_job(job_id)
    return {
        "job_id": row.id,
        "status": row.status,
        "transcript_id": row.run_parameters["transcript_id"],
        "workspace_id": row.run_parameters["workspace_id"],
        "tutorial_id": (row.output_summary or {}).get("tutorial_id"),
        "stage": row.progress.get("stage"),
        "error": row.failure,
        "created_at": row.created_at,
        "completed_at": row.completed_at,
    }


def missing_draft_job(job_id: UUID) -> JobNotFound:
    """The refusal for a job that is none or drafts for another workspace."""
    return JobNotFound(Text("There is no draft {job_id}.", job_id=job_id))


async def _one(connection: AsyncConnection, transcript_id: UUID, query: Select[Any]) -> SpokenTranscript:
    row = (await connection.execute(query.where(transcripts.c.id == transcript_id))).one_or_none()
    if row is None:
        raise missing_transcript(transcript_id)
    return SpokenTranscript(**row_dict(row))
