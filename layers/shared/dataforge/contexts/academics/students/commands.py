"""Students, holds, overrides, evidence."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import Completion, EvidenceSource
from dataforge.contexts.academics.enrollment.commands import announce
from dataforge.contexts.academics.enrollment.domain.statuses import OVERRIDABLE, Rule
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.errors import invalid
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import Change, Create, Delete, Row, audit_change, require_revision


async def create_student(command: Create, uow: AcademicsUnitOfWork) -> Row:
    """Add a student."""
    await _check_user(command.values, uow)
    row = await uow.students.add(command.values)
    audit_change(uow, "student", "created", row)
    return row


async def change_student(command: Change, uow: AcademicsUnitOfWork) -> Row:
    """Change a student."""
    before = await uow.students.lock(command.id)
    require_revision(command.revision, before["revision"])
    await _check_user(command.changes, uow)
    row = await uow.students.change(before, command.changes)
    audit_change(uow, "student", "changed", row, before)
    return row


async def _check_user(values: Row, uow: AcademicsUnitOfWork) -> None:
    user_id = values.get("user_id")
    if user_id is not None and not await uow.students.is_active_user(user_id):
        raise invalid("/user_id", Text("There is no active user with this id."), "unknown_reference")


async def delete_student(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a student of whom nothing else is known."""
    row = await uow.students.lock(command.id)
    require_revision(command.revision, row["revision"])
    await uow.students.remove(row)
    audit_change(uow, "student", "deleted", row)


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Stop a student from enrolling until it is released."""

    student_id: UUID
    code: str
    reason: str


async def place_hold(command: PlaceHold, uow: AcademicsUnitOfWork) -> Row:
    """Place a hold, under the student's lock: an enrolment that is being decided comes before or after it."""
    await uow.students.touch(command.student_id)
    row = await uow.students.add_hold(
        {
            "student_id": command.student_id,
            "code": command.code,
            "reason": command.reason,
            "placed_by": uow.principal.user_id,
            "placed_at": uow.now,
        }
    )
    after = {"code": command.code, "reason": command.reason}
    uow.audit(AuditEntry("hold.placed", "student", str(command.student_id), after=after))
    return row


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Release a hold."""

    student_id: UUID
    hold_id: UUID


async def release_hold(command: ReleaseHold, uow: AcademicsUnitOfWork) -> Row:
    """Release a hold, and have the waitlists looked at in which the student was skipped for it."""
    await uow.students.touch(command.student_id)
    row = await uow.students.release_hold(command.student_id, command.hold_id, uow.principal.user_id, uow.now)
    uow.audit(AuditEntry("hold.released", "student", str(command.student_id), before={"code": row["code"]}))
    announce(uow, await uow.students.waits_in(command.student_id))
    return row


@dataclass(frozen=True, slots=True)
class GrantOverride:
    """Lift named rules for one student in one section."""

    student_id: UUID
    section_id: UUID
    rules: frozenset[Rule]
    reason: str
    expires_at: datetime | None = None


async def grant_override(command: GrantOverride, uow: AcademicsUnitOfWork) -> Row:
    """Grant an override, with its reason in the audit log."""
    if not command.rules or command.rules - OVERRIDABLE:
        named = ", ".join(sorted(OVERRIDABLE))
        raise invalid("/rules", Text("Name one or more of these rules: {named}.", named=named), "not_overridable")
    if command.expires_at is not None and command.expires_at <= uow.now:
        raise invalid("/expires_at", Text("An override ends in the future."), "in_the_past")
    await uow.students.touch(command.student_id)
    rules = sorted(rule.value for rule in command.rules)
    row = await uow.students.add_override(
        {
            "student_id": command.student_id,
            "section_id": command.section_id,
            "rules": rules,
            "reason": command.reason,
            "granted_by": uow.principal.user_id,
            "granted_at": uow.now,
            "expires_at": command.expires_at,
        }
    )
    after = {"section_id": str(command.section_id), "rules": rules, "reason": command.reason}
    uow.audit(AuditEntry("override.granted", "student", str(command.student_id), after=after))
    announce(uow, await uow.students.waits_in(command.student_id))
    return row


@dataclass(frozen=True, slots=True)
class RevokeOverride:
    """End an override now."""

    student_id: UUID
    override_id: UUID


async def revoke_override(command: RevokeOverride, uow: AcademicsUnitOfWork) -> Row:
    """Revoke an override."""
    await uow.students.touch(command.student_id)
    row = await uow.students.revoke_override(command.student_id, command.override_id, uow.principal.user_id, uow.now)
    uow.audit(AuditEntry("override.revoked", "student", str(command.student_id), before={"rules": row["rules"]}))
    return row


@dataclass(frozen=True, slots=True)
class RecordCompletion:
    """Evidence from outside: a transfer credit, an earlier system."""

    student_id: UUID
    course_id: UUID
    score: Decimal | None
    completed_on: date
    reference: str


async def record_completion(command: RecordCompletion, uow: AcademicsUnitOfWork) -> Completion:
    """Store imported evidence; the same reference again corrects it."""
    await uow.students.touch(command.student_id)
    evidence = Completion(
        command.course_id, command.score, command.completed_on, EvidenceSource.IMPORT, command.reference
    )
    new = await uow.students.add_completion(command.student_id, evidence, uow.now)
    after = {"course_id": str(command.course_id), "reference": command.reference, "new": new}
    uow.audit(AuditEntry("completion.recorded", "student", str(command.student_id), after=after))
    announce(uow, await uow.students.waits_in(command.student_id))
    return evidence


@dataclass(frozen=True, slots=True)
class RecordXapiCompletion:
    """A statement says that a user completed a lesson; `score` is from 0 to 100."""

    user_id: UUID
    lesson_id: UUID
    statement_id: str
    score: Decimal | None
    completed_on: date


async def record_xapi_completion(command: RecordXapiCompletion, uow: AcademicsUnitOfWork) -> int:
    """Store the statement as evidence for each course it completes; returns how many are new."""
    student_id = await uow.students.of_user(command.user_id)
    if student_id is None:
        return 0
    await uow.students.touch(student_id)
    new = 0
    for course_id in await uow.catalog.courses_of_lesson(command.lesson_id):
        evidence = Completion(course_id, command.score, command.completed_on, EvidenceSource.XAPI, command.statement_id)
        new += await uow.students.add_completion(student_id, evidence, uow.now)
    if new:
        after = {"statement_id": command.statement_id, "courses": new}
        uow.audit(AuditEntry("completion.recorded", "student", str(student_id), after=after))
        announce(uow, await uow.students.waits_in(student_id))
    return new
