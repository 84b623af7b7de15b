"""Do what a report of SES asks for."""

from dataclasses import dataclass

from dataforge.contexts.notifications.feedback.domain import Feedback
from dataforge.contexts.notifications.suppressions.commands import Suppress, suppress
from dataforge.contexts.notifications.suppressions.domain import Scope, email_hash
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork


@dataclass(frozen=True, slots=True)
class ApplyFeedback:
    """A bounce or a complaint."""

    feedback: Feedback


async def apply_feedback(command: ApplyFeedback, uow: NotificationsUnitOfWork) -> int:
    """Suppress everything to its addresses; returns how many were not before. May be repeated."""
    feedback = command.feedback
    if feedback.reason is None:
        return 0
    # In one order, so that two reports at once wait for each other and not in a circle.
    hashes = sorted(email_hash(address) for address in feedback.addresses)
    return sum([await suppress(Suppress(hashed, Scope.ALL, feedback.reason), uow) for hashed in hashes])
