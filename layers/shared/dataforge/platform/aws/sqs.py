"""SQS: send, and drain without an event source mapping."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataforge.platform.aws.clients import client

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef

MAX_BATCH = 10


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """One message: its body, how often it was received, and when it was sent (epoch milliseconds)."""

    message_id: str
    body: str
    receive_count: int = 1
    sent_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """A message we received ourselves, with the handle that acknowledges it."""

    record: QueueRecord
    receipt_handle: str


class Queue:
    """One queue by URL; boto3 blocks, so every call runs in a thread."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, body: str) -> None:
        """Make one message durable (at most 1 MiB); raises botocore's error when that is not certain."""
        await asyncio.to_thread(client("sqs").send_message, QueueUrl=self._url, MessageBody=body)

    async def receive(self, *, limit: int = MAX_BATCH, wait_seconds: int = 0) -> Sequence[ReceivedRecord]:
        """Up to ten messages, invisible to others for the queue's visibility timeout."""
        answer = await asyncio.to_thread(
            client("sqs").receive_message,
            QueueUrl=self._url,
            MaxNumberOfMessages=min(limit, MAX_BATCH),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        return [
            ReceivedRecord(
                QueueRecord(
                    message_id=message["MessageId"],
                    body=message["Body"],
                    receive_count=int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
                    sent_at_ms=int(message.get("Attributes", {}).get("SentTimestamp", 0)) or None,
                ),
                message["ReceiptHandle"],
            )
            for message in answer.get("Messages", [])
        ]

    async def delete(self, receipt_handles: Sequence[str]) -> None:
        """Acknowledge messages (at most ten); one that cannot be deleted comes again, which consumers must bear."""
        if receipt_handles:
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(receipt_handles)
            ]
            await asyncio.to_thread(client("sqs").delete_message_batch, QueueUrl=self._url, Entries=entries)
