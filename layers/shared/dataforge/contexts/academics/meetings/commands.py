"""Set the holidays of a semester; cancel or move single meetings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.access import may, missing
from dataforge.contexts.academics.contract import MeetingChanged
from dataforge.contexts.academics.meetings.domain import (
    Holiday,
    MeetingChange,
    Slot,
    check_holidays,
    check_slot,
    planned_meeting,
)
from dataforge.contexts.academics.sections.domain import Timetable
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import Row, require_revision


@dataclass(frozen=True, slots=True)
class SetHolidays:
    """Replace the holidays of a semester whose revision the caller has read."""

    semester_id: UUID
    revision: str
    holidays: Sequence[Holiday]


async def set_holidays(command: SetHolidays, uow: AcademicsUnitOfWork) -> Row:
    """Store holidays; those that are there already as they are asked for change nothing, and no revision."""
    semester = await uow.catalog.semesters.lock(command.semester_id)
    require_revision(command.revision, semester["revision"])
    check_holidays(command.holidays, semester["starts_on"], semester["ends_on"])
    holidays = sorted(command.holidays, key=lambda day: day.starts_on)
    before = await uow.meetings.holidays(command.semester_id)
    if holidays == before:
        return semester
    await uow.meetings.set_holidays(command.semester_id, holidays)
    entry = AuditEntry(
        "semester.holidays_set", "semester", str(command.semester_id), before=_audited(before), after=_audited(holidays)
    )
    uow.audit(entry)
    return await uow.catalog.semesters.change(semester, {})


@dataclass(frozen=True, slots=True)
class ChangeMeeting:
    """Cancel the meeting of a day, or move it; `starts` tells it apart where there are several on that day."""

    section_id: UUID
    on: date
    starts: time | None = None
    moved_to: Slot | None = None
    note: str = ""


async def change_meeting(command: ChangeMeeting, uow: AcademicsUnitOfWork) -> Row:
    """Keep what becomes of a meeting; what was said of the same meeting before is replaced."""
    timetable = await _own_section(command.section_id, uow)
    meeting = planned_meeting(timetable, command.on, command.starts)
    if command.moved_to is not None:
        check_slot(timetable, command.moved_to)
    change = MeetingChange(command.on, meeting.starts, command.moved_to, command.note)
    known = await uow.meetings.known_change(command.section_id, change.on, change.starts)
    row = await uow.meetings.keep_change(command.section_id, change, uow.principal.user_id)
    after: dict[str, Any] = {"on": str(change.on), "starts": f"{change.starts:%H:%M}", "note": change.note}
    if (slot := change.moved_to) is not None:
        after["moved_to"] = f"{slot.on} {slot.starts:%H:%M}–{slot.ends:%H:%M} {slot.room}".strip()
    action = "meeting_cancelled" if change.moved_to is None else "meeting_moved"
    uow.audit(AuditEntry(f"section.{action}", "section", str(command.section_id), after=after))
    if change != known:
        await _tell(command.section_id, change, "cancelled" if change.moved_to is None else "moved", uow)
    return row


@dataclass(frozen=True, slots=True)
class RestoreMeeting:
    """Let a meeting take place as it was planned."""

    section_id: UUID
    change_id: UUID


async def restore_meeting(command: RestoreMeeting, uow: AcademicsUnitOfWork) -> None:
    """Forget a change; raises NotFound."""
    await _own_section(command.section_id, uow)
    on, starts = await uow.meetings.remove_change(command.section_id, command.change_id)
    after = {"on": str(on), "starts": f"{starts:%H:%M}"}
    uow.audit(AuditEntry("section.meeting_restored", "section", str(command.section_id), after=after))
    await _tell(command.section_id, MeetingChange(on, starts, None, ""), "restored", uow)


async def _tell(section_id: UUID, change: MeetingChange, what: str, uow: AcademicsUnitOfWork) -> None:
    """Publish what becomes of a meeting; whoever has a seat gets a mail unless all of it is over."""
    slot = change.moved_to
    last = max(change.on, slot.on) if slot else change.on
    # A day more, since the section's day may not be over where it is in the world.
    is_over = last < uow.now.date() - timedelta(days=1)
    section = await uow.meetings.seated(section_id)
    event = MeetingChanged(
        section_id,
        section.code,
        section.course_code,
        section.course_title,
        what,
        change.on,
        change.starts,
        slot.on if slot else None,
        slot.starts if slot else None,
        slot.ends if slot else None,
        slot.room if slot else "",
        change.note,
        () if is_over else section.people,
        () if is_over else section.addresses,
    )
    uow.publish(event)


async def _own_section(section_id: UUID, uow: AcademicsUnitOfWork) -> Timetable:
    """The timetable of a section whose meetings the caller may change; raises NotFound."""
    instructor, timetable = await uow.meetings.section(section_id)
    if not may(uow.principal, Action.CHANGE, Kind.MEETING, teacher=instructor):
        raise missing(Text("section"), section_id)
    return timetable


def _audited(holidays: Sequence[Holiday]) -> dict[str, Any]:
    return {"holidays": [f"{day.starts_on} to {day.ends_on}: {day.name}" for day in holidays]}
