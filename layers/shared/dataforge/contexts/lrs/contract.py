"""What other contexts may know of the record store.

Its rows are read by reports through the functions that learning publishes. The lessons of statements are given by
whoever keeps lessons, who offers `LessonDirectory` for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from dataforge.kernel.events import Event
from dataforge.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class MatchedStatement:
    """A statement that was just given its person and lesson, as far as they are known.

    `score` is the scaled score (-1 to 1) if the statement has one.
    """

    statement_id: UUID
    user_id: UUID | None
    lesson_id: UUID | None
    completes: bool
    voided: bool
    score: Decimal | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class StatementImportEnded(Event):
    """An import of statements has ended; `error` says why it failed, None if it did not."""

    name = "records.statement_import_ended"
    about = "job_id"

    job_id: UUID
    user_id: UUID | None
    new: int
    known: int
    refused: int
    error: str | None


@dataclass(frozen=True, slots=True)
class SubscriptionDisabled(Event):
    """A subscription of statements was switched off because nothing could be delivered; `keepers` may see to it."""

    name = "records.subscription_disabled"
    about = "subscription_id"

    subscription_id: UUID
    subscription_name: str
    reason: str
    keepers: tuple[UUID, ...]


class LessonRegister(Protocol):
    """Lessons inside one transaction of the record store."""

    async def by_address(self, addresses: Sequence[str]) -> Mapping[str, UUID]:
        """Lesson ids by activity id in its normal form (`kernel.iri`)."""
        ...

    async def addresses(self) -> Mapping[str, UUID]:
        """The addresses of all lessons, aliases included."""
        ...

    async def record_completions(self, statements: Sequence[MatchedStatement]) -> None:
        """Take notice of the completions among statements that were matched in this transaction."""
        ...


class LessonDirectory(Protocol):
    """Kept by the context that knows lessons."""

    def within(self, connection: Any, publish: Callable[[Event], None]) -> LessonRegister:  # noqa: ANN401 - a connection; contracts name no framework
        """The register within the transaction of this connection; its events go out with it."""
        ...


class PersonErasure(Protocol):
    """Takes people out of the record store."""

    async def erase_person(
        self, agents: Sequence[Mapping[str, Any]], *, responses: bool, on_behalf_of: Principal
    ) -> UUID:
        """Queue the job that takes a person, known by these Agents, out of statements, documents and what is loaded
        from now on; its id. With `responses` what they have answered goes too.
        """
        ...


# The home page of accounts that launches name people by: their pseudonyms here, whatever these look like.
PEOPLE = "https://dataforge.example/people"


@dataclass(frozen=True, slots=True)
class PlayerLaunch:
    """One launch of a course player (cmi5): whom it is for, what it is of, and what it asks for.

    `launch_mode` and `move_on` are cmi5's words, `publisher_id` what its author calls the unit, `launch_url` its
    address, `language` what the learner reads.
    """

    session_id: UUID
    registration: UUID
    activity_id: str
    actor: Mapping[str, object]
    launch_mode: str
    move_on: str
    mastery_score: Decimal | None
    publisher_id: str
    launch_url: str
    launch_parameters: str | None
    return_url: str | None
    language: str
    expires_at: datetime


class PlayerSessions(Protocol):
    """Sessions of course players. Their progress is read from the relation `lrs.sessions`, whose columns only grow."""

    async def announce(self, launch: PlayerLaunch) -> None:
        """Say in the store that a lesson is launched, before it is; raises QueueUnavailable."""
        ...

    async def open(self, connection: Any, launch: PlayerLaunch) -> None:  # noqa: ANN401 - as above
        """Store the session and its LMS.LaunchData within the transaction of this connection."""
        ...

    async def end(self, connection: Any, session_id: UUID) -> None:  # noqa: ANN401 - as above
        """Abandon a session that has begun and not ended, within the transaction of this connection."""
        ...


class StatementMatching(Protocol):
    """Matches stored statements to what came after them, within the transaction of a connection."""

    async def take_revision(self, connection: Any) -> datetime:  # noqa: ANN401 - as above
        """The instant from which on others know what this transaction changes; no watermark passes it before."""
        ...

    async def match_lessons(self, connection: Any, addresses: Mapping[str, UUID]) -> Sequence[MatchedStatement]:  # noqa: ANN401 - as above
        """Give unmatched statements their lesson by its addresses; returns those that got one."""
        ...

    async def release_lesson(
        self,
        connection: Any,  # noqa: ANN401 - as above
        lesson_id: UUID,
        addresses: Sequence[str] | None = None,
    ) -> None:
        """Take the lesson from its statements, or from those with the addresses."""
        ...

    async def match_people(
        self,
        connection: Any,  # noqa: ANN401 - as above
        user_ids: Sequence[UUID] | None = None,
    ) -> Sequence[MatchedStatement]:
        """Give unmatched statements of these people (None: of everybody) their person; returns those that got one."""
        ...

    async def reported_through(self, connection: Any) -> datetime:  # noqa: ANN401 - as above
        """The watermark: what is known up to this instant never changes again, except by erasures and purges."""
        ...
