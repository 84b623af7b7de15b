"""Messages to `worker` that a webhook has something to do."""

import json
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.platform.deliveries.announcing import announce_message

if TYPE_CHECKING:
    from dataforge.platform.aws.sqs import Queue

MESSAGE = "deliver_events"


def webhook_message(webhook_id: UUID) -> str:
    """The message of a webhook."""
    return json.dumps({"message": MESSAGE, "webhook_id": str(webhook_id)})


async def announce_webhook(queue: "Queue", webhook_id: UUID, *, seconds: float = 0) -> None:
    """Tell `worker`; a failure is logged and passed over."""
    await announce_message(queue, webhook_message(webhook_id), seconds=seconds)
