"""SQS batches (Lambda's `aws:sqs` event) with partial failures (ReportBatchItemFailures)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from dataforge.platform.aws.sqs import QueueRecord
from dataforge.platform.observability import logger


def queue_records(event: Mapping[str, Any]) -> list[QueueRecord]:
    """The messages of an event; raises KeyError for an event that does not come from a queue."""
    return [
        QueueRecord(
            message_id=record["messageId"],
            body=record["body"],
            receive_count=int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
            sent_at_ms=_whole(record.get("attributes", {}).get("SentTimestamp")),
        )
        for record in event["Records"]
    ]


class MessageBatch:
    """The messages of an event, one at a time: those that failed are given back to the queue."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self._records = queue_records(event)
        self._failed: list[str] = []

    def __iter__(self) -> Iterator[QueueRecord]:
        """The messages."""
        return iter(self._records)

    @contextmanager
    def given_back(self, record: QueueRecord) -> Iterator[None]:
        """Give the message back to the queue when the block fails; the others are not taken along."""
        try:
            yield
        except Exception:  # noqa: BLE001 - whatever it was, the message comes again
            logger.error("message failed", exc_info=True, message_id=record.message_id)
            self._failed.append(record.message_id)

    def response(self) -> dict[str, Any]:
        """The answer that makes SQS keep the failed messages and delete all others."""
        return batch_response(self._failed)


def json_object(record: QueueRecord) -> Mapping[str, Any]:
    """The body of a message as an object; empty when it is another JSON value. Raises ValueError for no JSON."""
    body = json.loads(record.body)
    return body if isinstance(body, dict) else {}


def id_in(body: Mapping[str, Any], name: str) -> UUID | None:
    """The id in a member of a body; None without one."""
    try:
        return UUID(str(body[name]))
    except (KeyError, ValueError):
        return None


def batch_response(failed: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """The answer that makes SQS keep the failed messages and delete all others; an empty list deletes all."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(set(failed))]}


def _whole(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdigit() else None
