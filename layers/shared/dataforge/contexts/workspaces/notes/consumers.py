"""Maintenance of notes."""

from typing import TYPE_CHECKING

from dataforge.contexts.workspaces.notes.domain.notes import TRASHED_FOR
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from datetime import datetime

    from dataforge.contexts.workspaces.module import WorkspacesServices

_AT_ONCE = 500  # a transaction deletes so many notes, each with up to hundreds of revisions


async def maintain(services: "WorkspacesServices") -> dict[str, int]:
    """Delete for good what has been in the trash for thirty days."""
    before, purged = services.clock.now() - TRASHED_FOR, 0
    while True:
        deleted = await run(services.unit_of_work(WorkspacesUnitOfWork), _purge, before)
        purged += deleted
        if deleted < _AT_ONCE:
            return {"purged_notes": purged}


async def _purge(before: "datetime", uow: WorkspacesUnitOfWork) -> int:
    return await uow.notes.purge_trashed(before, _AT_ONCE)
