"""Accounts that became one, and workspaces that are no more."""

from typing import TYPE_CHECKING

from dataforge.contexts.datasets.datasets.commands import put_away_datasets_of
from dataforge.contexts.datasets.datasets.repository import merge_grants
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.datasets.services import DatasetsServices


async def follow_merge(event: AccountsMerged, services: "DatasetsServices") -> None:
    """Let grants follow; a second time nothing is left to do."""
    async with services.database.transaction() as connection:
        await merge_grants(connection, merged=event.merged, kept=event.kept)


async def put_away(event: WorkspaceDeleted, services: "DatasetsServices") -> None:
    """Delete the datasets of the workspace, as if somebody had; a second time nothing is left to do."""
    await run(services.unit_of_work(DatasetsUnitOfWork), put_away_datasets_of, event.workspace_id)
