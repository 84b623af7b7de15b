"""Wire models of transcripts."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, JsonValue, model_validator

from dataforge.contexts.tutorials.transcripts.domain import MAX_FILE_BYTES, TranscriptFormat, TranscriptState
from dataforge.http.wire import Instant, PartialUpdate, RequestModel
from dataforge.kernel.text import composed
from dataforge.kernel.texts import Text


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")) or any(character.isspace() for character in value):
        message = Text("must be an address that begins with https:// or http://")
        raise ValueError(message)
    return value


TranscriptTitle = Annotated[str, AfterValidator(composed), Field(min_length=1, max_length=255)]
RecordingUrl = Annotated[str, Field(max_length=2048), AfterValidator(_web_address)]
LanguageTag = Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)]
SpeakerName = Annotated[str, AfterValidator(composed), Field(min_length=1, max_length=200)]


class TranscriptUploadIn(RequestModel):
    """A file of captions or phrases for a workspace: its size, and its SHA-256 in hexadecimal digits."""

    workspace_id: UUID
    size_bytes: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class TranscriptUploadOut(BaseModel):
    """Where the file goes: one PUT with these headers; `upload_id` is for the request that makes a transcript of it."""

    upload_id: UUID
    url: str
    method: str
    headers: dict[str, str]
    expires_in: int


class PhraseIn(BaseModel):
    """One phrase: when it begins, how long it lasts in ticks of 100 ns, its text, and who says it in which language."""

    offset_milliseconds: float
    duration_in_ticks: float
    display: str
    speaker: str | int | None = None
    locale: str | None = None
    confidence: float | None = None


class TranscriptIn(RequestModel):
    """A new transcript: of a file that was uploaded (`upload_id`), or of `phrases` as they are, in at most 100 KB.

    `timestamp` and `duration_in_ticks` are the recording's, as services that recognise speech give them. Language and
    time are taken from the file where they are left out.
    """

    workspace_id: UUID
    title: TranscriptTitle | None = None
    upload_id: UUID | None = None
    timestamp: Annotated[str | None, Field(max_length=40)] = None
    duration_in_ticks: int | None = None
    phrases: Annotated[list[JsonValue], Field(json_schema_extra={"items": PhraseIn.model_json_schema()})] | None = None
    recording_url: RecordingUrl | None = None
    recorded_at: Instant | None = None
    language: LanguageTag | None = None
    lesson_id: UUID | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "TranscriptIn":
        if (self.upload_id is None) == (self.phrases is None):
            message = Text("needs either upload_id or phrases")
            raise ValueError(message)
        return self

    def about(self) -> dict[str, Any]:
        """What people say of it."""
        return self.model_dump(include={"title", "recording_url", "recorded_at", "language", "lesson_id"})

    def document(self) -> dict[str, Any]:
        """The JSON of phrases as it was sent."""
        return self.model_dump(include={"timestamp", "duration_in_ticks", "phrases"}, exclude_none=True)


class TranscriptChangeIn(PartialUpdate):
    """What editors change; `speakers` gives names other names, and null to who is nobody known."""

    clearable: ClassVar[frozenset[str]] = frozenset({"recording_url", "recorded_at", "language", "lesson_id"})

    title: TranscriptTitle | None = None
    recording_url: RecordingUrl | None = None
    recorded_at: Instant | None = None
    language: LanguageTag | None = None
    lesson_id: UUID | None = None
    speakers: Annotated[dict[SpeakerName, SpeakerName | None], Field(max_length=200)] | None = None


class TranscriptOut(BaseModel):
    """A transcript; `sha256` is of its content, `duration_ms` from the first word to the last."""

    id: UUID
    workspace_id: UUID
    owner_id: UUID
    lesson_id: UUID | None
    title: str
    format: TranscriptFormat
    recording_url: str | None
    recorded_at: datetime | None
    duration_ms: int
    language: str | None
    sha256: str
    byte_count: int
    segment_count: int
    state: TranscriptState
    failure: dict[str, Any] | None
    revision: int
    created_at: datetime
    updated_at: datetime


class SpeakerOut(BaseModel):
    """Somebody who speaks, in so many segments and for so long."""

    name: str
    segments: int
    spoken_ms: int


class TranscriptDetailOut(TranscriptOut):
    """A transcript with its speakers, whoever speaks longest first."""

    speakers: list[SpeakerOut]


class TranscriptPage(BaseModel):
    """A page of transcripts."""

    items: list[TranscriptOut]
    limit: int
    next_cursor: str | None
    next: str | None


class SegmentOut(BaseModel):
    """One utterance; times in milliseconds from the beginning of the recording."""

    index: int
    start_ms: int
    end_ms: int
    speaker: str | None
    text: str
    confidence: float | None


class SegmentPage(BaseModel):
    """A page of segments."""

    items: list[SegmentOut]
    limit: int
    next_cursor: str | None
    next: str | None
