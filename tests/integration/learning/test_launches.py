"""Lessons are launched in course players, and what these send decides when they are satisfied (cmi5)."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.sessions.commands import TakeStatements, take_statements
from dataforge.contexts.lrs.sessions.consumers import maintain_sessions
from dataforge.contexts.lrs.statements.domain import actor_key
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.clock import FixedClock, SystemClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import run
from tests.builders.api import ApiUnderTest
from tests.builders.browser import add_person, person, send
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.players import CMI5, MOVE_ON, VERBS, Player
from tests.builders.statements import statement

LESSON = {
    "lesson_url": "https://lms.example.org/lesson/fire",
    "title": "Fire safety",
    "content_url": "https://content.example.org/fire/index.html?language=en",
    "publisher_id": "https://publisher.example.org/units/fire",
    "move_on": "CompletedAndPassed",
    "mastery_score": 0.8,
    "launch_parameters": "theme=dark",
}
OTHER = '{"mbox":"mailto:ben@example.org"}'
SATISFIED = "https://w3id.org/xapi/adl/verbs/satisfied"
ABANDONED = "https://w3id.org/xapi/adl/verbs/abandoned"


@dataclass
class School:
    """The API, the record store behind it, and who uses them."""

    api: ApiUnderTest
    store: StoreUnderTest
    registrar: httpx.AsyncClient
    learner: httpx.AsyncClient

    async def lesson(self, **changes: Any) -> dict[str, Any]:
        answer = await self.registrar.post("/api/lessons", json={**LESSON, **changes})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def launch(self, lesson: dict[str, Any], **how: Any) -> dict[str, Any]:
        answer = await self.learner.post(f"/api/lessons/{lesson['id']}/launches", json=how)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def fetch(self, launch: dict[str, Any]) -> dict[str, Any]:
        anybody = await self.api.client(None)
        answer = await anybody.post(launch["fetch"], headers={"Origin": "https://content.example.org"})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*"), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def started(self, lesson: dict[str, Any], **how: Any) -> "Started":
        """A launched lesson whose player has its credential and its launch data."""
        launch = await self.launch(lesson, **how)
        token = (await self.fetch(launch))["auth-token"]
        headers = {**VERSION, "Authorization": f"Basic {token}"}
        transport = self.store.lms._transport
        client = httpx.AsyncClient(transport=transport, base_url="http://xapi.test/xapi", headers=headers)
        where = {"activityId": launch["activity_id"], "agent": actor_text(launch)}
        data = await client.get(
            "/activities/state",
            params={**where, "stateId": "LMS.LaunchData", "registration": launch["registration"]},
        )
        assert data.status_code == 200, data.text
        return Started(self, launch, client, Player(launch, data.json()), data.json())


@dataclass
class Started:
    """A player and its connection to the store."""

    school: School
    launch: dict[str, Any]
    client: httpx.AsyncClient
    player: Player
    data: dict[str, Any]

    async def send(self, *statements: dict[str, Any]) -> httpx.Response:
        body: Any = statements[0] if len(statements) == 1 else list(statements)
        answer = await self.client.post("/statements", json=body)
        await self.school.store.deliver()
        return answer

    async def says(self, verb: str, **changes: Any) -> httpx.Response:
        return await self.send(self.player.says(verb, **changes))

    async def listed(self, **asked: str) -> list[dict[str, Any]]:
        answer = await self.client.get("/statements", params={"ascending": "true", **asked})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["statements"])

    async def verbs(self) -> list[str]:
        return [item["verb"]["id"].rpartition("/")[2] for item in await self.listed()]


def actor_text(launch: dict[str, Any]) -> str:
    return parse_qs(urlsplit(launch["launch_url"]).query)["actor"][0]


@pytest.fixture
async def school(emulator: EmulatedAws, database: Database) -> AsyncIterator[School]:
    async with StoreUnderTest(emulator, database) as store:
        places = {"data_bucket": store.bucket, "statements_queue_url": store.queue_url}
        async with ApiUnderTest(database, SystemClock(), **places) as api:
            yield School(api, store, await api.as_role(Role.REGISTRAR), await api.as_role(Role.LEARNER))


async def test_a_whole_session_satisfies_the_lesson(school: School) -> None:
    lesson = await school.lesson()
    session = await school.started(lesson)

    answers = [
        await session.says("initialized"),
        await session.send(session.player.also_says("progressed")),
        await session.says("completed"),
        await session.says("passed", score=0.9),
        await session.says("terminated"),
    ]

    assert [answer.status_code for answer in answers] == [200] * 5, [answer.text for answer in answers]
    await school.store.deliver()
    verbs = await session.verbs()
    assert verbs[:5] == ["launched", "initialized", "progressed", "completed", "passed"]
    assert sorted(verbs[5:]) == ["satisfied", "terminated"]
    [satisfied] = await session.listed(verb=SATISFIED)
    assert satisfied["object"]["id"] == lesson["lesson_url"]
    assert satisfied["object"]["definition"]["type"] == "https://w3id.org/xapi/cmi5/activitytype/course"
    assert satisfied["context"]["registration"] == session.launch["registration"]
    [launched] = await session.listed(verb=f"{VERBS}launched")
    extensions = {name.rpartition("/")[2]: value for name, value in launched["context"]["extensions"].items()}
    assert extensions["moveon"] == "CompletedAndPassed"
    assert extensions["launchurl"] == LESSON["content_url"]
    assert (extensions["masteryscore"], extensions["launchparameters"]) == (0.8, "theme=dark")
    [row] = (await school.registrar.get(f"/api/lessons/{lesson['id']}/launches")).json()["items"]
    assert row["satisfied_at"] is not None
    assert (row["initialized"], row["completed"], row["passed"], row["failed"]) == (True, True, True, False)
    assert (row["terminated"], row["abandoned"], row["launch_mode"]) == (True, False, "Normal")


async def test_only_what_meets_move_on_completes_the_lesson_in_reports(school: School) -> None:
    lesson = await school.lesson()
    session = await school.started(lesson)
    await session.says("initialized")
    completed = session.player.says("completed")
    await session.send(completed)

    flat = await school.store.flat(completed["id"])
    assert (str(flat.lesson_id), flat.completes) == (lesson["id"], False)
    await session.says("passed", score=1)
    await school.store.deliver()
    [satisfied] = await session.listed(verb=SATISFIED)
    flat = await school.store.flat(satisfied["id"])
    assert (str(flat.lesson_id), flat.completes, flat.user_id is None) == (lesson["id"], True, False)


async def test_a_learner_is_known_whatever_the_pseudonym_looks_like(school: School) -> None:
    user_id = await school.api.add_user(Role.LEARNER, avatar="17")
    school.learner = await school.api.as_user(user_id, Role.LEARNER)
    session = await school.started(await school.lesson(move_on="Completed"))
    await session.says("initialized")
    completed = session.player.says("completed")
    await session.send(completed)

    flat = await school.store.flat(completed["id"])
    assert (flat.user_id, flat.completes) == (user_id, True)


async def test_the_launch_address_has_what_a_player_needs(school: School) -> None:
    launch = await school.launch(await school.lesson(), return_url="https://lms.example.org/back")

    address = urlsplit(launch["launch_url"])
    given = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://content.example.org/fire/index.html"
    assert given["language"] == "en"
    assert given["endpoint"] == launch["endpoint"] == "http://api.test/xapi/"
    assert given["fetch"] == launch["fetch"]
    assert (given["registration"], given["activityId"]) == (launch["registration"], LESSON["lesson_url"])
    assert launch["actor"]["account"]["name"] in given["actor"]
    assert UUID(given["registration"]).version == 5


async def test_the_launch_data_is_what_the_lesson_says(school: School) -> None:
    session = await school.started(await school.lesson(), return_url="https://lms.example.org/back")

    template = session.data["contextTemplate"]
    assert template["contextActivities"]["grouping"] == [{"id": LESSON["publisher_id"]}]
    assert template["extensions"]["https://w3id.org/xapi/cmi5/context/extensions/sessionid"] == session.launch["id"]
    others = {name: value for name, value in session.data.items() if name != "contextTemplate"}
    assert others == {
        "launchMode": "Normal",
        "moveOn": "CompletedAndPassed",
        "masteryScore": 0.8,
        "launchParameters": "theme=dark",
        "returnURL": "https://lms.example.org/back",
    }


async def test_the_credential_is_given_once(school: School) -> None:
    launch = await school.launch(await school.lesson())

    first, second = await school.fetch(launch), await school.fetch(launch)
    unknown = await school.fetch({"fetch": "/api/launches/fetch?token=none"})

    assert base64.b64decode(first["auth-token"]).decode().startswith("cmi5_")
    assert (second["error-code"], "auth-token" in second) == ("1", False)
    assert unknown["error-code"] == "2"


async def test_a_registration_is_kept_over_launches_and_the_session_left_open_is_abandoned(school: School) -> None:
    lesson = await school.lesson()
    first = await school.started(lesson)
    await first.says("initialized")
    await first.says("completed")

    second = await school.started(lesson)
    await second.says("initialized")
    again = await second.says("completed")
    done = await second.says("passed", score=0.8)
    await _job(school)

    assert first.launch["registration"] == second.launch["registration"]
    assert (again.status_code, again.json()["code"]) == (400, "cmi5_rule")
    assert done.status_code == 200, done.text
    [abandoned] = await second.listed(verb=ABANDONED)
    assert abandoned["result"]["duration"].startswith("PT")
    assert len(await second.listed(verb=SATISFIED)) == 1
    mine = (await school.learner.get("/api/launches")).json()["items"]
    assert [(item["id"], item["abandoned"]) for item in mine] == [
        (second.launch["id"], False),
        (first.launch["id"], True),
    ]


async def test_a_token_is_for_its_own_session_only(school: School) -> None:
    lesson, other = await school.lesson(), await school.lesson(lesson_url="https://lms.example.org/lesson/other")
    session, neighbour = await school.started(lesson), await school.started(other)
    await neighbour.says("initialized")
    player = session.player
    wrong = [
        player.says("initialized", actor={"mbox": "mailto:ben@example.org"}),
        neighbour.player.says("initialized"),
        statement(id=str(uuid4()), timestamp="2026-01-01T00:00:00Z"),
    ]

    refused = [await session.send(item) for item in wrong]
    where = {"activityId": LESSON["lesson_url"], "agent": actor_text(session.launch), "stateId": "bookmark"}
    own = {**where, "registration": session.launch["registration"]}
    states = [
        await session.client.put("/activities/state", params=own, content=b"1"),
        await session.client.get("/activities/state", params=where),
        await session.client.put("/activities/state", params={**own, "activityId": other["lesson_url"]}, content=b"1"),
        await session.client.put(
            "/activities/state", params={**own, "agent": '{"mbox":"mailto:a@b.org"}'}, content=b"1"
        ),
        await session.client.put("/activities/state", params={**own, "stateId": "LMS.LaunchData"}, content=b"1"),
        await session.client.delete("/activities/state", params={k: v for k, v in own.items() if k != "stateId"}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "outside_session")] * 3
    assert [answer.status_code for answer in states] == [204, 403, 403, 403, 403, 403]
    assert {item["context"]["registration"] for item in await session.listed()} == {session.launch["registration"]}
    foreign = (await neighbour.listed())[0]["id"]
    assert (await session.client.get("/statements", params={"statementId": foreign})).status_code == 404
    own_first = (await session.listed())[0]["id"]
    assert (await session.client.get("/statements", params={"statementId": own_first})).status_code == 200


async def test_a_player_uploads_less_than_a_sender_that_is_known(school: School) -> None:
    session = await school.started(await school.lesson())
    described = {"sha2": "0" * 64, "length": 100 * 1024**2}

    allowed = await session.client.post("/attachments", json=described)
    refused = await session.client.post("/attachments", json={**described, "length": described["length"] + 1})

    assert (allowed.status_code, refused.status_code) == (201, 400)
    assert refused.json()["errors"][0]["pointer"] == "/length"


async def test_the_learners_preferences_are_there_and_stay_as_they_were_changed(school: School) -> None:
    lesson = await school.lesson()
    session = await school.started(lesson)
    where = {"agent": actor_text(session.launch), "profileId": "cmi5LearnerPreferences"}

    first = await session.client.get("/agents/profile", params=where)
    changed = await session.client.put(
        "/agents/profile", params=where, json={"audioPreference": "off"}, headers={"If-Match": first.headers["ETag"]}
    )
    again = await (await school.started(lesson)).client.get("/agents/profile", params=where)

    assert first.json() == {"languagePreference": "en", "audioPreference": "on"}
    assert (changed.status_code, again.json()) == (204, {"audioPreference": "off"})


async def test_a_player_that_repeats_what_it_sent_is_answered_the_same(school: School) -> None:
    session = await school.started(await school.lesson())
    sent = [session.player.says("initialized"), session.player.says("completed"), session.player.says("terminated")]

    answers = [await session.send(item) for item in (*sent, *sent)]

    assert [answer.status_code for answer in answers] == [200] * 6
    assert await session.verbs() == ["launched", "initialized", "completed", "terminated"]


async def test_what_the_store_cannot_take_leaves_the_session_as_it_was(school: School) -> None:
    session = await school.started(await school.lesson(move_on="Passed"))
    first = session.player.says("initialized")
    await session.send(first)
    queue, school.store.front.statements_queue._url = (
        school.store.front.statements_queue._url,
        "http://127.0.0.1:9/none",
    )

    refused = await session.says("passed", score=1)
    school.store.front.statements_queue._url = queue
    taken = await session.says("passed", score=1)
    await school.store.deliver()

    assert (refused.status_code, taken.status_code) == (503, 200)
    assert await session.verbs() == ["launched", "initialized", "passed", "satisfied"]


async def test_what_the_launching_system_cannot_send_at_once_is_sent_by_the_job(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await school.started(await school.lesson(move_on="Completed"))
    await session.says("initialized")
    queue, taken = school.store.front.statements_queue, list[str]()
    send = queue.send

    async def once(body: str) -> None:
        if taken:
            message = "the queue is away from the second message on"
            raise OSError(message)
        taken.append(body)
        await send(body)

    monkeypatch.setattr(queue, "send", once)
    answer = await session.says("completed")
    monkeypatch.setattr(queue, "send", send)
    before = await session.verbs()
    await _job(school)

    assert answer.status_code == 200
    assert before == ["launched", "initialized", "completed"]
    assert await session.verbs() == [*before, "satisfied"]


async def test_nothing_is_judged_in_a_launch_to_look_around(school: School) -> None:
    session = await school.started(await school.lesson(move_on="Completed"), launch_mode="Browse")
    await session.says("initialized")

    answer = await session.says("completed")

    assert (answer.status_code, answer.json()["code"]) == (400, "cmi5_rule")
    assert (await session.says("terminated")).status_code == 200
    assert "satisfied" not in await session.verbs()


async def test_a_lesson_that_asks_for_nothing_is_satisfied_by_its_launch(school: School) -> None:
    lesson = await school.lesson(move_on="NotApplicable")
    first = await school.started(lesson)
    await school.started(lesson)
    await _job(school)

    assert await first.verbs() == ["launched", "launched", "satisfied"]


async def test_an_expired_session_is_abandoned_and_its_token_is_no_longer_taken(school: School) -> None:
    session = await school.started(await school.lesson())
    await session.says("initialized")
    await school.store.change("UPDATE lrs.sessions SET expires_at = now() - interval '1 second'")

    await _job(school)
    await _job(school, minutes=4)

    assert (await session.verbs())[-1] == "abandoned"
    again = await school.launch({"id": (await school.learner.get("/api/launches")).json()["items"][0]["lesson_id"]})
    await school.store.change("UPDATE records.launches SET expires_at = now() - interval '1 second'")
    assert (await school.fetch(again))["error-code"] == "1"


async def test_a_launch_is_ended_by_its_learner_or_by_staff(school: School) -> None:
    lesson = await school.lesson()
    session, unfetched = await school.started(lesson), await school.launch(lesson)
    begun = await school.started(await school.lesson(lesson_url="https://lms.example.org/lesson/other"))
    await begun.says("initialized")
    stranger = await school.api.as_role(Role.LEARNER)

    refused = await stranger.post(f"/api/launches/{session.launch['id']}/end")
    ended = [
        await school.learner.post(f"/api/launches/{session.launch['id']}/end"),
        await school.registrar.post(f"/api/launches/{unfetched['id']}/end"),
        await school.registrar.post(f"/api/launches/{begun.launch['id']}/end"),
    ]
    await school.store.change("UPDATE lrs.sessions SET ended_at = ended_at - interval '5 minutes'")

    assert refused.status_code == 404
    assert [answer.status_code for answer in ended] == [200] * 3
    assert [answer.json()["abandoned"] for answer in ended] == [False, False, True]
    assert (await school.fetch(unfetched))["error-code"] == "1"
    late = [await session.says("initialized"), await begun.says("completed")]
    assert [(answer.status_code, answer.json()["code"]) for answer in late] == [(403, "player_session_ended")] * 2
    rows = (await school.learner.get("/api/launches")).json()["items"]
    assert {row["id"] for row in rows if row["abandoned"]} == {begun.launch["id"]}


async def test_what_was_decided_on_statements_that_never_came_waits_for_them(school: School) -> None:
    """Whoever took them was killed before the store had accepted them."""
    session = await school.started(await school.lesson(move_on="Completed"))
    await session.says("initialized")
    completed = session.player.says("completed")
    services = school.store.front
    command = TakeStatements(UUID(session.launch["id"]), [completed])
    await run(services.unit_of_work(LrsUnitOfWork), take_statements, command)

    await _job(school)
    before = await session.verbs()
    again = await session.send(completed)
    await _job(school)

    assert before == ["launched", "initialized"]
    assert again.status_code == 200
    assert await session.verbs() == ["launched", "initialized", "completed", "satisfied"]


async def test_sessions_go_with_the_documents_of_a_person_who_is_erased(school: School) -> None:
    session = await school.started(await school.lesson())
    await session.says("initialized")
    worker = school.api.platform_of("worker").get(LrsServices)

    async with worker.unit_of_work(LrsUnitOfWork) as uow:
        documents = await uow.erasures.delete_documents([actor_key(session.launch["actor"])])
        await uow.commit()

    assert documents == 2
    assert await school.store.rows("SELECT 1 FROM lrs.sessions") == []
    answer = await session.says("completed")
    assert (answer.status_code, answer.json()["code"]) == (403, "player_session_ended")


async def test_lessons_are_launched_by_their_learners(school: School) -> None:
    cohort = (await school.registrar.post("/api/cohorts", json={"name": "Blue"})).json()["id"]
    lesson = await school.lesson(cohort_id=cohort)
    path = f"/api/lessons/{lesson['id']}/launches"

    outsider = await school.learner.post(path, json={})
    staff = await school.registrar.post(path, json={"launch_mode": "Review"})
    listed = await school.learner.get(path)
    empty = await school.lesson(lesson_url="https://lms.example.org/lesson/empty", content_url=None)
    nothing = await school.learner.post(f"/api/lessons/{empty['id']}/launches", json={})
    unknown = await school.learner.post(f"/api/lessons/{uuid4()}/launches", json={})

    assert (outsider.status_code, outsider.json()["code"]) == (403, "not_in_cohort")
    assert (staff.status_code, listed.status_code) == (201, 404)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "lesson_not_launchable")
    assert unknown.status_code == 404


async def test_lessons_are_listed_and_started_from_a_page(school: School) -> None:
    cohort = (await school.registrar.post("/api/cohorts", json={"name": "Blue"})).json()["id"]
    await school.lesson()
    hidden = await school.lesson(lesson_url="https://lms.example.org/lesson/other", title="Ladders", cohort_id=cohort)
    await school.lesson(lesson_url="https://lms.example.org/lesson/elsewhere", title="Elsewhere", content_url=None)
    user_id, _ = await add_person(school.api, Role.LEARNER)
    ann = await person(school.api, user_id, Role.LEARNER)

    before = await ann.get("/ui/lessons")
    lesson_id = before.text.partition("/ui/lessons/")[2].partition("/")[0]
    launched = await send(ann, f"/ui/lessons/{lesson_id}/launch", {}, form_of="/ui/lessons")
    refused = await send(ann, f"/ui/lessons/{hidden['id']}/launch", {}, form_of="/ui/lessons")
    added = await school.registrar.put(f"/api/cohorts/{cohort}/members/{user_id}")
    after = await ann.get("/ui/lessons")

    assert ("Fire safety" in before.text, "Ladders" in before.text) == (True, False)
    assert (launched.status_code, "https://content.example.org/fire/index.html?language=en&amp;" in launched.text) == (
        200,
        True,
    )
    assert (refused.status_code, refused.headers["location"]) == (303, "/ui/lessons")
    assert added.status_code == 204
    assert ("Ladders" in after.text, "Elsewhere" in after.text) == (True, False)


async def test_a_players_browser_may_ask_before_it_fetches(school: School) -> None:
    anybody = await school.api.client(None)

    asking = {"Origin": "https://c.example", "Access-Control-Request-Method": "POST"}
    answer = await anybody.request("OPTIONS", "/api/launches/fetch?token=x", headers=asking)

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


async def test_only_defined_statements_may_carry_the_categories(school: School) -> None:
    session = await school.started(await school.lesson())
    await session.says("initialized")
    odd = session.player.also_says("experienced")
    odd["context"]["contextActivities"]["category"] = [MOVE_ON]
    other = session.player.says("experienced")

    answers = [await session.send(odd), await session.send(other)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "cmi5_rule")] * 2
    assert CMI5 in other["context"]["contextActivities"]["category"]


async def _job(school: School, minutes: int = 2) -> None:
    """The job of maintenance, minutes from now."""
    clock = FixedClock(SystemClock().now() + timedelta(minutes=minutes))
    places = {"data_bucket": school.store.bucket, "statements_queue_url": school.store.queue_url}
    services = ApiUnderTest(school.store.database, clock, **places).platform_of("maintenance").get(LrsServices)
    await maintain_sessions(services)
    await school.store.deliver()
