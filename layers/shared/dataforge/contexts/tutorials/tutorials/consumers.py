"""Tutorials of workspaces that were deleted."""

from typing import TYPE_CHECKING

from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork
from dataforge.contexts.workspaces.contract import WorkspaceDeleted

if TYPE_CHECKING:
    from dataforge.contexts.tutorials.module import TutorialsServices


async def forget_tutorials(event: WorkspaceDeleted, services: "TutorialsServices") -> None:
    """Delete the tutorials of a workspace with their steps and links; a second time there are none."""
    async with services.unit_of_work(TutorialsUnitOfWork) as uow:
        await uow.tutorials.remove_all(event.workspace_id)
        await uow.commit()
