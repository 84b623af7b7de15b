"""By which activity ids statements mean a lesson: their normal form, aliases, and questions that are part of it."""

from typing import Any

from dataforge.contexts.learning.lessons.consumers import keep_addresses
from dataforge.contexts.learning.module import LearningServices
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.datasets import ok
from tests.builders.statements import statement
from tests.integration.learning.test_reports import Class, email, school, url

__all__ = ["school"]  # a fixture

ANY = {"If-Match": "*"}


async def aliases(school: Class, lesson: int, *urls: str, status: int = 200) -> dict[str, Any]:
    path = f"/api/lessons/{school.lessons[lesson]}/aliases"
    answer = await school.client.put(path, json={"aliases": list(urls)}, headers=ANY)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def says(school: Class, **changes: Any) -> None:
    """The first member, in other words."""
    await school.records.post(statement(actor={"mbox": f"mailto:{email(0)}"}, **changes))
    await school.records.deliver()


async def learners(school: Class, lesson: int) -> list[str]:
    rows = (await school.report())["items"]
    return sorted(row["user_id"] for row in rows if row["lesson_id"] == school.lessons[lesson])


async def test_a_lesson_is_meant_however_its_address_is_written(school: Class) -> None:
    await says(school, object={"id": "HTTPS://LMS.example.org:443/a/../lesson/0/"})

    assert await learners(school, 0) == [str(school.members[0])]


async def test_two_lessons_cannot_have_the_same_normal_form(school: Class) -> None:
    body = {"lesson_url": f"{url(0)}/", "title": "Again"}

    answer = await school.client.post("/api/lessons", json=body)

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_lesson_url")


async def test_an_address_that_is_too_long_when_it_is_escaped_is_refused(school: Class) -> None:
    body = {"lesson_url": "https://lms.example.org/" + "é" * 200, "title": "Long"}

    assert (await school.client.post("/api/lessons", json=body)).status_code == 400


async def test_an_alias_brings_earlier_and_later_statements_and_takes_them_away_again(school: Class) -> None:
    await school.completes(0, 7)
    before = await school.report()

    found = await aliases(school, 0, f"{url(7)}/", url(0))
    await school.completes(1, 7)

    assert found["aliases"] == [url(7)], "in normal form, and without the lesson's own"
    assert await learners(school, 0) == sorted(map(str, school.members[:2]))
    between = await school.report()

    assert (await aliases(school, 0))["aliases"] == []
    assert await learners(school, 0) == []
    assert await school.report(as_of=between["watermark"]) == between
    assert await school.report(as_of=before["watermark"]) == before


async def test_aliases_are_read_with_the_revision_that_changing_them_needs(school: Class) -> None:
    path = f"/api/lessons/{school.lessons[0]}/aliases"
    read = await school.client.get(path)
    headers = {"If-Match": read.headers["ETag"]}

    changed = ok(await school.client.put(path, json={"aliases": [url(7)]}, headers=headers))

    assert changed == {"lesson_id": school.lessons[0], "lesson_url": url(0), "aliases": [url(7)]}
    assert ok(await school.client.get(path)) == changed
    assert (await school.client.put(path, json={"aliases": []}, headers=headers)).status_code == 412
    assert (await school.client.put(path, json={"aliases": []})).status_code == 428
    audit = await school.records.rows(
        "SELECT before, after FROM platform.audit_log WHERE entity = 'lesson' AND action = 'changed'"
    )
    assert [(row.before, row.after) for row in audit] == [({"aliases": []}, {"aliases": [url(7)]})]


async def test_an_alias_means_one_lesson_only(school: Class) -> None:
    await aliases(school, 0, url(7))

    taken = [await aliases(school, 1, address, status=409) for address in (url(7), url(0))]

    assert [answer["code"] for answer in taken] == ["duplicate_lesson_url"] * 2


async def test_an_alias_that_becomes_the_address_keeps_its_statements(school: Class) -> None:
    await aliases(school, 0, url(7))
    await school.completes(0, 7)
    await school.completes(1, 0)

    ok(await school.client.patch(f"/api/lessons/{school.lessons[0]}", json={"lesson_url": url(7)}, headers=ANY))

    assert await learners(school, 0) == [str(school.members[0])]
    assert ok(await school.client.get(f"/api/lessons/{school.lessons[0]}/aliases"))["aliases"] == []


async def test_learners_neither_see_nor_change_aliases(school: Class, api: ApiUnderTest) -> None:
    learner, path = await api.as_role(Role.LEARNER), f"/api/lessons/{school.lessons[0]}/aliases"

    assert (await learner.get(path)).status_code == 404
    assert (await learner.put(path, json={"aliases": []}, headers=ANY)).status_code == 404


async def test_an_answer_belongs_to_the_lesson_that_its_question_is_part_of(school: Class) -> None:
    question = {"id": f"{url(0)}/q1", "definition": {"interactionType": "choice", "name": {"en": "What first?"}}}
    verb, context = {"id": "http://adlnet.gov/expapi/verbs/answered"}, {"parent": [{"id": url(0)}]}
    result = {"response": "leave", "success": True, "completion": True, "score": {"scaled": 0.5}}

    await says(school, verb=verb, object=question, context={"contextActivities": context}, result=result)

    watermark = await school.records.reported()
    ((*answer, _),) = await school.records.rows(
        "SELECT a.user_id, a.question_id, a.question_name, a.response, a.success, a.score_scaled, a.occurred_at "
        "FROM learning.answers_as_of(:at, :lesson) a",
        at=watermark,
        lesson=school.lessons[0],
    )
    assert answer[:5] == [school.members[0], f"{url(0)}/q1", "What first?", "leave", True]
    ((statements, completed_at),) = await school.records.rows(
        "SELECT statements, completed_at FROM learning.progress_as_of(:at, NULL, NULL)", at=watermark
    )
    assert (statements, completed_at) == (1, None), "it counts, and completes nothing"


async def test_addresses_of_a_release_before_are_brought_into_their_normal_form(school: Class) -> None:
    await school.records.change("DELETE FROM records.lesson_addresses")
    await school.records.change("UPDATE records.lessons SET lesson_url = 'https://LMS.example.org/lesson/0/' "
                                "WHERE lesson_url = 'https://lms.example.org/lesson/0'")  # fmt: skip
    services = school.api.platform_of("maintenance").get(LearningServices)

    counts = await keep_addresses(services)
    await school.completes(0, 0)

    assert (counts, await keep_addresses(services)) == ({"normalised": 2}, {"normalised": 0})
    assert await learners(school, 0) == [str(school.members[0])]


async def test_a_member_who_leaves_and_comes_back_is_in_the_answers_of_the_times_between(school: Class) -> None:
    await school.completes(0, 0)
    path = f"/api/cohorts/{school.cohort}/members/{school.members[0]}"
    asked = [await school.report()]

    for change in (school.client.delete, school.client.put, school.client.delete):
        assert (await change(path)).status_code == 204
        asked.append(await school.report())

    assert [len(answer["items"]) for answer in asked] == [1, 0, 1, 0]
    assert [await school.report(as_of=answer["watermark"]) for answer in asked] == asked


async def test_a_person_who_is_imported_later_changes_no_earlier_answer(school: Class) -> None:
    await school.completes(50, 0)
    before = await school.report()

    user_id = await school.api.add_user(Role.LEARNER, email=email(50))
    await school.client.put(f"/api/cohorts/{school.cohort}/members/{user_id}")
    await school.records.back.incremental_etl.run()

    assert await learners(school, 0) == [str(user_id)]
    assert await school.report(as_of=before["watermark"]) == before
