"""Tutorials as people read them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import column, exists, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.tutorials.tables import tutorials
from dataforge.contexts.tutorials.tutorials.domain.links import ShareLink, missing_link
from dataforge.contexts.tutorials.tutorials.domain.selection import TutorialPage, TutorialSelection
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial, TutorialState, missing_tutorial
from dataforge.contexts.tutorials.tutorials.repository import SqlShareLinks, SqlTutorials

_EVER = datetime.min.replace(tzinfo=UTC)
# Of workspaces' public view: those that were deleted are not in it.
_workspaces = table("directory", column("workspace_id"), schema="workspaces")


async def workspace_of_tutorial(connection: AsyncConnection, tutorial_id: UUID) -> UUID:
    """Whose it is; raises TutorialNotFound."""
    workspace_id = await connection.scalar(select(tutorials.c.workspace_id).where(tutorials.c.id == tutorial_id))
    if workspace_id is None:
        raise missing_tutorial(tutorial_id)
    return UUID(str(workspace_id))


async def read_tutorial(connection: AsyncConnection, tutorial_id: UUID) -> Tutorial:
    """The tutorial with its steps, whoever asks; raises TutorialNotFound."""
    return await SqlTutorials(connection, _EVER).read(tutorial_id)


async def list_tutorials(
    connection: AsyncConnection, selection: TutorialSelection, *, after: tuple[Any, ...] | None, limit: int
) -> TutorialPage:
    """Tutorials that are selected, the newest first, and how many there are on all pages."""
    position = None if after is None else (datetime.fromisoformat(after[0]), UUID(after[1]))
    return await SqlTutorials(connection, _EVER).find_page(selection, after=position, limit=limit)


async def list_links(connection: AsyncConnection, tutorial_id: UUID, now: datetime) -> Sequence[ShareLink]:
    """The links that were made to a tutorial: the good ones, then those that ended, the newest first."""
    return await SqlShareLinks(connection).of_tutorial(tutorial_id, now)


async def read_shared(connection: AsyncConnection, tutorial_id: UUID) -> Tutorial:
    """The published tutorial that a good link leads to; raises ShareLinkNotFound.

    What only members see is not in it. Archived workspaces keep what they have published, deleted ones do not.
    """
    there = exists().where(_workspaces.c.workspace_id == tutorials.c.workspace_id)
    published = tutorials.c.state == TutorialState.PUBLISHED.value
    if await connection.scalar(select(tutorials.c.id).where(tutorials.c.id == tutorial_id, published, there)) is None:
        raise missing_link()
    return replace(await read_tutorial(connection, tutorial_id), expert=None, dropped=())
