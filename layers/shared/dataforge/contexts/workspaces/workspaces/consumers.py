"""Maintenance of workspaces."""

from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import WorkspaceCredentials
from dataforge.contexts.workspaces.contract import WorkspaceDeleted, WorkspaceHidden
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.webhooks.commands import forget_deliveries
from dataforge.contexts.workspaces.workspaces.domain import DELETED_FOR
from dataforge.contexts.workspaces.workspaces.queries import is_there
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from datetime import datetime

    from dataforge.contexts.workspaces.module import WorkspacesServices


async def maintain(services: "WorkspacesServices") -> dict[str, int]:
    """Delete for good what was deleted thirty days ago, and forget old deliveries of webhooks."""
    before = services.clock.now() - DELETED_FOR
    return {
        "erased_workspaces": await run(services.unit_of_work(WorkspacesUnitOfWork), _erase, before),
        "forgotten_deliveries": await run(services.unit_of_work(WorkspacesUnitOfWork), forget_deliveries, None),
    }


async def end_credentials(event: WorkspaceDeleted, services: "WorkspacesServices") -> None:
    """Revoke the xAPI credentials of the workspace; a second time nothing is left to do."""
    await services.platform.get(WorkspaceCredentials).revoke_all(event.workspace_id)


async def suspend_credentials(event: WorkspaceHidden, services: "WorkspacesServices") -> None:
    """Let the xAPI credentials of a deleted workspace wait, and those of a restored one work again."""
    async with services.database.read_only() as connection:
        there = await is_there(connection, event.workspace_id)
    await services.platform.get(WorkspaceCredentials).suspend_all(event.workspace_id, suspended=not there)


async def _erase(before: "datetime", uow: WorkspacesUnitOfWork) -> int:
    erased = await uow.workspaces.erase_deleted(before)
    for workspace_id in erased:
        uow.publish(WorkspaceDeleted(workspace_id))
    return len(erased)
