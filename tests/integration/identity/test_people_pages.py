"""The page on which administrators see people and decide their roles, and the one of invitations."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from dataforge.contexts.identity.tables import users
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import add_person, person, send
from tests.builders.second_factor import enrolled, log_in

PAGE, INVITATIONS = "/ui/admin/people", "/ui/admin/invitations"


async def admin_of(api: ApiUnderTest) -> tuple[UUID, httpx.AsyncClient]:
    user_id = await api.add_user(Role.ADMIN)
    return user_id, await person(api, user_id, Role.ADMIN)


async def decide(browser: httpx.AsyncClient, user_id: UUID, what: str, **fields: str) -> httpx.Response:
    page = f"{PAGE}/{user_id}"
    shown = await browser.get(page)
    revision = shown.text.partition('name="revision" value="')[2].partition('"')[0]
    return await send(browser, f"{page}/{what}", {"revision": revision, **fields}, form_of=page)


async def row_of(api: ApiUnderTest, user_id: UUID) -> Any:
    async with api.database.read_only() as connection:
        return (await connection.execute(select(users).where(users.c.id == user_id))).one()


async def test_people_are_found_by_name_role_and_state(api: ApiUnderTest) -> None:
    _, browser = await admin_of(api)
    await add_person(api, Role.LEARNER, "grace")
    await add_person(api, Role.ANALYST, "graham")
    await api.add_user(Role.LEARNER, username="gregor", display_name="Gregor", email_vouched=True)

    found = {}
    for query in ("search=gra", "search=gra&role=analyst", "state=unclaimed", "search=nobody"):
        text = (await browser.get(f"{PAGE}?{query}")).text
        found[query] = {name for name in ("grace", "graham", "gregor") if f">{name}<" in text}

    assert found == {
        "search=gra": {"grace", "graham"},
        "search=gra&role=analyst": {"graham"},
        "state=unclaimed": {"gregor"},
        "search=nobody": set(),
    }


async def test_a_role_that_is_taken_away_ends_at_once(api: ApiUnderTest) -> None:
    _, browser = await admin_of(api)
    user_id = await api.add_user(Role.ADMIN)
    other, pages = await api.as_user(user_id, Role.ADMIN), await person(api, user_id, Role.ADMIN)
    before = ((await other.get("/api/users")).status_code, (await pages.get(PAGE)).status_code)

    done = await decide(browser, user_id, "role", role="learner")

    assert (before, done.status_code) == ((200, 200), 303)
    assert ((await other.get("/api/users")).status_code, (await pages.get(PAGE)).status_code) == (403, 403)
    assert (await row_of(api, user_id)).role == "learner"


async def test_whoever_is_suspended_is_kept_out_at_once_and_let_in_again(api: ApiUnderTest) -> None:
    _, browser = await admin_of(api)
    user_id, name = await add_person(api, Role.REGISTRAR)
    client, anybody = await api.as_user(user_id, Role.REGISTRAR), await api.client()
    login = {"username": name, "password": "correct horse battery"}

    done = await decide(browser, user_id, "suspend")
    answers = [await client.post("/api/semesters", json={}), await anybody.post("/api/auth/login", json=login)]
    again = await decide(browser, user_id, "restore")

    assert (done.status_code, again.status_code) == (303, 303)
    assert [answer.json()["code"] for answer in answers] == ["account_suspended", "account_suspended"]
    assert (await anybody.post("/api/auth/login", json=login)).status_code == 200


async def test_a_second_factor_that_is_lost_is_taken_away(api: ApiUnderTest, clock: FixedClock) -> None:
    ada = await enrolled(api, clock)
    _, browser = await admin_of(api)
    page, form = f"{PAGE}/{ada.user_id}", f'action="{PAGE}/{ada.user_id}/second-factor"'
    before = await browser.get(page)

    done = await decide(browser, ada.user_id, "second-factor")
    after = await browser.get(page)
    again = await decide(browser, ada.user_id, "second-factor")

    assert [form in answer.text for answer in (before, after, again)] == [True, False, False]
    assert "10 recovery codes are left" in before.text
    assert (done.status_code, again.status_code) == (303, 409)
    assert (await log_in(api, ada.name)).status_code == 200


async def test_an_administrator_does_not_take_their_own_second_factor_away_here(
    api: ApiUnderTest, clock: FixedClock
) -> None:
    admin = await enrolled(api, clock, Role.ADMIN)
    browser = await person(api, admin.user_id, Role.ADMIN)

    shown = await browser.get(f"{PAGE}/{admin.user_id}")
    refused = await decide(browser, admin.user_id, "second-factor")

    assert ("/second-factor" in shown.text, f"{admin.user_id}/second-factor" in shown.text) == (True, False)
    assert (refused.status_code, (await log_in(api, admin.name)).status_code) == (409, 401)


async def test_a_person_leads_to_what_is_held_about_them(api: ApiUnderTest) -> None:
    _, browser = await admin_of(api)
    user_id, _ = await add_person(api, Role.LEARNER)

    shown = await browser.get(f"{PAGE}/{user_id}")

    link = f"/ui/admin/person-data/{user_id}"
    assert f'href="{link}"' in shown.text
    assert (await browser.get(link)).status_code == 200


@pytest.mark.parametrize(("what", "fields"), [("role", {"role": "analyst"}), ("suspend", {})])
async def test_the_last_administrator_stays_one(api: ApiUnderTest, what: str, fields: dict[str, str]) -> None:
    admin, browser = await admin_of(api)

    refused = await decide(browser, admin, what, **fields)

    assert (refused.status_code, "This is the last active administrator" in refused.text) == (400, True)
    row = await row_of(api, admin)
    assert (row.role, row.suspended_at) == ("admin", None)


async def test_of_two_decisions_from_one_page_the_second_is_told(api: ApiUnderTest) -> None:
    _, browser = await admin_of(api)
    user_id = await api.add_user(Role.LEARNER)
    page = f"{PAGE}/{user_id}"

    first = await send(browser, f"{page}/role", {"revision": "1", "role": "analyst"}, form_of=page)
    second = await send(browser, f"{page}/role", {"revision": "1", "role": "admin"}, form_of=page)
    odd = await send(browser, f"{page}/role", {"revision": "2", "role": "emperor"}, form_of=page)

    assert (first.status_code, second.status_code, odd.status_code) == (303, 412, 400)
    assert (await row_of(api, user_id)).role == "analyst"


async def test_the_buttons_for_links_ask_for_the_mails(api: ApiUnderTest) -> None:
    _, browser = await admin_of(api)
    claimed, _ = await add_person(api, Role.LEARNER)
    one = await api.add_user(Role.LEARNER, email="one@example.org", email_vouched=True)
    two = await api.add_user(Role.ANALYST, email="two@example.org", email_vouched=True)

    answers = [
        await decide(browser, claimed, "link"),
        await decide(browser, one, "link"),
        await send(browser, f"{PAGE}/claims", {"role": "analyst", "search": ""}, form_of=f"{PAGE}?state=unclaimed"),
    ]

    assert [answer.status_code for answer in answers] == [303, 303, 303]
    async with api.database.read_only() as connection:
        query = text("SELECT name, key FROM platform.outbox ORDER BY id")
        asked = [tuple(row) for row in await connection.execute(query)]
    assert [name for name, _ in asked] == [
        "identity.password_reset_requested",
        "identity.account_claim_requested",
        "identity.account_claim_requested",
    ]
    assert [key for _, key in asked][1:] == [str(one), str(two)]


async def test_people_are_invited_again_and_no_longer(api: ApiUnderTest, clock: FixedClock) -> None:
    admin, browser = await admin_of(api)
    fields = {"email": "zoe@example.org", "role": "registrar"}

    made = await send(browser, INVITATIONS, fields, form_of=INVITATIONS)
    twice = await send(browser, INVITATIONS, fields, form_of=INVITATIONS)
    wrong = await send(browser, INVITATIONS, {**fields, "email": "zoe"}, form_of=INVITATIONS)
    [row] = (await (await api.as_user(admin, Role.ADMIN)).get("/api/invitations")).json()["items"]
    early = await send(browser, f"{INVITATIONS}/{row['id']}/resend", {}, form_of=INVITATIONS)
    clock.advance(timedelta(minutes=1))
    again = await send(browser, f"{INVITATIONS}/{row['id']}/resend", {}, form_of=INVITATIONS)
    revoked = await send(browser, f"{INVITATIONS}/{row['id']}/revoke", {}, form_of=INVITATIONS)
    late = await send(browser, f"{INVITATIONS}/{row['id']}/revoke", {}, form_of=INVITATIONS)

    assert [made.status_code, again.status_code, revoked.status_code] == [303, 303, 303]
    assert [answer.status_code for answer in (twice, wrong, early, late)] == [409, 400, 429, 409]
    assert "is invited already" in twice.text
    assert "must be an e-mail address" in wrong.text
    shown = (await browser.get(INVITATIONS)).text
    assert ("zoe@example.org" in shown, "revoked" in shown, "Send again" in shown) == (True, True, False)
