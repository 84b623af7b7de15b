"""Move a branch forward to what is merged into it."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.datasets.commits.domain import CommitTable, Published
from dataforge.contexts.datasets.refs.commands import MoveRef, move_ref
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork


@dataclass(frozen=True, slots=True)
class FastForward:
    """Put a branch that has nothing of its own on a commit after it; `tables` with what changes in the branch."""

    dataset_id: UUID
    ref: str
    expected: str
    to: str
    tables: tuple[CommitTable, ...]


async def fast_forward(command: FastForward, uow: DatasetsUnitOfWork) -> Published:
    """Move it; raises RefMoved, RefProtected, NotABranch."""
    (await uow.refs.lock(command.dataset_id, command.ref)).check_takes_commits()
    await move_ref(MoveRef(command.dataset_id, command.ref, command.expected, command.to), uow)
    return Published(command.ref, command.expected, command.to, tables=command.tables)
