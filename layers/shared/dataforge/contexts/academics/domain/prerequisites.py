"""Prerequisites: OR inside a group, AND across groups; no self-reference, no cycles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from dataforge.contexts.academics.domain.errors import PrerequisiteCycle
from dataforge.contexts.academics.domain.status import EvidenceSource, RequirementKind


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


def refuse_cycle(
    course: UUID, required: Iterable[UUID], edges: Mapping[UUID, Sequence[UUID]], codes: Mapping[UUID, str]
) -> None:
    """Raise PrerequisiteCycle with the cycle spelled out in course codes."""
    cycle = find_cycle(course, required, edges)
    if cycle is not None:
        spelled = [codes.get(item, str(item)) for item in cycle]
        message = f"A course cannot require itself: {' → '.join(spelled)}. Remove one of these requirements."
        raise PrerequisiteCycle(message, facts={"cycle": spelled})
