"""Messages of the feedback queue of the function `notifier`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataforge.contexts.notifications.feedback.commands import ApplyFeedback, apply_feedback
from dataforge.contexts.notifications.feedback.domain import read_feedback
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.events.sqs import MessageBatch
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import emit_metrics, logger

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices


async def feedback_messages(event: Mapping[str, Any], services: "NotificationsServices") -> dict[str, Any]:
    """Apply reports of SES, each in a transaction of its own; one that cannot be read is given back to the queue."""
    batch = MessageBatch(event)
    for record in batch:
        with batch.given_back(record):
            feedback = read_feedback(record.body)
            added = await run(services.unit_of_work(NotificationsUnitOfWork), apply_feedback, ApplyFeedback(feedback))
            logger.info("mail feedback", kind=feedback.kind, suppressed=added)
            if feedback.reason is not None:
                emit_metrics({f"mail_{feedback.reason.value}s": len(feedback.addresses)})
    return batch.response()
