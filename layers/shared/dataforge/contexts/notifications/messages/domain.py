"""A message on its way to a person, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

MAX_ATTEMPTS = 12
# A sender that was killed holds its messages this long; longer than any sender runs.
CLAIM = timedelta(minutes=10)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=30)


class Status(StrEnum):
    """Where a message is: `skipped` when its day was over, `suppressed` when the address takes no mail by then."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Message:
    """A message that a sender has claimed, to somebody's own address unless it has one (`address`)."""

    id: UUID
    user_id: UUID | None
    kind: str
    local_date: date
    attempts: int
    content: Mapping[str, Any] = field(repr=False)
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """It is not sent any more; `status` says why."""

    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Postponed:
    """It may be sent from an instant on, and nothing was tried."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider did not take it this time."""

    error: str


Outcome = Sent | Dropped | Postponed | Failed


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """When a message is tried again after so many attempts, each wait twice the one before; None: given up."""
    if attempts >= MAX_ATTEMPTS:
        return None
    wait: timedelta = _FIRST_WAIT * 2 ** (attempts - 1)
    return now + min(wait, _LONGEST_WAIT)
