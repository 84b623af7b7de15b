"""The catalog: life of a course, semesters and their dates, prerequisites (OR inside a group, AND across groups)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from dataforge.kernel.errors import Conflict, InvalidTransition, ValidationFailed, Violation
from dataforge.kernel.texts import Text
from dataforge.kernel.time_zones import time_zone_names


class PrerequisiteCycle(Conflict):
    """A course would, in the end, require itself."""

    code = "prerequisite_cycle"
    title = "The prerequisites would form a cycle"


class CourseState(StrEnum):
    """Life of a course: draft → published → archived."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class RequirementKind(StrEnum):
    """Completed before, or completed before or taken in the same semester."""

    PRE = "pre"
    CO = "co"


class EvidenceSource(StrEnum):
    """Where a course completion was learned from."""

    ENROLMENT = "enrolment"
    XAPI = "xapi"
    IMPORT = "import"


_NEXT_STATE = {CourseState.DRAFT: CourseState.PUBLISHED, CourseState.PUBLISHED: CourseState.ARCHIVED}


def next_course_state(current: CourseState, wanted: CourseState) -> CourseState:
    """The state after a change: the same or the next; raises InvalidTransition for any other."""
    if wanted in (current, _NEXT_STATE.get(current)):
        return wanted
    message = Text(
        "A course goes from draft to published to archived; this one is {current} and cannot become {wanted}.",
        current=current,
        wanted=wanted,
    )
    raise InvalidTransition(message, facts={"from": current, "to": wanted})


@dataclass(frozen=True, slots=True)
class Semester:
    """A term: its dates are whole days in its own time zone, each deadline included."""

    id: UUID
    code: str
    starts_on: date
    ends_on: date
    add_by: date
    drop_by: date
    withdraw_by: date
    max_credits: Decimal
    time_zone: str = "UTC"

    def check(self) -> None:
        """Raise ValidationFailed unless starts_on ≤ ends_on and add_by ≤ drop_by ≤ withdraw_by ≤ ends_on."""
        broken: list[Violation] = []
        if self.starts_on > self.ends_on:
            broken.append(Violation("/ends_on", Text("A semester ends on or after the day it starts.")))
        if self.drop_by < self.add_by:
            broken.append(Violation("/drop_by", Text("The last day to drop is not before the last day to add.")))
        if self.withdraw_by < self.drop_by:
            broken.append(
                Violation("/withdraw_by", Text("The last day to withdraw is not before the last day to drop."))
            )
        if self.withdraw_by > self.ends_on:
            broken.append(Violation("/withdraw_by", Text("The last day to withdraw lies within the semester.")))
        if self.time_zone not in time_zone_names():
            broken.append(
                Violation("/time_zone", Text("Use a name of the IANA time zone database, Europe/Berlin for example."))
            )
        if broken:
            raise ValidationFailed(" ".join(item.message for item in broken), violations=broken)

    def today(self, now: datetime) -> date:
        """The calendar day in the semester's time zone."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()


_WORD = re.compile(r"[^\W_]+")


def search_words(*texts: str) -> str:
    """The lower-case words of some texts, separated by spaces: what search indexes and what it is asked."""
    return " ".join(word.lower() for text in texts for word in _WORD.findall(text))


@dataclass(frozen=True, slots=True)
class Requirement:
    """One option of one group: a course, with at least a score (0 to 100) if one is given."""

    group_no: int
    course_id: UUID
    course_code: str
    kind: RequirementKind = RequirementKind.PRE
    min_score: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """Evidence of a completed course; `reference` is the enrolment, statement or import it is known from."""

    course_id: UUID
    score: Decimal | None
    completed_on: date
    source: EvidenceSource
    reference: str

    def satisfies(self, requirement: Requirement) -> bool:
        """Whether it is the course and the score is high enough; an unknown score meets no minimum."""
        if self.course_id != requirement.course_id:
            return False
        return requirement.min_score is None or (self.score is not None and self.score >= requirement.min_score)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a requirement counts as met: a completion, or (corequisites) a course taken in the same semester."""

    completion: Completion | None = None
    concurrent_enrollment: UUID | None = None


def best_evidence(
    requirement: Requirement, completions: Iterable[Completion], concurrent: Mapping[UUID, UUID]
) -> Evidence | None:
    """The best proof for a requirement, highest score first; `concurrent` maps course to enrolment in the semester."""
    fitting = [item for item in completions if item.satisfies(requirement)]
    if fitting:
        unknown = Decimal(-1)
        return Evidence(completion=max(fitting, key=lambda item: unknown if item.score is None else item.score))
    if requirement.kind is RequirementKind.CO and requirement.course_id in concurrent:
        return Evidence(concurrent_enrollment=concurrent[requirement.course_id])
    return None


def unmet_groups(
    requirements: Sequence[Requirement], completions: Sequence[Completion], concurrent: Mapping[UUID, UUID]
) -> list[tuple[Requirement, ...]]:
    """The groups of which no option is met, in order of their number."""
    ordered = sorted(requirements, key=lambda item: item.group_no)
    groups = (tuple(items) for _, items in groupby(ordered, key=lambda item: item.group_no))
    return [group for group in groups if not any(best_evidence(item, completions, concurrent) for item in group)]


def find_cycle(course: UUID, required: Iterable[UUID], edges: Mapping[UUID, Sequence[UUID]]) -> list[UUID] | None:
    """The path course → … → course that the new requirements would close, or None.

    `edges` are the stored requirements of all other courses that can be reached.
    """
    path, stack, seen = [course], [iter(required)], set[UUID]()
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
            path.pop()
        elif step == course:
            return [*path, course]
        elif step not in seen:
            seen.add(step)
            path.append(step)
            stack.append(iter(edges.get(step, ())))
    return None


def refuse_lessons(named: Sequence[UUID], countable: Collection[UUID]) -> None:
    """Raise ValidationFailed, with their places, unless all lessons that are named can count for a course."""
    message = Text("is no lesson of the organisation")
    violations = [
        Violation(f"/lesson_ids/{place}", message, "lesson")
        for place, lesson_id in enumerate(named)
        if lesson_id not in countable
    ]
    if violations:
        summary = Text("Only lessons of the organisation count for its courses, and lessons of workspaces do not.")
        raise ValidationFailed(summary, violations=violations)


def refuse_cycle(
    course: UUID, required: Iterable[UUID], edges: Mapping[UUID, Sequence[UUID]], codes: Mapping[UUID, str]
) -> None:
    """Raise PrerequisiteCycle with the cycle spelled out in course codes."""
    cycle = find_cycle(course, required, edges)
    if cycle is not None:
        spelled = [codes.get(item, str(item)) for item in cycle]
        message = Text(
            "A course cannot require itself: {spelled}. Remove one of these requirements.", spelled=" → ".join(spelled)
        )
        raise PrerequisiteCycle(message, facts={"cycle": spelled})
