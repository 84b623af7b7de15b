"""Promotion from the waitlist: in order, every rule again, who does not qualify is skipped and told why."""

from datetime import timedelta
from uuid import UUID

from dataforge.contexts.academics.enrollment.commands import LOOKAHEAD
from dataforge.kernel.clock import FixedClock
from tests.builders.academics import Campus


async def waiting(campus: Campus, section: UUID) -> list[tuple[UUID, int]]:
    sql = (
        "SELECT student_id, wait_no FROM academics.enrollments"
        " WHERE section_id = :id AND wait_no IS NOT NULL ORDER BY wait_no"
    )
    return [(row["student_id"], row["wait_no"]) for row in await campus.rows(sql, id=section)]


async def test_a_drop_promotes_the_first_who_waits(campus: Campus) -> None:
    section = await campus.section(capacity=1)
    seated, first, second = [await campus.student() for _ in range(3)]
    taken = await campus.enroll(seated, section)
    await campus.enroll(first, section)
    await campus.enroll(second, section)

    await campus.drop(taken.enrollment.id)

    assert await waiting(campus, section) == [(second, 2)]
    assert await campus.broken_invariants(section) == []


async def test_a_promotion_is_an_event_an_audit_entry_and_mail(campus: Campus) -> None:
    section = await campus.section(capacity=1)
    taken = await campus.enroll(await campus.student(), section)
    promoted = await campus.enroll(await campus.student(email="grace@example.org"), section)

    await campus.drop(taken.enrollment.id)

    events = await campus.rows(
        "SELECT to_status, reason FROM academics.enrollment_events WHERE enrollment_id = :id ORDER BY id",
        id=promoted.enrollment.id,
    )
    [mail] = await campus.rows(
        "SELECT payload FROM platform.outbox WHERE key = :id AND payload->>'to' = 'ENROLLED'",
        id=str(promoted.enrollment.id),
    )
    [audit] = await campus.rows(
        "SELECT before, after FROM platform.audit_log WHERE entity_id = :id AND action = 'enrollment.enrolled'",
        id=str(promoted.enrollment.id),
    )
    assert [row["to_status"] for row in events] == ["PENDING", "WAITLISTED", "ENROLLED"]
    assert mail["payload"]["email"] == "grace@example.org"
    assert mail["payload"]["from"] == "WAITLISTED"
    assert audit["before"] == {"status": "WAITLISTED"}


async def test_a_raised_capacity_promotes_as_many_as_it_frees(campus: Campus) -> None:
    section = await campus.section(capacity=0, waitlist_capacity=5)
    for _ in range(4):
        await campus.enroll(await campus.student(), section)

    await campus.resize(section, capacity=3)

    assert await campus.statuses(section) == {"ENROLLED": 3, "WAITLISTED": 1}
    assert await campus.broken_invariants(section) == []


async def test_who_no_longer_qualifies_is_skipped_keeps_the_place_and_is_told_why(campus: Campus) -> None:
    section = await campus.section(capacity=0)
    held, next_one = await campus.student(), await campus.student()
    first = await campus.enroll(held, section)
    await campus.enroll(next_one, section)
    await campus.hold(held)

    await campus.resize(section, capacity=1)

    assert await waiting(campus, section) == [(held, 1)]
    [skip] = await campus.rows(
        "SELECT reason, rule FROM academics.enrollment_events"
        " WHERE enrollment_id = :id AND from_status = 'WAITLISTED' AND to_status = 'WAITLISTED'",
        id=first.enrollment.id,
    )
    assert skip["rule"] == "hold"
    assert "skipped for promotion" in skip["reason"]
    assert await campus.broken_invariants(section) == []


async def test_being_skipped_for_the_same_reason_again_is_noted_once(campus: Campus) -> None:
    section, held = await campus.section(capacity=0), await campus.student()
    first = await campus.enroll(held, section)
    await campus.hold(held)

    await campus.resize(section, capacity=1)
    await campus.promote(section)
    await campus.promote(section)

    events = await campus.rows(
        "SELECT 1 FROM academics.enrollment_events WHERE enrollment_id = :id AND rule = 'hold'", id=first.enrollment.id
    )
    assert len(events) == 1


async def test_a_newcomer_overtakes_only_those_who_were_refused_just_now(campus: Campus) -> None:
    section, held, fit, newcomer = await campus.section(capacity=0), *[await campus.student() for _ in range(3)]
    await campus.enroll(held, section)
    hold = await campus.hold(held)
    await campus.resize(section, capacity=1)

    seated = await campus.enroll(newcomer, section)
    await campus.release(held, hold["id"])
    await campus.resize(section, capacity=2)
    later = await campus.enroll(fit, section)

    assert seated.enrollment.status == "ENROLLED"
    assert later.enrollment.status == "WAITLISTED"
    assert await waiting(campus, section) == [(fit, 2)]
    assert await campus.broken_invariants(section) == []


async def test_releasing_a_hold_has_the_waitlist_looked_at(campus: Campus) -> None:
    section, held = await campus.section(capacity=0), await campus.student()
    await campus.enroll(held, section)
    hold = await campus.hold(held)
    await campus.resize(section, capacity=1)

    await campus.release(held, hold["id"])

    events = await campus.rows("SELECT payload FROM platform.outbox WHERE name = 'academics.promotion_due'")
    assert [row["payload"]["section_id"] for row in events] == [str(section)]


async def test_a_long_line_of_unqualified_students_is_worked_through_in_several_steps(campus: Campus) -> None:
    section = await campus.section(capacity=0, waitlist_capacity=200)
    students = await campus.many_students(LOOKAHEAD + 10)
    for student in students:
        await campus.enroll(student, section)
    for student in students[:-1]:
        await campus.hold(student)

    await campus.resize(section, capacity=1)
    [due] = await campus.rows("SELECT payload FROM platform.outbox WHERE name = 'academics.promotion_due'")
    await campus.promote(section, due["payload"]["after_wait_no"])

    assert due["payload"]["after_wait_no"] == LOOKAHEAD + 1
    [seated] = await campus.rows("SELECT student_id FROM academics.enrollments WHERE status = 'ENROLLED'")
    assert seated["student_id"] == students[-1]
    assert await campus.broken_invariants(section) == []


async def test_after_the_last_day_to_add_nobody_is_promoted(campus: Campus, clock: FixedClock) -> None:
    section = await campus.section(capacity=1)
    taken = await campus.enroll(await campus.student(), section)
    await campus.enroll(await campus.student(), section)
    clock.advance(timedelta(days=20))

    await campus.drop(taken.enrollment.id)

    assert await campus.statuses(section) == {"DROPPED": 1, "WAITLISTED": 1}


async def test_a_closed_section_promotes_nobody(campus: Campus) -> None:
    section = await campus.section(capacity=1)
    taken = await campus.enroll(await campus.student(), section)
    await campus.enroll(await campus.student(), section)
    await campus.resize(section, state="closed")

    await campus.drop(taken.enrollment.id)

    assert await campus.statuses(section) == {"DROPPED": 1, "WAITLISTED": 1}


async def test_numbers_are_never_given_twice(campus: Campus) -> None:
    section = await campus.section(capacity=0)
    first = await campus.enroll(await campus.student(), section)
    await campus.drop(first.enrollment.id)

    second = await campus.enroll(await campus.student(), section)

    assert second.enrollment.wait_no == 2
