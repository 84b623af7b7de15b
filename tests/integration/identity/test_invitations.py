"""Invitations into the organisation, from the mail to the account, and everything that must not work."""

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
from tests.builders.browser import add_person, person, send, visitor
from tests.builders.mail import PUBLIC, deliver, token_in

GOOD = "a quiet lake at dawn"
EMAIL = "ada@example.org"


async def invite(admin: httpx.AsyncClient, role: Role = Role.INSTRUCTOR, email: str = EMAIL) -> httpx.Response:
    return await admin.post("/api/invitations", json={"email": email, "role": role.value})


async def mailed(api: ApiUnderTest, mailbox: Mailbox) -> str:
    [mail] = [mail for mail in await deliver(api, mailbox) if "invites you" in str(mail.message["Subject"])]
    return token_in(mail)


async def sign_up(api: ApiUnderTest, token: str, username: str = "ada", **more: Any) -> httpx.Response:
    body = {"token": token, "username": username, "password": GOOD, **more}
    return await (await api.client()).post("/api/invitations/sign-up", json=body)


async def accept(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/invitations/accept", json={"token": token})


async def sign_in(api: ApiUnderTest, name: str, password: str) -> httpx.Response:
    return await (await api.client()).post("/api/auth/login", json={"username": name, "password": password})


async def account_of(api: ApiUnderTest, username: str) -> Any:
    async with api.database.read_only() as connection:
        return (await connection.execute(select(users).where(users.c.username == username))).one()


async def audited(api: ApiUnderTest, action: str) -> list[Any]:
    query = text("SELECT before, after FROM platform.audit_log WHERE action = :action ORDER BY id")
    async with api.database.read_only() as connection:
        return [tuple(row) for row in await connection.execute(query, {"action": action})]


def code(response: httpx.Response) -> tuple[int, Any]:
    body = response.json() if response.content else None
    return response.status_code, body.get("code") if body else None


async def test_somebody_new_gets_an_account_with_the_role_by_the_mailed_link(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    admin = await mailing.as_role(Role.ADMIN)

    invited = await invite(admin)
    [mail] = await deliver(mailing, mailbox)
    made = await sign_up(mailing, token_in(mail), display_name="Ada L")

    assert (invited.status_code, invited.json()["state"]) == (201, "open")
    assert "token" not in invited.text
    assert mail.recipients == (EMAIL,)
    assert f"{PUBLIC}/ui/invitation?token=" in mail.part("html")
    assert "as instructor" in mail.text
    assert made.status_code == 201
    assert (made.json()["role"], made.json()["offered"]) == ("instructor", "instructor")
    account = await account_of(mailing, "ada")
    assert (account.email, account.role, account.display_name) == (EMAIL, "instructor", "Ada L")
    assert account.email_confirmed_at is not None
    assert (await sign_in(mailing, "ada", GOOD)).status_code == 200
    [listed] = (await admin.get("/api/invitations")).json()["items"]
    assert (listed["state"], listed["accepted_by"]) == ("accepted", made.json()["user_id"])
    assert await audited(mailing, "invitation_accepted") == [(None, {"role": "instructor"})]


async def test_an_account_that_an_import_made_becomes_the_invited_persons(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    imported = await mailing.add_user(Role.LEARNER, email=EMAIL, display_name="Ada Lovelace")
    await invite(await mailing.as_role(Role.ADMIN))

    made = await sign_up(mailing, await mailed(mailing, mailbox))

    assert made.json()["user_id"] == str(imported)
    account = await account_of(mailing, "ada")
    assert (account.id, account.role, account.display_name) == (imported, "instructor", "Ada Lovelace")
    assert (await sign_in(mailing, EMAIL, GOOD)).status_code == 200


async def test_whoever_has_an_account_signs_in_and_accepts(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    user_id, name = await add_person(mailing, Role.LEARNER)
    await invite(await mailing.as_role(Role.ADMIN), Role.ANALYST, f"{name}@example.org")
    token, client = await mailed(mailing, mailbox), await mailing.as_user(user_id, Role.LEARNER)

    instead = await sign_up(mailing, token, "another")
    accepted = await accept(client, token)

    assert code(instead) == (409, "sign_in_to_accept")
    assert (accepted.status_code, accepted.json()["role"]) == (200, "analyst")
    account = await account_of(mailing, name)
    assert (account.role, account.email_confirmed_at is not None) == ("analyst", True)
    assert await audited(mailing, "invitation_accepted") == [({"role": "learner"}, {"role": "analyst"})]


async def test_an_invitation_lowers_no_role_and_says_so(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    user_id, name = await add_person(mailing, Role.REGISTRAR)
    await invite(await mailing.as_role(Role.ADMIN), Role.LEARNER, f"{name}@example.org")
    token = await mailed(mailing, mailbox)

    accepted = await accept(await mailing.as_user(user_id, Role.REGISTRAR), token)

    assert accepted.json() == {"user_id": str(user_id), "role": "registrar", "offered": "learner"}
    assert (await account_of(mailing, name)).role == "registrar"


async def test_an_invitation_is_for_its_address(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    await invite(await mailing.as_role(Role.ADMIN), Role.ADMIN)
    token = await mailed(mailing, mailbox)
    other = await mailing.as_role(Role.LEARNER)

    refused = await accept(other, token)

    assert code(refused) == (403, "invitation_for_somebody_else")
    assert code(await sign_up(mailing, token))[0] == 201


async def test_of_many_who_accept_at_once_one_does(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    await invite(await mailing.as_role(Role.ADMIN))
    token = await mailed(mailing, mailbox)

    answers = await asyncio.gather(*(sign_up(mailing, token, f"ada{number}") for number in range(5)))

    assert sorted(code(answer) for answer in answers) == [(201, None)] + [(409, "invitation_closed")] * 4
    async with mailing.database.read_only() as connection:
        query = text("SELECT count(*) FROM identity.users WHERE email = :email")
        assert await connection.scalar(query, {"email": EMAIL}) == 1


async def test_of_two_tabs_of_one_person_one_accepts(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    user_id, name = await add_person(mailing, Role.LEARNER)
    await invite(await mailing.as_role(Role.ADMIN), Role.ANALYST, f"{name}@example.org")
    token, client = await mailed(mailing, mailbox), await mailing.as_user(user_id, Role.LEARNER)

    answers = await asyncio.gather(*(accept(client, token) for _ in range(4)))

    assert sorted(code(answer) for answer in answers) == [(200, None)] + [(409, "invitation_closed")] * 3
    assert len(await audited(mailing, "invitation_accepted")) == 1


async def test_links_that_were_revoked_replaced_or_have_expired_do_nothing(
    mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock
) -> None:
    admin_id = await mailing.add_user(Role.ADMIN)
    admin = await mailing.as_user(admin_id, Role.ADMIN)
    first = (await invite(admin)).json()["id"]
    replaced = await mailed(mailing, mailbox)
    early = await admin.post(f"/api/invitations/{first}/resend")
    clock.advance(timedelta(minutes=1))
    again = await admin.post(f"/api/invitations/{first}/resend")
    latest = await mailed(mailing, mailbox)

    assert (code(early), again.json()["sendings"]) == ((429, "too_many_requests"), 2)
    assert code(await sign_up(mailing, replaced)) == (404, "invitation_not_found")
    clock.advance(timedelta(days=7))
    admin = await mailing.as_user(admin_id, Role.ADMIN)
    assert code(await sign_up(mailing, latest)) == (409, "invitation_expired")
    assert [row["state"] for row in (await admin.get("/api/invitations?state=expired")).json()["items"]] == ["expired"]

    second = (await invite(admin)).json()["id"]
    fresh = await mailed(mailing, mailbox)
    assert (await admin.delete(f"/api/invitations/{second}")).status_code == 204
    assert code(await admin.delete(f"/api/invitations/{second}")) == (409, "invitation_closed")
    assert code(await sign_up(mailing, fresh)) == (409, "invitation_closed")
    assert code(await admin.post(f"/api/invitations/{second}/resend")) == (409, "invitation_closed")
    assert code(await admin.delete(f"/api/invitations/{uuid7()}")) == (404, "invitation_not_found")


@pytest.mark.parametrize("token", ["forged", "x" * 200, "é"])
async def test_a_forged_link_does_nothing(mailing: ApiUnderTest, token: str) -> None:
    assert code(await sign_up(mailing, token)) == (404, "invitation_not_found")
    assert code(await accept(await mailing.as_role(Role.LEARNER), token)) == (404, "invitation_not_found")


async def test_the_mail_of_a_revoked_invitation_is_not_sent(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    admin = await mailing.as_role(Role.ADMIN)
    made = (await invite(admin)).json()["id"]
    await admin.delete(f"/api/invitations/{made}")

    assert await deliver(mailing, mailbox) == []


async def test_an_address_is_invited_once_at_a_time(mailing: ApiUnderTest) -> None:
    admin = await mailing.as_role(Role.ADMIN)

    answers = await asyncio.gather(*(invite(admin, email=email) for email in (EMAIL, EMAIL.upper(), EMAIL)))

    assert sorted(code(answer) for answer in answers) == [(201, None)] + [(409, "already_invited")] * 2


async def test_an_address_with_an_account_is_not_invited_but_told_whose_it_is(mailing: ApiUnderTest) -> None:
    now = mailing.platform.clock.now()
    user_id, name = await add_person(mailing, Role.LEARNER, email_confirmed_at=now)
    suspended, other = await add_person(mailing, Role.LEARNER, suspended_at=now)
    admin = await mailing.as_role(Role.ADMIN)

    known, away = [await invite(admin, email=f"{who}@example.org") for who in (name, other)]

    assert code(known) == (409, "already_registered")
    assert known.json()["user_id"] == str(user_id)
    assert code(away) == (409, "person_suspended")
    assert str(suspended) in away.json()["detail"]


async def test_only_administrators_invite(mailing: ApiUnderTest) -> None:
    for role in set(Role) - {Role.ADMIN}:
        client = await mailing.as_role(role)
        assert code(await invite(client, Role.ADMIN)) == (403, "forbidden")
        assert code(await client.get("/api/invitations")) == (403, "forbidden")


@pytest.mark.parametrize("change", [{"role": "analyst"}, {"suspended_at": "now"}])
async def test_what_an_administrator_promised_who_is_none_any_more_is_not_kept(
    mailing: ApiUnderTest, mailbox: Mailbox, change: dict[str, Any]
) -> None:
    first, second = await mailing.add_user(Role.ADMIN), await mailing.add_user(Role.ADMIN)
    made = (await invite(await mailing.as_user(first, Role.ADMIN), Role.ADMIN)).json()["id"]
    token = await mailed(mailing, mailbox)
    values = {key: mailing.platform.clock.now() if value == "now" else value for key, value in change.items()}
    async with mailing.database.transaction() as connection:
        await connection.execute(update(users).where(users.c.id == first).values(values))

    refused = await sign_up(mailing, token)
    backed = await mailing.as_user(second, Role.ADMIN)
    mailing.platform.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]  # the tests' clock
    await backed.post(f"/api/invitations/{made}/resend")

    assert code(refused) == (409, "invitation_closed")
    assert "no longer an administrator" in refused.json()["detail"]
    assert (await sign_up(mailing, await mailed(mailing, mailbox))).status_code == 201


async def test_a_name_that_is_taken_and_a_password_that_is_guessed_leave_the_link_good(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    _, taken = await add_person(mailing, Role.LEARNER)
    await invite(await mailing.as_role(Role.ADMIN))
    token = await mailed(mailing, mailbox)

    assert code(await sign_up(mailing, token, taken)) == (400, "duplicate_username")
    assert code(await sign_up(mailing, token, password="password1")) == (400, "common_password")
    assert (await sign_up(mailing, token)).status_code == 201


async def test_a_suspended_account_is_not_taken_over(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    await invite(await mailing.as_role(Role.ADMIN))
    token = await mailed(mailing, mailbox)
    await mailing.add_user(Role.LEARNER, email=EMAIL, suspended_at=mailing.platform.clock.now())

    assert code(await sign_up(mailing, token)) == (403, "account_suspended")


async def test_the_link_is_kept_nowhere(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    await invite(await mailing.as_role(Role.ADMIN))
    token = await mailed(mailing, mailbox)

    async with mailing.database.read_only() as connection:
        for table in ("platform.outbox", "identity.invitations", "platform.audit_log", "notifications.messages"):
            query = text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE :token")
            found = await connection.scalar(query, {"token": f"%{token}%"})
            assert (table, found) == (table, 0)


async def test_the_page_makes_the_account(mailing: ApiUnderTest, mailbox: Mailbox) -> None:
    await invite(await mailing.as_role(Role.ADMIN))
    token, browser = await mailed(mailing, mailbox), await visitor(mailing)
    browser.base_url = httpx.URL("https://forge.example.org")
    page = f"/ui/invitation?token={token}"

    shown = await browser.get(page)
    fields = {"token": token, "username": "ada", "password": GOOD, "display_name": ""}
    refused = await send(browser, "/ui/invitation", {**fields, "username": "a!"}, form_of=page)
    done = await send(browser, "/ui/invitation", fields, form_of=page)
    after = await browser.get(page)

    assert EMAIL in shown.text
    assert "an instructor" in shown.text
    assert (refused.status_code, "3 to 255 letters" in refused.text) == (400, True)
    assert (done.status_code, done.headers["location"]) == (303, "/v1/ui/sign-in")
    assert "was accepted" in after.text
    assert (await sign_in(mailing, "ada", GOOD)).status_code == 200


async def test_the_page_gives_the_role_to_whoever_is_signed_in(api: ApiUnderTest) -> None:
    user_id, name = await add_person(api, Role.LEARNER)
    made = await invite(await api.as_role(Role.ADMIN), Role.ANALYST, f"{name}@example.org")
    token = api.identity.link_tokens.of_invitation(UUID(made.json()["id"]), 1)
    page = f"/ui/invitation?token={token}"
    browser = await person(api, user_id, Role.LEARNER)
    stranger = await person(api, await api.add_user(Role.VIEWER), Role.VIEWER)

    wrong = await send(stranger, "/ui/invitation/accept", {"token": token}, form_of=page)
    done = await send(browser, "/ui/invitation/accept", {"token": token}, form_of=page)

    assert (wrong.status_code, "not proved to be yours" in wrong.text) == (403, True)
    assert done.status_code == 303
    assert (await account_of(api, name)).role == "analyst"


async def test_the_page_of_a_link_that_leads_nowhere_says_so(mailing: ApiUnderTest) -> None:
    answer = await (await visitor(mailing)).get("/ui/invitation?token=forged")

    assert (answer.status_code, "not the link of an invitation" in answer.text) == (404, True)
    assert 'name="password"' not in answer.text
