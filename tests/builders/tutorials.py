"""Transcripts and tutorials to test with, and repositories that keep them in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import httpx
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.tutorials.drafts.domain import DroppedStep
from dataforge.contexts.tutorials.tables import transcript_segments, transcripts
from dataforge.contexts.tutorials.transcripts.domain import Segment
from dataforge.contexts.tutorials.tutorials.domain.links import ShareLink
from dataforge.contexts.tutorials.tutorials.domain.repositories import MOST_LISTED, Position
from dataforge.contexts.tutorials.tutorials.domain.selection import (
    TutorialPage,
    TutorialSelection,
    TutorialSummary,
    searched_text,
)
from dataforge.contexts.tutorials.tutorials.domain.tutorial import (
    Tutorial,
    TutorialStep,
    TutorialTerm,
    missing_tutorial,
)
from dataforge.contexts.tutorials.tutorials.repository import SqlTutorials
from dataforge.kernel.events import Event
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.workspaces import Space, open_space, taken

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


async def store_transcript(
    connection: AsyncConnection,
    workspace_id: UUID,
    texts: Sequence[str] = SPOKEN,
    *,
    transcript_id: UUID | None = None,
    state: str = "ready",
) -> UUID:
    """A transcript as an upload leaves it, without its file; its id."""
    new_id = transcript_id or uuid7()
    segments = some_segments(texts)
    row = {"id": new_id, "workspace_id": workspace_id, "owner_id": UUID(int=2), "title": "Call", "format": "vtt"}
    file = {"sha256": new_id.hex * 2, "object_key": "transcripts/none", "byte_count": 1, "language": "en"}
    facts = {"duration_ms": segments[-1].end_ms, "segment_count": len(segments), "state": state}
    await connection.execute(insert(transcripts).values({**row, **file, **facts, "created_at": NOW, "updated_at": NOW}))
    rows = [
        {"transcript_id": new_id, "idx": segment.index, "start_ms": segment.start_ms, "end_ms": segment.end_ms}
        | {"text": segment.text}
        for segment in segments
    ]
    await connection.execute(insert(transcript_segments), rows)
    return new_id


class MemoryTutorials:
    """Tutorials in a dict; passes the contract tests that the ones in PostgreSQL pass."""

    def __init__(self, segments: Mapping[UUID, Sequence[Segment]] | None = None, *, now: datetime = NOW) -> None:
        self.kept: dict[UUID, Tutorial] = {}
        self.segments = dict(segments or {})
        self.now = now

    async def add(self, tutorial: Tutorial) -> None:
        self.kept[tutorial.id] = tutorial

    async def lock(self, tutorial_id: UUID) -> Tutorial:
        if tutorial_id not in self.kept:
            raise missing_tutorial(tutorial_id)
        return self.kept[tutorial_id]

    async def save(self, tutorial: Tutorial) -> Tutorial:
        saved = replace(tutorial, revision=tutorial.revision + 1, updated_at=self.now)
        self.kept[tutorial.id] = saved
        return saved

    async def remove(self, tutorial_id: UUID) -> None:
        del self.kept[tutorial_id]

    async def remove_all(self, workspace_id: UUID) -> None:
        self.kept = {key: item for key, item in self.kept.items() if item.workspace_id != workspace_id}

    async def count(self, workspace_id: UUID) -> int:
        return sum(tutorial.workspace_id == workspace_id for tutorial in self.kept.values())

    async def cited_segments(self, tutorial: Tutorial, indexes: Collection[int]) -> Mapping[int, Segment]:
        spoken = self.segments.get(tutorial.transcript_id or UUID(int=0), ())
        return {segment.index: segment for segment in spoken if segment.index in indexes}

    async def find_page(self, selection: TutorialSelection, *, after: Position | None, limit: int) -> TutorialPage:
        selected = [tutorial for tutorial in self.kept.values() if is_selected(tutorial, selection)]
        newest = sorted(selected, key=lambda tutorial: (tutorial.created_at, tutorial.id), reverse=True)
        rest = [item for item in newest if after is None or (item.created_at, item.id) < after]
        return TutorialPage([summary_of(item) for item in rest[:limit]], len(selected), more=len(rest) > limit)


class MemoryLinks:
    """Links in a dict."""

    def __init__(self) -> None:
        self.kept: dict[UUID, ShareLink] = {}

    async def add(self, link: ShareLink) -> None:
        self.kept[link.id] = link

    async def of_tutorial(self, tutorial_id: UUID, now: datetime) -> Sequence[ShareLink]:
        own = [link for link in self.kept.values() if link.tutorial_id == tutorial_id]
        return sorted(own, key=lambda link: (link.is_good(now), link.id), reverse=True)[:MOST_LISTED]

    async def by_hash(self, token_hash: str) -> ShareLink | None:
        return next((link for link in self.kept.values() if link.token_hash == token_hash), None)

    async def revoke(self, tutorial_id: UUID, link_id: UUID, now: datetime) -> bool:
        link = self.kept.get(link_id)
        if link is None or link.tutorial_id != tutorial_id or link.revoked_at is not None:
            return False
        self.kept[link_id] = replace(link, revoked_at=now)
        return True

    async def note_use(self, link_id: UUID, now: datetime) -> None:
        self.kept[link_id] = replace(self.kept[link_id], last_used_at=now)


@dataclass
class MemoryWork:
    """A unit of work without a database: what was changed stays, and what was written along can be looked at."""

    tutorials: MemoryTutorials = field(default_factory=MemoryTutorials)
    links: MemoryLinks = field(default_factory=MemoryLinks)
    principal: Principal = field(default_factory=lambda: Principal(UUID(int=2), Role.LEARNER))
    now: datetime = NOW
    committed: bool = False
    published: list[Event] = field(default_factory=list)
    audited: list[AuditEntry] = field(default_factory=list)

    @property
    def person(self) -> UUID:
        assert self.principal.user_id is not None
        return self.principal.user_id

    def publish(self, event: Event) -> None:
        self.published.append(event)

    def audit(self, entry: AuditEntry) -> None:
        self.audited.append(entry)

    async def commit(self) -> None:
        self.committed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None


def is_selected(tutorial: Tutorial, selection: TutorialSelection) -> bool:
    """Whether a list with this selection shows the tutorial."""
    wanted = selection
    return (
        tutorial.workspace_id in wanted.workspaces
        and all(word in searched_text(tutorial) for word in wanted.words)
        and wanted.state in (None, tutorial.state)
        and wanted.transcript_id in (None, tutorial.transcript_id)
        and (wanted.created_from is None or tutorial.created_at >= wanted.created_from)
        and (wanted.created_before is None or tutorial.created_at < wanted.created_before)
        and wanted.author in (None, tutorial.user_id)
        and (wanted.not_author is None or tutorial.user_id != wanted.not_author)
    )


def summary_of(tutorial: Tutorial) -> TutorialSummary:
    """The tutorial as lists show it."""
    same = {item.name: getattr(tutorial, item.name) for item in fields(TutorialSummary) if item.name != "step_count"}
    return TutorialSummary(**same, step_count=len(tutorial.steps))


@dataclass
class TutorialSpace:
    """A workspace with a transcript and a tutorial that was drafted from it for the editor."""

    space: Space
    database: Database
    transcript_id: UUID
    tutorial: Tutorial

    def __getitem__(self, role: str) -> httpx.AsyncClient:
        return self.space[role]

    @property
    def workspace_id(self) -> UUID:
        return UUID(self.space.id)

    @property
    def path(self) -> str:
        """Where the tutorial is."""
        return f"/api/tutorials/{self.tutorial.id}"

    def person(self, role: str) -> UUID:
        return self.space.people[role].id

    async def add(self, **changes: Any) -> Tutorial:
        """Another tutorial of the workspace."""
        values = {"workspace_id": self.workspace_id, "user_id": self.person("editor"), **changes}
        tutorial = a_tutorial(**values)
        async with self.database.transaction() as connection:
            await SqlTutorials(connection, NOW).add(tutorial)
        return tutorial

    async def get(self, role: str = "editor") -> dict[str, Any]:
        """The tutorial as the person reads it."""
        return dict(taken(await self[role].get(self.path)))

    async def move(self, *transitions: str) -> None:
        """Publish, archive or reopen the tutorial."""
        for transition in transitions:
            taken(await self["editor"].post(f"{self.path}/{transition}"))

    async def share(self, **body: Any) -> dict[str, Any]:
        """A new link."""
        return dict(taken(await self["editor"].post(f"{self.path}/links", json=body), 201))


async def open_tutorial_space(api: ApiUnderTest, database: Database) -> TutorialSpace:
    """A workspace with somebody in each role, a transcript, and a draft."""
    space = await open_space(api)
    async with database.transaction() as connection:
        transcript_id = await store_transcript(connection, UUID(space.id))
    opened = TutorialSpace(space, database, transcript_id, a_tutorial())
    facts = {"expert": "Sam Speaker", "dropped": (DroppedStep("Fly", "cites nothing"),)}
    opened.tutorial = await opened.add(transcript_id=transcript_id, **facts)
    return opened
