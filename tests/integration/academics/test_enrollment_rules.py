"""Each rule of enrolment, in order, with what it says."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from dataforge.contexts.academics.catalog.domain import Requirement, RequirementKind
from dataforge.contexts.academics.enrollment.domain.refusals import DropDeadlineRefused, WithdrawDeadlineRefused
from dataforge.contexts.academics.sections.domain import Meeting
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import InvalidTransition, ValidationFailed
from tests.builders.academics import Campus

MORNING = Meeting(1, time(9), time(10, 30), "A1")
OVERLAPPING = Meeting(1, time(10), time(11), "A2")


async def test_a_free_seat_is_taken(campus: Campus) -> None:
    section, student = await campus.section(capacity=1), await campus.student()

    outcome = await campus.enroll(student, section)

    assert (outcome.enrollment.status, outcome.enrollment.wait_no, outcome.refusal) == ("ENROLLED", None, None)
    assert await campus.broken_invariants(section) == []


async def test_without_a_free_seat_the_student_waits_with_a_number(campus: Campus) -> None:
    section = await campus.section(capacity=1)
    await campus.enroll(await campus.student(), section)

    outcome = await campus.enroll(await campus.student(), section)

    assert (outcome.enrollment.status, outcome.enrollment.wait_no) == ("WAITLISTED", 1)


async def test_a_full_section_and_waitlist_refuse_and_the_refusal_is_kept(campus: Campus) -> None:
    section = await campus.section(capacity=0, waitlist_capacity=0)

    outcome = await campus.enroll(await campus.student(), section)

    assert outcome.refusal is not None
    assert outcome.refusal.facts["capacity"] == 0
    assert await campus.statuses(section) == {"FAILED_CAPACITY": 1}


async def test_capacity_zero_is_no_seat(campus: Campus) -> None:
    section = await campus.section(capacity=0, waitlist_capacity=1)

    outcome = await campus.enroll(await campus.student(), section)

    assert outcome.enrollment.status == "WAITLISTED"


async def test_a_hold_comes_before_every_other_rule(campus: Campus, clock: FixedClock) -> None:
    section, student = await campus.section(capacity=0, waitlist_capacity=0), await campus.student()
    await campus.hold(student)
    clock.advance(timedelta(days=60))

    outcome = await campus.enroll(student, section)

    assert outcome.enrollment.status == "FAILED_HOLD"
    assert outcome.enrollment.failure is not None
    assert outcome.enrollment.failure["rule"] == "hold"
    assert "LIB" in str(outcome.enrollment.failure["message"])


async def test_a_released_hold_no_longer_counts(campus: Campus) -> None:
    section, student = await campus.section(), await campus.student()
    hold = await campus.hold(student)
    await campus.release(student, hold["id"])

    assert (await campus.enroll(student, section)).enrollment.status == "ENROLLED"


async def test_the_last_day_to_add_is_included(campus: Campus, clock: FixedClock) -> None:
    section = await campus.section()
    clock.advance(timedelta(days=17))

    assert (await campus.enroll(await campus.student(), section)).enrollment.status == "ENROLLED"


async def test_after_the_last_day_to_add_nobody_gets_in(campus: Campus, clock: FixedClock) -> None:
    section = await campus.section()
    clock.advance(timedelta(days=18))

    outcome = await campus.enroll(await campus.student(), section)

    assert outcome.enrollment.status == "FAILED_WINDOW"
    assert outcome.enrollment.failure is not None
    assert outcome.enrollment.failure["add_by"] == "2026-09-18"


async def test_deadlines_end_with_the_day_in_the_semesters_own_time_zone(campus: Campus, clock: FixedClock) -> None:
    honolulu = await campus.section(semester_id=await campus.semester(time_zone="Pacific/Honolulu"))
    auckland = await campus.section(semester_id=await campus.semester(time_zone="Pacific/Auckland"))
    clock.advance(timedelta(days=17, hours=6))  # 18 September, 18:00 UTC

    late, early = await campus.student(), await campus.student()

    assert (await campus.enroll(early, honolulu)).enrollment.status == "ENROLLED"
    assert (await campus.enroll(late, auckland)).enrollment.status == "FAILED_WINDOW"


async def test_twice_in_one_section_is_a_duplicate(campus: Campus) -> None:
    section, student = await campus.section(), await campus.student()
    first = await campus.enroll(student, section)

    outcome = await campus.enroll(student, section)

    assert outcome.enrollment.status == "FAILED_DUPLICATE"
    assert outcome.enrollment.failure is not None
    assert outcome.enrollment.failure["enrollment_id"] == str(first.enrollment.id)


async def test_another_section_of_the_same_course_and_semester_is_a_duplicate(campus: Campus) -> None:
    course, student = await campus.course(), await campus.student()
    await campus.enroll(student, await campus.section(course=course))

    outcome = await campus.enroll(student, await campus.section(course=course))

    assert outcome.enrollment.status == "FAILED_DUPLICATE"


async def test_after_a_drop_the_student_may_come_back(campus: Campus) -> None:
    section, student = await campus.section(), await campus.student()
    first = await campus.enroll(student, section)
    await campus.drop(first.enrollment.id)

    assert (await campus.enroll(student, section)).enrollment.status == "ENROLLED"
    assert await campus.broken_invariants(section) == []


async def test_prerequisites_come_before_capacity(campus: Campus) -> None:
    first, second = await campus.course("MATH1"), await campus.course("MATH2")
    await campus.requires(second, Requirement(1, first, "", RequirementKind.PRE, Decimal(60)))
    section = await campus.section(course=second, capacity=0, waitlist_capacity=0)

    outcome = await campus.enroll(await campus.student(), section)

    assert outcome.enrollment.status == "FAILED_PREREQUISITES"
    assert outcome.refusal is not None
    assert "MATH1 with at least 60" in outcome.refusal.detail


async def test_a_completion_with_the_score_satisfies_and_one_below_does_not(campus: Campus) -> None:
    first, second = await campus.course(), await campus.course()
    await campus.requires(second, Requirement(1, first, "", RequirementKind.PRE, Decimal(60)))
    basics, advanced = await campus.section(course=first), await campus.section(course=second)
    good, bad = await campus.student(), await campus.student()
    for student, score in ((good, 60), (bad, 59)):
        outcome = await campus.enroll(student, basics)
        await campus.complete(outcome.enrollment.id, score)

    assert (await campus.enroll(good, advanced)).enrollment.status == "ENROLLED"
    assert (await campus.enroll(bad, advanced)).enrollment.status == "FAILED_PREREQUISITES"


async def test_a_corequisite_is_met_by_the_same_semester(campus: Campus) -> None:
    lecture, laboratory = await campus.course(), await campus.course()
    await campus.requires(laboratory, Requirement(1, lecture, "", RequirementKind.CO))
    talks, bench = await campus.section(course=lecture), await campus.section(course=laboratory)
    student, stranger = await campus.student(), await campus.student()
    await campus.enroll(student, talks)

    assert (await campus.enroll(student, bench)).enrollment.status == "ENROLLED"
    assert (await campus.enroll(stranger, bench)).enrollment.status == "FAILED_PREREQUISITES"


async def test_two_sections_at_the_same_time_conflict(campus: Campus) -> None:
    student = await campus.student()
    await campus.enroll(student, await campus.section(meetings=(MORNING,)))

    outcome = await campus.enroll(student, await campus.section(meetings=(OVERLAPPING,)))

    assert outcome.enrollment.status == "FAILED_TIME_CONFLICT"
    assert outcome.enrollment.failure is not None
    assert outcome.enrollment.failure["meeting"] == "Monday 09:00–10:30"


async def test_one_section_that_ends_when_the_next_starts_is_no_conflict(campus: Campus) -> None:
    student = await campus.student()
    await campus.enroll(student, await campus.section(meetings=(MORNING,)))

    outcome = await campus.enroll(student, await campus.section(meetings=(Meeting(1, time(10, 30), time(12)),)))

    assert outcome.enrollment.status == "ENROLLED"


async def test_the_same_hour_of_a_semester_that_is_over_is_no_conflict(campus: Campus) -> None:
    student = await campus.student()
    long = {"starts_on": date(2026, 8, 1), "ends_on": date(2026, 9, 6), "add_by": date(2026, 9, 2)}
    summer = await campus.semester(**long, drop_by=date(2026, 9, 3), withdraw_by=date(2026, 9, 4))
    await campus.enroll(student, await campus.section(meetings=(MORNING,), semester_id=summer))

    assert (await campus.enroll(student, await campus.section(meetings=(MORNING,)))).enrollment.status == "ENROLLED"


async def test_the_same_hour_on_the_clocks_of_two_zones_is_no_conflict(campus: Campus) -> None:
    student = await campus.student()
    away = await campus.semester(time_zone="America/New_York")
    await campus.enroll(student, await campus.section(meetings=(MORNING,), semester_id=away))

    assert (await campus.enroll(student, await campus.section(meetings=(MORNING,)))).enrollment.status == "ENROLLED"


async def test_one_instant_on_the_clocks_of_two_zones_is_a_conflict(campus: Campus) -> None:
    student = await campus.student()
    away = await campus.semester(time_zone="America/New_York")
    await campus.enroll(student, await campus.section(meetings=(MORNING,), semester_id=away))
    afternoon = Meeting(1, time(13, 30), time(14))

    outcome = await campus.enroll(student, await campus.section(meetings=(afternoon,)))

    assert outcome.enrollment.status == "FAILED_TIME_CONFLICT"
    assert outcome.enrollment.failure is not None
    assert outcome.enrollment.failure["meeting"] == "Monday 09:00–10:30 in America/New_York"


async def test_the_credit_limit_counts_what_is_taken_in_the_semester(campus: Campus) -> None:
    student = await campus.student()
    heavy = await campus.course(credits=Decimal(16))
    await campus.enroll(student, await campus.section(course=heavy))

    outcome = await campus.enroll(student, await campus.section())

    assert outcome.enrollment.status == "FAILED_CREDIT_LIMIT"
    assert outcome.enrollment.failure is not None
    assert outcome.enrollment.failure["max_credits"] == 18


@pytest.mark.parametrize("rule", ["hold", "window", "prerequisites", "time_conflict", "credit_limit"])
async def test_an_override_lifts_its_rule_and_no_other(campus: Campus, clock: FixedClock, rule: str) -> None:
    required = await campus.course()
    course = await campus.course(credits=Decimal(16))
    section = await campus.section(course=course, meetings=(MORNING,))
    student = await campus.student()
    everything = {"hold", "window", "prerequisites", "time_conflict", "credit_limit"}
    await campus.enroll(student, await campus.section(meetings=(OVERLAPPING,)))
    await campus.requires(course, Requirement(1, required, ""))
    await campus.hold(student)
    clock.advance(timedelta(days=18))
    await campus.override(student, section, *(everything - {rule}))

    refused = await campus.enroll(student, section)
    await campus.override(student, section, rule)
    allowed = await campus.enroll(student, section)

    assert refused.enrollment.status == f"FAILED_{rule.upper()}"
    assert allowed.enrollment.status == "ENROLLED"
    [event] = await campus.rows(
        "SELECT facts FROM academics.enrollment_events WHERE enrollment_id = :id AND to_status = 'ENROLLED'",
        id=allowed.enrollment.id,
    )
    assert set(event["facts"]["lifted"]) == everything


async def test_a_capacity_override_raises_the_capacity_and_is_audited(campus: Campus) -> None:
    section = await campus.section(capacity=1)
    await campus.enroll(await campus.student(), section)
    guest = await campus.student()
    await campus.override(guest, section, "capacity")

    outcome = await campus.enroll(guest, section)

    assert outcome.enrollment.status == "ENROLLED"
    assert await campus.broken_invariants(section) == []
    [entry] = await campus.rows("SELECT * FROM platform.audit_log WHERE action = 'section.capacity_raised'")
    assert (entry["before"], entry["after"]) == ({"capacity": 1}, {"capacity": 2})


async def test_an_override_ends(campus: Campus, clock: FixedClock) -> None:
    section, student = await campus.section(), await campus.student()
    await campus.hold(student)
    await campus.override(student, section, "hold", expires_at=clock.now() + timedelta(hours=1))
    clock.advance(timedelta(hours=1))

    assert (await campus.enroll(student, section)).enrollment.status == "FAILED_HOLD"


async def test_a_duplicate_cannot_be_overridden(campus: Campus) -> None:
    section, student = await campus.section(), await campus.student()

    with pytest.raises(ValidationFailed, match="Name one or more of these rules"):
        await campus.override(student, section, "duplicate")


async def test_a_drop_after_its_deadline_is_refused_and_an_override_allows_it(
    campus: Campus, clock: FixedClock
) -> None:
    section, student = await campus.section(), await campus.student()
    outcome = await campus.enroll(student, section)
    clock.advance(timedelta(days=32))

    with pytest.raises(DropDeadlineRefused, match="2026-10-02"):
        await campus.drop(outcome.enrollment.id)
    await campus.override(student, section, "drop_deadline")

    assert (await campus.drop(outcome.enrollment.id)).enrollment.status == "DROPPED"


async def test_a_withdrawal_is_possible_until_its_own_deadline(campus: Campus, clock: FixedClock) -> None:
    from dataforge.contexts.academics.enrollment.commands import WithdrawEnrollment, withdraw_enrollment

    section = await campus.section()
    first = (await campus.enroll(await campus.student(), section)).enrollment.id
    second = (await campus.enroll(await campus.student(), section)).enrollment.id
    clock.advance(timedelta(days=73))

    outcome = await campus.run(withdraw_enrollment, WithdrawEnrollment(first))
    clock.advance(timedelta(days=1))

    assert outcome.enrollment.status == "WITHDRAWN"
    with pytest.raises(WithdrawDeadlineRefused):
        await campus.run(withdraw_enrollment, WithdrawEnrollment(second))
    assert await campus.broken_invariants(section) == []


async def test_what_was_dropped_cannot_be_dropped_again(campus: Campus) -> None:
    section = await campus.section()
    outcome = await campus.enroll(await campus.student(), section)
    await campus.drop(outcome.enrollment.id)

    with pytest.raises(InvalidTransition, match="DROPPED cannot be dropped"):
        await campus.drop(outcome.enrollment.id)


async def test_a_score_can_be_corrected_and_counts_as_one_completion(campus: Campus) -> None:
    section = await campus.section()
    outcome = await campus.enroll(await campus.student(), section)
    await campus.complete(outcome.enrollment.id, 50)

    await campus.complete(outcome.enrollment.id, 70)

    [completion] = await campus.rows("SELECT score, source FROM academics.course_completions")
    assert completion == {"score": Decimal(70), "source": "enrolment"}
    assert await campus.broken_invariants(section) == []
