"""Events that were given up are seen, and tried again."""

from uuid import uuid4

from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.browser import browser_of, csrf_of, post_form
from tests.builders.events import give_up


async def test_an_event_that_was_given_up_is_named_and_tried_again(api: ApiUnderTest, database: Database) -> None:
    event_id = await give_up(database)
    admin = await api.as_role(Role.ADMIN)

    [dead] = (await admin.get("/api/outbox?state=dead")).json()["items"]
    again = await admin.post(f"/api/outbox/{event_id}/retry")
    twice = await admin.post(f"/api/outbox/{event_id}/retry")

    assert (dead["id"], dead["last_error"], dead["attempts"]) == (str(event_id), "KeyError: x", 10)
    assert "payload" not in dead
    assert (again.json()["state"], again.json()["attempts"]) == ("waiting", 0)
    assert (twice.status_code, twice.json()["code"]) == (409, "event_not_retryable")
    assert (await admin.post(f"/api/outbox/{uuid4()}/retry")).json()["code"] == "event_not_found"
    assert (await admin.get("/api/outbox?state=dead")).json()["items"] == []


async def test_events_are_listed_by_name_and_page(api: ApiUnderTest, database: Database) -> None:
    for _ in range(3):
        await give_up(database, "test.one")
    await give_up(database, "test.two")
    admin = await api.as_role(Role.ADMIN)

    first = (await admin.get("/api/outbox?name=test.one&limit=2")).json()
    second = (await admin.get(first["next"])).json()

    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)


async def test_people_try_it_again_at_a_page(api: ApiUnderTest, database: Database) -> None:
    event_id = await give_up(database)
    operator = await browser_of(api, Role.ADMIN)
    page = await operator.get("/ui/operations/events?state=dead")

    answer = await post_form(operator, f"/ui/operations/events/{event_id}/retry", {"csrf": csrf_of(page)})

    assert "KeyError: x" in page.text
    assert answer.status_code == 303
    assert "KeyError: x" in (await operator.get("/ui/operations/events?state=waiting")).text
