"""Preview a copy of a semester, and make it."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.copies.domain import (
    KIND,
    CopyAction,
    CopyOptions,
    SemesterCopy,
    check_existing,
    copy_sections,
    moved_semester,
)
from dataforge.contexts.academics.copies.queries import (
    copy_is_there,
    sections_taken,
    sections_to_copy,
    semester_of_code,
    shown_semester,
    source_semester,
)
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.plans import Plan, PlanUnknown
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import audit_change


@dataclass(frozen=True, slots=True)
class PlanCopy:
    """What a copy of a semester would have."""

    semester_id: UUID
    options: CopyOptions


async def plan_copy(command: PlanCopy, uow: AcademicsUnitOfWork) -> Plan:
    """Keep a plan of the copy; changes nothing else.

    Raises NotFound, ValidationFailed, SemesterDiffers, TooManySections.
    """
    copy = await _copy(command.semester_id, command.options, uow)
    plan = Plan.of(
        KIND,
        inputs={"semester_id": str(command.semester_id), **asdict(command.options)}
        | {"starts_on": command.options.starts_on and command.options.starts_on.isoformat()},
        state=copy.state(),
        preview={
            "semester": shown_semester(copy.semester, exists=copy.exists),
            "counts": copy.counts,
            "sections": [item.shown() for item in copy.sections],
        },
        created_by=uow.principal.user_id,
        now=uow.now,
    )
    await uow.plans.add(plan)
    return plan


@dataclass(frozen=True, slots=True)
class ApplyCopy:
    """Make the copy of the plan with this hash."""

    semester_id: UUID
    plan_hash: str


async def apply_copy(command: ApplyCopy, uow: AcademicsUnitOfWork) -> Plan:
    """Make exactly what the plan says, once: a plan that was applied is returned as it is.

    Raises PlanUnknown, PlanExpired, PlanStale when sections or the semester have changed since.
    """
    plan = await uow.plans.lock(KIND, command.plan_hash)
    planned, inputs = plan.preview["semester"], plan.inputs
    added = [row for row in plan.preview["sections"] if row["action"] == CopyAction.CREATE]
    semester_id, source_id = UUID(planned["id"]), UUID(inputs["semester_id"])
    if source_id != command.semester_id:
        raise PlanUnknown(Text("The plan with this hash is of another semester."))
    if await copy_is_there(uow.connection, semester_id, [row["section_id"] for row in added]):
        return plan
    await uow.catalog.semesters.lock(source_id)
    first_day = inputs["starts_on"] and date.fromisoformat(inputs["starts_on"])
    options = CopyOptions(inputs["code"], first_day, inputs["instructors"])
    copy = await _copy(source_id, options, uow)
    plan.check(copy.state(), uow.now)
    if not copy.exists:
        await _add_semester(copy, semester_id, uow)
    await uow.copies.add_sections(semester_id, added)
    for row in added:
        after = {"copied_from": row["source_section_id"], "code": row["code"], "instructor_id": row["instructor_id"]}
        uow.audit(AuditEntry("section.created", "section", row["section_id"], after=after))
    summary = {"plan_hash": plan.plan_hash, "into": str(semester_id), **copy.counts}
    uow.audit(AuditEntry("semester.copied", "semester", str(source_id), after=summary))
    return plan


async def _copy(semester_id: UUID, options: CopyOptions, uow: AcademicsUnitOfWork) -> SemesterCopy:
    source = await source_semester(uow.connection, semester_id)
    existing = await semester_of_code(uow.connection, options.code)
    if existing is None:
        semester, taken = moved_semester(source, options), set[tuple[UUID, str]]()
    else:
        check_existing(source, existing, options)
        semester, taken = existing, await sections_taken(uow.connection, existing.id)
    sections = await sections_to_copy(uow.connection, semester_id)
    return SemesterCopy(semester, existing is not None, copy_sections(sections, taken, options))


async def _add_semester(copy: SemesterCopy, semester_id: UUID, uow: AcademicsUnitOfWork) -> None:
    copy.semester.check()
    values: dict[str, Any] = {**asdict(copy.semester), "id": semester_id}
    audit_change(uow, "semester", "created", await uow.catalog.semesters.add(values))
