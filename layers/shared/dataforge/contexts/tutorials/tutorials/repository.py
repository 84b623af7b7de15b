"""The write SQL of tutorials and links, and how a row becomes a tutorial."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, false, func, insert, or_, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.tutorials.drafts.domain import DraftSection, DroppedStep
from dataforge.contexts.tutorials.tables import transcript_segments, tutorial_links, tutorial_steps, tutorials
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
    TutorialState,
    TutorialStep,
    TutorialTerm,
    missing_tutorial,
)
from dataforge.platform.db.database import row_dict

_COLUMNS = [column for column in tutorials.c if column.name != "search_text"]
_STEP_COLUMNS = [tutorial_steps.c[field.name] for field in fields(TutorialStep)]
_SEGMENT_COLUMNS = [
    transcript_segments.c.idx.label("index"),
    *(transcript_segments.c[name] for name in ("start_ms", "end_ms", "text", "speaker", "confidence")),
]
_SUMMARY_COLUMNS = [tutorials.c[field.name] for field in fields(TutorialSummary) if field.name != "step_count"]


class SqlTutorials:
    """Tutorials in PostgreSQL, inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, tutorial: Tutorial) -> None:
        """Insert the tutorial and its steps."""
        values = {"id": tutorial.id, "created_at": tutorial.created_at, "updated_at": tutorial.updated_at}
        await self._connection.execute(insert(tutorials).values({**_values(tutorial), **values}))
        await self._add_steps(tutorial)

    async def lock(self, tutorial_id: UUID) -> Tutorial:
        """The tutorial, locked; raises TutorialNotFound."""
        query = select(*_COLUMNS).where(tutorials.c.id == tutorial_id)
        return await self._read(tutorial_id, query.with_for_update(key_share=True))

    async def read(self, tutorial_id: UUID) -> Tutorial:
        """The tutorial as it is, not locked; raises TutorialNotFound."""
        return await self._read(tutorial_id, select(*_COLUMNS).where(tutorials.c.id == tutorial_id))

    async def save(self, tutorial: Tutorial) -> Tutorial:
        """Write a locked tutorial and its steps; the tutorial with its new revision."""
        saved = replace(tutorial, revision=tutorial.revision + 1, updated_at=self._now)
        values = {**_values(saved), "revision": saved.revision, "updated_at": saved.updated_at}
        await self._connection.execute(update(tutorials).where(tutorials.c.id == saved.id).values(values))
        await self._connection.execute(delete(tutorial_steps).where(tutorial_steps.c.tutorial_id == saved.id))
        await self._add_steps(saved)
        return saved

    async def remove(self, tutorial_id: UUID) -> None:
        """Delete it; steps and links go with it."""
        await self._connection.execute(delete(tutorials).where(tutorials.c.id == tutorial_id))

    async def remove_all(self, workspace_id: UUID) -> None:
        """Delete those of a workspace."""
        await self._connection.execute(delete(tutorials).where(tutorials.c.workspace_id == workspace_id))

    async def count(self, workspace_id: UUID) -> int:
        """How many the workspace has."""
        query = select(func.count()).select_from(tutorials).where(tutorials.c.workspace_id == workspace_id)
        return int(await self._connection.scalar(query) or 0)

    async def cited_segments(self, tutorial: Tutorial, indexes: Collection[int]) -> Mapping[int, Segment]:
        """Those of the segments with these indexes that the tutorial's transcript has."""
        query = select(*_SEGMENT_COLUMNS).where(
            transcript_segments.c.transcript_id == tutorial.transcript_id, transcript_segments.c.idx.in_(indexes)
        )
        rows = [row_dict(row) for row in await self._connection.execute(query)] if indexes else []
        return {row["index"]: Segment(**row) for row in rows}

    async def find_page(self, selection: TutorialSelection, *, after: Position | None, limit: int) -> TutorialPage:
        """Page and total by one query: what is selected is looked for once."""
        matching = _selected(selection).cte("matching")
        steps = select(func.count()).where(tutorial_steps.c.tutorial_id == tutorials.c.id).scalar_subquery()
        page = select(*_SUMMARY_COLUMNS, steps.label("step_count")).join(matching, matching.c.id == tutorials.c.id)
        if after is not None:
            page = page.where(tuple_(tutorials.c.created_at, tutorials.c.id) < tuple_(*after))
        newest = page.order_by(tutorials.c.created_at.desc(), tutorials.c.id.desc()).limit(limit + 1).subquery("page")
        total = select(func.count().label("total")).select_from(matching).subquery("counted")
        query = select(total.c.total, newest).select_from(total.outerjoin(newest, true()))
        rows = (await self._connection.execute(query.order_by(newest.c.created_at.desc(), newest.c.id.desc()))).all()
        shown = [_summary(row) for row in rows if row.id is not None]
        return TutorialPage(shown[:limit], rows[0].total, more=len(shown) > limit)

    async def _read(self, tutorial_id: UUID, query: Select[Any]) -> Tutorial:
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise missing_tutorial(tutorial_id)
        steps = select(*_STEP_COLUMNS).where(tutorial_steps.c.tutorial_id == tutorial_id)
        rows = await self._connection.execute(steps.order_by(tutorial_steps.c.position))
        return _tutorial(row_dict(row), [TutorialStep(**row_dict(step)) for step in rows])

    async def _add_steps(self, tutorial: Tutorial) -> None:
        rows = [
            {"tutorial_id": tutorial.id, "position": position, **asdict(step)}
            for position, step in enumerate(tutorial.steps)
        ]
        if rows:
            await self._connection.execute(insert(tutorial_steps), rows)


class SqlShareLinks:
    """Links in PostgreSQL, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, link: ShareLink) -> None:
        """Insert it."""
        await self._connection.execute(insert(tutorial_links).values(asdict(link)))

    async def of_tutorial(self, tutorial_id: UUID, now: datetime) -> Sequence[ShareLink]:
        """The good ones and then those that ended, the newest first, and not more than `MOST_LISTED`."""
        ended = or_(
            tutorial_links.c.revoked_at.is_not(None), func.coalesce(tutorial_links.c.expires_at <= now, false())
        )
        query = select(tutorial_links).where(tutorial_links.c.tutorial_id == tutorial_id)
        rows = await self._connection.execute(query.order_by(ended, tutorial_links.c.id.desc()).limit(MOST_LISTED))
        return [ShareLink(**row_dict(row)) for row in rows]

    async def by_hash(self, token_hash: str) -> ShareLink | None:
        """The link with this token."""
        query = select(tutorial_links).where(tutorial_links.c.token_hash == token_hash)
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else ShareLink(**row_dict(row))

    async def revoke(self, tutorial_id: UUID, link_id: UUID, now: datetime) -> bool:
        """End a link of the tutorial; False when it has none that could be ended."""
        own = (tutorial_links.c.id == link_id) & (tutorial_links.c.tutorial_id == tutorial_id)
        statement = update(tutorial_links).where(own, tutorial_links.c.revoked_at.is_(None)).values(revoked_at=now)
        return (await self._connection.execute(statement)).rowcount == 1

    async def note_use(self, link_id: UUID, now: datetime) -> None:
        """Note when it was used last."""
        await self._connection.execute(
            update(tutorial_links).where(tutorial_links.c.id == link_id).values(last_used_at=now)
        )


def _selected(selection: TutorialSelection) -> Select[Any]:
    query = select(tutorials.c.id).where(tutorials.c.workspace_id.in_(selection.workspaces))
    for word in selection.words:
        query = query.where(func.strpos(tutorials.c.search_text, word) > 0)
    if selection.state is not None:
        query = query.where(tutorials.c.state == selection.state.value)
    if selection.transcript_id is not None:
        query = query.where(tutorials.c.transcript_id == selection.transcript_id)
    if selection.created_from is not None:
        query = query.where(tutorials.c.created_at >= selection.created_from)
    if selection.created_before is not None:
        query = query.where(tutorials.c.created_at < selection.created_before)
    if selection.author is not None:
        query = query.where(tutorials.c.user_id == selection.author)
    if selection.not_author is not None:
        query = query.where(tutorials.c.user_id != selection.not_author)
    return query


def _values(tutorial: Tutorial) -> dict[str, Any]:
    """The columns that commands write."""
    return {
        "transcript_id": tutorial.transcript_id,
        "workspace_id": tutorial.workspace_id,
        "user_id": tutorial.user_id,
        "title": tutorial.title,
        "summary": tutorial.summary,
        "content_md": tutorial.content_md,
        "prerequisites": list(tutorial.prerequisites),
        "glossary": [asdict(entry) for entry in tutorial.glossary],
        "sections": [asdict(section) for section in tutorial.sections],
        "expert": tutorial.expert,
        "dropped": [asdict(step) for step in tutorial.dropped],
        "language": tutorial.language,
        "state": tutorial.state.value,
        "engine": tutorial.engine,
        "engine_version": tutorial.engine_version,
        "lesson_id": tutorial.lesson_id,
        "published_at": tutorial.published_at,
        "archived_at": tutorial.archived_at,
        "search_text": searched_text(tutorial),
    }


def _tutorial(row: Mapping[str, Any], steps: Sequence[TutorialStep]) -> Tutorial:
    parts = {
        "prerequisites": tuple(row["prerequisites"]),
        "glossary": tuple(TutorialTerm(**entry) for entry in row["glossary"]),
        "sections": tuple(DraftSection(**section) for section in row["sections"]),
        "dropped": tuple(DroppedStep(**step) for step in row["dropped"]),
        "state": TutorialState(row["state"]),
    }
    return Tutorial(**{**row, **parts}, steps=tuple(steps))


def _summary(row: Row[Any]) -> TutorialSummary:
    values = row_dict(row)
    del values["total"]
    return TutorialSummary(**{**values, "state": TutorialState(values["state"])})
