"""Messages to `worker` that a subscription has something to do.

They only make it soon: the minute's job finds what is due in the tables, and a message that is lost costs a minute.
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.lrs.forwarding.domain import AFTER_SECONDS, ASKING_SECONDS
from dataforge.contexts.lrs.forwarding.repository import claim_announcements
from dataforge.platform.deliveries.announcing import announce_message
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.platform.aws.sqs import Queue
    from dataforge.platform.db.database import Database

MESSAGE = "deliver_statements"


def delivery_message(subscription_id: UUID) -> str:
    """The message of a subscription."""
    return json.dumps({"message": MESSAGE, "subscription_id": str(subscription_id)})


async def announce(queue: "Queue", subscription_id: UUID, *, seconds: float = 0) -> None:
    """Tell `worker`; a failure is logged and passed over."""
    await announce_message(queue, delivery_message(subscription_id), seconds=seconds)


class Announcer:
    """Tells of statements that were loaded, in one message for what all loaders have loaded lately."""

    def __init__(
        self, database: "Database", queue: "Queue", *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._queue = queue
        self._monotonic = monotonic
        self._asked_at = float("-inf")

    async def statements_loaded(self) -> None:
        """Announce deliveries to all that statements are sent to, unless a message is on its way. Never raises."""
        now = self._monotonic()
        if now - self._asked_at < ASKING_SECONDS:
            return
        self._asked_at = now
        try:
            async with self._database.transaction() as connection:
                chosen = await claim_announcements(connection)
        except Exception:  # noqa: BLE001 - the minute's job does it
            logger.warning("deliveries not announced", exc_info=True)
            return
        for subscription_id in chosen:
            await announce(self._queue, subscription_id, seconds=AFTER_SECONDS)
