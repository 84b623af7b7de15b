"""What every repository of transcripts does: the one in PostgreSQL, and the one in memory that tests of rules use."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from dataforge.contexts.tutorials.transcripts.domain import (
    Segment,
    TranscriptNotFound,
    TranscriptRepository,
)
from dataforge.contexts.tutorials.transcripts.repository import Transcripts
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database
from tests.builders.roles import in_role
from tests.builders.transcripts import MemoryTranscripts, a_transcript

SEGMENTS = (
    Segment(0, 0, 1500, "Open the lid.", "Ana", 0.5),
    Segment(1, 2000, 3000, "Done.", "Bo"),
    Segment(2, 2000, 2000, "[Music]"),
)


@pytest.fixture(params=["postgresql", "memory"])
async def repository(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[TranscriptRepository]:
    if request.param == "memory":
        yield MemoryTranscripts()
        return
    async with in_role(database, "api").transaction() as connection:
        yield Transcripts(connection, datetime(2026, 11, 30, tzinfo=UTC))


async def test_what_is_added_is_there_as_it_was(repository: TranscriptRepository) -> None:
    transcript = a_transcript(SEGMENTS, language="en", recording_url="https://video.example.org/1")

    kept = await repository.add(transcript, SEGMENTS)

    assert kept == transcript.id
    assert await repository.lock(kept) == transcript
    assert tuple(await repository.segments(kept)) == SEGMENTS


async def test_the_same_content_in_a_workspace_is_the_first_one(repository: TranscriptRepository) -> None:
    first = a_transcript(SEGMENTS)
    again = a_transcript(SEGMENTS[:1], workspace_id=first.workspace_id, sha256=first.sha256)
    elsewhere = a_transcript(SEGMENTS, sha256=first.sha256)

    ids = [await repository.add(transcript, SEGMENTS) for transcript in (first, again, elsewhere)]

    assert ids == [first.id, first.id, elsewhere.id]
    assert tuple(await repository.segments(first.id)) == SEGMENTS
    assert await repository.segments(again.id) == []


async def test_a_change_moves_the_revision_on(repository: TranscriptRepository) -> None:
    transcript = a_transcript(SEGMENTS, language="en")
    await repository.add(transcript, SEGMENTS)

    await repository.change(transcript, {"title": "Boxes", "language": None})

    changed = await repository.lock(transcript.id)
    assert (changed.title, changed.language, changed.revision) == ("Boxes", None, 2)


async def test_speakers_change_names_all_at_once_and_nobody_else_does(repository: TranscriptRepository) -> None:
    transcript, other = a_transcript(SEGMENTS), a_transcript(SEGMENTS)
    for one in (transcript, other):
        await repository.add(one, SEGMENTS)

    await repository.rename_speakers(transcript.id, {"Ana": "Bo", "Bo": "Ana"})
    swapped = [segment.speaker for segment in await repository.segments(transcript.id)]
    await repository.rename_speakers(transcript.id, {"Ana": None})

    assert swapped == ["Bo", "Ana", None]
    assert [segment.speaker for segment in await repository.segments(transcript.id)] == ["Bo", None, None]
    assert tuple(await repository.segments(other.id)) == SEGMENTS


async def test_what_is_removed_is_gone_with_its_segments(repository: TranscriptRepository) -> None:
    transcripts = [a_transcript(SEGMENTS) for _ in range(3)]
    for transcript in transcripts:
        await repository.add(transcript, SEGMENTS)

    await repository.remove(transcripts[0])
    await repository.remove_all(transcripts[1].workspace_id)

    for gone in transcripts[:2]:
        assert await repository.segments(gone.id) == []
        with pytest.raises(TranscriptNotFound):
            await repository.lock(gone.id)
    assert await repository.lock(transcripts[2].id) == transcripts[2]


async def test_a_lesson_that_is_not_there_is_known_to_nobody(repository: TranscriptRepository) -> None:
    assert not await repository.knows_lesson(uuid7(), uuid7())
