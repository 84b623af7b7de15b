"""Stop mail to an address."""

from dataclasses import dataclass

from dataforge.contexts.notifications.suppressions.domain import Reason, Scope
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class Suppress:
    """No more mail of a scope to an address, known by its hash."""

    email_hash: str
    scope: Scope
    reason: Reason


async def suppress(command: Suppress, uow: NotificationsUnitOfWork) -> bool:
    """Whether this changed anything; may be repeated."""
    added = await uow.suppressions.add(command.email_hash, command.scope, command.reason)
    if added:
        after = {"scope": command.scope.value, "reason": command.reason.value}
        uow.audit(AuditEntry("suppressed", "address", command.email_hash, after=after))
    return added
