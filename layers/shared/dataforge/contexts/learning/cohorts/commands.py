"""Cohorts and who belongs to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.identity.contract import require_active_person
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.kernel.errors import NotFound
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateCohort:
    """A new, empty cohort."""

    name: str
    group_name: str = ""
    team: str = ""
    active: bool = True
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ChangeCohort:
    """Changes to a cohort as the caller read it."""

    cohort_id: UUID
    expected: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteCohort:
    """Remove a cohort as the caller read it."""

    cohort_id: UUID
    expected: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a cohort."""

    cohort_id: UUID
    user_id: UUID


async def create_cohort(command: CreateCohort, uow: LearningUnitOfWork) -> Mapping[str, Any]:
    """Create; raises DuplicateCohort."""
    cohort_id = uuid7()
    cohort = await uow.cohorts.add(
        {
            "id": cohort_id,
            "name": command.name,
            "group_name": command.group_name,
            "team": command.team,
            "active": command.active,
            "workspace_id": command.workspace_id,
        }
    )
    uow.audit(AuditEntry("created", "cohort", str(cohort_id), after={"name": command.name}))
    return cohort


async def change_cohort(command: ChangeCohort, uow: LearningUnitOfWork) -> UUID:
    """Change; raises DuplicateCohort."""
    cohort = await _locked(command.cohort_id, command.expected, uow)
    changes = {name: value for name, value in command.changes.items() if cohort[name] != value}
    if changes:
        await uow.cohorts.change(cohort, changes)
        before = {name: cohort[name] for name in changes}
        uow.audit(AuditEntry("changed", "cohort", str(command.cohort_id), before=before, after=changes))
    return command.cohort_id


async def delete_cohort(command: DeleteCohort, uow: LearningUnitOfWork) -> None:
    """Delete with its memberships; raises CohortInUse while lessons belong to it."""
    cohort = await _locked(command.cohort_id, command.expected, uow)
    await uow.cohorts.remove(cohort)
    uow.audit(AuditEntry("deleted", "cohort", str(command.cohort_id), before={"name": cohort["name"]}))


async def delete_cohorts_of(workspace_id: UUID, uow: LearningUnitOfWork) -> None:
    """Delete the cohorts of a workspace that is no more, whose lessons are deleted before."""
    for cohort in await uow.cohorts.lock_of_workspace(workspace_id):
        await uow.cohorts.remove(cohort)
        uow.audit(AuditEntry("deleted", "cohort", str(cohort["id"]), before={"name": cohort["name"]}))


async def add_member(
    statements: StatementMatching, command: Membership, uow: LearningUnitOfWork, *, anybody: bool = True
) -> None:
    """Make somebody a member; doing it twice changes nothing. Raises NotFound, UnknownPerson, PersonSuspended.

    Who may not add `anybody` adds members of the cohort's workspace: nobody learns of others that they exist.
    """
    cohort = await _locked(command.cohort_id, "*", uow)
    suspended = await uow.cohorts.is_suspended(command.user_id)
    if not anybody and not await uow.cohorts.shares_workspace(cohort["workspace_id"], command.user_id):
        suspended = None
    require_active_person(command.user_id, "path:user_id", suspended=suspended)
    revision = await statements.take_revision(uow.connection)
    await uow.cohorts.join([(command.cohort_id, command.user_id)], revision)
    uow.audit(AuditEntry("joined", "cohort", str(command.cohort_id), after={"user_id": str(command.user_id)}))


async def remove_member(statements: StatementMatching, command: Membership, uow: LearningUnitOfWork) -> None:
    """End a membership; raises NotFound when there is none."""
    revision = await statements.take_revision(uow.connection)
    if not await uow.cohorts.leave(command.cohort_id, command.user_id, revision):
        message = Text(
            "User {user_id} is not a member of cohort {cohort_id}.",
            user_id=command.user_id,
            cohort_id=command.cohort_id,
        )
        raise NotFound(message)
    uow.audit(AuditEntry("left", "cohort", str(command.cohort_id), before={"user_id": str(command.user_id)}))


async def _locked(cohort_id: UUID, expected: str, uow: LearningUnitOfWork) -> Mapping[str, Any]:
    cohort = await uow.cohorts.lock(cohort_id)
    require_revision(expected, cohort["revision"], Text("The cohort"))
    return cohort
