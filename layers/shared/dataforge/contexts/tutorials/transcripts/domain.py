"""What a transcript is made of, what it may be, and where it is kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from dataforge.kernel.errors import BadRequest, Conflict, NotFound, PayloadTooLarge
from dataforge.kernel.texts import Text

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_INLINE_BYTES = 100 * 1024
MAX_SEGMENTS = 20_000
MAX_SEGMENT_CHARACTERS = 10_000
MAX_SPEAKER_CHARACTERS = 200
MAX_LENGTH = timedelta(hours=24)
"""From the first word to the last."""
UPLOAD_PREFIX, FILE_PREFIX = "uploads/transcripts/", "transcripts/"
_ASIDE = re.compile(r"(?:\[[^\]]*\]|\([^)]*\)|[♪♫][^♪♫]*(?:[♪♫]|\Z)|[\s.,!…-])+")


class TranscriptNotFound(NotFound):
    """There is no such transcript, or not for whoever asks."""

    code = "transcript_not_found"
    title = "There is no such transcript"


class TranscriptUploadMissing(Conflict):
    """Nothing was put under the upload, it has expired, or it is somebody else's."""

    code = "transcript_upload_missing"
    title = "The file has not been uploaded"


class TranscriptUnreadable(BadRequest):
    """The file is no transcript that can be read; the sentence names the line, and `line` is its number."""

    code = "transcript_unreadable"
    title = "The file cannot be read as a transcript"


class TranscriptTooLarge(PayloadTooLarge):
    """A transcript may have so many bytes, segments and hours."""

    code = "transcript_too_large"
    title = "The transcript is too large"


def unreadable(reason: str, line: int | None = None) -> TranscriptUnreadable:
    """The error for what is wrong in a line of the file, counted from 1, or with the whole file."""
    if line is None:
        return TranscriptUnreadable(reason)
    return TranscriptUnreadable(Text("Line {line:,}: {reason}", line=line, reason=reason), facts={"line": line})


def missing_transcript(transcript_id: UUID) -> TranscriptNotFound:
    """The error for a transcript that is not there, or not for whoever asks."""
    return TranscriptNotFound(
        Text("There is no transcript {transcript_id} that you may see.", transcript_id=transcript_id)
    )


def upload_key(workspace_id: UUID, person: UUID, upload_id: UUID) -> str:
    """Where somebody puts a file for a workspace; nobody else's upload is found under it."""
    return f"{UPLOAD_PREFIX}{workspace_id}/{person}/{upload_id}"


def file_key(workspace_id: UUID, transcript_id: UUID) -> str:
    """Where the file of a transcript is kept."""
    return f"{FILE_PREFIX}{workspace_id}/{transcript_id}"


class TranscriptFormat(StrEnum):
    """How a transcript was written."""

    PHRASES = "phrases"
    VTT = "vtt"
    SRT = "srt"
    ZOOM = "zoom"
    TEAMS = "teams"


class TranscriptState(StrEnum):
    """Whether a transcript can be worked with."""

    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance of a transcript, whose segments are numbered from 0 in the order in which they begin.

    Times are milliseconds from the beginning of the recording, `start_ms <= end_ms`; `text` is not empty, in Unicode's
    form C and with single spaces. `confidence` is 0 to 1.
    """

    index: int
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    confidence: float | None = None

    @property
    def spoken(self) -> bool:
        """Whether somebody says something: `[Music]` and `(applause)` are kept, but are no speech."""
        return _ASIDE.fullmatch(self.text) is None


@dataclass(frozen=True, slots=True)
class ParsedTranscript:
    """What is in a file; `digest` is of its content, however it was written, as 64 hex digits.

    `duration_ms` is from the first word to the last, or what the file says of the recording.
    """

    format: TranscriptFormat
    segments: tuple[Segment, ...]
    digest: str
    duration_ms: int
    language: str | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A transcript of a workspace; its segments are kept beside it, and its file under `object_key`."""

    id: UUID
    workspace_id: UUID
    owner_id: UUID
    title: str
    format: TranscriptFormat
    duration_ms: int
    sha256: str
    object_key: str
    byte_count: int
    segment_count: int
    lesson_id: UUID | None = None
    recording_url: str | None = None
    recorded_at: datetime | None = None
    language: str | None = None
    state: TranscriptState = TranscriptState.READY
    failure: Mapping[str, Any] | None = field(default=None)
    revision: int = 1


class TranscriptRepository(Protocol):
    """Transcripts and their segments inside one transaction."""

    async def add(self, transcript: Transcript, segments: Sequence[Segment]) -> UUID:
        """Keep it; the id of the workspace's transcript with this content, which is another one's if it was there."""
        ...

    async def knows_lesson(self, lesson_id: UUID, workspace_id: UUID) -> bool:
        """Whether it is a lesson of the workspace or of the whole organisation."""
        ...

    async def lock(self, transcript_id: UUID) -> Transcript:
        """The transcript, which nobody else changes until the transaction ends; raises TranscriptNotFound."""
        ...

    async def segments(self, transcript_id: UUID) -> Sequence[Segment]:
        """All segments in order; none of an unknown transcript."""
        ...

    async def change(self, transcript: Transcript, changes: Mapping[str, Any]) -> None:
        """Write changes of one that is locked; its revision moves on."""
        ...

    async def rename_speakers(self, transcript_id: UUID, names: Mapping[str, str | None]) -> None:
        """Give speakers other names, all at once; two may become one, and None is for nobody known."""
        ...

    async def remove(self, transcript: Transcript) -> None:
        """Delete one that is locked, with its segments."""
        ...

    async def remove_all(self, workspace_id: UUID) -> None:
        """Delete all of a workspace."""
        ...
