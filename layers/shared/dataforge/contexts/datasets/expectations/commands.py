"""Add and remove expectations."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.datasets.expectations.domain import Expectation, ExpectationNotFound, check_parameters
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class AddExpectation:
    """A new expectation."""

    dataset_id: UUID
    expectation: Expectation


@dataclass(frozen=True, slots=True)
class RemoveExpectation:
    """Take an expectation away."""

    dataset_id: UUID
    expectation_id: UUID


async def add_expectation(command: AddExpectation, uow: DatasetsUnitOfWork) -> UUID:
    """Insert, audited; raises InvalidExpectation, ExpectationExists."""
    wanted = command.expectation
    check_parameters(wanted.rule, wanted.columns, wanted.parameters)
    await uow.expectations.add(command.dataset_id, wanted)
    after = {"name": wanted.name, "rule": wanted.rule.value}
    uow.audit(AuditEntry("added", "dataset_expectation", str(wanted.id), after=after))
    return wanted.id


async def remove_expectation(command: RemoveExpectation, uow: DatasetsUnitOfWork) -> None:
    """Delete, audited; raises ExpectationNotFound."""
    if not await uow.expectations.remove(command.dataset_id, command.expectation_id):
        message = Text(
            "There is no expectation {expectation_id} in this dataset.", expectation_id=command.expectation_id
        )
        raise ExpectationNotFound(message)
    uow.audit(AuditEntry("removed", "dataset_expectation", str(command.expectation_id)))
