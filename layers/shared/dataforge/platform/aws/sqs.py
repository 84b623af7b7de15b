"""SQS: send, and drain without an event source mapping."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataforge.platform.aws.clients import client
from dataforge.platform.gathering import Gathering

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType
    from types_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, SendMessageBatchRequestEntryTypeDef

MAX_BATCH = 10
MAX_BATCH_BYTES = 1024 * 1024
"""SQS's limit on all messages of one request together."""

_COUNTS: "tuple[QueueAttributeNameType, ...]" = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class NotQueued(Exception):
    """SQS took other messages of a request and not this one."""


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
        self._sending = Gathering(self._send, most=MAX_BATCH, heaviest=MAX_BATCH_BYTES, weight=_bytes_of)

    async def send(self, body: str) -> None:
        """Make one message durable (at most 1 MiB); raises botocore's error or NotQueued when that is not certain.

        Messages that come at the same time go in one request.
        """
        await self._sending.do(body)

    async def _send(self, bodies: Sequence[str]) -> Sequence[Exception | None]:
        if len(bodies) == 1:
            await asyncio.to_thread(client("sqs").send_message, QueueUrl=self._url, MessageBody=bodies[0])
            return [None]
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)
        ]
        answer = await asyncio.to_thread(client("sqs").send_message_batch, QueueUrl=self._url, Entries=entries)
        refused = {item["Id"]: item.get("Message", item["Code"]) for item in answer.get("Failed", [])}
        return [NotQueued(refused[str(number)]) if str(number) in refused else None for number in range(len(bodies))]

    async def send_later(self, body: str, *, seconds: int) -> None:
        """Send one message that is delivered after so many seconds (at most 900); raises as `send` does."""
        await asyncio.to_thread(client("sqs").send_message, QueueUrl=self._url, MessageBody=body, DelaySeconds=seconds)

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

    async def is_empty(self) -> bool:
        """Whether no message waits, is delayed or is being handled; SQS counts with a lag of up to a minute."""
        answer = await asyncio.to_thread(
            client("sqs").get_queue_attributes, QueueUrl=self._url, AttributeNames=list(_COUNTS)
        )
        return not any(int(answer["Attributes"][name]) for name in _COUNTS)

    async def delete(self, receipt_handles: Sequence[str]) -> None:
        """Acknowledge messages (at most ten); one that cannot be deleted comes again, which consumers must bear."""
        if receipt_handles:
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(receipt_handles)
            ]
            await asyncio.to_thread(client("sqs").delete_message_batch, QueueUrl=self._url, Entries=entries)


def _bytes_of(body: str) -> int:
    # A body of ASCII, as ours are mostly, need not be encoded to be measured.
    return len(body) if body.isascii() else len(body.encode())
