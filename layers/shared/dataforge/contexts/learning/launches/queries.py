"""Launches as lists show them, and what a launch is made of."""

from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.contract import SessionGrant
from dataforge.contexts.learning.launches.domain import Participant
from dataforge.contexts.learning.pages_of_rows import After, paged
from dataforge.kernel.access import Reach
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.reach import reach_values, within_sql

_LEARNER = text(
    "SELECT d.user_id, d.avatar, d.locale, EXISTS (SELECT 1 FROM records.cohort_members m "
    "JOIN records.cohorts c ON c.id = m.cohort_id JOIN records.lessons l ON l.cohort_id = m.cohort_id "
    "OR l.cohort_id IS NULL AND l.workspace_id = c.workspace_id "
    "WHERE l.id = :lesson_id AND m.user_id = d.user_id AND m.left_at IS NULL) AS member "
    "FROM identity.directory d WHERE d.user_id = :user_id"
)
_GRANT = text("SELECT session_id, registration, activity_id, actor FROM lrs.sessions WHERE session_id = :id")
# The state of a launch is that of its session in the record store (lrs.contract).
_LAUNCHES = (
    "SELECT l.id, l.lesson_id, l.user_id, d.display_name, l.registration, l.launch_mode, l.created_at, l.expires_at, "
    "l.fetched_at, s.last_statement_at, s.initialized_id IS NOT NULL AS initialized, s.completed_id IS NOT NULL AS "
    "completed, s.passed_id IS NOT NULL AS passed, s.failed_id IS NOT NULL AS failed, s.terminated_id IS NOT NULL AS "
    "terminated, s.abandoned, s.satisfied_at FROM records.launches l JOIN lrs.sessions s ON s.session_id = l.id "
    "LEFT JOIN identity.directory d ON d.user_id = l.user_id "
)
_LESSONS = text(
    "SELECT l.id, l.title, l.lesson_number, l.lesson_date, c.name AS cohort_name, coalesce(p.satisfied, false) AS "
    "satisfied, coalesce(p.begun, false) AS begun FROM records.lessons l "
    "LEFT JOIN records.cohorts c ON c.id = l.cohort_id LEFT JOIN LATERAL (SELECT bool_or(s.satisfied_at IS NOT NULL) "
    "AS satisfied, bool_or(s.initialized_id IS NOT NULL) AS begun FROM records.launches x JOIN lrs.sessions s "
    "ON s.session_id = x.id WHERE x.lesson_id = l.id AND x.user_id = :user_id) p ON true "
    f"WHERE l.content_url IS NOT NULL AND ({within_sql('l.workspace_id')} "
    "OR l.cohort_id IS NULL AND l.workspace_id IS NULL OR EXISTS (SELECT 1 FROM records.cohort_members m "
    "JOIN records.cohorts o ON o.id = m.cohort_id WHERE (m.cohort_id = l.cohort_id OR l.cohort_id IS NULL "
    "AND o.workspace_id = l.workspace_id) AND m.user_id = :user_id AND m.left_at IS NULL)) "
    "AND (CAST(:after AS uuid) IS NULL OR l.id > :after) ORDER BY l.id LIMIT :limit"
)
_ORDER = " AND (CAST(:after AS uuid) IS NULL OR l.id < :after) ORDER BY l.id DESC LIMIT :limit"
_OF_LESSON = text(f"{_LAUNCHES}WHERE l.lesson_id = :lesson_id{_ORDER}")
_SUBJECT = text(
    "SELECT x.user_id, l.workspace_id FROM records.launches x JOIN records.lessons l ON l.id = x.lesson_id "
    "WHERE x.id = :id"
)
_ONE = text(f"{_LAUNCHES}WHERE l.id = :id")
_OF_LEARNER = text(f"{_LAUNCHES}WHERE l.user_id = :user_id{_ORDER}")


async def read_participant(
    connection: AsyncConnection, lesson_id: UUID, user_id: UUID, *, is_staff: bool
) -> Participant:
    """A person as a launch needs them; raises NotFound."""
    row = (await connection.execute(_LEARNER, {"lesson_id": lesson_id, "user_id": user_id})).one_or_none()
    if row is None:
        message = Text("There is no user {user_id}.", user_id=user_id)
        raise NotFound(message)
    return Participant(row.user_id, row.avatar, row.locale, is_member=row.member, is_staff=is_staff)


async def read_grant(connection: AsyncConnection, session_id: UUID) -> SessionGrant:
    """What the credential of a session is for."""
    row = (await connection.execute(_GRANT, {"id": session_id})).one()
    return SessionGrant(row.session_id, row.registration, row.activity_id, row.actor)


async def get_launch(connection: AsyncConnection, launch_id: UUID) -> dict[str, Any]:
    """A launch that is there."""
    return row_dict((await connection.execute(_ONE, {"id": launch_id})).one())


async def launches_of_lesson(
    connection: AsyncConnection, lesson_id: UUID, *, after: After, limit: int
) -> Page[dict[str, Any]]:
    """Launches of a lesson, newest first."""
    return await _page(connection, _OF_LESSON, {"lesson_id": lesson_id}, after, limit)


async def lessons_of_person(
    connection: AsyncConnection, user_id: UUID, reach: Reach, *, after: After, limit: int
) -> Page[dict[str, Any]]:
    """Lessons that a person may launch, in order of creation, and how far they are with each.

    Those within reach, those of their cohorts, and what is for everybody.
    """
    return await _page(connection, _LESSONS, {"user_id": user_id, **reach_values(reach)}, after, limit)


async def subject_of_launch(connection: AsyncConnection, launch_id: UUID) -> tuple[UUID, UUID | None] | None:
    """Who launched, and the workspace of the lesson; None when there is no such launch."""
    row = (await connection.execute(_SUBJECT, {"id": launch_id})).one_or_none()
    return None if row is None else (row.user_id, row.workspace_id)


async def launches_of_learner(
    connection: AsyncConnection, user_id: UUID, *, after: After, limit: int
) -> Page[dict[str, Any]]:
    """Launches of a person, newest first."""
    return await _page(connection, _OF_LEARNER, {"user_id": user_id}, after, limit)


async def _page(
    connection: AsyncConnection,
    query: TextClause,
    values: dict[str, Any],
    after: After,
    limit: int,
) -> Page[dict[str, Any]]:
    position = UUID(after[0]) if after else None
    rows = await connection.execute(query, {**values, "after": position, "limit": limit + 1})
    return paged([row_dict(row) for row in rows], limit, ("id",))
