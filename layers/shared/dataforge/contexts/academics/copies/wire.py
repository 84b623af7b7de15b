"""Requests and answers about copies of semesters."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.academics.copies.domain import CopyAction
from dataforge.contexts.academics.sections.wire import MeetingOut
from dataforge.contexts.academics.wire import Code, Day, In, Number


class CopyIn(In):
    """The code of the copy and its first day; the other dates move by as many days.

    Without `starts_on` sections are copied into the semester that has the code already. Without `instructors` nobody
    teaches the new sections yet.
    """

    code: Code
    starts_on: Day | None = None
    instructors: bool = True


class CopyApplyIn(In):
    """The hash of the plan that was read."""

    plan_hash: Annotated[str, Field(min_length=64, max_length=64, pattern=r"^[0-9a-f]+$")]


class CopiedSemesterOut(BaseModel):
    """The semester that is to be, or is there (`exists`)."""

    id: UUID
    code: str
    starts_on: date
    ends_on: date
    add_by: date
    drop_by: date
    withdraw_by: date
    time_zone: str
    max_credits: Number
    exists: bool


class CopiedSectionOut(BaseModel):
    """What becomes of one section; `note` says why it is not copied, or comes without its instructor."""

    source_section_id: UUID
    section_id: UUID | None
    course_id: UUID
    course_code: str
    code: str
    action: CopyAction
    capacity: int
    waitlist_capacity: int
    instructor_id: UUID | None
    instructor_name: str | None
    meetings: list[MeetingOut]
    note: str


class CopyCountsOut(BaseModel):
    """How many sections by what becomes of them."""

    create: int
    exists: int
    skip: int


class CopyPlanOut(BaseModel):
    """A plan of a copy: it is made by its hash, within an hour."""

    plan_hash: str
    expires_at: datetime
    semester: CopiedSemesterOut
    counts: CopyCountsOut
    sections: list[CopiedSectionOut]


class CopyOut(BaseModel):
    """A copy that was made: the semester, and how many sections by what became of them."""

    semester_id: UUID
    code: str
    plan_hash: str
    counts: CopyCountsOut
