"""What a copy of a semester has: dates moved by so many days, and each section with its meetings, seats and instructor.

Holidays and changes of single meetings belong to their dates, and enrolments to their students: none is copied.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import CourseState, Semester
from dataforge.kernel.canonical import content_hash
from dataforge.kernel.errors import Conflict, invalid
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text

KIND = "copy_of_semester"
MOST_SECTIONS = 10_000


class SemesterDiffers(Conflict):
    """There is a semester of that code, and it starts on another day; leave the day out to copy into it."""

    code = "semester_differs"
    title = "The semester starts on another day"


class TooManySections(Conflict):
    """The semester has more sections than can be copied at once."""

    code = "too_many_sections"
    title = "There are too many sections"


class CopyAction(StrEnum):
    """What becomes of a section; `exists` is one of the same course and code that is there already."""

    CREATE = "create"
    EXISTS = "exists"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """The code of the copy, its first day (None: of a semester that is there), and whether instructors come along."""

    code: str
    starts_on: date | None = None
    instructors: bool = True


@dataclass(frozen=True, slots=True)
class SourceSection:
    """A section as it is; `teaches` says whether its instructor may still teach. Meetings are plain JSON."""

    id: UUID
    course_id: UUID
    course_code: str
    course_state: CourseState
    code: str
    capacity: int
    waitlist_capacity: int
    instructor_id: UUID | None
    instructor_name: str | None
    teaches: bool
    meetings: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SectionCopy:
    """What a copy does with one section; `id` is the new section's, `note` says why it is not there or is another."""

    source: SourceSection
    action: CopyAction
    id: UUID | None = None
    instructor_id: UUID | None = None
    note: str = ""

    def shown(self) -> dict[str, Any]:
        """For a program and for a page."""
        of = self.source
        return {
            "source_section_id": str(of.id),
            "section_id": None if self.id is None else str(self.id),
            "course_id": str(of.course_id),
            "course_code": of.course_code,
            "code": of.code,
            "action": self.action.value,
            "capacity": of.capacity,
            "waitlist_capacity": of.waitlist_capacity,
            "instructor_id": None if self.instructor_id is None else str(self.instructor_id),
            "instructor_name": of.instructor_name if self.instructor_id is not None else None,
            "meetings": [
                {**meeting, **{name: meeting[name].removesuffix(":00") for name in ("starts", "ends")}}
                for meeting in of.meetings
            ],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class SemesterCopy:
    """A semester that is to be, or is there (`exists`), with what is copied into it."""

    semester: Semester
    exists: bool
    sections: tuple[SectionCopy, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many sections by action."""
        found = Counter(item.action.value for item in self.sections)
        return {action.value: found[action.value] for action in CopyAction}

    def state(self) -> dict[str, Any]:
        """What a plan depends on: all that is seen and decided, but for ids that were made up for it."""
        semester = {name: str(value) for name, value in asdict(self.semester).items() if name != "id" or self.exists}
        decided = [{**item.shown(), "section_id": None} for item in self.sections]
        return {"semester": semester, "sections": content_hash(decided)}


def moved_semester(source: Semester, options: CopyOptions) -> Semester:
    """The semester with all its dates moved as far as its first day; raises ValidationFailed."""
    if options.starts_on is None:
        message = Text("There is no semester {code}; say on which day the new one starts.", code=options.code)
        raise invalid("/starts_on", message, "required")
    far = options.starts_on - source.starts_on
    try:
        return replace(
            source,
            id=uuid7(),
            code=options.code,
            starts_on=options.starts_on,
            ends_on=source.ends_on + far,
            add_by=source.add_by + far,
            drop_by=source.drop_by + far,
            withdraw_by=source.withdraw_by + far,
        )
    except OverflowError as error:
        raise invalid("/starts_on", Text("The semester would last beyond the year 9999.")) from error


def check_existing(source: Semester, existing: Semester, options: CopyOptions) -> None:
    """Raise unless sections may be copied into a semester that is there: another one, with that first day."""
    if existing.id == source.id:
        raise invalid("/code", Text("A semester is not copied into itself; choose another code."))
    if options.starts_on not in (None, existing.starts_on):
        message = Text(
            "There is a semester {code}, and it starts on {starts_on}; leave starts_on out to copy into it.",
            code=existing.code,
            starts_on=existing.starts_on,
        )
        raise SemesterDiffers(message, facts={"semester_id": str(existing.id), "starts_on": str(existing.starts_on)})


def copy_sections(
    sections: Iterable[SourceSection], taken: Collection[tuple[UUID, str]], options: CopyOptions
) -> tuple[SectionCopy, ...]:
    """Decide on each section; `taken` are courses and codes of the sections that the copy has already."""
    return tuple(_copy(section, taken, options) for section in sections)


def _copy(section: SourceSection, taken: Collection[tuple[UUID, str]], options: CopyOptions) -> SectionCopy:
    if (section.course_id, section.code) in taken:
        return SectionCopy(section, CopyAction.EXISTS, note=Text("The semester has this section already."))
    if section.course_state is CourseState.ARCHIVED:
        return SectionCopy(section, CopyAction.SKIP, note=Text("The course is archived."))
    note: str = ""
    instructor = section.instructor_id if options.instructors else None
    if instructor is not None and not section.teaches:
        instructor, note = None, Text("Its instructor teaches no more; it has none.")
    return SectionCopy(section, CopyAction.CREATE, uuid7(), instructor, note)
