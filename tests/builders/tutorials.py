"""Transcripts and tutorials to test with, and repositories that keep them in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from dataforge.contexts.tutorials.transcripts.domain import Segment
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial, TutorialStep, TutorialTerm
from dataforge.kernel.ids import uuid7

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SPOKEN = (
    "Today I show you how to reset the router.",
    "First unplug the power cable.",
    "Wait for ten seconds.",
    "Then plug it in again.",
    "The light turns green.",
)


def some_segments(texts: Sequence[str] = SPOKEN, *, seconds: int = 5) -> list[Segment]:
    """Utterances of that many seconds, one after the other."""
    length = seconds * 1000
    return [Segment(index, index * length, index * length + length - 500, text) for index, text in enumerate(texts)]


def a_step(text: str = "Unplug the power cable.", first: int = 1, last: int = 1, **changes: Any) -> TutorialStep:
    """A step that cites segments of `some_segments`."""
    values = {"start_ms": first * 5000, "end_ms": last * 5000 + 4500, "segment_from": first, "segment_to": last}
    return TutorialStep(**{"id": uuid7(), "text": text, "score": 0.9, **values, **changes})


def a_tutorial(**changes: Any) -> Tutorial:
    """A draft of three steps."""
    values: dict[str, Any] = {
        "id": uuid7(),
        "workspace_id": UUID(int=1),
        "user_id": UUID(int=2),
        "title": "How to reset the router",
        "summary": "What to do when the light is red.",
        "prerequisites": ("The admin password",),
        "glossary": (TutorialTerm("Router", "The box with the antennas.", 0),),
        "steps": (
            a_step(),
            a_step("Wait for ten seconds.", 2, 2),
            a_step("Plug it in again.", 3, 4),
        ),
        "language": "en",
        "engine": "extractive",
        "engine_version": "1",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Tutorial(**{**values, **changes})
