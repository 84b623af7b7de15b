"""Files of transcripts that were deleted, alone or with their workspace."""

from typing import TYPE_CHECKING

from dataforge.contexts.tutorials.contract import TranscriptDeleted
from dataforge.contexts.tutorials.transcripts.domain import FILE_PREFIX
from dataforge.contexts.tutorials.unit_of_work import TutorialsUnitOfWork
from dataforge.contexts.workspaces.contract import WorkspaceDeleted

if TYPE_CHECKING:
    from dataforge.contexts.tutorials.module import TutorialsServices

_AT_ONCE = 1_000


async def forget_file(event: TranscriptDeleted, services: "TutorialsServices") -> None:
    """Delete the file of a transcript; a second time there is none."""
    await services.platform.objects.delete([event.object_key])


async def forget_workspace(event: WorkspaceDeleted, services: "TutorialsServices") -> None:
    """Delete the transcripts of a workspace, and all files below its prefix, also those that a kill left behind."""
    async with services.unit_of_work(TutorialsUnitOfWork) as uow:
        await uow.transcripts.remove_all(event.workspace_id)
        await uow.commit()
    objects, prefix = services.platform.objects, f"{FILE_PREFIX}{event.workspace_id}/"
    while files := await objects.oldest(prefix, limit=_AT_ONCE):
        await objects.delete([file.key for file in files])
