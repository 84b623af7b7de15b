"""The page on which people choose what they hear of, when, and in which language."""

import pytest
from sqlalchemy import select

from dataforge.contexts.identity.tables import users
from dataforge.contexts.notifications.preferences.domain import KINDS
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import person, send, visitor

PAGE, CLOCK = "/ui/notification-preferences", "/ui/notification-preferences/clock"
GIVEN = {
    "time_zone": "Asia/Tokyo",
    "locale": "fr",
    "reminder_time": "07:30",
    "quiet_from": "22:00",
    "quiet_to": "06:00",
}


async def test_the_boxes_are_what_is_kept(api: ApiUnderTest) -> None:
    ada = await api.add_user(Role.LEARNER)
    browser = await person(api, ada, Role.LEARNER)
    optional = [kind.name for kind in KINDS.values() if kind.optional]

    before = await browser.get(PAGE)
    saved = await send(browser, PAGE, {"kind enrollment": "on", "kind import_result": "on"}, form_of=PAGE)
    after = await browser.get(PAGE)
    api_says = (await (await api.as_user(ada, Role.LEARNER)).get("/api/notification-preferences")).json()["items"]

    assert before.text.count(" checked>") == len(optional)
    assert (saved.status_code, saved.headers["Location"]) == (303, PAGE)
    assert after.text.count(" checked>") == 2
    assert {item["kind"] for item in api_says if item["optional"] and item["wanted"]} == {
        *("enrollment", "import_result"),
    }
    assert all(item["wanted"] for item in api_says if not item["optional"])


async def test_what_nobody_can_do_without_has_no_box(api: ApiUnderTest) -> None:
    browser = await person(api, await api.add_user(Role.LEARNER), Role.LEARNER)

    page = await browser.get(PAGE)

    assert "kind password_reset" not in page.text
    assert "links that set a password" in page.text


async def test_the_clock_is_the_persons_own(api: ApiUnderTest) -> None:
    ada, other = await api.add_user(Role.LEARNER), await api.add_user(Role.LEARNER)
    browser = await person(api, ada, Role.LEARNER)

    saved = await send(browser, CLOCK, GIVEN, form_of=PAGE)
    shown = await browser.get(PAGE)
    async with api.database.read_only() as connection:
        rows = {row.id: row for row in await connection.execute(select(users))}

    assert saved.status_code == 303
    assert all(f'value="{value}"' in shown.text for name, value in GIVEN.items() if name != "locale")
    assert (rows[ada].locale, str(rows[ada].quiet_to)) == ("fr", "06:00:00")
    assert rows[other].time_zone == "UTC"


async def test_quiet_hours_are_cleared(api: ApiUnderTest) -> None:
    ada = await api.add_user(Role.LEARNER)
    browser = await person(api, ada, Role.LEARNER)
    await send(browser, CLOCK, GIVEN, form_of=PAGE)

    await send(browser, CLOCK, {**GIVEN, "quiet_from": "", "quiet_to": ""}, form_of=PAGE)

    async with api.database.read_only() as connection:
        row = (await connection.execute(select(users).where(users.c.id == ada))).one()
    assert (row.quiet_from, row.quiet_to) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ({"time_zone": "Mars/Olympus"}, "Time zone"),
        ({"reminder_time": ""}, "Reminder time"),
        ({"quiet_from": "25:00"}, "Quiet from"),
        ({"quiet_to": ""}, "Quiet to"),
        ({"quiet_from": ""}, "Quiet from"),
        ({"locale": "no language!"}, "Locale"),
    ],
)
async def test_a_form_that_is_wrong_says_where_and_keeps_what_was_entered(
    api: ApiUnderTest, wrong: dict[str, str], shown: str
) -> None:
    ada = await api.add_user(Role.LEARNER)
    browser = await person(api, ada, Role.LEARNER)

    answer = await send(browser, CLOCK, {**GIVEN, **wrong}, form_of=PAGE)

    async with api.database.read_only() as connection:
        row = (await connection.execute(select(users).where(users.c.id == ada))).one()
    assert answer.status_code == 400
    assert f"<p>{shown}: " in answer.text
    assert 'role="alert"' in answer.text
    assert row.time_zone == "UTC"


async def test_a_language_of_ours_that_is_not_offered_stays_what_it_is(api: ApiUnderTest) -> None:
    ada = await api.add_user(Role.LEARNER, locale="de-AT")
    browser = await person(api, ada, Role.LEARNER)

    page = await browser.get(PAGE)

    assert '<option value="de-AT" selected>' in page.text


async def test_who_is_not_signed_in_is_led_to_where_one_signs_in(api: ApiUnderTest) -> None:
    answer = await (await visitor(api)).get(PAGE)

    assert answer.status_code == 303
    assert "/ui/sign-in" in answer.headers["Location"]
