"""What a draft of a tutorial consists of, and what an engine that writes one must be able to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dataforge.contexts.tutorials.transcripts.domain import Segment


@dataclass(frozen=True, slots=True)
class DraftStep:
    """One instruction; cites the segments `segment_from` to `segment_to` (both included) and their time."""

    text: str
    start_ms: int
    end_ms: int
    segment_from: int
    segment_to: int
    score: float


@dataclass(frozen=True, slots=True)
class DraftSection:
    """A topic; the sections of a draft follow each other and cover the transcript without gaps."""

    title: str
    segment_from: int
    segment_to: int


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """A word with the explanation that the transcript gives in `segment`."""

    term: str
    explanation: str
    segment: int


@dataclass(frozen=True, slots=True)
class DroppedStep:
    """What an engine proposed and could not cite, and why it was left out."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A tutorial as an engine proposes it; `expert` is the speaker whose instructions it follows."""

    title: str
    summary: str
    prerequisites: tuple[str, ...]
    glossary: tuple[GlossaryEntry, ...]
    sections: tuple[DraftSection, ...]
    steps: tuple[DraftStep, ...]
    expert: str | None
    dropped: tuple[DroppedStep, ...]
    engine: str
    engine_version: str


class DraftEngine(Protocol):
    """Writes drafts of tutorials from transcripts."""

    @property
    def name(self) -> str:
        """How drafts name the engine."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same transcript may give another draft."""
        ...

    async def draft(self, segments: Sequence[Segment], language: str | None) -> Draft:
        """A draft from `segments` in order; `language` is a code such as `de`, None when nobody knows it."""
        ...
