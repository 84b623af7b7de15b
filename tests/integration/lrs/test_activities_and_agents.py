"""Activities with merged definitions, agents as persons: items 36 and 44 of the xAPI checklist."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
import pytest

from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement
from tests.integration.lrs.test_database_away import without_database

ACTIVITY = "https://example.org/meetings/7"
V2 = {"X-Experience-API-Version": "2.0.0"}
ENGLISH = {"name": {"en-US": "Meeting"}, "type": "http://adlnet.gov/expapi/activities/meeting"}
FRENCH = {"name": {"fr-FR": "Réunion"}, "description": {"fr-FR": "Chaque lundi"}}


def about(definition: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
    target: dict[str, Any] = {"objectType": "Activity", "id": ACTIVITY}
    return statement(object=target if definition is None else {**target, "definition": definition}, **changes)


async def activity(records: StoreUnderTest, activity_id: str = ACTIVITY, **more: Any) -> Any:
    answer = await records.lms.get("/xapi/activities", params={"activityId": activity_id}, headers=VERSION, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
async def reader(records: StoreUnderTest) -> tuple[str, str]:
    """A credential that may read everything."""
    return await records.credential(scopes=("all",))


async def test_36_definitions_of_all_statements_are_merged_at_once(records: StoreUnderTest) -> None:
    await records.post(about(ENGLISH))
    await records.post(about(FRENCH), headers=V2)

    merged = await activity(records)

    assert merged == {
        "objectType": "Activity",
        "id": ACTIVITY,
        "definition": {
            "name": {"en-US": "Meeting", "fr-FR": "Réunion"},
            "description": {"fr-FR": "Chaque lundi"},
            "type": "http://adlnet.gov/expapi/activities/meeting",
        },
    }


async def test_36_later_statements_overwrite_and_numbers_are_kept(records: StoreUnderTest) -> None:
    first = {"name": {"en": "Old"}, "extensions": {"https://example.org/a": 1, "https://example.org/b": 2}}
    await records.post(about(first))
    body = orjson.dumps(about({"name": {"en": "New"}, "extensions": {"https://example.org/b": 7}}))
    await records.post(body.replace(b":7", b":0.10000000000000000001"))

    answer = await records.lms.get("/xapi/activities", params={"activityId": ACTIVITY}, headers=VERSION)

    assert answer.json()["definition"]["name"] == {"en": "New"}
    assert b'"https://example.org/b":0.10000000000000000001' in answer.content
    assert b'"https://example.org/a":1' in answer.content


async def test_36_related_activities_and_those_of_substatements_count(records: StoreUnderTest) -> None:
    inner = {
        "objectType": "SubStatement",
        "actor": {"mbox": "mailto:a@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
        "object": {"id": ACTIVITY, "definition": ENGLISH},
    }
    course = "https://example.org/courses/42"
    related = {"parent": {"id": course, "definition": FRENCH}, "category": [{"id": ACTIVITY, "definition": FRENCH}]}
    await records.post(statement(object=inner, context={"contextActivities": related}))

    assert (await activity(records))["definition"]["name"] == {"en-US": "Meeting", "fr-FR": "Réunion"}
    assert (await activity(records, course))["definition"] == FRENCH


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_36_an_unknown_activity_has_its_id_and_a_wrong_id_is_refused(
    records: StoreUnderTest, version: str
) -> None:
    headers = {"X-Experience-API-Version": version}
    unknown = await records.lms.get("/xapi/activities", params={"activityId": ACTIVITY}, headers=headers)
    refused = [
        (await records.lms.get("/xapi/activities", params=params, headers=headers)).status_code
        for params in ({}, {"activityId": "no iri"}, {"activityid": ACTIVITY})
    ]

    assert (unknown.status_code, unknown.json()) == (200, {"objectType": "Activity", "id": ACTIVITY})
    assert refused == [400, 400, 400]


async def test_a_credential_without_define_changes_no_definition(
    records: StoreUnderTest, reader: tuple[str, str]
) -> None:
    auth = await records.credential(scopes=("statements/write",))

    await records.lms.post("/xapi/statements", json=about(ENGLISH), headers=VERSION, auth=auth)

    assert "definition" not in await activity(records, auth=reader)
    refused = await records.lms.get("/xapi/activities", params={"activityId": ACTIVITY}, headers=VERSION, auth=auth)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


async def test_a_refused_request_defines_nothing(records: StoreUnderTest) -> None:
    taken = str(uuid4())
    await records.post(statement(id=taken))

    conflict = await records.post(about(ENGLISH, id=taken))

    assert conflict.status_code == 409
    assert "definition" not in await activity(records)


async def test_definitions_that_came_while_the_database_was_away_are_merged_when_loaded(
    records: StoreUnderTest,
) -> None:
    without_database(records)
    await records.post(about(ENGLISH))
    await records.deliver()

    assert (await activity(records))["definition"] == ENGLISH


async def test_many_writers_of_the_same_activities_lose_nothing(records: StoreUnderTest) -> None:
    def batch(writer: int) -> list[dict[str, Any]]:
        ids = [f"https://example.org/a/{(writer * 7 + number) % 10}" for number in range(10)]
        names = {f"x-w{writer}": f"Writer {writer}"}
        return [statement(object={"id": name, "definition": {"name": names}}) for name in ids]

    answers = await asyncio.gather(*(records.post(batch(writer)) for writer in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    found = await activity(records, "https://example.org/a/3")
    assert set(found["definition"]["name"]) == {f"x-w{writer}" for writer in range(8)}


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_44_an_agent_is_a_person_whose_properties_are_arrays(records: StoreUnderTest, version: str) -> None:
    headers = {"X-Experience-API-Version": version}
    account = {"homePage": "https://lms.example.org", "name": "17"}
    people = []
    for agent in (
        {"name": "Ana", "mbox": "mailto:ana@example.org"},
        {"objectType": "Agent", "account": account},
        {"openid": "https://ana.example.org/"},
        {"mbox_sha1sum": "a9993e364706816aba3e25717850c26c9cd0d89d"},
    ):
        params = {"agent": orjson.dumps(agent).decode()}
        people.append((await records.lms.get("/xapi/agents", params=params, headers=headers)).json())

    assert people == [
        {"objectType": "Person", "name": ["Ana"], "mbox": ["mailto:ana@example.org"]},
        {"objectType": "Person", "account": [account]},
        {"objectType": "Person", "openid": ["https://ana.example.org/"]},
        {"objectType": "Person", "mbox_sha1sum": ["a9993e364706816aba3e25717850c26c9cd0d89d"]},
    ]


@pytest.mark.parametrize(
    "agent", [None, "", "ana", '{"name":"Ana"}', '{"mbox":"mailto:a@b.org","openid":"https://a.b"}']
)
async def test_44_what_is_no_agent_is_refused(records: StoreUnderTest, agent: str | None) -> None:
    params = {} if agent is None else {"agent": agent}

    answer = await records.lms.get("/xapi/agents", params=params, headers=VERSION)

    assert (answer.status_code, answer.json()["code"]) == (400, "xapi_parameter")
