"""The rules of enrolment, in order: hold, window, duplicate, prerequisites, time conflict, credit limit (capacity:
Seats)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from dataforge.contexts.academics.catalog.domain import Completion, CourseState, Requirement, Semester, unmet_groups
from dataforge.contexts.academics.enrollment.domain.refusals import (
    CreditLimitRefused,
    DuplicateRefused,
    HoldRefused,
    PrerequisitesRefused,
    RuleRefused,
    TimeConflictRefused,
    WindowRefused,
)
from dataforge.contexts.academics.enrollment.domain.statuses import SEATED, EnrollmentStatus, Rule
from dataforge.contexts.academics.sections.domain import Meeting, SectionState, Timetable
from dataforge.kernel.texts import Text


@dataclass(frozen=True, slots=True)
class SectionTerms:
    """What a section asks of a student."""

    section_id: UUID
    code: str
    state: SectionState
    course_id: UUID
    course_code: str
    course_title: str
    course_state: CourseState
    credits: Decimal
    semester: Semester
    instructor_id: UUID | None = None
    meetings: tuple[Meeting, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    revision: int = 0

    @property
    def timetable(self) -> Timetable:
        """When it meets."""
        semester = self.semester
        return Timetable(self.meetings, semester.starts_on, semester.ends_on, semester.time_zone)

    @property
    def takes_enrollments(self) -> bool:
        """Whether the section is open and its course published."""
        return self.state is SectionState.OPEN and self.course_state is CourseState.PUBLISHED


@dataclass(frozen=True, slots=True)
class Hold:
    """A stop on a student until it is released."""

    id: UUID
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Override:
    """Named rules that do not apply to one student in one section, with a reason and perhaps an end."""

    id: UUID
    rules: frozenset[Rule]
    reason: str
    expires_at: datetime | None = None

    def covers(self, rule: Rule, now: datetime) -> bool:
        """Whether it lifts the rule at this instant."""
        return rule in self.rules and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Commitment:
    """Another enrolment of the student: what it costs in time and credits."""

    enrollment_id: UUID
    status: EnrollmentStatus
    section_id: UUID
    section_code: str
    course_id: UUID
    course_code: str
    credits: Decimal
    semester_id: UUID
    starts_on: date
    ends_on: date
    meetings: tuple[Meeting, ...] = ()
    time_zone: str = "UTC"

    @property
    def timetable(self) -> Timetable:
        """When it meets."""
        return Timetable(self.meetings, self.starts_on, self.ends_on, self.time_zone)


@dataclass(frozen=True, slots=True)
class StudentFile:
    """Everything the rules need to know of one student; true as long as `facts_revision` is the student's."""

    student_id: UUID
    user_id: UUID | None
    name: str
    email: str | None = None
    holds: tuple[Hold, ...] = ()
    overrides: tuple[Override, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    completions: tuple[Completion, ...] = ()
    facts_revision: int = 0


@dataclass(frozen=True, slots=True)
class Application:
    """One student asking for a seat in one section, at one instant."""

    terms: SectionTerms
    student: StudentFile
    now: datetime
    waived: frozenset[Rule] = field(default_factory=frozenset)

    def lifted(self, rule: Rule) -> bool:
        """Whether an override or a waiver lifts the rule."""
        return rule in self.waived or any(item.covers(rule, self.now) for item in self.student.overrides)

    def without(self, enrollment_id: UUID) -> "Application":
        """The same without one enrolment of the student: the one that is decided about."""
        others = tuple(item for item in self.student.commitments if item.enrollment_id != enrollment_id)
        return replace(self, student=replace(self.student, commitments=others))

    @property
    def elsewhere(self) -> tuple[Commitment, ...]:
        """The student's enrolments in other sections."""
        return tuple(item for item in self.student.commitments if item.section_id != self.terms.section_id)


def _refuse_hold(application: Application) -> RuleRefused | None:
    holds = application.student.holds
    if not holds:
        return None
    named = ", ".join(f"{item.code} ({item.reason})" for item in holds)
    message = Text("The student has a hold: {holds}. It must be released first.", holds=named)
    return HoldRefused(message, facts={"holds": [{"id": str(item.id), "code": item.code} for item in holds]})


def _refuse_window(application: Application) -> RuleRefused | None:
    semester = application.terms.semester
    today = semester.today(application.now)
    if today <= semester.add_by:
        return None
    message = Text(
        "The last day to add in {code} was {add_by}; today is {today}.",
        code=semester.code,
        add_by=semester.add_by,
        today=today,
    )
    facts = {"add_by": semester.add_by.isoformat(), "today": today.isoformat(), "semester": semester.code}
    return WindowRefused(message, facts=facts)


def _refuse_duplicate(application: Application) -> RuleRefused | None:
    terms = application.terms
    for item in application.student.commitments:
        same_course = item.course_id == terms.course_id and item.semester_id == terms.semester.id
        if item.section_id == terms.section_id or same_course:
            message = Text(
                "The student is {status} in {course_code}, section {section_code}, already.",
                status=item.status,
                course_code=item.course_code,
                section_code=item.section_code,
            )
            facts = {"enrollment_id": str(item.enrollment_id), "enrollment_status": item.status.value}
            return DuplicateRefused(message, facts=facts)
    return None


def _refuse_prerequisites(application: Application) -> RuleRefused | None:
    terms = application.terms
    concurrent = {
        item.course_id: item.enrollment_id
        for item in application.elsewhere
        if item.semester_id == terms.semester.id and item.status in SEATED
    }
    unmet = unmet_groups(terms.requirements, application.student.completions, concurrent)
    if not unmet:
        return None
    spelled = " and ".join("one of " * (len(group) > 1) + ", ".join(map(_spell, group)) for group in unmet)
    groups = [
        {
            "group_no": group[0].group_no,
            "one_of": [
                {"course": item.course_code, "kind": item.kind.value, "min_score": _number(item.min_score)}
                for item in group
            ],
        }
        for group in unmet
    ]
    return PrerequisitesRefused(
        Text("{course_code} requires {spelled}.", course_code=terms.course_code, spelled=spelled),
        facts={"unmet": groups},
    )


def _refuse_time_conflict(application: Application) -> RuleRefused | None:
    terms = application.terms
    if not terms.meetings:
        return None
    timetable = terms.timetable
    for other in application.elsewhere:
        attended = other.meetings and other.status is EnrollmentStatus.ENROLLED
        clash = timetable.clash(other.timetable) if attended else None
        if clash is None:
            continue
        mine, theirs = map(str, clash)
        if other.time_zone != terms.semester.time_zone:
            mine, theirs = f"{mine} in {terms.semester.time_zone}", f"{theirs} in {other.time_zone}"
        name = f"{other.course_code} {other.section_code}"
        message = Text(
            "{course_code} {code} ({mine}) meets at the time of {name} ({theirs}).",
            course_code=terms.course_code,
            code=terms.code,
            mine=mine,
            name=name,
            theirs=theirs,
        )
        facts = {"with_section_id": str(other.section_id), "with": name, "meeting": theirs}
        return TimeConflictRefused(message, facts=facts)
    return None


def _refuse_credit_limit(application: Application) -> RuleRefused | None:
    terms, limit = application.terms, application.terms.semester.max_credits
    taken = sum(
        (
            item.credits
            for item in application.elsewhere
            if item.semester_id == terms.semester.id and item.status in SEATED
        ),
        Decimal(0),
    )
    if taken + terms.credits <= limit:
        return None
    message = Text(
        "{taken} credits are taken in {code}; {credits} more would exceed the limit of {limit}.",
        taken=taken,
        code=terms.semester.code,
        credits=terms.credits,
        limit=limit,
    )
    facts = {"credits_taken": _number(taken), "credits_asked": _number(terms.credits), "max_credits": _number(limit)}
    return CreditLimitRefused(message, facts=facts)


RULES: tuple[tuple[Rule, Callable[[Application], RuleRefused | None]], ...] = (
    (Rule.HOLD, _refuse_hold),
    (Rule.WINDOW, _refuse_window),
    (Rule.DUPLICATE, _refuse_duplicate),
    (Rule.PREREQUISITES, _refuse_prerequisites),
    (Rule.TIME_CONFLICT, _refuse_time_conflict),
    (Rule.CREDIT_LIMIT, _refuse_credit_limit),
)


def judge(application: Application) -> tuple[RuleRefused | None, tuple[Rule, ...]]:
    """The first rule that refuses (None: only capacity is left), and those that would have but are lifted."""
    lifted: list[Rule] = []
    for rule, check in RULES:
        refusal = check(application)
        if refusal is None:
            continue
        if not application.lifted(rule):
            return refusal, tuple(lifted)
        lifted.append(rule)
    return None, tuple(lifted)


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _spell(requirement: Requirement) -> str:
    score = (
        ""
        if requirement.min_score is None
        else Text(" with at least {min_score:f}", min_score=requirement.min_score.normalize())
    )
    beside = Text(" (before or in the same semester)") if requirement.kind == "co" else ""
    return f"{requirement.course_code}{score}{beside}"
