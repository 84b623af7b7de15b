"""Sessions in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.sessions.domain import History, LaunchMode, MoveOn, Session, Verb
from dataforge.contexts.lrs.tables import session_statements, sessions

_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_UNSENT = text(
    "SELECT t.statement FROM lrs.session_statements t JOIN lrs.sessions s USING (session_id) "
    "WHERE t.sent_at IS NULL AND t.decided_at < :before AND NOT EXISTS ("
    "SELECT 1 FROM (VALUES (s.completed_id), (s.passed_id)) AS said (id) WHERE said.id IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM records.statement_claims c WHERE c.statement_id = said.id) "
    "AND NOT EXISTS (SELECT 1 FROM records.statements_raw r WHERE r.statement_id = said.id)) "
    "ORDER BY t.decided_at LIMIT :limit"
)
_COLUMNS = {verb: f"{verb.name.lower()}_id" for verb in Verb}


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended, and how long there was something of it."""

    session: Session
    opened_at: datetime
    last_statement_at: datetime | None


class Sessions:
    """Sessions inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def lock(self, registration: UUID) -> None:
        """Let nobody else decide on the registration until the transaction ends."""
        await self._connection.execute(_LOCK, {"key": int.from_bytes(registration.bytes[:8], signed=True)})

    async def add(self, session: Session, expires_at: datetime) -> None:
        """Store a new session."""
        values = {
            "session_id": session.session_id,
            "registration": session.registration,
            "activity_id": session.activity_id,
            "actor": dict(session.actor),
            "launch_mode": session.launch_mode.value,
            "move_on": session.move_on.value,
            "mastery_score": session.mastery_score,
            "publisher_id": session.publisher_id,
            "opened_at": self._now,
            "expires_at": expires_at,
        }
        await self._connection.execute(insert(sessions).values(**values))

    async def find(self, session_id: UUID) -> Session | None:
        """A session; None when there is none."""
        row = (
            await self._connection.execute(select(sessions).where(sessions.c.session_id == session_id))
        ).one_or_none()
        return None if row is None else _session(row)

    async def history(self, session: Session) -> History:
        """What was said in the registration besides this session; that it is satisfied, wherever that was decided."""
        others = sessions.c.session_id != session.session_id
        query = select(
            func.bool_or(others & sessions.c.completed_id.is_not(None)).label("completed"),
            func.bool_or(others & sessions.c.passed_id.is_not(None)).label("passed"),
            func.bool_or(sessions.c.satisfied_at.is_not(None)).label("satisfied"),
        ).where(sessions.c.registration == session.registration)
        row = (await self._connection.execute(query)).one()
        return History(completed=bool(row.completed), passed=bool(row.passed), satisfied=bool(row.satisfied))

    async def save(self, before: Session, after: Session, *, satisfied: bool) -> None:
        """Store what a session has taken."""
        values: dict[str, Any] = {
            _COLUMNS[verb]: said for verb, said in after.said.items() if before.said.get(verb) != said
        }
        if after.terminated_at != before.terminated_at:
            values |= {"terminated_at": after.terminated_at, "ended_at": self._now}
        if satisfied:
            values["satisfied_at"] = self._now
        where = sessions.c.session_id == after.session_id
        await self._connection.execute(update(sessions).where(where).values(**values, last_statement_at=self._now))

    async def give_back(self, before: Session, after: Session, *, satisfied: bool) -> None:
        """Take away what `save` stored: the statements came to nothing."""
        values: dict[str, Any] = {_COLUMNS[verb]: None for verb in after.said if verb not in before.said}
        if after.terminated_at != before.terminated_at:
            values |= {"terminated_at": None, "ended_at": None}
        if satisfied:
            values["satisfied_at"] = None
        if values:
            where = sessions.c.session_id == after.session_id
            await self._connection.execute(update(sessions).where(where).values(**values))

    async def open_of(self, registration: UUID) -> Sequence[OpenSession]:
        """The sessions of a registration in which something was said, and which have not ended."""
        query = select(sessions).where(sessions.c.registration == registration, *_unended())
        return [_open(row) for row in await self._connection.execute(query)]

    async def overdue(self, limit: int) -> Sequence[OpenSession]:
        """Sessions that have expired and not ended, locked against others who look for them."""
        query = select(sessions).where(sessions.c.expires_at < self._now, *_unended()).limit(limit)
        rows = await self._connection.execute(query.with_for_update(skip_locked=True))
        return [_open(row) for row in rows]

    async def end(self, session_id: UUID) -> None:
        """Let a session be abandoned."""
        where = sessions.c.session_id == session_id
        await self._connection.execute(update(sessions).where(where).values(ended_at=self._now, abandoned=True))

    async def close(self, session_id: UUID) -> None:
        """Let a session take nothing more that has not ended otherwise."""
        where = (sessions.c.session_id == session_id) & sessions.c.ended_at.is_(None)
        await self._connection.execute(update(sessions).where(where).values(ended_at=self._now))

    async def mark_satisfied(self, session_id: UUID) -> None:
        """Let a registration be satisfied without a word of the player."""
        where = sessions.c.session_id == session_id
        await self._connection.execute(update(sessions).where(where).values(satisfied_at=self._now))

    async def decide(self, session_id: UUID, statement: Mapping[str, object]) -> None:
        """Keep a statement of the launching system until it is accepted."""
        values = {"statement_id": UUID(str(statement["id"])), "session_id": session_id, "statement": dict(statement)}
        await self._connection.execute(insert(session_statements).values(**values, decided_at=self._now))

    async def undecide(self, statement_ids: Iterable[UUID]) -> None:
        """Forget statements that were not to be decided."""
        await self._connection.execute(
            delete(session_statements).where(session_statements.c.statement_id.in_(list(statement_ids)))
        )

    async def unsent(self, *, before: datetime, limit: int) -> Sequence[dict[str, object]]:
        """Statements that were decided before a moment, that what they follow from is in the store, and not accepted.

        What a request was decided on may not be there: whoever took it was killed before it was accepted. Its player
        sends it again, with the same id.
        """
        rows = await self._connection.execute(_UNSENT, {"before": before, "limit": limit})
        return [dict(row.statement) for row in rows]

    async def mark_sent(self, statement_id: UUID) -> None:
        """A statement of the launching system was accepted."""
        where = session_statements.c.statement_id == statement_id
        await self._connection.execute(update(session_statements).where(where).values(sent_at=self._now))


def _unended() -> tuple[Any, ...]:
    began = or_(sessions.c.initialized_id.is_not(None), sessions.c.last_statement_at.is_not(None))
    return (began, sessions.c.ended_at.is_(None))


def _open(row: Any) -> OpenSession:  # noqa: ANN401 - a row
    return OpenSession(_session(row), row.opened_at, row.last_statement_at)


def _session(row: Any) -> Session:  # noqa: ANN401 - a row
    return Session(
        session_id=row.session_id,
        registration=row.registration,
        activity_id=row.activity_id,
        actor=row.actor,
        launch_mode=LaunchMode(row.launch_mode),
        move_on=MoveOn(row.move_on),
        mastery_score=row.mastery_score,
        publisher_id=row.publisher_id,
        said={verb: getattr(row, column) for verb, column in _COLUMNS.items() if getattr(row, column) is not None},
        terminated_at=row.terminated_at,
        ended_at=row.ended_at,
    )
