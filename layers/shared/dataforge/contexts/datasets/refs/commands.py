"""Create, move, protect and delete branches and tags."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.datasets.commits.queries import resolve_version
from dataforge.contexts.datasets.refs.domain import NotFastForward, Ref, RefKind, check_ref_name
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


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


async def create_ref(command: CreateRef, uow: DatasetsUnitOfWork) -> str:
    """Insert; raises RefExists, RefNotFound, CommitNotFound, ValidationFailed."""
    check_ref_name(command.name)
    commit_id = await resolve_version(uow.connection, command.dataset_id, command.at)
    await uow.refs.add(command.dataset_id, command.name, command.kind, commit_id)
    after = {"kind": command.kind.value, "commit_id": commit_id}
    uow.audit(AuditEntry("created", "dataset_ref", f"{command.dataset_id}/{command.name}", after=after))
    return command.name


async def move_ref(command: MoveRef, uow: DatasetsUnitOfWork) -> str:
    """Compare and set; raises RefMoved, RefProtected, NotFastForward (unless forced) and CommitNotFound."""
    ref = await uow.refs.lock(command.dataset_id, command.name)
    ref.check_at(command.expected)
    ref.check_writable()
    target = await resolve_version(uow.connection, command.dataset_id, command.to)
    forward = await uow.commits.is_ancestor(command.dataset_id, ref.commit_id, target)
    if ref.kind is RefKind.BRANCH and not forward and not command.force:
        message = Text(
            "Commit {target} does not come after {commit_id}, where {name} is now: moving there would leave "
            "commits behind. Send `force: true` if that is meant.",
            target=target,
            commit_id=ref.commit_id,
            name=ref.name,
        )
        raise NotFastForward(message, facts={"current_commit": ref.commit_id, "wanted_commit": target})
    await uow.refs.move(command.dataset_id, command.name, target)
    announce_move(ref, command.dataset_id, target, uow)
    uow.audit(ref.entry("moved", command.dataset_id, target))
    return command.name


def announce_move(ref: Ref, dataset_id: UUID, commit_id: str, uow: DatasetsUnitOfWork) -> None:
    """Let those who follow the branch hear where it is now."""
    event = ref.moved(dataset_id, commit_id)
    if event is not None:
        uow.publish(event)


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
