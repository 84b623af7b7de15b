"""Messages to `worker` that a subscription has something to do.

They only make it soon: the minute's job finds what is due in the tables, and a message that is lost costs a minute.
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.lrs.consistency import MARGIN_SECONDS
from dataforge.contexts.lrs.forwarding.queries import enabled_subscriptions
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.platform.aws.sqs import Queue
    from dataforge.platform.db.database import Database

MESSAGE = "deliver_statements"
_MOST_DELAY = 900
_KNOWN_SECONDS = 10.0
# What was just loaded is behind the bound by then.
_AFTER_SECONDS = int(MARGIN_SECONDS) + 1


def delivery_message(subscription_id: UUID) -> str:
    """The message of a subscription."""
    return json.dumps({"message": MESSAGE, "subscription_id": str(subscription_id)})


async def announce(queue: "Queue", subscription_id: UUID, *, seconds: float = 0) -> None:
    """Tell `worker`; a failure is logged and passed over."""
    try:
        await queue.send_later(delivery_message(subscription_id), seconds=min(_MOST_DELAY, int(seconds)))
    except Exception:  # noqa: BLE001 - the minute's job does it
        logger.warning("delivery not announced", exc_info=True, subscription=str(subscription_id))


class Announcer:
    """Tells of statements that were loaded: at most once for each subscription while its message is on its way."""

    def __init__(
        self, database: "Database", queue: "Queue", *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._queue = queue
        self._monotonic = monotonic
        self._known: list[UUID] = []
        self._known_at = float("-inf")
        self._told_at = float("-inf")

    async def statements_loaded(self) -> None:
        """Announce deliveries to all that statements are sent to. Never raises."""
        now = self._monotonic()
        if now - self._told_at < 1:
            return
        try:
            if now - self._known_at > _KNOWN_SECONDS:
                async with self._database.read_only() as connection:
                    self._known = await enabled_subscriptions(connection)
                self._known_at = now
        except Exception:  # noqa: BLE001 - as above
            logger.warning("subscriptions not read", exc_info=True)
            return
        if self._known:
            self._told_at = now
        for subscription_id in self._known:
            await announce(self._queue, subscription_id, seconds=_AFTER_SECONDS)
