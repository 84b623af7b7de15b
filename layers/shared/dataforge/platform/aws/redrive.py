"""Messages from a dead-letter queue back to the queue they came from, on AWS and on emulators alike.

SQS has a task for this (StartMessageMoveTask), which emulators lack and which cannot choose. Each message is sent first
and deleted after: whoever is killed in between has sent it twice, which consumers bear, and lost nothing.
"""

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dataforge.platform.aws.clients import client

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

_BATCH = 10
_WAIT_SECONDS = 1  # long polling asks every server; a short poll may find nothing where there is something


@dataclass(slots=True)
class Redriven:
    """What was moved, by message id, which chosen messages were not there, and about how many are left."""

    moved: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    remaining: int = 0


async def redrive(
    source: str, target: str, *, most: int, only: Collection[str] | None = None, budget_seconds: float = 200.0
) -> Redriven:
    """Move at most `most` messages from one queue to another (URLs), only those with the ids in `only` if given.

    It ends when nothing is received, nothing new is, or the time is up. The others are visible again at once.
    """
    return await asyncio.to_thread(_redrive, source, target, most, None if only is None else set(only), budget_seconds)


def _redrive(source: str, target: str, most: int, wanted: set[str] | None, budget: float) -> Redriven:
    done, seen, passed = Redriven(), set[str](), list[str]()
    deadline = time.monotonic() + budget
    try:
        while len(done.moved) < most and wanted != set() and time.monotonic() < deadline:
            fresh = [message for message in _receive(source) if message["MessageId"] not in seen]
            if not fresh:
                break
            seen.update(message["MessageId"] for message in fresh)
            for message in fresh:
                chosen = wanted is None or message["MessageId"] in wanted
                if not chosen or len(done.moved) == most:
                    passed.append(message["ReceiptHandle"])
                    continue
                _move(message, source, target)
                done.moved.append(message["MessageId"])
                if wanted is not None:
                    wanted.remove(message["MessageId"])
    finally:
        _release(source, passed)
    done.not_found = sorted(wanted or ())
    done.remaining = _depth(source)
    return done


def _receive(url: str) -> "list[MessageTypeDef]":
    answer = client("sqs").receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=_BATCH,
        WaitTimeSeconds=_WAIT_SECONDS,
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])


def _move(message: "MessageTypeDef", source: str, target: str) -> None:
    attributes = message.get("MessageAttributes") or {}
    client("sqs").send_message(QueueUrl=target, MessageBody=message["Body"], MessageAttributes=attributes)
    client("sqs").delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])


def _release(url: str, handles: Iterable[str]) -> None:
    for handle in handles:
        client("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)


def _depth(url: str) -> int:
    name: Literal["ApproximateNumberOfMessages"] = "ApproximateNumberOfMessages"
    answer = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(answer["Attributes"][name])
