"""Addresses that are proved by a mail, changed with it, and kept by whoever has the old one."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from infra.local.mailbox import Mailbox, ReceivedMail
from tests.builders.api import ApiUnderTest
from tests.builders.browser import PASSWORD, add_person, send, visitor
from tests.builders.mail import deliver, token_in
from tests.builders.single_sign_on import count_linked, link_identity

ANY = {"If-Match": "*"}
OLD, NEW = "ada@example.org", "lovelace@example.org"


async def owner(api: ApiUnderTest, *, confirmed: bool = True) -> httpx.AsyncClient:
    """Ada, whose address is OLD."""
    at = api.platform.clock.now() if confirmed else None
    person, _ = await add_person(api, Role.LEARNER, "ada", email_confirmed_at=at)
    return await api.as_user(person, Role.LEARNER)


async def post(api: ApiUnderTest, what: str, mail: ReceivedMail) -> tuple[int, Any]:
    answer = await (await api.client()).post(f"/api/email-addresses/{what}", json={"token": token_in(mail)})
    return answer.status_code, answer.json()["code"] if answer.content else None


async def me(client: httpx.AsyncClient) -> tuple[str, bool, str | None]:
    body = (await client.get("/api/users/me")).json()
    return body["email"], body["email_confirmed_at"] is not None, body["new_email"]


async def test_a_new_account_proves_its_address(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    client = await mailing.client()
    body = {"username": "ada", "email": OLD, "password": PASSWORD}
    person = (await client.post("/api/signup", json=body)).json()
    signed_in = await mailing.as_user(person["id"], Role.LEARNER)
    assert await me(signed_in) == (OLD, False, None)

    [mail] = await deliver(mailing, mailbox)

    assert (mail.recipients, mail.message["Subject"]) == ((OLD,), "Confirm your e-mail address")
    assert await post(mailing, "confirm", mail) == (204, None)
    assert await me(signed_in) == (OLD, True, None)
    assert await post(mailing, "confirm", mail) == (400, "invalid_link")


async def test_a_new_address_counts_once_it_is_confirmed(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    client = await owner(mailing)

    changed = await client.patch("/api/users/me", json={"email": NEW.upper()}, headers=ANY)
    warning, proof = sorted(await deliver(mailing, mailbox), key=lambda mail: mail.recipients)
    waiting = await me(client)
    confirmed = await post(mailing, "confirm", proof)

    assert (changed.status_code, changed.json()["email"], changed.json()["new_email"]) == (200, OLD, NEW)
    assert (warning.recipients, proof.recipients) == ((OLD,), (NEW,))
    assert NEW in warning.text
    assert waiting == (OLD, True, NEW)
    assert confirmed == (204, None)
    assert await me(client) == (NEW, True, None)


async def test_whoever_has_the_old_address_stops_the_change(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    client = await owner(mailing)
    await client.patch("/api/users/me", json={"email": NEW}, headers=ANY)
    warning, proof = sorted(await deliver(mailing, mailbox), key=lambda mail: mail.recipients)

    assert await post(mailing, "stop-change", warning) == (204, None)
    assert await post(mailing, "confirm", proof) == (400, "invalid_link")
    assert await me(client) == (OLD, True, None)


async def test_the_old_address_comes_back_within_a_week_and_whoever_is_signed_in_is_not(
    mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock
) -> None:
    await owner(mailing)
    login = {"username": "ada", "password": PASSWORD}
    tokens = (await (await mailing.client()).post("/api/auth/login", json=login)).json()
    thief = await mailing.client(tokens["access_token"])
    await thief.patch("/api/users/me", json={"email": NEW}, headers=ANY)
    warning, proof = sorted(await deliver(mailing, mailbox), key=lambda mail: mail.recipients)
    await post(mailing, "confirm", proof)
    assert (await me(thief))[0] == NEW
    await link_identity(mailing.database, (await thief.get("/api/users/me")).json()["id"])

    clock.advance(timedelta(minutes=10))
    stopped = await post(mailing, "stop-change", warning)
    ended = await thief.patch("/api/users/me", json={"email": NEW}, headers=ANY)

    assert stopped == (204, None)
    assert (await me(thief))[0] == OLD
    assert ended.json()["code"] == "session_ended"
    assert await count_linked(mailing.database) == 0


async def test_a_week_later_the_change_stands(mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock) -> None:
    client = await owner(mailing)
    await client.patch("/api/users/me", json={"email": NEW}, headers=ANY)
    warning, _ = sorted(await deliver(mailing, mailbox), key=lambda mail: mail.recipients)

    clock.advance(timedelta(days=7))

    assert await post(mailing, "stop-change", warning) == (400, "invalid_link")


async def test_an_address_that_was_never_proved_has_no_say(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    client = await owner(mailing, confirmed=False)

    await client.patch("/api/users/me", json={"email": NEW}, headers=ANY)

    assert [mail.recipients for mail in await deliver(mailing, mailbox)] == [(NEW,)]


async def test_an_address_is_the_first_ones_who_proves_it(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    clients = []
    for name in ("ada", "eve"):
        person, _ = await add_person(mailing, Role.LEARNER, name)
        clients.append(await mailing.as_user(person, Role.LEARNER))
    for client in clients:
        await client.patch("/api/users/me", json={"email": NEW}, headers=ANY)
    mails = await deliver(mailing, mailbox)

    answers = await asyncio.gather(*(post(mailing, "confirm", mail) for mail in mails))

    assert sorted(answers, key=str) == [(204, None), (400, "duplicate_email")]


async def test_a_second_thought_replaces_the_first(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    client = await owner(mailing, confirmed=False)
    await client.patch("/api/users/me", json={"email": NEW}, headers=ANY)
    [first] = await deliver(mailing, mailbox)
    await client.patch("/api/users/me", json={"email": "third@example.org"}, headers=ANY)

    assert await post(mailing, "confirm", first) == (400, "invalid_link")
    assert await me(client) == (OLD, False, "third@example.org")
    await client.patch("/api/users/me", json={"email": OLD}, headers=ANY)
    assert await me(client) == (OLD, False, None)


async def test_a_link_of_one_kind_does_nothing_of_another(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    client = await owner(mailing)
    await client.patch("/api/users/me", json={"email": NEW}, headers=ANY)
    warning, proof = sorted(await deliver(mailing, mailbox), key=lambda mail: mail.recipients)
    body = {"token": token_in(proof), "password": "a quiet lake at dawn"}

    assert await post(mailing, "confirm", warning) == (400, "invalid_link")
    assert await post(mailing, "stop-change", proof) == (400, "invalid_link")
    assert (await client.post("/api/passwords/resets/complete", json=body)).json()["code"] == "invalid_link"


async def test_the_mail_is_sent_again_while_there_is_something_to_confirm(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    client = await owner(mailing, confirmed=False)

    again = await client.post("/api/email-addresses/confirmations")
    [mail] = await deliver(mailing, mailbox)
    await post(mailing, "confirm", mail)
    nothing = await client.post("/api/email-addresses/confirmations")

    assert again.status_code == 202
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_confirm")


@pytest.mark.parametrize("path", ["/ui/confirm-email", "/ui/stop-email-change"])
async def test_opening_a_link_changes_nothing_and_its_button_does(
    mailing: ApiUnderTest, mailbox: Mailbox, path: str
) -> None:
    client, browser = await owner(mailing), await visitor(mailing)
    browser.base_url = httpx.URL("https://forge.example.org")
    await client.patch("/api/users/me", json={"email": NEW}, headers=ANY)
    warning, proof = sorted(await deliver(mailing, mailbox), key=lambda mail: mail.recipients)
    mail = proof if path == "/ui/confirm-email" else warning
    page = f"{path}?token={token_in(mail)}"

    await browser.get(page)
    unchanged = await me(client)
    done = await send(browser, path, {"token": token_in(mail)}, form_of=page)
    again = await send(browser, path, {"token": token_in(mail)}, form_of=page)

    assert unchanged == (OLD, True, NEW)
    assert done.status_code == 303
    assert await me(client) == ((NEW if mail is proof else OLD), True, None)
    assert (again.status_code, "This link was used before" in again.text) == (400, True)
