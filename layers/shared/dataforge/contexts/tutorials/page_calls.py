"""The router of the pages of tutorials, and the workspaces that a person works in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.tutorials.tables import cohorts, lessons, memberships, workspace_directory
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.web.calls import PageCall
from dataforge.web.routing import page_router

router = page_router("tutorials")
TRANSCRIPTS, TUTORIALS = "/ui/transcripts", "/ui/tutorials"
ROWS = 50
MOST_COHORTS = 200


@dataclass(frozen=True, slots=True)
class WorkspaceChoice:
    """A workspace as pages name it."""

    id: UUID
    name: str
    archived_at: datetime | None


async def list_choices(connection: AsyncConnection, person: UUID) -> list[WorkspaceChoice]:
    """The workspaces that a person is in, by name."""
    query = (
        select(workspace_directory.c.workspace_id, workspace_directory.c.name, workspace_directory.c.archived_at)
        .join(memberships, memberships.c.workspace_id == workspace_directory.c.workspace_id)
        .where(memberships.c.user_id == person)
        .order_by(func.lower(workspace_directory.c.name), workspace_directory.c.workspace_id)
    )
    return [WorkspaceChoice(*row) for row in await connection.execute(query)]


async def get_choice(connection: AsyncConnection, workspace_id: UUID) -> WorkspaceChoice:
    """One workspace, which whoever asks is known to be in."""
    query = select(workspace_directory.c.workspace_id, workspace_directory.c.name, workspace_directory.c.archived_at)
    row = (await connection.execute(query.where(workspace_directory.c.workspace_id == workspace_id))).one()
    return WorkspaceChoice(*row)


async def list_cohorts(connection: AsyncConnection, workspace_id: UUID) -> list[tuple[str, str]]:
    """Ids and names of the active cohorts of a workspace, by name: those that a lesson of it can be for."""
    query = (
        select(cohorts.c.cohort_id, cohorts.c.name)
        .where(cohorts.c.workspace_id == workspace_id, cohorts.c.active)
        .order_by(func.lower(cohorts.c.name), cohorts.c.cohort_id)
        .limit(MOST_COHORTS)
    )
    return [(str(row.cohort_id), row.name) for row in await connection.execute(query)]


async def cohort_of_lesson(connection: AsyncConnection, lesson_id: UUID) -> UUID | None:
    """The cohort that a lesson is for; None if it is for all, or is gone."""
    query = select(lessons.c.cohort_id).where(lessons.c.lesson_id == lesson_id)
    cohort_id: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    return cohort_id


async def may(call: PageCall, workspace: WorkspaceChoice, action: Action, kind: Kind) -> bool:
    """Whether the page shows the way to this."""
    open_for_it = workspace.archived_at is None or action.reads
    return open_for_it and await call.can(action, Resource(kind, workspace=workspace.id))


def field_values(form: Mapping[str, str], *names: str) -> dict[str, str]:
    """These fields of a form without spaces around them, as it is shown again."""
    return {name: form.get(name, "").strip() for name in names}
