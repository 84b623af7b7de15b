"""Accounts that became one, in cohorts and launches, and workspaces that are no more."""

from functools import partial
from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.learning.cohorts.commands import delete_cohorts_of
from dataforge.contexts.learning.cohorts.repository import merge_members
from dataforge.contexts.learning.lessons.commands import delete_lessons_of
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.learning.module import LearningServices


async def follow_merge(event: AccountsMerged, services: "LearningServices") -> None:
    """Let memberships and launches follow; a second time nothing is left to do."""
    async with services.database.transaction() as connection:
        await merge_members(connection, merged=event.merged, kept=event.kept)


async def delete_all(event: WorkspaceDeleted, services: "LearningServices") -> None:
    """Delete the lessons and cohorts of the workspace, not the statements; a second time nothing is left to do."""
    lessons = partial(delete_lessons_of, services.platform.get(StatementMatching))
    await run(services.unit_of_work(LearningUnitOfWork), lessons, event.workspace_id)
    await run(services.unit_of_work(LearningUnitOfWork), delete_cohorts_of, event.workspace_id)
