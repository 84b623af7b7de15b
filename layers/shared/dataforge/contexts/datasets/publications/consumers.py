"""Branches that have moved, for the publications that follow them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dataforge.contexts.datasets.contract import BranchMoved
from dataforge.contexts.datasets.publications.commands import queue_followers
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.datasets.services import DatasetsServices


async def follow_branch(event: BranchMoved, services: DatasetsServices) -> None:
    """Queue the publications of the branch; a second time they are where they shall be."""
    branch = (event.dataset_id, event.ref)
    for job_id in await run(services.unit_of_work(DatasetsUnitOfWork), queue_followers, branch):
        await services.export_queue.send(json.dumps({"job_id": str(job_id)}))
