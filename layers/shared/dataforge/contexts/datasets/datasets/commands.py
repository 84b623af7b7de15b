"""Create, change, delete and restore datasets; grant and revoke access."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.commits.domain import INITIAL_MESSAGE, NewCommit
from dataforge.contexts.datasets.datasets.domain import (
    DatasetNotFound,
    DatasetRecord,
    Grant,
    NotAMember,
    SubjectKind,
    check_an_administrator_remains,
)
from dataforge.contexts.datasets.refs.domain import MAIN, DefaultBranch, RefKind
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.identity.contract import require_active_person
from dataforge.kernel.access import Action, Kind, Level
from dataforge.kernel.errors import Violation
from dataforge.kernel.ids import uuid7
from dataforge.kernel.rules import may_any
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateDataset:
    """A new dataset, perhaps of a workspace in which the caller may make one."""

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ChangeDataset:
    """Change name, description, tags, default branch or workspace; `expected` is the revision the caller read.

    Whether the caller may take it out of one workspace and bring it into another was asked before.
    """

    dataset_id: UUID
    expected: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteDataset:
    """Put a dataset away; it can be restored until retention ends."""

    dataset_id: UUID
    expected: str


@dataclass(frozen=True, slots=True)
class RestoreDataset:
    """Bring a deleted dataset back."""

    dataset_id: UUID


@dataclass(frozen=True, slots=True)
class PutGrant:
    """Give a person or workspace a level, instead of the one they had."""

    dataset_id: UUID
    grant: Grant


@dataclass(frozen=True, slots=True)
class RemoveGrant:
    """Take access away."""

    dataset_id: UUID
    kind: SubjectKind
    subject_id: UUID


def author_of(uow: DatasetsUnitOfWork) -> str:
    """Who a commit names as its author: the person's id, or `system`."""
    return str(uow.principal.user_id or "system")


def empty_commit(uow: DatasetsUnitOfWork) -> NewCommit:
    """The commit every dataset begins with: no tables, no parent."""
    # Maintenance puts datasets of deleted workspaces away, and has no layer with the engine.
    from versioned_tables.hashing.commits import commit_id, tree_hash

    tree, at = tree_hash({}), uow.now.isoformat()
    identity = commit_id(tree, parents=(), author=author_of(uow), message=INITIAL_MESSAGE, authored_at=at)
    return NewCommit(identity, tree, None, None, INITIAL_MESSAGE, author_of(uow), uow.principal.user_id, at)


async def _require_membership(workspace: UUID, pointer: str, uow: DatasetsUnitOfWork) -> None:
    is_member = await uow.permissions.is_member(workspace, uow.principal.user_id)
    if is_member or (is_member is not None and may_any(uow.principal, Action.CHANGE, Kind.GRANT)):
        return
    message = Text("You are not a member of workspace {workspace}.", workspace=workspace)
    raise NotAMember(message, violations=[Violation(pointer, message, "membership")])


async def create_dataset(command: CreateDataset, uow: DatasetsUnitOfWork) -> UUID:
    """The dataset with an empty commit on `main`; raises DatasetExists.

    Its creator administers it, unless it is of a workspace: then everybody has the level of their role there.
    """
    workspace = command.workspace_id
    dataset_id, creator = uuid7(), uow.principal.user_id
    record = DatasetRecord(dataset_id, command.name, MAIN, 1, creator, workspace)
    await uow.datasets.add(record, command.description)
    await uow.datasets.put_tags(dataset_id, sorted(set(command.tags)))
    if creator is not None and workspace is None:
        await uow.permissions.put(dataset_id, Grant(SubjectKind.USER, creator, Level.ADMIN))
    initial = empty_commit(uow)
    await uow.commits.add(dataset_id, initial)
    await uow.refs.add(dataset_id, MAIN, RefKind.BRANCH, initial.commit_id)
    uow.audit(AuditEntry("created", "dataset", str(dataset_id), after={"name": command.name}, workspace_id=workspace))
    return dataset_id


async def _locked_dataset(dataset_id: UUID, uow: DatasetsUnitOfWork, expected: str = "*") -> DatasetRecord:
    record = await uow.datasets.lock(dataset_id)
    if record is None:
        message = Text("There is no dataset {dataset_id}.", dataset_id=dataset_id)
        raise DatasetNotFound(message)
    require_revision(expected, record.revision, Text("The dataset"))
    return record


async def change_dataset(command: ChangeDataset, uow: DatasetsUnitOfWork) -> UUID:
    """Apply changes under the row lock; raises PreconditionFailed, DatasetExists, DefaultBranch, RefNotFound."""
    record = await _locked_dataset(command.dataset_id, uow, command.expected)
    changes = dict(command.changes)
    tags = changes.pop("tags", None)
    if "default_branch" in changes:
        ref = await uow.refs.lock(command.dataset_id, changes["default_branch"])
        if ref.kind is not RefKind.BRANCH:
            message = Text("{name} is a tag; the default branch must be a branch.", name=ref.name)
            raise DefaultBranch(message)
    if tags is not None:
        await uow.datasets.put_tags(command.dataset_id, sorted(set(tags)))
    await uow.datasets.update(command.dataset_id, changes)
    mover = uow.principal.user_id
    if "workspace_id" in changes and changes["workspace_id"] is None and record.workspace_id and mover:
        # Nobody's role counts any more.
        await uow.permissions.put(command.dataset_id, Grant(SubjectKind.USER, mover, Level.ADMIN))
    before = {"name": record.name, "default_branch": record.default_branch, "workspace_id": record.workspace_id}
    after = {**changes, **({} if tags is None else {"tags": sorted(set(tags))})}
    known = {key: _plain(value) for key, value in before.items() if key in after}
    after = {key: _plain(value) for key, value in after.items()}
    uow.audit(AuditEntry("changed", "dataset", str(command.dataset_id), before=known, after=after))
    return command.dataset_id


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


async def delete_dataset(command: DeleteDataset, uow: DatasetsUnitOfWork) -> None:
    """Mark it deleted; deleting it again changes nothing. Raises PreconditionFailed."""
    record = await _locked_dataset(command.dataset_id, uow, command.expected)
    if record.deleted_at is None:
        await uow.datasets.update(command.dataset_id, {"deleted_at": uow.now})
        uow.audit(AuditEntry("deleted", "dataset", str(command.dataset_id), before={"name": record.name}))


async def put_away_datasets_of(workspace_id: UUID, uow: DatasetsUnitOfWork) -> None:
    """Delete what belongs to a workspace that is no more; an administrator can restore it until retention ends."""
    for record in await uow.datasets.lock_of_workspace(workspace_id):
        await uow.datasets.update(record.id, {"workspace_id": None, "deleted_at": record.deleted_at or uow.now})
        uow.audit(AuditEntry("deleted", "dataset", str(record.id), before={"name": record.name}))


async def restore_dataset(command: RestoreDataset, uow: DatasetsUnitOfWork) -> UUID:
    """Take the mark away; raises DatasetExists when its creator has another one of the name by now."""
    record = await _locked_dataset(command.dataset_id, uow)
    if record.deleted_at is not None:
        await uow.datasets.update(command.dataset_id, {"deleted_at": None, "name": record.name})
        uow.audit(AuditEntry("restored", "dataset", str(command.dataset_id), after={"name": record.name}))
    return command.dataset_id


async def put_grant(command: PutGrant, uow: DatasetsUnitOfWork) -> UUID:
    """Insert or replace the grant, audited; raises LastDatasetAdmin, UnknownPerson, PersonSuspended, NotAMember."""
    record = await _locked_dataset(command.dataset_id, uow)
    before = {(g.kind, g.subject_id): g for g in await uow.permissions.lock(command.dataset_id)}
    grant = command.grant
    if grant.kind is SubjectKind.USER:
        suspended = await uow.permissions.person_suspended(grant.subject_id)
        require_active_person(grant.subject_id, "path:subject_id", suspended=suspended)
    else:
        await _require_membership(grant.subject_id, "path:subject_id", uow)
    known = before.get((grant.kind, grant.subject_id))
    after = {**before, (grant.kind, grant.subject_id): grant}
    if known is not None and known.level is Level.ADMIN:
        check_an_administrator_remains(after.values(), workspace_id=record.workspace_id)
    await uow.permissions.put(command.dataset_id, grant)
    _audit_grant("granted", command.dataset_id, known, grant, uow)
    return command.dataset_id


async def remove_grant(command: RemoveGrant, uow: DatasetsUnitOfWork) -> None:
    """Remove the grant, audited; removing none changes nothing. Raises LastDatasetAdmin."""
    record = await _locked_dataset(command.dataset_id, uow)
    before = {(g.kind, g.subject_id): g for g in await uow.permissions.lock(command.dataset_id)}
    known = before.pop((command.kind, command.subject_id), None)
    if known is None:
        return
    if known.level is Level.ADMIN:
        check_an_administrator_remains(before.values(), workspace_id=record.workspace_id)
    await uow.permissions.remove(command.dataset_id, command.kind, command.subject_id)
    _audit_grant("revoked", command.dataset_id, known, None, uow)


def _audit_grant(
    action: str, dataset_id: UUID, before: Grant | None, after: Grant | None, uow: DatasetsUnitOfWork
) -> None:
    def shown(grant: Grant | None) -> dict[str, object] | None:
        return (
            None
            if grant is None
            else {"kind": grant.kind.value, "subject_id": str(grant.subject_id), "level": grant.level.value}
        )

    uow.audit(AuditEntry(action, "dataset_permission", str(dataset_id), before=shown(before), after=shown(after)))
