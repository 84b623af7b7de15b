"""Changes of sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.enrollment.commands import fill_seats
from dataforge.contexts.academics.sections.domain import Meeting, Seats, check_meetings
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.errors import invalid
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import (
    Delete,
    Row,
    audit_change,
    create_row,
    delete_row,
    require_revision,
)


@dataclass(frozen=True, slots=True)
class CreateSection:
    """Offer a course in a semester; without a capacity the course's own is taken."""

    values: Mapping[str, Any]
    meetings: Sequence[Meeting] = ()


@dataclass(frozen=True, slots=True)
class ChangeSection:
    """Change a section; `meetings` None leaves them as they are."""

    id: UUID
    revision: str
    changes: Mapping[str, Any]
    meetings: Sequence[Meeting] | None = None


async def create_section(command: CreateSection, uow: AcademicsUnitOfWork) -> Row:
    """Add a section with its meetings."""
    check_meetings(tuple(command.meetings))
    await _check_instructor(command.values, uow)
    values = dict(command.values)
    if values.get("capacity") is None:
        values["capacity"] = (await uow.catalog.courses.lock(values["course_id"]))["capacity"]
    row = await create_row(uow.sections, values, uow)
    await uow.sections.set_meetings(row["id"], command.meetings)
    return {**row, "meetings": list(command.meetings)}


async def change_section(command: ChangeSection, uow: AcademicsUnitOfWork) -> Row:
    """Change a section; seats that a higher capacity frees go to those who wait, in the same transaction."""
    store = uow.sections
    before = await store.lock(command.id)
    require_revision(command.revision, before["revision"])
    limits = {**before, **command.changes}
    await _check_instructor(command.changes, uow)
    seats = _seats(before).resize(limits["capacity"], limits["waitlist_capacity"])
    if command.meetings is not None:
        check_meetings(tuple(command.meetings))
        await uow.sections.set_meetings(command.id, command.meetings)
    row = await store.change(before, command.changes)
    audit_change(uow, "section", "changed", row, before)
    seats = await fill_seats(uow, seats)
    return {**row, "enrolled_count": seats.enrolled_count, "waitlisted_count": seats.waitlisted_count}


async def delete_section(command: Delete, uow: AcademicsUnitOfWork) -> None:
    """Delete a section that nobody ever asked for."""
    await delete_row(uow.sections, command, uow)


async def _check_instructor(values: Row, uow: AcademicsUnitOfWork) -> None:
    instructor = values.get("instructor_id")
    if instructor is not None and not await uow.sections.is_instructor(instructor):
        raise invalid(
            "/instructor_id", Text("There is no active user with this id and the role instructor."), "unknown_reference"
        )


def _seats(row: Row) -> Seats:
    return Seats(
        row["id"],
        row["capacity"],
        row["waitlist_capacity"],
        row["enrolled_count"],
        row["waitlisted_count"],
        row["wait_seq"],
    )
