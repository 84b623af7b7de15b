"""The job of a refresh."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.workspaces.remotes.commands import KeepListing, keep_listing, remote_of
from dataforge.contexts.workspaces.remotes.domain import KIND
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.jobs.shared import SharedJob, complete_job
from dataforge.platform.module import JobKind

if TYPE_CHECKING:
    from dataforge.contexts.workspaces.module import WorkspacesServices


async def refresh(job: SharedJob, control: JobControl[WorkspacesUnitOfWork], services: "WorkspacesServices") -> None:
    """Ask the remote, with no transaction open, and keep what it lists."""
    workspace_id, repo_id = (UUID(job.run_parameters[name]) for name in ("workspace_id", "repo_id"))
    async with control.unit_of_work() as uow:
        url = await remote_of(workspace_id, repo_id, uow)
    control.stage("asking")
    asked_at = services.clock.now()
    listing = await services.remotes.list_refs(url)
    control.stage("keeping")
    async with control.unit_of_work() as uow:
        await keep_listing(KeepListing(workspace_id, repo_id, url, listing, asked_at), uow)
        facts = {"default_branch": listing.default_branch, "truncated": listing.truncated}
        await complete_job(uow, job, control, {"refs": len(listing.refs), **facts})
        await uow.commit()


KINDS: Mapping[str, JobKind["WorkspacesServices"]] = {KIND: JobKind(refresh, WorkspacesUnitOfWork)}
