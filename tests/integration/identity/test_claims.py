"""Accounts that imports made become those of their people."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text, update

from dataforge.contexts.identity.tables import users
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest
from tests.builders.browser import add_person
from tests.builders.mail import deliver, token_in

GOOD = "a quiet lake at dawn"
EMAIL = "ada@example.org"


async def imported(api: ApiUnderTest, email: str = EMAIL, **values: Any) -> UUID:
    return await api.add_user(Role.LEARNER, email=email, display_name="Ada L", **values)


async def request(api: ApiUnderTest, *people: UUID) -> httpx.Response:
    admin = await api.as_role(Role.ADMIN)
    return await admin.post("/api/claims", json={"user_ids": [str(person) for person in people]})


async def claim(api: ApiUnderTest, token: str, password: str = GOOD) -> httpx.Response:
    client = await api.client()
    return await client.post("/api/passwords/resets/complete", json={"token": token, "password": password})


async def sign_in(api: ApiUnderTest, name: str, password: str) -> int:
    client = await api.client()
    return (await client.post("/api/auth/login", json={"username": name, "password": password})).status_code


def code(response: httpx.Response) -> tuple[int, Any]:
    return response.status_code, response.json().get("code") if response.content else None


async def test_an_imported_person_sets_a_password_by_the_mailed_link_and_has_the_account(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    user_id = await imported(mailing)

    asked = await request(mailing, user_id)
    [mail] = await deliver(mailing, mailbox)
    done = await claim(mailing, token_in(mail))

    assert (asked.status_code, asked.json()) == (202, {"mailed": 1, "claimed": 0, "suspended": 0, "unknown": 0})
    assert (mail.recipients, mail.message["Subject"]) == ((EMAIL,), "Your account is waiting for you")
    assert "once, until" in mail.text
    assert code(done) == (204, None)
    assert await sign_in(mailing, EMAIL, GOOD) == 200
    async with mailing.database.read_only() as connection:
        query = select(users.c.email_confirmed_at).where(users.c.id == user_id)
        assert await connection.scalar(query) is not None


async def test_the_link_works_for_a_week(mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock) -> None:
    first, second = await imported(mailing), await imported(mailing, "bob@example.org")
    await request(mailing, first, second)
    mails = {mail.recipients[0]: token_in(mail) for mail in await deliver(mailing, mailbox)}

    clock.advance(timedelta(days=7) - timedelta(seconds=1))
    in_time = await claim(mailing, mails[EMAIL])
    clock.advance(timedelta(seconds=1))
    too_late = await claim(mailing, mails["bob@example.org"])

    assert (code(in_time), code(too_late)) == ((204, None), (400, "invalid_link"))


async def test_of_two_people_who_claim_an_account_at_once_one_has_it(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    user_id = await imported(mailing)
    await request(mailing, user_id)
    await request(mailing, user_id)
    tokens = [token_in(mail) for mail in await deliver(mailing, mailbox)]
    passwords = [f"{GOOD} {number}" for number in range(6)]

    answers = await asyncio.gather(
        *(claim(mailing, tokens[number % 2], password) for number, password in enumerate(passwords))
    )

    assert len(tokens) == 2
    assert sorted(code(answer) for answer in answers) == [(204, None)] + [(400, "invalid_link")] * 5
    signed_in = [await sign_in(mailing, EMAIL, password) for password in passwords]
    assert [status for status, answer in zip(signed_in, answers, strict=True) if answer.status_code == 204] == [200]
    assert sorted(signed_in) == [200, 401, 401, 401, 401, 401]


async def test_a_claim_and_an_invitation_at_once_are_one(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    user_id = await imported(mailing)
    admin = await mailing.as_role(Role.ADMIN)
    made = await admin.post("/api/invitations", json={"email": EMAIL, "role": "analyst"})
    await request(mailing, user_id)
    tokens = {str(mail.message["Subject"])[:4]: token_in(mail) for mail in await deliver(mailing, mailbox)}
    invitation = mailing.identity.link_tokens.of_invitation(UUID(made.json()["id"]), 1)
    body = {"token": invitation, "username": "ada", "password": f"{GOOD} invited"}

    claimed, invited = await asyncio.gather(
        claim(mailing, tokens["Your"]), (await mailing.client()).post("/api/invitations/sign-up", json=body)
    )

    outcomes = (code(claimed), code(invited))
    assert outcomes in [((204, None), (409, "sign_in_to_accept")), ((400, "invalid_link"), (201, None))]
    password = GOOD if claimed.status_code == 204 else body["password"]
    assert await sign_in(mailing, EMAIL, password) == 200


async def test_nobody_is_mailed_a_link_to_an_account_that_is_somebodys(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    now = mailing.platform.clock.now()
    claimed, _ = await add_person(mailing, Role.LEARNER)
    proved = await imported(mailing, "bob@example.org", email_confirmed_at=now)
    suspended = await imported(mailing, "eve@example.org", suspended_at=now)

    asked = await request(mailing, claimed, proved, suspended, uuid7(), claimed)

    assert asked.json() == {"mailed": 0, "claimed": 2, "suspended": 1, "unknown": 1}
    assert await deliver(mailing, mailbox) == []


@pytest.mark.parametrize("values", [{"suspended_at": "now"}, {"email_confirmed_at": "now"}, {"email": "new@e.org"}])
async def test_what_happens_to_the_account_meanwhile_ends_the_link(
    mailing: ApiUnderTest, mailbox: Mailbox, values: dict[str, str]
) -> None:
    user_id = await imported(mailing)
    await request(mailing, user_id)
    [mail] = await deliver(mailing, mailbox)
    now = mailing.platform.clock.now()
    async with mailing.database.transaction() as connection:
        changed = {key: now if value == "now" else value for key, value in values.items()}
        await connection.execute(update(users).where(users.c.id == user_id).values(**changed))

    assert code(await claim(mailing, token_in(mail))) == (400, "invalid_link")


async def test_a_mail_that_waits_is_not_sent_when_the_account_is_claimed_first(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    user_id = await imported(mailing)
    await request(mailing, user_id)
    async with mailing.database.transaction() as connection:
        now = mailing.platform.clock.now()
        await connection.execute(update(users).where(users.c.id == user_id).values(email_confirmed_at=now))

    assert await deliver(mailing, mailbox) == []


async def test_only_administrators_have_claims_mailed(mailing: ApiUnderTest) -> None:
    for role in set(Role) - {Role.ADMIN}:
        answer = await (await mailing.as_role(role)).post("/api/claims", json={"user_ids": [str(uuid7())]})
        assert code(answer) == (403, "forbidden")


async def test_people_who_have_not_claimed_their_accounts_are_listed(mailing: ApiUnderTest) -> None:
    now = mailing.platform.clock.now()
    waiting = await imported(mailing)
    away = await imported(mailing, "eve@example.org", suspended_at=now)
    active, _ = await add_person(mailing, Role.LEARNER)
    admin = await mailing.as_role(Role.ADMIN)

    found = {}
    for state in ("unclaimed", "suspended", "active"):
        answer = await admin.get(f"/api/users?role=learner&state={state}")
        found[state] = [(row["id"], row["claimed"]) for row in answer.json()["items"]]

    assert found == {
        "unclaimed": [(str(waiting), False)],
        "suspended": [(str(away), False)],
        "active": [(str(active), True)],
    }


async def test_the_link_is_kept_nowhere(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    await request(mailing, await imported(mailing))
    [mail] = await deliver(mailing, mailbox)

    async with mailing.database.read_only() as connection:
        for table in ("platform.outbox", "identity.mailed_links", "platform.audit_log", "notifications.messages"):
            query = text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE :token")
            assert await connection.scalar(query, {"token": f"%{token_in(mail)}%"}) == 0
