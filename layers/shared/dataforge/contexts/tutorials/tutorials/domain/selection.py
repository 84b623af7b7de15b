"""Which tutorials a list shows."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial, TutorialState

MAX_WORDS = 10
MAX_SEARCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TutorialSelection:
    """What tutorials must be to be listed; everything that is given counts.

    `words` (folded as `search_words` gives them) are all in the texts; `created_before` is excluded; `author` has asked
    for the tutorial, `not_author` has not.
    """

    workspaces: frozenset[UUID]
    words: tuple[str, ...] = ()
    state: TutorialState | None = None
    transcript_id: UUID | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    author: UUID | None = None
    not_author: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TutorialSummary:
    """A tutorial as lists show it."""

    id: UUID
    workspace_id: UUID
    user_id: UUID
    transcript_id: UUID | None
    lesson_id: UUID | None
    title: str
    summary: str
    language: str | None
    state: TutorialState
    step_count: int
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class TutorialPage:
    """Tutorials, the newest first, and how many there are on all pages; `more` follow."""

    tutorials: Sequence[TutorialSummary]
    total: int
    more: bool


def search_words(text: str) -> tuple[str, ...]:
    """What somebody looks for: each word somewhere in the texts, in any order, whatever its capitals.

    A word is what stands between spaces, so that links, versions, paths and C++ are found as they are pasted.
    """
    return tuple(dict.fromkeys(_folded(text[:MAX_SEARCH]).split()))[:MAX_WORDS]


def searched_text(tutorial: Tutorial) -> str:
    """What is looked through of a tutorial: everything that people read of it."""
    parts = [tutorial.title, tutorial.summary, tutorial.content_md, *tutorial.prerequisites]
    parts += [step.text for step in tutorial.steps]
    parts += [text for entry in tutorial.glossary for text in (entry.term, entry.explanation)]
    return _folded("\n".join(parts))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
