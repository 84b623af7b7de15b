"""Any order of enrolling, dropping, withdrawing, completing, resizing, holding and overriding keeps every promise."""

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dataforge.contexts.academics.enrollment.commands import WithdrawEnrollment, withdraw_enrollment
from dataforge.contexts.academics.enrollment.domain.statuses import EnrollmentStatus
from dataforge.contexts.academics.sections.domain import CapacityBelowEnrolled
from dataforge.kernel.errors import Conflict, InvalidTransition
from tests.builders.academics import Desk

STUDENTS = st.integers(0, 5)
SECTIONS = st.integers(0, 1)


class Enrolling(RuleBasedStateMachine):
    """Six students and two small sections."""

    desk: Desk

    @initialize(capacities=st.lists(st.integers(0, 3), min_size=2, max_size=2), waitlist=st.integers(0, 4))
    def open_sections(self, capacities: list[int], waitlist: int) -> None:
        campus = self.desk.campus
        self.sections = [
            self.desk.do(campus.section(capacity=capacity, waitlist_capacity=waitlist)) for capacity in capacities
        ]
        self.students = self.desk.do(campus.many_students(6))
        self.asked: list[UUID] = []
        self.holds: list[tuple[UUID, UUID]] = []
        [newest] = self.desk.do(campus.rows("SELECT coalesce(max(id), 0) AS id FROM academics.enrollment_events"))
        self.seen_event = newest["id"]

    @rule(student=STUDENTS, section=SECTIONS)
    def enroll(self, student: int, section: int) -> None:
        outcome = self.desk.do(self.desk.campus.enroll(self.students[student], self.sections[section]))
        self.asked.append(outcome.enrollment.id)
        failed = outcome.enrollment.status.startswith("FAILED_")
        assert failed == (outcome.refusal is not None)
        assert outcome.enrollment.status is not EnrollmentStatus.PENDING

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        self._try(self.desk.campus.drop(data.draw(st.sampled_from(self.asked))), InvalidTransition)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        command = WithdrawEnrollment(data.draw(st.sampled_from(self.asked)))
        self._try(self.desk.campus.run(withdraw_enrollment, command), InvalidTransition)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), score=st.none() | st.integers(0, 100))
    def complete(self, data: st.DataObject, score: int | None) -> None:
        self._try(self.desk.campus.complete(data.draw(st.sampled_from(self.asked)), score), InvalidTransition)

    @rule(section=SECTIONS, capacity=st.integers(0, 5), waitlist=st.integers(0, 5))
    def resize(self, section: int, capacity: int, waitlist: int) -> None:
        change = self.desk.campus.resize(self.sections[section], capacity=capacity, waitlist_capacity=waitlist)
        self._try(change, CapacityBelowEnrolled)

    @rule(student=STUDENTS)
    def place_hold(self, student: int) -> None:
        hold = self.desk.do(self.desk.campus.hold(self.students[student]))
        self.holds.append((self.students[student], hold["id"]))

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def release_hold(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(self.holds))
        self.holds.remove(hold)
        self.desk.do(self.desk.campus.release(*hold))

    @rule(student=STUDENTS, section=SECTIONS, name=st.sampled_from(["hold", "capacity"]))
    def override(self, student: int, section: int, name: str) -> None:
        self.desk.do(self.desk.campus.override(self.students[student], self.sections[section], name))

    @rule(section=SECTIONS)
    def look_at_the_waitlist(self, section: int) -> None:
        self.desk.do(self.desk.campus.promote(self.sections[section]))

    @invariant()
    def every_promise_is_kept(self) -> None:
        for section in getattr(self, "sections", []):
            assert self.desk.do(self.desk.campus.broken_invariants(section)) == []

    @invariant()
    def nobody_is_overtaken_who_could_have_had_the_seat(self) -> None:
        if not hasattr(self, "sections"):
            return
        passed_over = self.desk.do(
            self.desk.campus.rows(
                """
                SELECT waiting.id FROM academics.enrollment_events v
                JOIN academics.enrollments promoted ON promoted.id = v.enrollment_id
                JOIN academics.enrollments waiting ON waiting.section_id = promoted.section_id
                WHERE v.id > :seen AND v.from_status = 'WAITLISTED' AND v.to_status = 'ENROLLED'
                  AND waiting.wait_no < (v.facts->>'wait_no')::int AND waiting.failure IS NULL
                """,
                seen=self.seen_event,
            )
        )
        assert passed_over == []
        [newest] = self.desk.do(
            self.desk.campus.rows("SELECT coalesce(max(id), 0) AS id FROM academics.enrollment_events")
        )
        self.seen_event = newest["id"]

    def _try(self, work: Coroutine[Any, Any, Any], expected: type[Conflict]) -> None:
        with suppress(expected):
            self.desk.do(work)


def test_every_promise_holds_in_any_order_of_events(desk: Desk) -> None:
    class AtThisDesk(Enrolling):
        pass

    AtThisDesk.desk = desk
    run_state_machine_as_test(
        AtThisDesk,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
