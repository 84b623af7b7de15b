"""The pages of one's own account: name, password, address, sign-ins, tokens, the calendar's address."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest
from tests.builders.browser import COOKIE, PASSWORD, add_person, person, send
from tests.builders.mail import deliver

ACCOUNT, TOKENS = "/ui/account", "/ui/account/tokens"


async def ada(api: ApiUnderTest, **values: Any) -> tuple[httpx.AsyncClient, str]:
    """Ada's browser, and her id."""
    user_id, _ = await add_person(api, Role.LEARNER, "ada", **values)
    return await person(api, user_id, Role.LEARNER), str(user_id)


def secret_in(page: httpx.Response) -> str:
    found = re.search(r'id="secret">([^<]+)<', page.text)
    assert found, page.text
    return unescape(found[1])


async def test_a_person_changes_the_name_that_others_see(api: ApiUnderTest) -> None:
    browser, _ = await ada(api)

    changed = await send(browser, ACCOUNT, {"display_name": "Ada <L>"}, form_of=ACCOUNT)
    refused = await send(browser, ACCOUNT, {"display_name": ""}, form_of=ACCOUNT)

    assert (changed.status_code, changed.headers["location"]) == (303, ACCOUNT)
    assert 'value="Ada &lt;L&gt;"' in (await browser.get(ACCOUNT)).text
    assert (refused.status_code, "must not be empty" in refused.text) == (400, True)


async def test_a_person_changes_their_password_and_stays_signed_in_here(api: ApiUnderTest) -> None:
    browser, _ = await ada(api)
    page, other = "/ui/account/password", await api.client()
    login = {"username": "ada", "password": PASSWORD}
    elsewhere = (await other.post("/api/auth/login", json=login)).json()

    wrong = await send(browser, page, {"current_password": "no", "password": "nine purple ferns"}, form_of=page)
    weak = await send(browser, page, {"current_password": PASSWORD, "password": "password1"}, form_of=page)
    changed = await send(browser, page, {"current_password": PASSWORD, "password": "nine purple ferns"}, form_of=page)
    renewed = await other.post("/api/auth/refresh", json={"refresh_token": elsewhere["refresh_token"]})
    again = await other.post("/api/auth/login", json={**login, "password": "nine purple ferns"})

    assert [answer.status_code for answer in (wrong, weak, changed)] == [400, 400, 303]
    assert "The present password is wrong." in wrong.text
    assert (renewed.status_code, again.status_code) == (401, 200)
    assert (await browser.get(page)).status_code == 200


async def test_a_person_changes_their_address_by_a_link(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    browser, _ = await ada(mailing, email_confirmed_at=mailing.platform.clock.now())
    # With https, which the public address says.
    browser.cookies.set(f"__Host-{COOKIE}", browser.cookies[COOKIE], domain="api.test", path="/")
    page = "/ui/account/email"

    wrong = await send(browser, page, {"email": "nowhere"}, form_of=page)
    changed = await send(browser, page, {"email": "Lovelace@Example.org"}, form_of=page)
    shown = (await browser.get(page)).text
    again = await send(browser, f"{page}/confirmation", {}, form_of=page)
    recipients = {mail.recipients[0] for mail in await deliver(mailing, mailbox)}

    assert (wrong.status_code, changed.status_code, again.status_code) == (400, 303, 303)
    assert "lovelace@example.org" in shown
    assert recipients == {"ada@example.org", "lovelace@example.org"}


async def test_a_confirmed_address_is_not_confirmed_again(api: ApiUnderTest) -> None:
    browser, _ = await ada(api, email_confirmed_at=api.platform.clock.now())

    answer = await send(browser, "/ui/account/email/confirmation", {}, form_of="/ui/account/email")

    assert (answer.status_code, "is confirmed" in answer.text) == (400, True)


async def test_a_person_ends_their_sign_ins_one_by_one_and_all_others(api: ApiUnderTest) -> None:
    browser, _ = await ada(api)
    page, other = "/ui/account/sessions", await api.client()
    login = {"username": "ada", "password": PASSWORD}
    for device in ("<b>one</b>", "two", "three"):
        await other.post("/api/auth/login", json=login, headers={"User-Agent": device})

    shown = (await browser.get(page)).text
    ways = re.findall(r'action="(/ui/account/sessions/[0-9a-f-]{36}/end)"', shown)
    first = await send(browser, ways[0], {}, form_of=page)
    twice = await send(browser, ways[0], {}, form_of=page)
    left = (await browser.get(page)).text
    rest = await send(browser, f"{page}/end-others", {}, form_of=page)

    assert "&lt;b&gt;one&lt;/b&gt;" in shown
    assert (len(ways), left.count('/end"')) == (3, 2)
    assert {answer.status_code for answer in (first, twice, rest)} == {303}
    assert "/end" not in (await browser.get(page)).text


async def test_a_token_is_made_shown_once_and_revoked(api: ApiUnderTest) -> None:
    browser, user_id = await ada(api)
    fields = {"name": "Power Query", "days": "30", "everything": "", "area datasets": "read", "area accounts": "write"}

    made = await send(browser, TOKENS, fields, form_of=TOKENS)
    client = await api.client(secret_in(made))
    me, refused = await client.get("/api/users/me"), await client.get("/api/calendar.ics")
    listed = (await browser.get(TOKENS)).text
    [revoke] = re.findall(r'action="(/ui/account/tokens/[0-9a-f-]{36}/revoke)"', listed)
    revoked = [await send(browser, revoke, {}, form_of=TOKENS) for _ in range(2)]

    assert made.status_code == 201
    assert (me.json()["id"], refused.status_code) == (user_id, 403)
    assert "Power Query" in listed
    assert "accounts:write, datasets:read" in listed
    assert secret_in(made) not in listed
    assert [answer.status_code for answer in revoked] == [303, 303]
    assert (await client.get("/api/users/me")).status_code == 401


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "x", "days": "30"}, "Choose at least one thing"),
        ({"name": "", "days": "30", "everything": "all"}, "must not be empty"),
        ({"name": "x", "days": "", "everything": "all"}, "must be a whole number"),
        ({"name": "x", "days": "9999", "everything": "all"}, "must be at most 366"),
        ({"name": "x", "days": "30", "everything": "calendar"}, "Choose at least one thing"),
        ({"name": "x", "days": "30", "area datasets": "delete"}, "Choose at least one thing"),
    ],
)
async def test_a_form_that_does_not_fit_is_shown_again(api: ApiUnderTest, fields: dict[str, str], why: str) -> None:
    browser, _ = await ada(api)

    answer = await send(browser, TOKENS, fields, form_of=TOKENS)

    assert answer.status_code == 400
    assert why in answer.text


async def test_a_calendar_subscribes_to_an_address_that_is_shown_once(api: ApiUnderTest, clock: FixedClock) -> None:
    browser, _ = await ada(api)
    page, anybody = "/ui/account/calendar", await api.client()

    made = await send(browser, page, {"name": "My phone"}, form_of=page)
    fetched = await anybody.get(secret_in(made))
    listed = (await browser.get(page)).text
    [revoke] = re.findall(r'action="(/ui/account/calendar/[0-9a-f-]{36}/revoke)"', listed)
    await send(browser, revoke, {}, form_of=page)

    assert fetched.headers["Content-Type"].startswith("text/calendar")
    assert f"{clock.now():%H:%M} UTC" in listed
    assert "My phone" not in (await browser.get(TOKENS)).text
    assert (await anybody.get(secret_in(made))).status_code == 401


async def test_nobody_ends_a_token_of_somebody_else(api: ApiUnderTest) -> None:
    browser, _ = await ada(api)
    eve = await person(api, await api.add_user(Role.ADMIN), Role.ADMIN)
    made = await send(browser, TOKENS, {"name": "x", "days": "30", "everything": "all"}, form_of=TOKENS)
    [revoke] = re.findall(r'action="(/ui/account/tokens/[^"]+/revoke)"', (await browser.get(TOKENS)).text)

    await send(eve, revoke, {}, form_of=TOKENS)

    assert (await (await api.client(secret_in(made))).get("/api/users/me")).status_code == 200
