"""Passwords that are forgotten, changed, given by operators, and too easy to guess."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import QueuePool, text, update

from dataforge.contexts.identity.contract import AccountMails, PasswordResetRequested
from dataforge.contexts.identity.passwords import commands
from dataforge.contexts.identity.passwords.consumers import replace_password
from dataforge.contexts.identity.tables import users
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import NotFound
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest
from tests.builders.browser import PASSWORD, add_person, send, visitor
from tests.builders.mail import PUBLIC, deliver, token_in

OTHER = "a quiet lake at dawn"


async def ask(api: ApiUnderTest, email: str, *, address: str = "127.0.0.1") -> httpx.Response:
    return await (await api.client(address=address)).post("/api/passwords/resets", json={"email": email})


async def complete(api: ApiUnderTest, token: str, password: str = OTHER) -> httpx.Response:
    client = await api.client()
    return await client.post("/api/passwords/resets/complete", json={"token": token, "password": password})


async def sign_in(api: ApiUnderTest, name: str, password: str) -> httpx.Response:
    return await (await api.client()).post("/api/auth/login", json={"username": name, "password": password})


def code(response: httpx.Response) -> tuple[int, Any]:
    body = response.json() if response.content else None
    return response.status_code, body.get("code") if body else None


async def test_a_forgotten_password_is_set_by_the_mailed_link_once(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    before = (await sign_in(mailing, name, PASSWORD)).json()["refresh_token"]

    asked = await ask(mailing, f"{name.upper()}@example.org")
    [mail] = await deliver(mailing, mailbox)
    first, again = await complete(mailing, token_in(mail)), await complete(mailing, token_in(mail), "yet another lake")

    assert code(asked) == (202, None)
    assert (mail.recipients, mail.message["Subject"]) == ((f"{name}@example.org",), "Set another password")
    assert f"{PUBLIC}/ui/reset-password?token=" in mail.part("html")
    assert (code(first), code(again)) == ((204, None), (400, "invalid_link"))
    assert (await sign_in(mailing, name, PASSWORD)).status_code == 401
    assert (await sign_in(mailing, name, OTHER)).status_code == 200
    refreshed = await (await mailing.client()).post("/api/auth/refresh", json={"refresh_token": before})
    assert refreshed.status_code == 401
    [told] = await deliver(mailing, mailbox)
    assert told.message["Subject"] == "Your password was changed"


async def test_the_answer_does_not_tell_whether_anybody_has_the_address(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    suspended, other = await add_person(mailing, Role.LEARNER)
    async with mailing.database.transaction() as connection:
        now = mailing.platform.clock.now()
        await connection.execute(update(users).where(users.c.id == suspended).values(suspended_at=now))

    answers = [await ask(mailing, f"{who}@example.org") for who in (name, "nobody", other)]

    kept = [
        (answer.status_code, answer.content, {key for key in answer.headers if key != "x-request-id"})
        for answer in answers
    ]
    assert kept[0] == kept[1] == kept[2]
    assert [mail.recipients for mail in await deliver(mailing, mailbox)] == [(f"{name}@example.org",)]


async def test_asking_takes_the_same_statements_for_everybody(mailing: ApiUnderTest) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    asked: list[list[str]] = []
    from sqlalchemy import event

    engine = mailing.platform.database.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked[-1].append(statement)

    for email in (f"{name}@example.org", "nobody@example.org"):
        asked.append([])
        await ask(mailing, email)

    assert asked[0] == asked[1]
    assert not any("identity.users" in statement for statement in asked[0])


async def test_a_link_is_too_old_after_half_an_hour(mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    await ask(mailing, f"{name}@example.org")
    [mail] = await deliver(mailing, mailbox)

    clock.advance(timedelta(minutes=30))

    assert code(await complete(mailing, token_in(mail))) == (400, "invalid_link")
    assert (await sign_in(mailing, name, PASSWORD)).status_code == 200


@pytest.mark.parametrize("token", ["forged", "x" * 200, "é"])
async def test_a_forged_link_does_nothing(mailing: ApiUnderTest, token: str) -> None:
    assert code(await complete(mailing, token)) == (400, "invalid_link")


async def test_two_who_follow_a_link_at_once_are_one(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    await ask(mailing, f"{name}@example.org")
    [mail] = await deliver(mailing, mailbox)
    passwords = [f"{OTHER} {number}" for number in range(6)]

    answers = await asyncio.gather(*(complete(mailing, token_in(mail), password) for password in passwords))

    assert sorted(code(answer) for answer in answers) == [(204, None)] + [(400, "invalid_link")] * 5
    [won] = [password for password, answer in zip(passwords, answers, strict=True) if answer.status_code == 204]
    assert (await sign_in(mailing, name, won)).status_code == 200


async def test_a_link_for_an_address_that_the_account_no_longer_has_does_nothing(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    person, name = await add_person(mailing, Role.LEARNER)
    await ask(mailing, f"{name}@example.org")
    [mail] = await deliver(mailing, mailbox)
    async with mailing.database.transaction() as connection:
        await connection.execute(update(users).where(users.c.id == person).values(email="new@example.org"))

    assert code(await complete(mailing, token_in(mail))) == (400, "invalid_link")


async def test_every_link_ends_when_one_was_followed(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    await ask(mailing, f"{name}@example.org")
    await ask(mailing, f"{name}@example.org")
    first, second = await deliver(mailing, mailbox)

    assert code(await complete(mailing, token_in(second))) == (204, None)
    assert code(await complete(mailing, token_in(first), "yet another lake")) == (400, "invalid_link")


async def test_the_address_and_the_mailbox_are_spared(
    mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock
) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    answers = [await ask(mailing, f"{name}@example.org", address=f"10.0.0.{n}") for n in range(11)]
    others = [await ask(mailing, f"n{n}@example.org", address="10.1.1.1") for n in range(11)]

    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert [answer.status_code for answer in others] == [202] * 10 + [429]
    assert "retry-after" in answers[-1].headers
    assert len(await deliver(mailing, mailbox)) == 5
    clock.advance(timedelta(minutes=61))
    await ask(mailing, f"{name}@example.org")
    assert len(await deliver(mailing, mailbox)) == 1


async def test_a_mail_that_is_delivered_twice_has_the_same_link(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    mails = mailing.platform_of("maintenance").get(AccountMails)
    event = PasswordResetRequested(f"{name}@example.org", event_id=uuid7())

    drafts = [await mails.draft(event) for _ in range(7)]

    assert len({draft.values["link"] for draft in drafts if draft is not None}) == 1
    assert None not in drafts


async def test_no_connection_is_kept_while_a_password_is_hashed(
    mailing: ApiUnderTest, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, name = await add_person(mailing, Role.LEARNER)
    await ask(mailing, f"{name}@example.org")
    [mail] = await deliver(mailing, mailbox)
    client = await mailing.as_user(person, Role.LEARNER)
    pool = cast("QueuePool", mailing.platform.database.engine.pool)
    kept: list[int] = []

    def observed(hashing: Callable[..., Any]) -> Callable[..., Any]:
        def observe(*given: Any) -> Any:
            kept.append(pool.checkedout())
            return hashing(*given)

        return observe

    for hashing in ("hash_password", "verify_password", "check_password"):
        monkeypatch.setattr(commands, hashing, observed(getattr(commands, hashing)))

    reset = await complete(mailing, token_in(mail))
    changed = await client.put("/api/passwords/mine", json={"current_password": OTHER, "password": "yet another lake"})

    assert (code(reset), code(changed)) == ((204, None), (204, None))
    assert kept == [0] * 5


async def test_neither_the_outbox_nor_the_tables_hold_what_is_in_the_link(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    await ask(mailing, f"{name}@example.org")
    [mail] = await deliver(mailing, mailbox)

    async with mailing.database.read_only() as connection:
        for table in ("platform.outbox", "identity.mailed_links", "platform.audit_log"):
            held = (await connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            assert not any(token_in(mail) in row for row in held)


async def test_an_account_that_an_import_made_is_claimed_by_its_mail(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    person = await mailing.add_user(Role.LEARNER, username="ada", email="ada@example.org", password_hash=None)
    admin = await mailing.as_role(Role.ADMIN)

    asked = await admin.post(f"/api/passwords/of/{person}/reset")
    [mail] = await deliver(mailing, mailbox)
    claimed = await complete(mailing, token_in(mail))

    assert (code(asked), code(claimed)) == ((202, None), (204, None))
    assert mail.message["Subject"] == "Your account is waiting for you"
    assert (await sign_in(mailing, "ada@example.org", OTHER)).status_code == 200
    assert (await admin.get(f"/api/users/{person}")).json()["email_confirmed_at"] is not None


async def test_an_administrator_mails_nobody_who_is_not_there_or_suspended(mailing: ApiUnderTest) -> None:
    admin = await mailing.as_role(Role.ADMIN)
    suspended = await mailing.add_user(Role.LEARNER, suspended_at=mailing.platform.clock.now())

    assert code(await admin.post(f"/api/passwords/of/{uuid7()}/reset")) == (404, "not_found")
    assert code(await admin.post(f"/api/passwords/of/{suspended}/reset")) == (409, "person_suspended")


async def test_a_password_is_changed_by_whoever_knows_it_and_other_sign_ins_end(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    here, there = (await sign_in(mailing, name, PASSWORD)).json(), (await sign_in(mailing, name, PASSWORD)).json()
    client = await mailing.client(here["access_token"])

    changed = await client.put("/api/passwords/mine", json={"current_password": PASSWORD, "password": OTHER})

    assert code(changed) == (204, None)
    answers = [
        await client.post("/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        for tokens in (here, there)
    ]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert (await sign_in(mailing, name, OTHER)).status_code == 200
    assert [mail.message["Subject"] for mail in await deliver(mailing, mailbox)] == ["Your password was changed"]


async def test_guessing_the_present_password_is_slow(api: ApiUnderTest) -> None:
    person, _ = await add_person(api, Role.LEARNER)
    client = await api.as_user(person, Role.LEARNER)
    body = {"current_password": "wrong", "password": OTHER}

    answers = [await client.put("/api/passwords/mine", json=body) for _ in range(11)]

    assert [code(answer) for answer in answers] == [(401, "wrong_password")] * 10 + [(429, "too_many_requests")]


@pytest.mark.parametrize(
    "password", ["password", "12345678", "Password123!", "qwertyuiop", "ada_lovelace", "lovelace1815"]
)
async def test_a_password_that_is_guessed_first_is_refused_wherever_one_is_set(
    mailing: ApiUnderTest, mailbox: Mailbox, password: str
) -> None:
    values = {"username": "ada_lovelace", "email": "ada@lovelace1815.org", "display_name": "Ada Lovelace"}
    person, _ = await add_person(mailing, Role.LEARNER, "ada_lovelace")
    async with mailing.database.transaction() as connection:
        await connection.execute(update(users).where(users.c.id == person).values(**values))
    client = await mailing.as_user(person, Role.LEARNER)
    await ask(mailing, values["email"])
    [mail] = await deliver(mailing, mailbox)

    changed = await client.put("/api/passwords/mine", json={"current_password": PASSWORD, "password": password})
    reset = await complete(mailing, token_in(mail), password)
    signed_up = await client.post(
        "/api/signup", json={"username": "lovelace", "email": "x@lovelace1815.org", "password": password}
    )

    assert code(changed) == code(reset) == (400, "common_password")
    assert [item["pointer"] for item in reset.json()["errors"]] == ["/password"]
    assert code(signed_up) == (400, "common_password") or password == "ada_lovelace"
    assert (await complete(mailing, token_in(mail))).status_code == 204


async def test_an_operator_replaces_the_password_of_the_last_administrator(api: ApiUnderTest) -> None:
    _, name = await add_person(api, Role.ADMIN)
    before = (await sign_in(api, name, PASSWORD)).json()["refresh_token"]

    given = await replace_password({"username": name}, api.operator)
    chosen = await replace_password({"username": f"{name}@example.org", "password": OTHER}, api.operator)

    assert set(given) == {"username", "password"}
    assert set(chosen) == {"username"}
    assert (await sign_in(api, name, OTHER)).status_code == 200
    answer = await (await api.client()).post("/api/auth/refresh", json={"refresh_token": before})
    assert answer.status_code == 401
    with pytest.raises(NotFound):
        await replace_password({"username": "nobody"}, api.operator)


async def test_the_pages_lead_from_the_forgotten_password_to_the_sign_in(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    browser = await visitor(mailing)
    browser.cookies.clear()
    browser.base_url = httpx.URL("https://forge.example.org")

    asked = await send(browser, "/ui/forgot-password", {"email": f"{name}@example.org"}, form_of="/ui/forgot-password")
    wrong = await send(browser, "/ui/forgot-password", {"email": "nobody"}, form_of="/ui/forgot-password")
    [mail] = await deliver(mailing, mailbox)
    page = f"/ui/reset-password?token={token_in(mail)}"
    opened = await browser.get(page)
    fields = {"token": token_in(mail), "password": "password"}
    refused = await send(browser, "/ui/reset-password", fields, form_of=page)
    short = await send(browser, "/ui/reset-password", {**fields, "password": "x"}, form_of=page)
    done = await send(browser, "/ui/reset-password", {**fields, "password": OTHER}, form_of=page)
    again = await send(browser, "/ui/reset-password", {**fields, "password": OTHER}, form_of=page)

    assert (asked.status_code, asked.headers["location"]) == (303, "/v1/ui/sign-in")
    assert (wrong.status_code, "must be an e-mail address" in wrong.text) == (400, True)
    assert token_in(mail) in opened.text
    assert (refused.status_code, "among the first that are guessed" in refused.text) == (400, True)
    assert (short.status_code, "Password must have at least 8 characters" in short.text) == (400, True)
    assert (done.status_code, done.headers["location"]) == (303, "/v1/ui/sign-in")
    assert (again.status_code, "This link was used before" in again.text) == (400, True)
    assert (await sign_in(mailing, name, OTHER)).status_code == 200
