"""Webhooks: their secrets, and what they deliver."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from dataforge.contexts.workspaces.remotes.domain import RepoRef
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.webhooks.domain import (
    KEPT_FOR,
    TRIES,
    Delivered,
    Outcome,
    RefUpdate,
    WebhookOtherRepository,
    WebhookSignatureInvalid,
    delivery_id,
    is_about,
    is_signed,
    new_secret,
    read_delivery,
)
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import TooManyRequests
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.sealing import SecretBox

# What is checked where there is no secret, so that it takes as long.
_NOBODYS = new_secret()


@dataclass(frozen=True, slots=True)
class ChangeWebhookSecret:
    """Give the repo a new secret; `box` seals it."""

    workspace_id: UUID
    repo_id: UUID
    box: SecretBox


@dataclass(frozen=True, slots=True)
class RemoveWebhookSecret:
    """Take no deliveries any more."""

    workspace_id: UUID
    repo_id: UUID


@dataclass(frozen=True)
class TakeDelivery:
    """A delivery as it came: headers with lower-case names, and every byte of the body."""

    repo_id: UUID
    headers: Mapping[str, str]
    body: bytes
    box: SecretBox

    @cached_property
    def said(self) -> Delivered:
        """What it says; raises MalformedBody."""
        return read_delivery(self.headers, self.body)


async def change_webhook_secret(command: ChangeWebhookSecret, uow: WorkspacesUnitOfWork) -> str:
    """Make another secret, for editors, and forget the one before; raises RepoNotFound, WorkspaceArchived."""
    secret = new_secret()
    sealed = command.box.seal(secret, str(command.repo_id))
    await _write_secret(command.workspace_id, command.repo_id, {"webhook_secret": sealed}, uow)
    return secret


async def remove_webhook_secret(command: RemoveWebhookSecret, uow: WorkspacesUnitOfWork) -> None:
    """Forget the secret, for editors; raises RepoNotFound, WorkspaceArchived."""
    await _write_secret(command.workspace_id, command.repo_id, {"webhook_secret": None}, uow)


async def _write_secret(workspace_id: UUID, repo_id: UUID, changes: dict[str, Any], uow: WorkspacesUnitOfWork) -> None:
    workspace = await uow.workspaces.enter(workspace_id, uow.person)
    row = await uow.repos.of_workspace(repo_id, workspace.id)
    workspace.require_writable(Action.CHANGE, Kind.REPO)
    there = changes["webhook_secret"] is not None
    await uow.repos.change(row, {**changes, "webhook_secret_at": uow.now if there else None})
    action = "webhook_secret_made" if there else "webhook_secret_removed"
    uow.audit(AuditEntry(action, "repo", str(repo_id), workspace_id=workspace.id))


async def admit_delivery(address: str, uow: WorkspacesUnitOfWork) -> None:
    """Count a delivery of this address; raises TooManyRequests."""
    wait = await uow.throttle.spend_one(Budget("repo_webhook", (caller_of(address),), TRIES))
    if wait is not None:
        message = Text("At most {tries} deliveries a minute are taken from one address.", tries=TRIES)
        raise TooManyRequests(message, headers={"Retry-After": str(wait)})


async def take_delivery(command: TakeDelivery, uow: WorkspacesUnitOfWork) -> Outcome:
    """Keep what it says of a ref; a delivery that came before changes nothing.

    Raises WebhookSignatureInvalid, MalformedBody, WebhookOtherRepository, WorkspaceArchived.
    """
    repo = await uow.webhooks.find(command.repo_id)
    sealed = None if repo is None else repo.sealed
    secret = _NOBODYS if sealed is None else command.box.open(sealed, str(command.repo_id))
    signed = is_signed(command.headers, command.body, secret, uow.now)
    if repo is None or sealed is None or not signed:
        message = Text("The delivery is not signed with the secret of a repo with this id.")
        raise WebhookSignatureInvalid(message)
    if command.said.is_ping:
        return Outcome.PONG
    if not is_about(repo.remote_url, command.said.addresses):
        message = Text("The delivery is about another repository than the remote of this repo.")
        raise WebhookOtherRepository(message)
    await uow.workspaces.enter_open(repo.workspace_id)
    row = await uow.repos.of_workspace(repo.id, repo.workspace_id)
    sent = delivery_id(command.headers)
    if sent is not None and not await uow.webhooks.is_new(repo.id, sent):
        return Outcome.KNOWN
    changes: dict[str, Any] = {}
    if command.said.default_branch not in (None, row["default_branch"]):
        changes["default_branch"] = command.said.default_branch
    if command.said.update is not None:
        changes["last_synced"] = uow.now
        if not await _keep(repo.id, command.said.update, uow):
            changes["refs_truncated"] = True
    if changes:
        await uow.repos.change(row, changes)
    return Outcome.TAKEN if changes else Outcome.IGNORED


async def _keep(repo_id: UUID, update: RefUpdate, uow: WorkspacesUnitOfWork) -> bool:
    """Move or forget the ref; False if there is no room for it."""
    moved_at = update.pushed_at or uow.now
    if update.hash is None:
        await uow.repo_refs.remove(repo_id, update.name, moved_at)
        return True
    return await uow.repo_refs.move(repo_id, RepoRef(update.name, update.hash, update.commit_hash), moved_at)


async def forget_deliveries(_: None, uow: WorkspacesUnitOfWork) -> int:
    """Forget the ids of old deliveries; how many."""
    return await uow.webhooks.forget(uow.now - KEPT_FOR)
