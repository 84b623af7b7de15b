"""Try an event again that was given up."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.operations.outbox.repository import revive
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """Relay an event again, to all its subscribers: each has to bear hearing it twice."""

    event_id: UUID


async def retry_event(command: RetryEvent, uow: SqlUnitOfWork) -> UUID:
    """Make it wait again; raises EventNotFound, EventNotRetryable."""
    name = await revive(uow.connection, command.event_id, uow.now)
    uow.audit(AuditEntry("retried", "event", str(command.event_id), after={"name": name}))
    return command.event_id
