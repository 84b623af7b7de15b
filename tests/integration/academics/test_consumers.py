"""What academics does with outbox events."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from dataforge.contexts.academics.catalog.commands import SetLessons, set_lessons
from dataforge.contexts.academics.catalog.domain import Requirement
from dataforge.contexts.academics.contract import RosterApplied
from dataforge.contexts.academics.maintenance import forget_old
from dataforge.contexts.academics.module import MODULE, AcademicsServices
from dataforge.contexts.academics.rosters.commands import ApplyRoster, PlanRoster, apply_roster, plan_roster
from dataforge.contexts.academics.students.consumers import record_xapi_completion
from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.kernel.clock import Clock, FixedClock
from dataforge.kernel.events import Event
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.platform.db.outbox import relay
from dataforge.platform.services import Platform
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.events import published
from tests.builders.rosters import simple_csv, source


class Services(AcademicsServices):
    """The parts of academics."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(Platform(None, clock=clock))
        self.platform.database = database


async def relayed(services: Services) -> dict[str, int]:
    hearers = {
        kind: [partial(_heard, services, hear) for hear in found] for kind, found in MODULE.subscribers().items()
    }
    return await relay(services.database, hearers, clock=services.clock)


async def _heard(services: Services, hear: Callable[..., Awaitable[None]], event: Event) -> None:
    await hear(event, services)


def completed(user: UUID, lesson: UUID) -> LessonCompleted:
    at = datetime.fromisoformat("2026-08-30T10:00:00+00:00")
    return LessonCompleted(user, lesson, None, uuid7(), Decimal("0.8"), at)


async def test_after_a_released_hold_the_relay_promotes(campus: Campus, database: Database, clock: FixedClock) -> None:
    section, held = await campus.section(capacity=0), await campus.student()
    await campus.enroll(held, section)
    hold = await campus.hold(held)
    await campus.resize(section, capacity=1)
    await campus.release(held, hold["id"])

    await relayed(Services(database, clock))

    assert await campus.statuses(section) == {"ENROLLED": 1}


async def test_a_statement_satisfies_a_prerequisite(
    campus: Campus, database: Database, clock: FixedClock, api: ApiUnderTest
) -> None:
    user, lesson = await api.add_user(Role.LEARNER), await campus.lesson()
    student = await campus.student(user_id=user)
    first, second = await campus.course(), await campus.course()
    await campus.requires(second, Requirement(1, first, "", min_score=Decimal(80)))
    await campus.run(set_lessons, SetLessons(first, [lesson]))
    section = await campus.section(course=second)

    await record_xapi_completion(completed(user, lesson), Services(database, clock))

    assert (await campus.enroll(student, section)).enrollment.status == "ENROLLED"


async def test_the_same_statement_counts_once(
    campus: Campus, database: Database, clock: FixedClock, api: ApiUnderTest
) -> None:
    user, lesson = await api.add_user(Role.LEARNER), await campus.lesson()
    await campus.student(user_id=user)
    await campus.run(set_lessons, SetLessons(await campus.course(), [lesson]))
    event = completed(user, lesson)

    await record_xapi_completion(event, Services(database, clock))
    await record_xapi_completion(event, Services(database, clock))

    [evidence] = await campus.rows("SELECT source, score, reference FROM academics.course_completions")
    assert evidence == {"source": "xapi", "score": Decimal(80), "reference": str(event.statement_id)}


async def test_a_statement_of_somebody_who_is_no_student_is_passed_over(
    campus: Campus, database: Database, clock: FixedClock
) -> None:
    await record_xapi_completion(completed(uuid7(), uuid7()), Services(database, clock))

    assert await campus.rows("SELECT 1 FROM academics.course_completions") == []


async def test_old_plans_are_forgotten_and_applied_plans_kept_without_rows(campus: Campus, clock: FixedClock) -> None:
    services = Services(campus.database, clock)
    await campus.section(course=await campus.course("CS1"), code="A")

    async def planned(number: str) -> dict[str, Any]:
        row = {"student_number": number, "first_name": "A", "last_name": "B", "course_code": "CS1", "section_code": "A"}
        file = source(simple_csv(row))
        made: dict[str, Any] = await campus.run(plan_roster, PlanRoster(await campus.semester(), "simple", file))
        file.close()
        return made

    applied = await planned("1")
    await campus.run(apply_roster, ApplyRoster(applied["id"], applied["plan_hash"]))
    await planned("2")
    await relayed(services)
    clock.advance(timedelta(days=31))
    young = await planned("3")

    first, second = await forget_old(services), await forget_old(services)

    [event] = await published(campus.database, RosterApplied)
    assert event.plan_id == applied["id"]
    assert event.changes > 0
    left = await campus.rows("SELECT id FROM academics.roster_plans ORDER BY created_at")
    rows = await campus.rows("SELECT DISTINCT plan_id FROM academics.roster_rows")
    assert first == {"roster_plans": 2, "roster_uploads": 0, "calendar_feeds": 0}
    assert second == {"roster_plans": 0, "roster_uploads": 0, "calendar_feeds": 0}
    assert [row["id"] for row in left] == [applied["id"], young["id"]]
    assert [row["plan_id"] for row in rows] == [young["id"]]
