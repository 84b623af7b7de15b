"""Create, move, protect and delete branches and tags; publish commits on branches."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.domain.access import DatasetNotFound
from dataforge.contexts.datasets.domain.commits import NewCommit, Published
from dataforge.contexts.datasets.domain.refs import NotFastForward, Ref, RefKind, StorageMoved, check_ref_name
from dataforge.contexts.datasets.ports import DatasetsUnitOfWork
from dataforge.kernel.errors import ObjectMissing
from dataforge.kernel.unit_of_work import AuditEntry
from versioned_tables.objects import ObjectStore

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class CreateRef:
    """A branch or tag at a version: a branch, a tag or a commit id."""

    dataset_id: UUID
    name: str
    kind: RefKind
    at: str


@dataclass(frozen=True, slots=True)
class MoveRef:
    """Put a ref on another commit if it is where the caller saw it."""

    dataset_id: UUID
    name: str
    expected: str
    to: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class ProtectRef:
    """Let a ref change through reviewed merges only, or no longer so."""

    dataset_id: UUID
    name: str
    protected: bool
    required_approvals: int


@dataclass(frozen=True, slots=True)
class DeleteRef:
    """Remove a ref; its commits stay until nothing reaches them and retention ends."""

    dataset_id: UUID
    name: str
    expected: str


@dataclass(frozen=True, slots=True)
class JobClaim:
    """The worker that a commit is made by, so that it becomes visible together with the end of its job."""

    job_id: UUID
    worker: UUID
    summary: Mapping[str, Any]
    progress: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PublishCommit:
    """Make a prepared commit visible on a branch that is still at `expected`.

    `commit` None publishes nothing: the content was the same. `reviewed` may write to a protected branch.
    """

    dataset_id: UUID
    ref: str
    expected: str
    commit: NewCommit | None
    job: JobClaim | None = None
    reviewed: bool = False


async def create_ref(command: CreateRef, uow: DatasetsUnitOfWork) -> str:
    """Insert; raises RefExists, RefNotFound, CommitNotFound, ValidationFailed."""
    check_ref_name(command.name)
    commit_id = await uow.commits.resolve(command.dataset_id, command.at)
    await uow.refs.add(command.dataset_id, command.name, command.kind, commit_id)
    after = {"kind": command.kind.value, "commit_id": commit_id}
    uow.audit(AuditEntry("created", "dataset_ref", f"{command.dataset_id}/{command.name}", after=after))
    return command.name


async def move_ref(command: MoveRef, uow: DatasetsUnitOfWork) -> str:
    """Compare and set; raises RefMoved, RefProtected, NotFastForward (unless forced) and CommitNotFound."""
    ref = await uow.refs.lock(command.dataset_id, command.name)
    ref.check_at(command.expected)
    ref.check_writable()
    target = await uow.commits.resolve(command.dataset_id, command.to)
    forward = await uow.commits.is_ancestor(command.dataset_id, ref.commit_id, target)
    if ref.kind is RefKind.BRANCH and not forward and not command.force:
        message = (
            f"Commit {target} does not come after {ref.commit_id}, where {ref.name} is now: moving there would leave "
            "commits behind. Send `force: true` if that is meant."
        )
        raise NotFastForward(message, facts={"current_commit": ref.commit_id, "wanted_commit": target})
    await uow.refs.move(command.dataset_id, command.name, target)
    _tell(command.dataset_id, ref, target, "moved", uow)
    return command.name


async def protect_ref(command: ProtectRef, uow: DatasetsUnitOfWork) -> str:
    """Set the protection, audited; raises RefNotFound."""
    ref = await uow.refs.lock(command.dataset_id, command.name)
    approvals = command.required_approvals if command.protected else 0
    await uow.refs.protect(command.dataset_id, command.name, protected=command.protected, required_approvals=approvals)
    before = {"protected": ref.protected, "required_approvals": ref.required_approvals}
    after = {"protected": command.protected, "required_approvals": approvals}
    uow.audit(AuditEntry("protected", "dataset_ref", f"{command.dataset_id}/{ref.name}", before=before, after=after))
    return command.name


async def delete_ref(command: DeleteRef, uow: DatasetsUnitOfWork) -> None:
    """Remove it; raises RefMoved, RefProtected, DefaultBranch, RefNotFound."""
    ref = await uow.refs.lock(command.dataset_id, command.name)
    ref.check_at(command.expected)
    ref.check_deletable()
    await uow.refs.delete(command.dataset_id, command.name)
    entity = f"{command.dataset_id}/{ref.name}"
    uow.audit(AuditEntry("deleted", "dataset_ref", entity, before={"commit_id": ref.commit_id}))


def _check_objects(keys: Sequence[str], objects: ObjectStore) -> None:
    try:
        # A large import that is tried again names hundreds, and the branch waits.
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="objects") as pool:
            list(pool.map(objects.size, keys))
    except ObjectMissing as error:
        message = "Storage was tidied up while this commit was made; nothing was changed. Try again."
        raise StorageMoved(message, headers={"Retry-After": "1"}) from error


async def publish_commit(command: PublishCommit, uow: DatasetsUnitOfWork, *, objects: ObjectStore) -> Published:
    """Commit, tables, manifests, ref and the end of the job become visible together or not at all.

    Raises RefMoved when the branch is elsewhere by now, RefProtected, NotABranch, JobLost, JobCancelled, StorageMoved.
    """
    if not await uow.datasets.hold(command.dataset_id):
        message = "The dataset was deleted meanwhile."
        raise DatasetNotFound(message)
    if command.commit is not None and command.commit.reused:
        await asyncio.to_thread(_check_objects, command.commit.reused, objects)
    ref = await uow.refs.lock(command.dataset_id, command.ref)
    ref.check_at(command.expected)
    if not command.reviewed:
        ref.check_takes_commits()
    if command.commit is None:
        published = Published(ref.name, ref.commit_id, ref.commit_id, unchanged=True)
    else:
        await uow.commits.add(command.dataset_id, command.commit)
        await uow.refs.move(command.dataset_id, ref.name, command.commit.commit_id)
        published = Published(ref.name, ref.commit_id, command.commit.commit_id, tables=command.commit.tables)
        _tell(command.dataset_id, ref, command.commit.commit_id, "committed", uow)
    if command.job is not None:
        summary = {"new_commit_id": published.commit_id, "updated_ref": ref.name, **command.job.summary}
        end = {**summary, "unchanged": published.unchanged}
        await uow.jobs.complete(command.job.job_id, command.job.worker, end, command.job.progress)
    return published


def _tell(dataset_id: UUID, ref: Ref, commit_id: str, action: str, uow: DatasetsUnitOfWork) -> None:
    entity = f"{dataset_id}/{ref.name}"
    uow.audit(
        AuditEntry(action, "dataset_ref", entity, before={"commit_id": ref.commit_id}, after={"commit_id": commit_id})
    )
