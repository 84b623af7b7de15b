"""Wire models of queues."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from dataforge.contexts.operations.status.wire import QueueDepthOut
from dataforge.http.wire import RequestModel

MOST_LOOKED_AT = 100
MessageId = Annotated[str, Field(min_length=1, max_length=100)]


class QueueName(StrEnum):
    """The queues by name."""

    STATEMENTS = "statements"
    IMPORTS = "imports"
    EXPORTS = "exports"
    DEPLOYMENTS = "deployments"
    JOBS = "jobs"
    FEEDBACK = "feedback"


class QueueList(BaseModel):
    """Every queue."""

    items: list[QueueDepthOut]


class DeadLetterOut(BaseModel):
    """A message that was given up. `body` has its first 4,000 characters; `receive_count` counts looks at it, too."""

    message_id: str
    sent_at: datetime
    age_seconds: float
    receive_count: int
    body_bytes: int
    body: str


class DeadLetterList(BaseModel):
    """Messages that were given up, oldest first: those that SQS gave when it was asked, a hundred at most."""

    queue: QueueName
    total: int
    items: list[DeadLetterOut]


class RedriveIn(RequestModel):
    """All messages, at most `most` of them, or those with the ids in `messages`."""

    most: Annotated[int, Field(ge=1, le=100_000, description="how many are moved at most")] = 10_000
    messages: Annotated[
        list[MessageId] | None, Field(min_length=1, max_length=1_000, description="ids of the messages to move")
    ] = None


class RedriveOut(BaseModel):
    """What was moved; chosen messages that were not there; about how many are left. Repeat it until none is."""

    queue: QueueName
    moved: int
    message_ids: list[str]
    not_found: list[str]
    remaining: int
