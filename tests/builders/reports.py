"""What reports are made of, put into the tables as the loader leaves it, and the same as plain values for a model."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from dataforge.contexts.lrs.progress.repository import count_again, pairs_of
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)

_FLAT = text(
    "INSERT INTO records.statements_flat (statement_id, actor_key, user_id, verb_id, object_id, object_name, "
    "object_type, lesson_id, score_scaled, success, response, completes, voided, is_question, known_from, "
    "voided_from, occurred_at, stored_at, processed_at, form) VALUES (:statement_id, 'mailto:x@example.org', :user_id, "
    "'https://example.org/verb', :object_id, :object_name, 'Activity', :lesson_id, :score, :success, :response, "
    ":completes, :voided, :is_question, :known_from, :voided_from, :occurred_at, :stored_at, :stored_at, 1)"
)
_FORMER = text(
    "INSERT INTO records.former_matches (statement_id, user_id, lesson_id, completes, known_from, known_until) "
    "VALUES (:statement_id, :user_id, :lesson_id, :completes, :known_from, :known_until)"
)
_PAIRS = text("SELECT DISTINCT user_id, lesson_id FROM learning.matches")


def day(number: float) -> datetime:
    """So many days after BEGIN."""
    return BEGIN + timedelta(days=number)


@dataclass(frozen=True)
class Learner:
    user_id: UUID
    display_name: str
    email: str
    suspended_at: datetime | None = None


@dataclass(frozen=True)
class Cohort:
    cohort_id: UUID
    name: str
    active: bool = True


@dataclass(frozen=True)
class Lesson:
    lesson_id: UUID
    title: str
    number: int | None
    cohort: Cohort | None
    required: bool = True
    section_id: UUID | None = None
    created_at: datetime = BEGIN - timedelta(days=30)


@dataclass(frozen=True)
class Membership:
    cohort: Cohort
    learner: Learner
    joined_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True)
class Match:
    """That a statement counts for a learner and a lesson, from `known_from` until `known_until` of our knowledge."""

    statement_id: UUID
    learner: Learner
    lesson: Lesson
    occurred_at: datetime
    known_from: datetime
    known_until: datetime | None = None
    completes: bool = False
    score: float | None = None
    question: str | None = None
    response: str | None = None
    success: bool | None = None


@dataclass
class Records:
    """Fill the lists with the methods, then `store`."""

    learners: list[Learner] = field(default_factory=list)
    cohorts: list[Cohort] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    removals: list[tuple[datetime, int]] = field(default_factory=list)

    def learner(self, name: str, **values: Any) -> Learner:
        """Somebody with this name."""
        made = Learner(uuid7(), name, f"{name.lower().replace(' ', '.')}.{len(self.learners)}@example.org", **values)
        self.learners.append(made)
        return made

    def cohort(self, name: str, *members: Learner, **values: Any) -> Cohort:
        """A cohort whose members joined long ago."""
        made = Cohort(uuid7(), name, **values)
        self.cohorts.append(made)
        for learner in members:
            self.member(made, learner)
        return made

    def member(self, cohort: Cohort, learner: Learner, joined: float = -20, left: float | None = None) -> None:
        """Somebody who was in a cohort between these days."""
        self.memberships.append(Membership(cohort, learner, day(joined), None if left is None else day(left)))

    def lesson(self, title: str, cohort: Cohort | None = None, **values: Any) -> Lesson:
        """A lesson, numbered in order."""
        made = Lesson(uuid7(), title, len(self.lessons) + 1, cohort, **values)
        self.lessons.append(made)
        return made

    def did(
        self,
        learner: Learner,
        lesson: Lesson,
        at: float,
        *,
        known: float | None = None,
        until: float | None = None,
        **values: Any,
    ) -> Match:
        """A statement of day `at`, known from day `known` on (the same day) until it was voided."""
        made = Match(
            uuid7(),
            learner,
            lesson,
            day(at),
            day(at if known is None else known),
            None if until is None else day(until),
            **values,
        )
        self.matches.append(made)
        return made

    def moved(self, match: Match, learner: Learner, at: float) -> None:
        """From day `at` on the statement is known to be somebody else's."""
        place = self.matches.index(match)
        self.matches[place : place + 1] = [
            _replaced(match, known_until=day(at)),
            _replaced(match, learner=learner, known_from=day(at)),
        ]

    async def store(self, database: Database) -> None:
        """Put it all into the tables."""
        async with database.transaction() as connection:

            async def insert(statement: Any, rows: Iterable[dict[str, Any]]) -> None:
                rows = list(rows)
                if rows:
                    await connection.execute(text(statement) if isinstance(statement, str) else statement, rows)

            await insert(
                "INSERT INTO identity.users (id, username, email, email_vouched, avatar, display_name, role, "
                "suspended_at, created_at, updated_at) VALUES (:user_id, :username, :email, true, :username, "
                ":display_name, 'learner', :suspended_at, now(), now())",
                [{**vars(learner), "username": f"u_{learner.user_id.hex}"} for learner in self.learners],
            )
            await insert(
                "INSERT INTO records.cohorts (id, name, active, created_at, updated_at) "
                "VALUES (:cohort_id, :name, :active, now(), now())",
                map(vars, self.cohorts),
            )
            await insert(
                "INSERT INTO records.lessons (id, cohort_id, section_id, lesson_url, lesson_number, title, required, "
                "created_at, updated_at) VALUES (:lesson_id, :cohort_id, :section_id, :url, :number, :title, "
                ":required, :created_at, now())",
                [
                    {
                        **vars(lesson),
                        "cohort_id": lesson.cohort and lesson.cohort.cohort_id,
                        "url": f"https://lms.example.org/{lesson.lesson_id}",
                    }
                    for lesson in self.lessons
                ],
            )
            await self._store_members(insert)
            await self._store_statements(insert)
            await insert(
                "INSERT INTO records.removals (id, at, kind, statements) VALUES (:id, :at, 'erasure', :statements)",
                [{"id": uuid7(), "at": at, "statements": count} for at, count in self.removals],
            )
            await count_again(connection, pairs_of((row[0], row[1]) for row in await connection.execute(_PAIRS)))

    async def _store_members(self, insert: Any) -> None:
        last: dict[tuple[UUID, UUID], Membership] = {}
        former = []
        for one in sorted(self.memberships, key=lambda item: item.joined_at):
            key = (one.cohort.cohort_id, one.learner.user_id)
            if key in last:
                former.append(last[key])
            last[key] = one
        for table, rows in (("cohort_members", last.values()), ("former_members", former)):
            await insert(
                f"INSERT INTO records.{table} (cohort_id, user_id, joined_at, left_at) "
                "VALUES (:cohort_id, :user_id, :joined_at, :left_at)",
                [
                    {
                        "cohort_id": one.cohort.cohort_id,
                        "user_id": one.learner.user_id,
                        "joined_at": one.joined_at,
                        "left_at": one.left_at,
                    }
                    for one in rows
                ],
            )

    async def _store_statements(self, insert: Any) -> None:
        by_statement: dict[UUID, list[Match]] = {}
        for match in self.matches:
            by_statement.setdefault(match.statement_id, []).append(match)
        flat, former = [], []
        for matches in by_statement.values():
            *earlier, now = sorted(matches, key=lambda match: match.known_from)
            stored_at = (earlier or [now])[0].known_from
            former += [_former_row(match) for match in earlier]
            flat.append(_flat_row(now, stored_at))
        await insert(_FLAT, flat)
        await insert(_FORMER, former)


def _former_row(match: Match) -> dict[str, Any]:
    return {
        "statement_id": match.statement_id,
        "user_id": match.learner.user_id,
        "lesson_id": match.lesson.lesson_id,
        "completes": match.completes,
        "known_from": match.known_from,
        "known_until": match.known_until,
    }


def _flat_row(match: Match, stored_at: datetime) -> dict[str, Any]:
    return {
        "statement_id": match.statement_id,
        "user_id": match.learner.user_id,
        "lesson_id": match.lesson.lesson_id,
        "object_id": match.question or f"https://lms.example.org/{match.lesson.lesson_id}",
        "object_name": match.question and match.question.upper(),
        "score": match.score,
        "success": match.success,
        "response": match.response,
        "completes": match.completes,
        "is_question": match.question is not None,
        "voided": match.known_until is not None,
        "voided_from": match.known_until,
        "known_from": match.known_from if match.known_from > stored_at else None,
        "occurred_at": match.occurred_at,
        "stored_at": stored_at,
    }


def _replaced(match: Match, **values: Any) -> Match:
    return Match(**{**vars(match), **values})
