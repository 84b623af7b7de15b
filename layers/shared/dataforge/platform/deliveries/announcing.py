"""Messages to `worker` that a receiver has something to do.

They only make it soon: the minute's job finds what is due in the tables, and a message that is lost costs a minute.
"""

from typing import TYPE_CHECKING

from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.platform.aws.sqs import Queue

_MOST_DELAY = 900


async def announce_message(queue: "Queue", message: str, *, seconds: float = 0) -> None:
    """Send a message that arrives after so many seconds; a failure is logged and passed over."""
    try:
        await queue.send_later(message, seconds=min(_MOST_DELAY, int(seconds)))
    except Exception:  # noqa: BLE001 - the minute's job does it
        logger.warning("delivery not announced", exc_info=True)
