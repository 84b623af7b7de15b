"""SQS batches (Lambda's `aws:sqs` event) with partial failures (ReportBatchItemFailures)."""

from collections.abc import Iterable, Mapping
from typing import Any

from dataforge.platform.aws.sqs import QueueRecord


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


def batch_response(failed: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """The answer that makes SQS keep the failed messages and delete all others; an empty list deletes all."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(set(failed))]}


def _whole(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdigit() else None
