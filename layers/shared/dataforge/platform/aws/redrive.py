"""Messages of a dead-letter queue: looked at, sent back to the queue they came from, or deleted on purpose.

SQS has a task for the way back (StartMessageMoveTask), which emulators lack and which cannot choose. Messages are sent
first and deleted after, ten in a request and by several threads: whoever is killed in between has sent some twice,
which consumers bear, and lost nothing.
"""

import asyncio
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from dataforge.platform.aws.clients import client
from dataforge.platform.aws.sqs import MAX_BATCH, MAX_BATCH_BYTES

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import (
        DeleteMessageBatchRequestEntryTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

_WAIT_SECONDS = 1  # long polling asks every server; a short poll may find nothing where there is something
_THREADS = 4
_LOOKED_AT_SECONDS = 20


@dataclass(slots=True)
class Redriven:
    """What was moved, by message id, which chosen messages were not there, and about how many are left."""

    moved: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    remaining: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up: its body, when it was first sent, and how often it was received, looks included."""

    message_id: str
    body: str
    sent_at: datetime
    receive_count: int


async def redrive(
    source: str, target: str, *, most: int, only: Collection[str] | None = None, budget_seconds: float = 200.0
) -> Redriven:
    """Move at most `most` messages from one queue to another (URLs), only those with the ids in `only` if given.

    It ends when nothing is received, nothing new is, or the time is up. The others are visible again at once.
    """
    return await asyncio.to_thread(_Run(source, target, most, only, budget_seconds).carry_out)


async def look(url: str, *, most: int, budget_seconds: float = 10.0) -> Sequence[DeadLetter]:
    """At most `most` messages of a queue (URL), oldest first; they stay there and are visible again at once."""
    return await asyncio.to_thread(_look, url, most, budget_seconds)


async def discard(url: str, only: Collection[str], *, budget_seconds: float = 20.0) -> Sequence[str]:
    """Delete the messages with these ids from a queue (URL); the ids of those that were there."""
    run = _Run(url, None, len(only), only, budget_seconds)
    return (await asyncio.to_thread(run.carry_out)).moved


class _Run:
    """Takes messages from one queue, to another one or to nowhere."""

    def __init__(self, source: str, target: str | None, most: int, only: Collection[str] | None, budget: float) -> None:
        self._source = source
        self._target = target
        self._left = most
        self._wanted = None if only is None else set(only)
        self._deadline = time.monotonic() + budget
        self._seen: set[str] = set()
        self._passed: list[str] = []
        self._moved: list[str] = []
        self._lock = threading.Lock()

    def carry_out(self) -> Redriven:
        # A few messages are one thread's work; the others would only wait for what it has in hand.
        threads = _THREADS if self._left > MAX_BATCH and self._wanted is None else 1
        try:
            if threads == 1:
                self._drain()
            else:
                with ThreadPoolExecutor(threads, thread_name_prefix="redrive") as pool:
                    for drained in [pool.submit(self._drain) for _ in range(threads)]:
                        drained.result()
        finally:
            _release(self._source, self._passed)
        return Redriven(self._moved, sorted(self._wanted or ()), _depth(self._source))

    def _drain(self) -> None:
        while self._left > 0 and self._wanted != set() and time.monotonic() < self._deadline:
            chosen = self._choose(_receive(self._source))
            if chosen is None:
                return
            for batch in _batches(chosen):
                taken = batch if self._target is None else self._send(self._target, batch)
                self._delete(taken)
                with self._lock:
                    self._moved += [message["MessageId"] for message in taken]

    def _choose(self, received: "Sequence[MessageTypeDef]") -> "list[MessageTypeDef] | None":
        """Those of the messages that are to be moved; None when none of them is new."""
        with self._lock:
            fresh = [message for message in received if message["MessageId"] not in self._seen]
            self._seen.update(message["MessageId"] for message in fresh)
            chosen = [message for message in fresh if self._wanted is None or message["MessageId"] in self._wanted]
            chosen = chosen[: max(self._left, 0)]
            self._left -= len(chosen)
            if self._wanted is not None:
                self._wanted.difference_update(message["MessageId"] for message in chosen)
            kept = {message["MessageId"] for message in chosen}
            self._passed += [message["ReceiptHandle"] for message in fresh if message["MessageId"] not in kept]
        return chosen if fresh else None

    def _send(self, target: str, batch: "Sequence[MessageTypeDef]") -> "list[MessageTypeDef]":
        """Send messages; those that were taken. The others are visible again at the end, and counted as not moved."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(number),
                "MessageBody": message["Body"],
                "MessageAttributes": message.get("MessageAttributes") or {},
            }
            for number, message in enumerate(batch)
        ]
        answer = client("sqs").send_message_batch(QueueUrl=target, Entries=entries)
        refused = {int(item["Id"]) for item in answer.get("Failed", [])}
        with self._lock:
            self._passed += [batch[number]["ReceiptHandle"] for number in refused]
        return [message for number, message in enumerate(batch) if number not in refused]

    def _delete(self, batch: "Sequence[MessageTypeDef]") -> None:
        if batch:
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(batch)
            ]
            client("sqs").delete_message_batch(QueueUrl=self._source, Entries=entries)


def _look(url: str, most: int, budget: float) -> Sequence[DeadLetter]:
    found: dict[str, MessageTypeDef] = {}
    deadline = time.monotonic() + budget
    try:
        while len(found) < most and time.monotonic() < deadline:
            fresh = {item["MessageId"]: item for item in _receive(url, _LOOKED_AT_SECONDS)}
            if fresh.keys() <= found.keys():
                break
            found |= fresh
    finally:
        _release(url, [message["ReceiptHandle"] for message in found.values()])
    letters = [_letter(message) for message in found.values()]
    return sorted(letters, key=lambda letter: (letter.sent_at, letter.message_id))[:most]


def _letter(message: "MessageTypeDef") -> DeadLetter:
    attributes = message.get("Attributes", {})
    sent_at = datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, UTC)
    return DeadLetter(message["MessageId"], message["Body"], sent_at, int(attributes.get("ApproximateReceiveCount", 1)))


def _receive(url: str, visibility_seconds: int | None = None) -> "list[MessageTypeDef]":
    receive = partial(
        client("sqs").receive_message,
        QueueUrl=url,
        MaxNumberOfMessages=MAX_BATCH,
        WaitTimeSeconds=_WAIT_SECONDS,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
    )
    answer = receive() if visibility_seconds is None else receive(VisibilityTimeout=visibility_seconds)
    return answer.get("Messages", [])


def _batches(messages: "Sequence[MessageTypeDef]") -> "Iterator[list[MessageTypeDef]]":
    """Messages as a request takes them: ten, and a limit of bytes on all together."""
    batch: list[MessageTypeDef] = []
    size = 0
    for message in messages:
        weight = len(message["Body"].encode())
        if batch and (len(batch) == MAX_BATCH or size + weight > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += weight
    if batch:
        yield batch


def _release(url: str, handles: Iterable[str]) -> None:
    for handle in handles:
        client("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)


def _depth(url: str) -> int:
    name: Literal["ApproximateNumberOfMessages"] = "ApproximateNumberOfMessages"
    answer = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(answer["Attributes"][name])
