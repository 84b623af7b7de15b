"""Refreshing a repo: asked for, and what a remote has listed is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dataforge.contexts.workspaces.remotes.domain import (
    KIND,
    AllowedHosts,
    RemoteListing,
    RemoteNotListable,
    require_listable,
)
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import TooManyRequests
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.shared import queue_job

REFRESHES = 6  # of one repo in a minute
# A host's clock may be behind ours: what it says was pushed shortly before the list may not be in it.
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RefreshRepo:
    """Have the remote of a repo asked for its branches and tags."""

    workspace_id: UUID
    repo_id: UUID
    hosts: AllowedHosts


@dataclass(frozen=True, slots=True)
class KeepListing:
    """What the remote at this address has listed; it was asked at `asked_at`."""

    workspace_id: UUID
    repo_id: UUID
    remote_url: str
    listing: RemoteListing
    asked_at: datetime


async def refresh_repo(command: RefreshRepo, uow: WorkspacesUnitOfWork) -> UUID:
    """Queue the job, for editors; its id. Raises RepoNotFound, RemoteNotListable, RemoteRefused, WorkspaceArchived."""
    url = await remote_of(command.workspace_id, command.repo_id, uow)
    command.hosts.require(url)
    wait = await uow.throttle.spend([Budget("repo_refresh", (str(command.repo_id),), REFRESHES)])
    if wait is not None:
        message = Text("A repo is refreshed at most {refreshes} times a minute.", refreshes=REFRESHES)
        raise TooManyRequests(message, headers={"Retry-After": str(wait)})
    parameters = {"workspace_id": str(command.workspace_id), "repo_id": str(command.repo_id)}
    return await queue_job(uow, KIND, parameters)


async def remote_of(workspace_id: UUID, repo_id: UUID, uow: WorkspacesUnitOfWork) -> str:
    """The address that refs are listed from, for an editor of an open workspace; raises as `refresh_repo`."""
    workspace = await uow.workspaces.enter(workspace_id, uow.person)
    row = await uow.repos.of_workspace(repo_id, workspace.id)
    workspace.require_writable(Action.CHANGE, Kind.REPO)
    return require_listable(row["remote_url"])


async def keep_listing(command: KeepListing, uow: WorkspacesUnitOfWork) -> None:
    """Have the refs that were listed and no others; raises RemoteNotListable if the remote is another one now."""
    workspace = await uow.workspaces.enter(command.workspace_id, uow.person)
    row = await uow.repos.of_workspace(command.repo_id, workspace.id)
    workspace.require_writable(Action.CHANGE, Kind.REPO)
    if row["remote_url"] != command.remote_url:
        message = Text("The remote was changed while it was asked; refresh again.")
        raise RemoteNotListable(message)
    listing = command.listing
    await uow.repo_refs.replace(command.repo_id, listing.refs, command.asked_at - _SKEW)
    facts = {"default_branch": listing.default_branch, "refs_truncated": listing.truncated}
    await uow.repos.change(row, {**facts, "last_synced": uow.now})
    after = {"refs": len(listing.refs), **facts}
    uow.audit(AuditEntry("refreshed", "repo", str(command.repo_id), after=after, workspace_id=workspace.id))
