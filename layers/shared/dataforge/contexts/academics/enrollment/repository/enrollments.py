"""What academics needs from the outside."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.access import missing
from dataforge.contexts.academics.catalog.domain import CourseState
from dataforge.contexts.academics.contract import EnrollmentChanged
from dataforge.contexts.academics.enrollment.domain.enrollment import Enrollment, Transition
from dataforge.contexts.academics.enrollment.domain.rules import SectionTerms, StudentFile
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.enrollment.repository.changes import Changes
from dataforge.contexts.academics.enrollment.repository.deciding import DECIDE, LOCKS, SEATS, deciding
from dataforge.contexts.academics.enrollment.repository.loading import FILE_COLUMNS, TERMS_COLUMNS, file_of, terms_of
from dataforge.contexts.academics.sections.domain import Seats
from dataforge.contexts.academics.tables import enrollments
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class LockedSection:
    """A section under its row lock, and the student locked with it (None: not there, or left for a lock with
    others)."""

    seats: Seats
    revision: int
    student_facts: int | None
    written: EnrollmentStatus | None = None  # what `decide` has made of a request
    wait_no: int | None = None

    def confirms(self, terms: SectionTerms, student: StudentFile) -> bool:
        """Whether what was read before the locks is still true under them."""
        return self.revision == terms.revision and self.student_facts == student.facts_revision


@dataclass(frozen=True, slots=True)
class OpenSection:
    """A section that takes enrolments; `in_window` tells whether its semester's last day to add is still to come."""

    section_id: UUID
    code: str
    semester_code: str
    in_window: bool


@dataclass(frozen=True, slots=True)
class ClosedCourse:
    """A course that takes nobody: its own state, and how many sections it has in which state."""

    course_id: UUID
    code: str
    state: CourseState
    sections: Mapping[str, int]


_LOCK = text(f"{LOCKS} SELECT sec.*, student.facts_revision FROM sec LEFT JOIN student ON TRUE")

_LOCK_SECTION = text(f"SELECT {SEATS} FROM academics.sections WHERE id = :section_id FOR NO KEY UPDATE")

_LOCK_SECTION_OF = text(f"""
SELECT {SEATS} FROM academics.sections
WHERE id = (SELECT section_id FROM academics.enrollments WHERE id = :enrollment_id) FOR NO KEY UPDATE
""")

_LOCK_STUDENTS = text("SELECT id FROM academics.students WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")

_LOAD = text(f"""
WITH t AS (
    SELECT {TERMS_COLUMNS}
    FROM academics.sections sec
    JOIN academics.courses c ON c.id = sec.course_id
    JOIN academics.semesters sem ON sem.id = sec.semester_id
    WHERE sec.id = :section_id
)
SELECT t.*, {FILE_COLUMNS},
    (SELECT jsonb_agg(jsonb_build_array(o.id, o.rules, o.reason, o.expires_at) ORDER BY o.id)
     FROM academics.overrides o
     WHERE o.student_id = s.id AND o.section_id = t.section_id AND o.revoked_at IS NULL) AS overrides
FROM t LEFT JOIN academics.students s ON s.id = ANY(:student_ids)
""")

_OPEN_SECTIONS = text("""
SELECT sec.id, sec.code, sem.code AS semester_code,
    sem.add_by >= (CAST(:now AS timestamptz) AT TIME ZONE sem.time_zone)::date AS in_window
FROM academics.sections sec
JOIN academics.courses c ON c.id = sec.course_id
JOIN academics.semesters sem ON sem.id = sec.semester_id
WHERE sec.course_id = :course_id AND sec.state = 'open' AND c.state = 'published'
ORDER BY sem.starts_on, sec.code, sec.id
""")

_WHY_CLOSED = text("""
SELECT c.id, c.code, c.state,
    (SELECT coalesce(jsonb_object_agg(state, count), '{}') FROM (
        SELECT state, count(*) FROM academics.sections WHERE course_id = c.id GROUP BY state) AS by_state) AS sections
FROM academics.courses c WHERE c.id = :course_id
""")

_SAVE = text("""
WITH given AS (
    SELECT * FROM json_to_recordset(CAST(:enrollments AS json)) AS x(
        id uuid, student_id uuid, section_id uuid, status text, wait_no int, failure jsonb, score numeric,
        requested_at timestamptz, decided_at timestamptz)
), saved AS (
    INSERT INTO academics.enrollments
        (id, student_id, section_id, status, wait_no, failure, score, requested_at, decided_at)
    SELECT id, student_id, section_id, status, wait_no, failure, score, requested_at, decided_at FROM given
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, wait_no = excluded.wait_no, failure = excluded.failure,
        score = excluded.score, decided_at = excluded.decided_at
), touched AS (
    UPDATE academics.students SET facts_revision = facts_revision + 1 WHERE id = ANY(:student_ids)
), logged AS (
    INSERT INTO academics.enrollment_events (enrollment_id, from_status, to_status, reason, rule, facts, actor_id, at)
    SELECT enrollment_id, from_status, to_status, reason, rule, facts, CAST(:actor AS uuid), CAST(:at AS timestamptz)
    FROM json_to_recordset(CAST(:steps AS json)) AS x(
        no int, enrollment_id uuid, from_status text, to_status text, reason text, rule text, facts jsonb)
    ORDER BY no
), published AS (
    INSERT INTO platform.outbox (id, name, key, payload, occurred_at, next_attempt_at)
    SELECT id, name, key, payload, CAST(:at AS timestamptz), CAST(:at AS timestamptz)
    FROM json_to_recordset(CAST(:events AS json)) AS x(id uuid, name text, key text, payload jsonb)
), audited AS (
    INSERT INTO platform.audit_log (at, actor_id, action, entity, entity_id, before, after, request_id)
    SELECT CAST(:at AS timestamptz), CAST(:actor AS uuid), action, entity, entity_id, before, after, :request_id
    FROM json_to_recordset(CAST(:audit AS json)) AS x(
        action text, entity text, entity_id text, before jsonb, after jsonb)
)
UPDATE academics.sections SET revision = revision + CASE WHEN capacity = :capacity THEN 0 ELSE 1 END,
    capacity = :capacity, waitlist_capacity = :waitlist_capacity, enrolled_count = :enrolled_count,
    waitlisted_count = :waitlisted_count, wait_seq = :wait_seq
WHERE id = :section_id
""")


def _seats(row: Any) -> Seats:  # noqa: ANN401 - a row of SEATS
    return Seats(row.id, row.capacity, row.waitlist_capacity, row.enrolled_count, row.waitlisted_count, row.wait_seq)


def _enrollment(row: Any) -> Enrollment:  # noqa: ANN401 - a row of the table
    return Enrollment(
        row.id, row.student_id, row.section_id, EnrollmentStatus(row.status), row.requested_at, row.wait_no,
        row.failure, row.score, row.decided_at,
    )  # fmt: skip


class Enrollments:
    """Enrolments of PostgreSQL."""

    def __init__(self, connection: AsyncConnection, request_id: str | None = None) -> None:
        self._connection = connection
        self._request_id = request_id

    async def open_sections(self, course_id: UUID, now: datetime) -> list[OpenSection]:
        """Sections of a published course that take enrolments."""
        rows = await self._connection.execute(_OPEN_SECTIONS, {"course_id": course_id, "now": now})
        return [OpenSection(row.id, row.code, row.semester_code, row.in_window) for row in rows]

    async def why_closed(self, course_id: UUID) -> ClosedCourse:
        """What a course without open sections is like; raises NotFound."""
        row = (await self._connection.execute(_WHY_CLOSED, {"course_id": course_id})).one_or_none()
        if row is None:
            raise missing("course", course_id)
        return ClosedCourse(row.id, row.code, CourseState(row.state), row.sections)

    async def lock(self, section_id: UUID, student_id: UUID) -> LockedSection:
        """Lock section and student in one round trip; raises NotFound without the section."""
        row = (
            await self._connection.execute(_LOCK, {"section_id": section_id, "student_id": student_id})
        ).one_or_none()
        if row is None:
            raise missing("section", section_id)
        return LockedSection(_seats(row), row.revision, row.facts_revision)

    async def decide(self, seated: Changes, waiting: Changes, read: tuple[int, int]) -> LockedSection:
        """Lock, and write what the counts decide when `read`, the revisions of section and student, is still true.

        The seats returned are those before; without `written`, nothing was done but locking. Raises NotFound without
        the section.
        """
        parameters = deciding(seated, waiting, read, self._request_id)
        row = (await self._connection.execute(DECIDE, parameters)).one_or_none()
        if row is None:
            raise missing("section", seated.enrollments[0].section_id)
        outcome = None if row.outcome is None else EnrollmentStatus(row.outcome)
        return LockedSection(_seats(row), row.revision, row.facts_revision, outcome, row.number)

    async def lock_section(self, section_id: UUID) -> Seats:
        """Lock a section."""
        row = (await self._connection.execute(_LOCK_SECTION, {"section_id": section_id})).one_or_none()
        if row is None:
            raise missing("section", section_id)
        return _seats(row)

    async def lock_enrollment(self, enrollment_id: UUID) -> tuple[Enrollment, Seats]:
        """Lock the section of an enrolment, then read the enrolment as it is under that lock."""
        row = (await self._connection.execute(_LOCK_SECTION_OF, {"enrollment_id": enrollment_id})).one_or_none()
        if row is None:
            raise missing("enrolment", enrollment_id)
        enrollment_row = (
            await self._connection.execute(select(enrollments).where(enrollments.c.id == enrollment_id))
        ).one()
        return _enrollment(enrollment_row), _seats(row)

    async def lock_students(self, student_ids: Collection[UUID]) -> None:
        """Lock students in the order of their ids."""
        await self._connection.execute(_LOCK_STUDENTS, {"ids": sorted(set(student_ids))})

    async def load(
        self, section_id: UUID, student_ids: Collection[UUID]
    ) -> tuple[SectionTerms, dict[UUID, StudentFile]]:
        """Terms of a section and files of students."""
        rows = (
            await self._connection.execute(_LOAD, {"section_id": section_id, "student_ids": list(student_ids)})
        ).all()
        if not rows:
            raise missing("section", section_id)
        return terms_of(rows[0]), {row.student_id: file_of(row) for row in rows if row.student_id is not None}

    async def waiting(self, section_id: UUID, after: int, limit: int) -> list[Enrollment]:
        """Who waits, in order of number."""
        statement = (
            select(enrollments)
            .where(enrollments.c.section_id == section_id, enrollments.c.wait_no > after)
            .order_by(enrollments.c.wait_no)
            .limit(limit)
        )
        return [_enrollment(row) for row in await self._connection.execute(statement)]

    async def latest(self, section_id: UUID, student_id: UUID) -> Enrollment | None:
        """What a student's last request for a section came to."""
        statement = (
            select(enrollments)
            .where(enrollments.c.section_id == section_id, enrollments.c.student_id == student_id)
            .order_by(enrollments.c.requested_at.desc(), enrollments.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _enrollment(row)

    async def save(self, changes: Changes, seats: Seats) -> None:
        """Write all of it in one statement: the lock on the section is held meanwhile."""
        parameters = {
            "enrollments": _json([_enrollment_json(item) for item in changes.enrollments]),
            "steps": _json([_step_json(number, step) for number, step in enumerate(changes.steps)]),
            "events": _json([_event_json(event) for event in changes.events]),
            "audit": _json([_audit_json(entry) for entry in changes.audit]),
            "student_ids": sorted({item.student_id for item in changes.enrollments}),
            "request_id": self._request_id,
            "actor": changes.actor,
            "at": changes.at,
            "section_id": seats.section_id,
            "capacity": seats.capacity,
            "waitlist_capacity": seats.waitlist_capacity,
            "enrolled_count": seats.enrolled_count,
            "waitlisted_count": seats.waitlisted_count,
            "wait_seq": seats.wait_seq,
        }
        await self._connection.execute(_SAVE, parameters)


def _json(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _enrollment_json(item: Enrollment) -> dict[str, object]:
    return {
        "id": item.id,
        "student_id": item.student_id,
        "section_id": item.section_id,
        "status": item.status.value,
        "wait_no": item.wait_no,
        "failure": item.failure,
        "score": None if item.score is None else str(item.score),
        "requested_at": item.requested_at.isoformat(),
        "decided_at": None if item.decided_at is None else item.decided_at.isoformat(),
    }


def _event_json(event: EnrollmentChanged) -> dict[str, object]:
    return {"id": event.event_id, "name": event.name, "key": event.key, "payload": event.payload()}


def _audit_json(entry: AuditEntry) -> dict[str, object]:
    return {
        "action": entry.action,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "before": entry.before,
        "after": entry.after,
    }


def _step_json(number: int, step: Transition) -> dict[str, object]:
    return {
        "no": number,
        "enrollment_id": step.enrollment_id,
        "from_status": None if step.before is None else step.before.value,
        "to_status": step.after.value,
        "reason": step.reason,
        "rule": None if step.rule is None else step.rule.value,
        "facts": step.facts,
    }
