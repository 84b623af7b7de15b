"""What academics needs from the outside."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from dataforge.contexts.academics.contract import EnrollmentChanged
from dataforge.contexts.academics.domain.catalogue import Meeting, Semester
from dataforge.contexts.academics.domain.enrollment import Enrollment, Transition
from dataforge.contexts.academics.domain.prerequisites import Completion, Requirement
from dataforge.contexts.academics.domain.roster import PlannedRow, StagedRow
from dataforge.contexts.academics.domain.roster_absence import AbsentDecision, AbsentRow, UnusableRow
from dataforge.contexts.academics.domain.roster_catalog import Catalog
from dataforge.contexts.academics.domain.roster_enrollments import PairRow, Standing, TeacherRow, UnresolvedRow
from dataforge.contexts.academics.domain.roster_files import RosterTable
from dataforge.contexts.academics.domain.roster_people import UserRow
from dataforge.contexts.academics.domain.roster_seats import StudentRows
from dataforge.contexts.academics.domain.roster_uploads import AnnouncedUpload
from dataforge.contexts.academics.domain.rules import SectionTerms, StudentFile
from dataforge.contexts.academics.domain.seats import Seats
from dataforge.contexts.academics.domain.status import CourseState
from dataforge.kernel.quotas import UploadQuotas
from dataforge.kernel.unit_of_work import AuditEntry, UnitOfWork

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LockedSection:
    """A section under its row lock, and the student locked with it (None: not there, or left for a lock with
    others)."""

    seats: Seats
    revision: int
    student_facts: int | None

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


@dataclass(frozen=True, slots=True)
class Changes:
    """Enrolments as they are now, the steps that led there, and what is published and audited of it."""

    enrollments: Sequence[Enrollment]
    steps: Sequence[Transition]
    events: Sequence[EnrollmentChanged]
    audit: Sequence[AuditEntry]
    actor: UUID | None
    at: datetime


class RowStore(Protocol):
    """Plain versioned rows of one kind. Missing rows raise NotFound, natural keys AlreadyExists, references InUse."""

    async def add(self, values: Row) -> Row:
        """Insert and return the row; `id`, revision and timestamps are filled in."""
        ...

    async def lock(self, row_id: UUID) -> Row:
        """The row, locked until the transaction ends."""
        ...

    async def change(self, row_id: UUID, changes: Row) -> Row:
        """Update, raise the revision and return the row."""
        ...

    async def remove(self, row_id: UUID) -> None:
        """Delete; raises InUse while anything refers to it."""
        ...


class CatalogueRepository(Protocol):
    """Departments, courses, semesters, sections."""

    @property
    def departments(self) -> RowStore:
        """Rows of departments."""
        ...

    @property
    def courses(self) -> RowStore:
        """Rows of courses."""
        ...

    @property
    def semesters(self) -> RowStore:
        """Rows of semesters."""
        ...

    @property
    def sections(self) -> RowStore:
        """Rows of sections."""
        ...

    async def set_meetings(self, section_id: UUID, meetings: Sequence[Meeting]) -> None:
        """Replace the meetings of a section."""
        ...

    async def lock_prerequisites(self) -> None:
        """One change of prerequisites at a time, so that two cannot close a cycle together."""
        ...

    async def set_prerequisites(self, course_id: UUID, requirements: Sequence[Requirement]) -> None:
        """Replace the requirements of a course."""
        ...

    async def requirement_edges(self, start: Collection[UUID]) -> tuple[dict[UUID, list[UUID]], dict[UUID, str]]:
        """Requirements of the given courses and of all they lead to, and the codes of these courses."""
        ...

    async def set_lessons(self, course_id: UUID, lesson_ids: Collection[UUID]) -> None:
        """Replace the lessons whose completion counts as completing the course."""
        ...

    async def is_instructor(self, user_id: UUID) -> bool:
        """Whether a user of identity may teach and is not suspended."""
        ...

    async def courses_of_lesson(self, lesson_id: UUID) -> list[UUID]:
        """The courses that completing a lesson completes."""
        ...


class StudentRepository(Protocol):
    """Students, their holds, overrides and completions."""

    @property
    def students(self) -> RowStore:
        """Rows of students."""
        ...

    async def of_user(self, user_id: UUID) -> UUID | None:
        """The student a user is."""
        ...

    async def is_active_user(self, user_id: UUID) -> bool:
        """Whether identity knows the user, and has not suspended them."""
        ...

    async def add_hold(self, values: Row) -> Row:
        """Place a hold."""
        ...

    async def release_hold(self, student_id: UUID, hold_id: UUID, by: UUID | None, at: datetime) -> Row:
        """Release it; raises NotFound when there is no such hold in force."""
        ...

    async def add_override(self, values: Row) -> Row:
        """Grant an override."""
        ...

    async def revoke_override(self, student_id: UUID, override_id: UUID, by: UUID | None, at: datetime) -> Row:
        """Revoke it; raises NotFound when there is no such override in force."""
        ...

    async def add_completion(self, student_id: UUID, completion: Completion, at: datetime) -> bool:
        """Store evidence; the same evidence again changes the score only. Returns whether it was new."""
        ...

    async def touch(self, student_id: UUID) -> None:
        """Lock a student and say that what the rules look at is about to change; raises NotFound."""
        ...

    async def waits_in(self, student_id: UUID) -> list[UUID]:
        """Sections with a free seat in which the student waits."""
        ...


class EnrollmentRepository(Protocol):
    """Enrolments. Lock order everywhere: section rows by id, then student rows by id in one pass, nothing after."""

    async def open_sections(self, course_id: UUID, now: datetime) -> list[OpenSection]:
        """The sections of a published course that take enrolments."""
        ...

    async def why_closed(self, course_id: UUID) -> ClosedCourse:
        """What a course without open sections is like; raises NotFound."""
        ...

    async def lock(self, section_id: UUID, student_id: UUID) -> LockedSection:
        """Lock a section, then the student unless others wait for a free seat and must be locked with the student."""
        ...

    async def lock_section(self, section_id: UUID) -> Seats:
        """Lock a section; raises NotFound."""
        ...

    async def lock_enrollment(self, enrollment_id: UUID) -> tuple[Enrollment, Seats]:
        """Lock the section of an enrolment and read both; raises NotFound."""
        ...

    async def lock_students(self, student_ids: Collection[UUID]) -> None:
        """Lock students in the order of their ids."""
        ...

    async def load(
        self, section_id: UUID, student_ids: Collection[UUID]
    ) -> tuple[SectionTerms, dict[UUID, StudentFile]]:
        """What the rules need to know of a section and of some students; raises NotFound without the section."""
        ...

    async def waiting(self, section_id: UUID, after: int, limit: int) -> list[Enrollment]:
        """Who waits, in order of number."""
        ...

    async def latest(self, section_id: UUID, student_id: UUID) -> Enrollment | None:
        """What a student's last request for a section came to."""
        ...

    async def save(self, changes: Changes, seats: Seats) -> None:
        """Write everything a command decided about one section, and the section's counts, in one statement."""
        ...


class RosterSource(Protocol):
    """A roster to read: a file in a request, an upload, a commit of a dataset."""

    def describe(self) -> Mapping[str, object]:
        """Where it comes from; JSON-able."""
        ...

    def sha256(self) -> str:
        """SHA-256 of its content, 64 hex digits."""
        ...

    def tables(self) -> AsyncIterator[RosterTable]:
        """The CSV files or sheets of the source, one after another; raises RosterUnreadable."""
        ...


class RosterRepository(Protocol):
    """Staged rosters, their plans, and applying them with set-based statements."""

    async def stage(self, plan_id: UUID, rows: AsyncIterator[StagedRow]) -> int:
        """Copy the rows of a roster into the staging table; returns their number."""
        ...

    async def catalog_rows(self, plan_id: UUID) -> Sequence[StagedRow]:
        """The rows of sessions, orgs, courses and classes, those that cannot be used included."""
        ...

    async def catalog(self, plan_id: UUID, semester: Semester) -> Catalog:
        """What those rows can mean."""
        ...

    async def doubled_rows(self, plan_id: UUID) -> Sequence[StagedRow]:
        """User and enrolment rows whose sourcedId is on several rows of their kind."""
        ...

    async def derive_users(self, plan_id: UUID) -> None:
        """Make user rows of the lines of a simple roster."""
        ...

    async def skip(self, plan_id: UUID, enrollments: Mapping[str, object], users: Mapping[str, object]) -> None:
        """Ignore enrolments of classes that are ignored, and then users who are in no class as students."""
        ...

    def users(self, plan_id: UUID, *, simple: bool) -> AsyncIterator[list[UserRow]]:
        """The open user rows with whom they could mean, in the order of the file."""
        ...

    async def link_enrollments(self, plan_id: UUID, semester_id: UUID, *, simple: bool) -> None:
        """Note the section and the student of every enrolment row that has them."""
        ...

    async def teachers(self, plan_id: UUID) -> Sequence[TeacherRow]:
        """The open enrolment rows of those who are no students."""
        ...

    def unresolved(self, plan_id: UUID, semester_id: UUID) -> AsyncIterator[list[UnresolvedRow]]:
        """The open enrolment rows without a section or without a student."""
        ...

    def doubled_pairs(self, plan_id: UUID) -> AsyncIterator[list[PairRow]]:
        """Enrolment rows of one student and section that are not alone, unusable ones included."""
        ...

    async def set_standings(self, plan_id: UUID, standings: Sequence[Standing], nothing: Mapping[str, object]) -> None:
        """Decide the rows of students who are in the section by their status, and drops of those who are not."""
        ...

    def unusable(self, plan_id: UUID, semester_id: UUID) -> AsyncIterator[list[UnusableRow]]:
        """All conflicts so far with whom and what they may be about; users before enrolments."""
        ...

    def absent(self, plan_id: UUID, semester_id: UUID) -> AsyncIterator[list[AbsentRow]]:
        """Enrolments of the semester that no row names, whether or not it can be used."""
        ...

    async def last_row(self, plan_id: UUID) -> int:
        """The number of the last row there is."""
        ...

    async def add_absent(self, plan_id: UUID, base: int, decided: Sequence[AbsentDecision]) -> None:
        """Store rows for enrolments that no line names, numbered after `base`."""
        ...

    async def keep_absent(self, plan_id: UUID, rows: Sequence[int], reason: Mapping[str, object]) -> None:
        """Keep enrolments after all that were to be dropped for being left out."""
        ...

    async def reopen(self, plan_id: UUID, rows: Sequence[int]) -> None:
        """Forget what the rules decided."""
        ...

    async def freed(self, plan_id: UUID) -> dict[UUID, tuple[int, int]]:
        """Seats and waitlist places that the plan frees, by section."""
        ...

    async def section_seats(self, plan_id: UUID, semester: Semester) -> dict[UUID, tuple[SectionTerms, Seats]]:
        """Terms and counts of the semester's sections, and of those the plan creates."""
        ...

    async def students(
        self, plan_id: UUID, semester_id: UUID, *, after: int, size: int
    ) -> tuple[list[StudentRows], int]:
        """A batch of students with undecided enrolment rows, and where to go on; an empty list is the end."""
        ...

    async def decide(self, plan_id: UUID, rows: Sequence[PlannedRow]) -> None:
        """Store decisions."""
        ...

    async def fingerprint(self, semester: Semester, now: datetime) -> str:
        """A hash over all the state a plan for the semester depends on."""
        ...

    async def summary(self, plan_id: UUID) -> tuple[dict[str, dict[str, int]], int, str]:
        """Counts by kind and action, the number of implied drops, and a hash over all decisions."""
        ...

    async def add_plan(self, values: Row) -> Row:
        """Store a plan."""
        ...

    async def lock_plan(self, plan_id: UUID) -> Row:
        """The plan, locked; raises NotFound."""
        ...

    async def lock_semester(self, plan_id: UUID, semester_id: UUID) -> None:
        """Lock the semester's sections, then the students the plan is about, each in the order of their ids."""
        ...

    async def apply(self, plan: Row, actor: UUID | None, now: datetime) -> list[UUID]:
        """Carry the plan out; returns the sections whose waitlists may move."""
        ...

    async def mark_applied(self, plan_id: UUID, actor: UUID | None, now: datetime) -> Row:
        """Note who applied the plan, and when."""
        ...

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete plans made before that time with their rows, `limit` at most; of applied ones the plan itself stays.

        Returns how many plans were dealt with.
        """
        ...


class ConsumedEvents(Protocol):
    """Which events a consumer has dealt with."""

    async def first_time(self, consumer: str, event_id: UUID, now: datetime) -> bool:
        """Register the event; False when it was registered before."""
        ...

    async def forget(self, before: datetime) -> int:
        """Forget events registered before that time; returns their number."""
        ...


class RosterUploads(Protocol):
    """Announced roster uploads."""

    async def add(self, values: Row) -> None:
        """Insert."""
        ...

    async def find(self, key: str) -> AnnouncedUpload | None:
        """The upload with this key."""
        ...


class AcademicsUnitOfWork(UnitOfWork, Protocol):
    """One transaction with the repositories of academics."""

    @property
    def catalogue(self) -> CatalogueRepository:
        """Departments, courses, semesters, sections."""
        ...

    @property
    def people(self) -> StudentRepository:
        """Students with their holds, overrides and completions."""
        ...

    @property
    def enrollments(self) -> EnrollmentRepository:
        """Enrolments."""
        ...

    @property
    def rosters(self) -> RosterRepository:
        """Roster plans."""
        ...

    @property
    def roster_uploads(self) -> RosterUploads:
        """Announced roster uploads."""
        ...

    @property
    def upload_quota(self) -> UploadQuotas:
        """What is claimed of upload quotas."""
        ...

    @property
    def consumed(self) -> ConsumedEvents:
        """Events dealt with."""
        ...
