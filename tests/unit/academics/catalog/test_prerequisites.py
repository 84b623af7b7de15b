"""Groups, evidence and cycles."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.academics.catalog.domain import (
    Completion,
    EvidenceSource,
    PrerequisiteCycle,
    Requirement,
    RequirementKind,
    best_evidence,
    find_cycle,
    refuse_cycle,
    unmet_groups,
)

COURSES = [UUID(int=number) for number in range(1, 9)]
A, B, C = COURSES[:3]


def done(course: UUID, score: int | None = None) -> Completion:
    return Completion(course, None if score is None else Decimal(score), date(2026, 1, 1), EvidenceSource.IMPORT, "x")


def test_one_option_of_a_group_is_enough() -> None:
    groups = [Requirement(1, A, "A"), Requirement(1, B, "B")]

    assert unmet_groups(groups, [done(B)], {}) == []


def test_every_group_must_be_met() -> None:
    groups = [Requirement(1, A, "A"), Requirement(2, B, "B")]

    assert unmet_groups(groups, [done(A)], {}) == [(Requirement(2, B, "B"),)]


def test_an_unknown_score_meets_no_minimum() -> None:
    requirement = Requirement(1, A, "A", min_score=Decimal(1))

    assert best_evidence(requirement, [done(A)], {}) is None
    assert best_evidence(Requirement(1, A, "A"), [done(A)], {}) is not None


def test_the_best_score_is_the_evidence() -> None:
    evidence = best_evidence(Requirement(1, A, "A"), [done(A), done(A, 70), done(A, 50)], {})

    assert evidence is not None
    assert evidence.completion == done(A, 70)


def test_a_prerequisite_is_not_met_by_taking_it_now() -> None:
    beside = {A: UUID(int=99)}

    assert best_evidence(Requirement(1, A, "A"), [], beside) is None
    assert best_evidence(Requirement(1, A, "A", RequirementKind.CO), [], beside) is not None


def test_a_cycle_is_spelled_out_in_codes() -> None:
    with pytest.raises(PrerequisiteCycle, match="A → B → C → A") as caught:
        refuse_cycle(A, [B], {B: [C], C: [A]}, {A: "A", B: "B", C: "C"})

    assert caught.value.facts == {"cycle": ["A", "B", "C", "A"]}


def test_a_course_that_requires_itself_is_a_cycle() -> None:
    assert find_cycle(A, [A], {}) == [A, A]


def reaches(start: UUID, goal: UUID, edges: dict[UUID, list[UUID]]) -> bool:
    reached, frontier = set[UUID](), {start}
    while frontier:
        reached |= frontier
        frontier = {item for node in frontier for item in edges.get(node, [])} - reached
    return goal in reached


@given(
    edges=st.dictionaries(st.sampled_from(COURSES), st.lists(st.sampled_from(COURSES), max_size=4)),
    required=st.lists(st.sampled_from(COURSES), max_size=3),
)
def test_a_cycle_is_found_exactly_when_there_is_a_way_back(edges: dict[UUID, list[UUID]], required: list[UUID]) -> None:
    edges.pop(A, None)

    cycle = find_cycle(A, required, edges)

    assert (cycle is not None) == any(reaches(item, A, edges) for item in required)
    if cycle is not None:
        assert (cycle[0], cycle[-1]) == (A, A)
        steps = {**edges, A: required}
        assert all(after in steps[before] for before, after in pairwise(cycle))
