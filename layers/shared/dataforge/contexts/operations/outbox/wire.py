"""Wire models of events on their way."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.operations.outbox.domain import EventState


class EventOut(BaseModel):
    """An event: what it is about (`key`), how often it was tried, and what it failed with.

    What it says is not shown.
    """

    id: UUID
    name: str
    key: str
    state: EventState
    occurred_at: datetime
    attempts: int
    next_attempt_at: datetime
    relayed_at: datetime | None
    dead_at: datetime | None
    last_error: str | None


class EventPage(BaseModel):
    """Events, newest first."""

    items: list[EventOut]
    limit: int
    next_cursor: str | None
    next: str | None
