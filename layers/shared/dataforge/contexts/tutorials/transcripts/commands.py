"""Transcripts: announced, kept, changed, deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from dataforge.contexts.tutorials.contract import TranscriptDeleted
from dataforge.contexts.tutorials.transcripts.domain import ParsedTranscript, Transcript, upload_key
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork
from dataforge.kernel.errors import invalid
from dataforge.kernel.ids import uuid7
from dataforge.kernel.quotas import UploadClaim, UploadLimits
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.kernel.uploads import URL_SECONDS
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class AnnounceTranscript:
    """A file of so many bytes for a workspace."""

    workspace_id: UUID
    size_bytes: int


async def announce_transcript(
    command: AnnounceTranscript, uow: TutorialsUnitOfWork, *, limits: UploadLimits
) -> tuple[UUID, str]:
    """The upload's id, and the key under which the caller may put the file; raises UploadQuotaExceeded."""
    upload_id, expires = uuid7(), uow.now + timedelta(seconds=URL_SECONDS)
    subject = f"transcripts:{command.workspace_id}"
    await uow.upload_quota.claim(UploadClaim(upload_id, uow.person, subject, command.size_bytes, expires), limits)
    return upload_id, upload_key(command.workspace_id, uow.person, upload_id)


@dataclass(frozen=True, slots=True)
class AddTranscript:
    """What was read from a file that is kept under a key; `about` is what people say of it."""

    id: UUID
    workspace_id: UUID
    object_key: str
    byte_count: int
    parsed: ParsedTranscript
    about: Mapping[str, Any]


async def add_transcript(command: AddTranscript, uow: TutorialsUnitOfWork) -> UUID:
    """Keep it with its segments; the id of the transcript with this content, which the workspace may have had."""
    parsed, about = command.parsed, command.about
    await _require_lesson(uow, command.workspace_id, about.get("lesson_id"))
    recorded_at = about.get("recorded_at") or parsed.recorded_at
    transcript = Transcript(
        id=command.id,
        workspace_id=command.workspace_id,
        owner_id=uow.person,
        title=about.get("title") or f"Transcript of {recorded_at or uow.now:%Y-%m-%d}",
        format=parsed.format,
        duration_ms=parsed.duration_ms,
        sha256=parsed.digest,
        object_key=command.object_key,
        byte_count=command.byte_count,
        segment_count=len(parsed.segments),
        lesson_id=about.get("lesson_id"),
        recording_url=about.get("recording_url"),
        recorded_at=recorded_at,
        language=about.get("language") or parsed.language,
    )
    kept = await uow.transcripts.add(transcript, parsed.segments)
    if kept == command.id:
        _audit(uow, "created", transcript, format=transcript.format.value, segments=transcript.segment_count)
    return kept


@dataclass(frozen=True, slots=True)
class ChangeTranscript:
    """Changes of a transcript, and other names of speakers; `expected` is the revision the caller read."""

    transcript_id: UUID
    expected: str
    changes: Mapping[str, Any]
    speakers: Mapping[str, str | None]


async def change_transcript(command: ChangeTranscript, uow: TutorialsUnitOfWork) -> UUID:
    """Change it; raises TranscriptNotFound, PreconditionFailed, and ValidationFailed for a speaker that it has not."""
    transcript = await uow.transcripts.lock(command.transcript_id)
    require_revision(command.expected, transcript.revision)
    if command.speakers:
        names = {segment.speaker for segment in await uow.transcripts.segments(transcript.id)}
        for name in command.speakers:
            if name not in names:
                raise invalid(
                    "/speakers", Text("Nobody in the transcript is called {name!r}.", name=name), "unknown_speaker"
                )
        await uow.transcripts.rename_speakers(transcript.id, command.speakers)
    await _require_lesson(uow, transcript.workspace_id, command.changes.get("lesson_id"))
    await uow.transcripts.change(transcript, command.changes)
    # The names themselves are in no log.
    _audit(uow, "changed", transcript, fields=sorted(command.changes), speakers=len(command.speakers))
    return transcript.id


@dataclass(frozen=True, slots=True)
class DeleteTranscript:
    """A transcript out of its workspace."""

    transcript_id: UUID
    expected: str


async def delete_transcript(command: DeleteTranscript, uow: TutorialsUnitOfWork) -> None:
    """Delete it with its file; tutorials of it stay. Raises TranscriptNotFound, PreconditionFailed."""
    transcript = await uow.transcripts.lock(command.transcript_id)
    require_revision(command.expected, transcript.revision)
    await uow.transcripts.remove(transcript)
    uow.publish(TranscriptDeleted(transcript.id, transcript.workspace_id, transcript.object_key))
    _audit(uow, "deleted", transcript, title=transcript.title)


async def _require_lesson(uow: TutorialsUnitOfWork, workspace_id: UUID, lesson_id: UUID | None) -> None:
    if lesson_id is not None and not await uow.transcripts.knows_lesson(lesson_id, workspace_id):
        raise invalid(
            "/lesson_id",
            Text("There is no lesson {lesson_id} for this workspace.", lesson_id=lesson_id),
            "unknown_reference",
        )


def _audit(uow: TutorialsUnitOfWork, action: str, transcript: Transcript, **after: object) -> None:
    entry = AuditEntry(
        f"transcript.{action}", "transcript", str(transcript.id), after=after, workspace_id=transcript.workspace_id
    )
    uow.audit(entry)
