"""The rows of one statement, as the tables take them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from dataforge.contexts.records.statements import VOIDED, FlatStatement, flatten_statement

# What identity allows; a longer value can match nobody.
_MAX_EMAIL, _MAX_AVATAR, _MAX_LESSON_URL = 255, 64, 500


@dataclass(frozen=True, slots=True)
class FlatRow:
    """A flat statement and the keys its person and lesson are looked up by."""

    flat: FlatStatement
    actor_email: str | None
    actor_account: str | None
    lesson_url: str | None

    @property
    def voids(self) -> UUID | None:
        """The statement this one withdraws."""
        return self.flat.voids


@dataclass(frozen=True, slots=True)
class Person:
    """Who an actor is."""

    user_id: UUID
    email: str | None
    avatar: str | None


@dataclass(frozen=True, slots=True)
class LessonRef:
    """Which lesson an activity is."""

    lesson_id: UUID
    section_id: UUID | None


@dataclass(frozen=True, slots=True)
class Landed:
    """A flat row that was inserted, as far as events need it."""

    statement_id: UUID
    user_id: UUID | None
    lesson_id: UUID | None
    completes: bool
    voided: bool
    score: Decimal | None
    occurred_at: datetime


def flat_row(payload: Mapping[str, object]) -> FlatRow:
    """Flatten one stored statement."""
    flat = flatten_statement(payload)
    actor = payload.get("actor")
    account = actor.get("account") if isinstance(actor, dict) else None
    name = account.get("name") if isinstance(account, dict) else None
    email, url = flat.actor_email, flat.lesson_url
    return FlatRow(
        flat=flat,
        actor_email=email if email is not None and len(email) <= _MAX_EMAIL else None,
        actor_account=name if isinstance(name, str) and len(name) <= _MAX_AVATAR else None,
        lesson_url=url if url is not None and len(url) <= _MAX_LESSON_URL else None,
    )


def is_voiding(payload: Mapping[str, object]) -> bool:
    """Whether the statement withdraws another (Data 2.3.2)."""
    verb = payload.get("verb")
    return isinstance(verb, dict) and verb.get("id") == VOIDED
