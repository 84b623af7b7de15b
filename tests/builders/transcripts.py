"""A repository of transcripts that keeps them in memory; it passes the contract tests of the one in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from dataforge.contexts.tutorials.transcripts.domain import Segment, Transcript, TranscriptFormat, missing_transcript
from dataforge.kernel.ids import uuid7


class MemoryTranscripts:
    """Transcripts of one test; `lessons` are those of the whole organisation."""

    def __init__(self, lessons: Sequence[UUID] = ()) -> None:
        self.kept: dict[UUID, tuple[Transcript, list[Segment]]] = {}
        self.lessons = set(lessons)

    async def add(self, transcript: Transcript, segments: Sequence[Segment]) -> UUID:
        content = (transcript.workspace_id, transcript.sha256)
        first = next((key for key, (old, _) in self.kept.items() if (old.workspace_id, old.sha256) == content), None)
        if first is not None:
            return first
        self.kept[transcript.id] = (transcript, list(segments))
        return transcript.id

    async def knows_lesson(self, lesson_id: UUID, workspace_id: UUID) -> bool:
        return lesson_id in self.lessons

    async def lock(self, transcript_id: UUID) -> Transcript:
        if transcript_id not in self.kept:
            raise missing_transcript(transcript_id)
        return self.kept[transcript_id][0]

    async def segments(self, transcript_id: UUID) -> Sequence[Segment]:
        return list(self.kept[transcript_id][1]) if transcript_id in self.kept else []

    async def change(self, transcript: Transcript, changes: Mapping[str, Any]) -> None:
        kept, segments = self.kept[transcript.id]
        self.kept[transcript.id] = (replace(kept, **changes, revision=kept.revision + 1), segments)

    async def rename_speakers(self, transcript_id: UUID, names: Mapping[str, str | None]) -> None:
        transcript, segments = self.kept[transcript_id]
        renamed = [
            replace(segment, speaker=names[segment.speaker]) if segment.speaker in names else segment
            for segment in segments
        ]
        self.kept[transcript_id] = (transcript, renamed)

    async def remove(self, transcript: Transcript) -> None:
        del self.kept[transcript.id]

    async def remove_all(self, workspace_id: UUID) -> None:
        self.kept = {key: kept for key, kept in self.kept.items() if kept[0].workspace_id != workspace_id}


def a_transcript(segments: Sequence[Segment], **changes: Any) -> Transcript:
    """A transcript of these segments in a workspace of its own."""
    transcript_id = uuid7()
    values: dict[str, Any] = {
        "id": transcript_id,
        "workspace_id": uuid7(),
        "owner_id": uuid7(),
        "title": "Lids",
        "format": TranscriptFormat.VTT,
        "duration_ms": segments[-1].end_ms,
        "sha256": transcript_id.hex * 2,
        "object_key": f"transcripts/{transcript_id}",
        "byte_count": 100,
        "segment_count": len(segments),
    }
    return Transcript(**{**values, **changes})
