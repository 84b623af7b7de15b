"""Who has completed what, and who has not."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from dataforge.contexts.lrs.statements.domain import parse_timestamp
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.statements import statement


class Class:
    """A cohort with its members and lessons, and an LMS that sends their statements."""

    def __init__(self, api: ApiUnderTest, records: StoreUnderTest, registrar: httpx.AsyncClient) -> None:
        self.api, self.records, self.client = api, records, registrar
        self.members: list[UUID] = []
        self.lessons: list[str] = []

    async def open(self, *, members: int, lessons: int) -> None:
        self.cohort = (await self.client.post("/api/cohorts", json={"name": "Blue"})).json()["id"]
        for number in range(lessons):
            body = {"lesson_url": url(number), "title": f"Lesson {number}", "cohort_id": self.cohort}
            self.lessons.append((await self.client.post("/api/lessons", json=body)).json()["id"])
        for number in range(members):
            user_id = await self.api.add_user(Role.LEARNER, email=email(number))
            await self.client.put(f"/api/cohorts/{self.cohort}/members/{user_id}")
            self.members.append(user_id)

    async def completes(self, member: int, lesson: int, **changes: Any) -> str:
        sent = statement(actor={"mbox": f"mailto:{email(member)}"}, object={"id": url(lesson)}, **changes)
        identifier: str = (await self.records.post(sent)).json()[0]
        await self.records.deliver()
        return identifier

    async def report(self, **params: Any) -> dict[str, Any]:
        await self.records.reported()
        answer = await self.client.get(f"/api/cohorts/{self.cohort}/completions", params=params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def missing(self, lesson: int, **params: Any) -> list[str]:
        await self.records.reported()
        answer = await self.client.get(f"/api/lessons/{self.lessons[lesson]}/incomplete", params=params)
        return [row["user_id"] for row in answer.json()["items"]]


def url(number: int) -> str:
    return f"https://lms.example.org/lesson/{number}"


def email(number: int) -> str:
    return f"member{number}@example.org"


@pytest.fixture
async def school(api: ApiUnderTest, emulator: EmulatedAws) -> Any:
    """Three members, two lessons."""
    async with StoreUnderTest(emulator, api.database) as records:
        school = Class(api, records, await api.as_role(Role.REGISTRAR))
        await school.open(members=3, lessons=2)
        yield school


async def test_a_completion_shows_with_its_statement_and_score(school: Class) -> None:
    sent = await school.completes(0, 1, result={"score": {"scaled": 0.9}}, timestamp="2026-05-04T10:00:00Z")

    (row,) = (await school.report())["items"]

    assert row["user_id"] == str(school.members[0])
    assert row["lesson_id"] == school.lessons[1]
    assert (row["statement_id"], row["score_scaled"], row["completed_at"]) == (sent, 0.9, "2026-05-04T10:00:00Z")


async def test_the_first_completion_counts(school: Class) -> None:
    await school.completes(0, 0, timestamp="2026-05-04T10:00:00Z")
    first = await school.completes(0, 0, timestamp="2026-05-03T10:00:00Z")

    rows = (await school.report())["items"]

    assert [row["statement_id"] for row in rows] == [first]


async def test_a_voided_completion_does_not_count(school: Class) -> None:
    sent = await school.completes(0, 0)
    void = {"id": "http://adlnet.gov/expapi/verbs/voided"}
    await school.records.post(statement(verb=void, object={"objectType": "StatementRef", "id": sent}))
    await school.records.deliver()

    assert (await school.report())["items"] == []
    assert str(school.members[0]) in await school.missing(0)


async def test_an_answered_question_is_no_completion(school: Class) -> None:
    await school.completes(0, 0, verb={"id": "http://adlnet.gov/expapi/verbs/answered"}, result={"completion": True})

    assert (await school.report())["items"] == []


async def test_who_has_not_completed_a_lesson_is_missing(school: Class) -> None:
    await school.completes(1, 0)

    assert await school.missing(0) == [str(school.members[0]), str(school.members[2])]
    assert len(await school.missing(1)) == 3


async def test_a_lesson_without_a_cohort_is_expected_of_every_active_cohort(school: Class) -> None:
    body = {"lesson_url": url(9), "title": "For all"}
    school.lessons.append((await school.client.post("/api/lessons", json=body)).json()["id"])
    await school.completes(0, 9)

    assert await school.missing(2) == [str(school.members[1]), str(school.members[2])]
    assert [row["lesson_id"] for row in (await school.report())["items"]] == [school.lessons[2]]


async def test_reports_page_with_cursors(school: Class) -> None:
    for member in range(3):
        for lesson in range(2):
            await school.completes(member, lesson)

    first = await school.report(limit=4)
    await school.completes(0, 0, timestamp="2020-01-01T10:00:00Z")
    await school.records.reported()
    second = (await school.client.get(first["next"])).json()

    pairs = [(row["user_id"], row["lesson_id"]) for row in first["items"] + second["items"]]
    assert len(set(pairs)) == 6
    assert pairs == sorted(pairs)
    assert second["watermark"] == first["watermark"], "all pages are of one answer"
    assert second["next_cursor"] is None


async def test_a_report_is_as_of_the_watermark_that_it_names(school: Class) -> None:
    sent = await school.completes(0, 0)
    watermark = await school.records.reported()
    await school.records.post(statement(actor={"mbox": f"mailto:{email(1)}"}, object={"id": url(0)}))

    answer = await school.client.get(f"/api/cohorts/{school.cohort}/completions")

    found = parse_timestamp(answer.json()["watermark"])
    ((waiting,),) = await school.records.rows("SELECT stored_at FROM records.intake")
    assert found is not None
    assert watermark <= found < waiting, "it is not beyond what waits to be loaded"
    assert [row["statement_id"] for row in answer.json()["items"]] == [sent]


async def test_a_report_as_of_a_watermark_can_be_repeated(school: Class) -> None:
    first = await school.completes(0, 0)
    then = await school.report()
    await school.completes(1, 0)

    again = await school.report(as_of=then["watermark"])

    assert again == then
    assert [row["statement_id"] for row in then["items"]] == [first]
    assert len((await school.report())["items"]) == 2
    assert len(await school.missing(0, as_of=then["watermark"])) == 2


async def test_statements_that_came_before_the_lesson_count(school: Class) -> None:
    await school.completes(0, 7)
    body = {"lesson_url": url(7), "title": "Late", "cohort_id": school.cohort}

    await school.client.post("/api/lessons", json=body)

    assert len((await school.report())["items"]) == 1


async def test_another_url_brings_other_statements(school: Class) -> None:
    await school.completes(0, 0)
    await school.completes(1, 7)

    await school.client.patch(
        f"/api/lessons/{school.lessons[0]}", json={"lesson_url": url(7)}, headers={"If-Match": "*"}
    )

    assert [row["user_id"] for row in (await school.report())["items"]] == [str(school.members[1])]


async def test_deleting_a_lesson_keeps_its_statements(school: Class) -> None:
    await school.completes(0, 0)

    answer = await school.client.delete(f"/api/lessons/{school.lessons[0]}", headers={"If-Match": "*"})

    assert answer.status_code == 204
    assert await school.records.count("statements_flat") == 1


async def test_importing_a_learner_brings_their_earlier_statements(school: Class) -> None:
    await school.completes(50, 0)
    csv = f"Email,Group,Team\n{email(50)},Blue,\n".encode()
    headers = {"Content-Type": "text/csv"}
    plan = (await school.client.post("/api/cohorts/import", content=csv, headers=headers)).json()

    await school.client.post(
        "/api/cohorts/import",
        content=csv,
        headers=headers,
        params={"dry_run": "false", "plan_hash": plan["plan_hash"]},
    )

    events = await school.records.rows("SELECT 1 FROM platform.outbox WHERE name = 'records.lesson_completed'")
    assert len(events) == 1


async def test_reports_of_what_is_not_there_are_not_found(school: Class) -> None:
    answers = [
        await school.client.get(f"/api/cohorts/{uuid4()}/completions"),
        await school.client.get(f"/api/lessons/{uuid4()}/incomplete"),
        await school.client.get(f"/api/cohorts/{uuid4()}/members"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_a_forged_cursor_is_refused(school: Class) -> None:
    answer = await school.client.get(f"/api/cohorts/{school.cohort}/completions", params={"cursor": "forged"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("role", [Role.LEARNER, Role.VIEWER])
async def test_learners_do_not_see_reports(api: ApiUnderTest, school: Class, role: Role) -> None:
    client = await api.as_role(role)

    assert (await client.get(f"/api/cohorts/{school.cohort}/completions")).status_code == 404
