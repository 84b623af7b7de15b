"""Many callers at once: seats are never oversold, numbers are given once, nothing is lost when callers vanish."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
import pytest

from dataforge.contexts.academics.sections.domain import CapacityBelowEnrolled
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.roles import opened


@pytest.fixture
async def crowd(database_url: str, clock: FixedClock) -> AsyncIterator[Campus]:
    """A campus behind 16 connections."""
    async with opened(database_url, pool_size=16) as database:
        yield Campus(database, clock)


@pytest.fixture
async def registrar(crowd: Campus, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A registrar of an API behind those connections."""
    async with ApiUnderTest(crowd.database, clock) as api:
        yield await api.as_role(Role.REGISTRAR)


async def ask(client: httpx.AsyncClient, student: UUID, section: UUID, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"student_id": str(student), "section_id": str(section)}
    return await client.post("/api/enrollments", json=body, headers=headers)


async def test_fifty_callers_for_ten_seats_and_a_waitlist_of_twenty(
    crowd: Campus, registrar: httpx.AsyncClient
) -> None:
    section = await crowd.section(capacity=10, waitlist_capacity=20)
    students = await crowd.many_students(50)

    answers = await asyncio.gather(*(ask(registrar, student, section) for student in students))

    outcomes = Counter((answer.status_code, answer.json().get("status")) for answer in answers)
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert outcomes == {(201, "ENROLLED"): 10, (201, "WAITLISTED"): 20, (409, 409): 20}
    assert sorted(a.json()["wait_no"] for a in answers if a.json()["status"] == "WAITLISTED") == list(range(1, 21))
    assert {answer["code"] for answer in refused} == {"capacity"}
    assert await crowd.statuses(section) == {"ENROLLED": 10, "WAITLISTED": 20, "FAILED_CAPACITY": 20}
    assert await crowd.broken_invariants(section) == []


async def test_callers_killed_in_the_middle_of_their_request_leave_nothing_half_done(
    crowd: Campus, registrar: httpx.AsyncClient
) -> None:
    section = await crowd.section(capacity=10, waitlist_capacity=20)
    students = await crowd.many_students(50)
    chance = random.Random(7)

    async def ask_and_vanish(student: UUID) -> None:
        request = asyncio.ensure_future(ask(registrar, student, section))
        await asyncio.sleep(chance.uniform(0, 0.3))
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)

    await asyncio.gather(*(ask_and_vanish(student) for student in students))
    assert await crowd.broken_invariants(section) == []
    answers = await asyncio.gather(*(ask(registrar, student, section) for student in students))

    statuses = await crowd.statuses(section)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert (statuses["ENROLLED"], statuses["WAITLISTED"]) == (10, 20)
    assert await crowd.broken_invariants(section) == []


async def test_connections_killed_by_the_server_leave_nothing_half_done(
    crowd: Campus, registrar: httpx.AsyncClient, database: Database
) -> None:
    section = await crowd.section(capacity=10, waitlist_capacity=20)
    students = await crowd.many_students(50)
    killer = Campus(database, crowd.clock)
    kill = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    async def kill_now_and_then() -> None:
        for _ in range(5):
            await asyncio.sleep(0.05)
            await killer.rows(kill)

    asked = [ask(registrar, student, section) for student in students]
    *answers, _ = await asyncio.gather(*asked, kill_now_and_then())

    assert {answer.status_code for answer in answers if answer} <= {201, 409, 503}
    assert await crowd.broken_invariants(section) == []


async def test_drops_storm_while_promotions_run(crowd: Campus) -> None:
    section = await crowd.section(capacity=10, waitlist_capacity=60)
    students = await crowd.many_students(60)
    enrolled = await asyncio.gather(*(crowd.enroll(student, section) for student in students))

    async def drop(enrollment_id: UUID) -> None:
        await crowd.drop(enrollment_id)

    await asyncio.gather(*(drop(outcome.enrollment.id) for outcome in enrolled[:45]))

    statuses = await crowd.statuses(section)
    assert statuses == {"DROPPED": 45, "ENROLLED": 10, "WAITLISTED": 5}
    assert await crowd.broken_invariants(section) == []


async def test_the_order_of_the_waitlist_survives_the_storm(crowd: Campus) -> None:
    section = await crowd.section(capacity=5, waitlist_capacity=100)
    students = await crowd.many_students(40)
    enrolled = [await crowd.enroll(student, section) for student in students]

    await asyncio.gather(*(crowd.drop(outcome.enrollment.id) for outcome in enrolled[:5]))

    promoted = await crowd.rows("SELECT student_id FROM academics.enrollments WHERE status = 'ENROLLED'")
    assert {row["student_id"] for row in promoted} == set(students[5:10])


async def test_capacity_changes_while_callers_come_and_go(crowd: Campus) -> None:
    section = await crowd.section(capacity=5, waitlist_capacity=30)
    students = await crowd.many_students(60)
    chance = random.Random(11)

    async def come(student: UUID) -> None:
        outcome = await crowd.enroll(student, section)
        if outcome.refusal is None and chance.random() < 0.4:
            await crowd.drop(outcome.enrollment.id)

    async def change_capacity() -> None:
        for _ in range(20):
            with suppress(CapacityBelowEnrolled):
                await crowd.resize(section, capacity=chance.randint(0, 25), waitlist_capacity=chance.randint(0, 40))

    await asyncio.gather(change_capacity(), *(come(student) for student in students))

    assert await crowd.broken_invariants(section) == []


async def test_one_student_in_many_sections_at_once_does_not_beat_the_credit_limit(crowd: Campus) -> None:
    sections = [await crowd.section() for _ in range(10)]
    student = await crowd.student()

    outcomes = await asyncio.gather(*(crowd.enroll(student, section) for section in sections))

    assert Counter(outcome.enrollment.status for outcome in outcomes) == {"ENROLLED": 6, "FAILED_CREDIT_LIMIT": 4}


async def test_two_sections_promote_each_others_students_without_a_deadlock(crowd: Campus) -> None:
    one, two = (
        await crowd.section(capacity=0, waitlist_capacity=40),
        await crowd.section(capacity=0, waitlist_capacity=40),
    )
    students = await crowd.many_students(30)
    for student in students:
        await crowd.enroll(student, one)
    for student in reversed(students):
        await crowd.enroll(student, two)

    async def raise_step_by_step(section: UUID) -> None:
        for capacity in range(3, 31, 3):
            await crowd.resize(section, capacity=capacity)

    await asyncio.gather(raise_step_by_step(one), raise_step_by_step(two))

    assert await crowd.statuses(one) == await crowd.statuses(two) == {"ENROLLED": 30}
    assert await crowd.broken_invariants(one) == await crowd.broken_invariants(two) == []


async def test_a_replayed_key_gets_the_same_body_and_makes_nothing_new(
    crowd: Campus, registrar: httpx.AsyncClient
) -> None:
    section = await crowd.section(capacity=1, waitlist_capacity=1)
    students = await crowd.many_students(3)
    firsts = [await ask(registrar, student, section, f"key-{index}") for index, student in enumerate(students)]

    async def repeat(index: int) -> list[httpx.Response]:
        return [await ask(registrar, students[index], section, f"key-{index}") for _ in range(5)]

    repeats: list[list[Any]] = await asyncio.gather(*(repeat(index) for index in range(3)))

    for first, again in zip(firsts, repeats, strict=True):
        assert {(answer.status_code, answer.content) for answer in again} == {(first.status_code, first.content)}
        assert all(answer.headers["Idempotency-Replayed"] == "true" for answer in again)
    assert [answer.status_code for answer in firsts] == [201, 201, 409]
    assert await crowd.statuses(section) == {"ENROLLED": 1, "WAITLISTED": 1, "FAILED_CAPACITY": 1}


async def test_the_same_key_from_many_at_once_decides_once(crowd: Campus, registrar: httpx.AsyncClient) -> None:
    section, student = await crowd.section(), await crowd.student()

    answers = await asyncio.gather(*(ask(registrar, student, section, "one key") for _ in range(20)))

    created = [answer for answer in answers if answer.status_code == 201]
    busy = [answer for answer in answers if answer.status_code == 409]
    assert len(created) + len(busy) == 20
    assert len({answer.content for answer in created}) == 1
    assert {answer.json()["code"] for answer in busy} <= {"idempotency_in_progress"}
    assert await crowd.statuses(section) == {"ENROLLED": 1}
