"""What records needs of the outside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from dataforge.contexts.records.contract import LessonCompleted
from dataforge.contexts.records.domain.flat_rows import FlatRow, Landed, LessonRef, Person
from dataforge.kernel.unit_of_work import UnitOfWork


class StatementQueue(Protocol):
    """Where accepted statements wait for the tables."""

    async def send(self, body: str) -> None:
        """Make the message durable; raises when that is not certain."""
        ...


class Bodies(Protocol):
    """Objects too large for a message, and what is set aside."""

    async def put(self, key: str, body: bytes, *, content_type: str = "application/json") -> None:
        """Store the object."""
        ...

    async def get(self, key: str) -> bytes:
        """The object; raises when it cannot be read."""
        ...


class KeptMessages(Protocol):
    """Accepted messages, kept until they are loaded where the queue may forget them."""

    async def keep(self, request_id: UUID, message: bytes) -> None:
        """Make the message of a request durable."""
        ...

    async def forget(self, request_ids: Sequence[UUID]) -> None:
        """They are loaded, or were never accepted."""
        ...

    async def waiting(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        """The oldest requests kept since before a moment."""
        ...

    async def read(self, request_id: UUID) -> bytes:
        """A message that is kept."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """An id a client chose, and the hash of the content it is sent with."""

    statement_id: UUID
    content_sha256: bytes


@dataclass(frozen=True, slots=True)
class Registration:
    """What the database said before statements were queued.

    `conflicts` are ids that belong to another content; `registered` is False when the database did not answer in time.
    """

    registered: bool
    conflicts: tuple[UUID, ...] = ()


class Intake(Protocol):
    """Ids and requests that are accepted, known before the answer; never fails when the database is away."""

    async def register(self, request_id: UUID, stored_at: datetime, claims: Sequence[Claim]) -> Registration:
        """Claim the ids and note the request as on its way."""
        ...

    async def withdraw(self, request_id: UUID) -> None:
        """Forget a request that was not queued."""
        ...

    async def consistent_through(self) -> datetime:
        """Everything stored up to this instant is in the tables; the last known bound while the database is away."""
        ...


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row of `statements_raw`."""

    statement_id: UUID
    payload: Mapping[str, object]
    sha: bytes
    source: str
    authority: str
    occurred_at: datetime
    stored_at: datetime
    state: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A raw statement without its flat row."""

    statement_id: UUID
    payload: Mapping[str, object]
    attempts: int


class StatementTables(Protocol):
    """Raw and flat statements inside one transaction."""

    async def lock_voiding(self, *, exclusive: bool) -> None:
        """Take part in the order of voiding: exclusively with a voiding statement, shared without."""
        ...

    async def known_requests(self, request_ids: Iterable[UUID]) -> set[UUID]:
        """Which of the requests are noted as on their way; locks them."""
        ...

    async def landed_requests(self, request_ids: Iterable[UUID]) -> None:
        """The requests' statements are in the tables with this transaction."""
        ...

    async def insert_raw(self, rows: Sequence[RawRow]) -> set[UUID]:
        """Insert in order of id; returns the ids that were new."""
        ...

    async def stored_hashes(self, ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Content hashes of stored statements."""
        ...

    async def people(self, emails: Iterable[str], avatars: Iterable[str]) -> Sequence[Person]:
        """Accounts with one of the e-mail addresses or pseudonyms."""
        ...

    async def lessons(self, urls: Iterable[str]) -> Mapping[str, LessonRef]:
        """Lessons by activity id."""
        ...

    async def insert_flat(
        self, rows: Sequence[tuple[FlatRow, UUID | None, UUID | None]], processed_at: datetime
    ) -> Sequence[Landed]:
        """Insert (row, user, lesson) in order of id; returns the rows that were new."""
        ...

    async def void(self, voids: Mapping[UUID, UUID], at: datetime) -> None:
        """Note target -> voiding statement and mark targets that are here already."""
        ...

    async def pending(self, *, after: UUID | None, since: datetime, limit: int) -> Sequence[Pending]:
        """Raw statements without a flat row in order of id, locked; others' locked rows are skipped."""
        ...

    async def mark(self, ids: Iterable[UUID], state: str, error: str | None = None) -> None:
        """Set the state of raw statements and count the attempt."""
        ...

    async def set_aside(self, entry: "SetAside") -> None:
        """Note what is in quarantine; the same body for the same reason is noted once."""
        ...

    def completed(self, events: Sequence[LessonCompleted]) -> None:
        """Publish completions with this transaction."""
        ...


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that could not become a statement; the body is whole in S3."""

    body_sha256: str
    s3_key: str
    reason: str
    error: str
    pointer: str | None = None
    statement_id: UUID | None = None
    request_id: UUID | None = None


class RecordsUnitOfWork(UnitOfWork, Protocol):
    """A transaction with the repositories of records."""

    @property
    def statements(self) -> StatementTables: ...
    @property
    def catalog(self) -> "Catalog": ...


class Catalog(Protocol):
    """Lessons, cohorts and their members."""

    async def add_cohort(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Insert and return the row; raises DuplicateCohort."""
        ...

    async def lock_cohort(self, cohort_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked."""
        ...

    async def update_cohort(self, cohort_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up; raises DuplicateCohort."""
        ...

    async def delete_cohort(self, cohort_id: UUID) -> None:
        """Delete with its members; raises CohortInUse."""
        ...

    async def cohorts_by_name(self, names: Iterable[str]) -> Mapping[str, UUID]:
        """Ids by lower-cased name, of cohorts outside a workspace."""
        ...

    async def members(self, cohort_ids: Iterable[UUID]) -> set[tuple[UUID, UUID]]:
        """Current (cohort, user) pairs."""
        ...

    async def join(self, pairs: Iterable[tuple[UUID, UUID]], at: datetime) -> None:
        """Make users members; who had left is a member again."""
        ...

    async def leave(self, cohort_id: UUID, user_id: UUID, at: datetime) -> bool:
        """End a membership; False if there was none."""
        ...

    async def person_suspended(self, user_id: UUID) -> bool | None:
        """Whether the person is suspended; None when there is no such person."""
        ...

    async def add_lesson(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Insert and return the row; raises DuplicateLessonUrl, or NotFound for an unknown cohort."""
        ...

    async def lock_lesson(self, lesson_id: UUID) -> Mapping[str, Any] | None:
        """The row, locked."""
        ...

    async def update_lesson(self, lesson_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up; raises DuplicateLessonUrl."""
        ...

    async def delete_lesson(self, lesson_id: UUID) -> None:
        """Delete; its statements stay and belong to no lesson."""
        ...

    async def release_lesson(self, lesson_id: UUID) -> None:
        """Take the lesson from its statements."""
        ...

    async def match_lessons(self, lesson_id: UUID | None = None) -> Sequence[Landed]:
        """Give statements that arrived before their lesson that lesson (None: all lessons); returns them."""
        ...

    async def match_people(self, user_ids: Sequence[UUID] | None = None) -> Sequence[Landed]:
        """Give statements that arrived before their account that person (None: everybody); returns them."""
        ...

    async def sections(self, lesson_ids: Iterable[UUID]) -> Mapping[UUID, UUID | None]:
        """The section of each lesson."""
        ...
