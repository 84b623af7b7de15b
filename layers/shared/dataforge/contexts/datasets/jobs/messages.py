"""Messages of the queues of jobs, one at a time."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from dataforge.events.sqs import batch_response, queue_records
from dataforge.platform.observability import logger

Handle = Callable[[Mapping[str, Any]], Awaitable[None]]


async def each_message(event: Mapping[str, Any], handle: Handle) -> dict[str, Any]:
    """Handle the messages of an SQS event; those that failed are given back to the queue."""
    failed = []
    for record in queue_records(event):
        try:
            body = json.loads(record.body)
            await handle(body if isinstance(body, dict) else {})
        except Exception:  # noqa: BLE001 - one message must not take the others along
            logger.error("message failed", exc_info=True, message_id=record.message_id)
            failed.append(record.message_id)
    return batch_response(failed)


def id_in(body: Mapping[str, Any], name: str) -> UUID | None:
    try:
        return UUID(str(body[name]))
    except (KeyError, ValueError):
        return None
