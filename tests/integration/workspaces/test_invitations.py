"""Invitations: mailed, accepted once, by the person of the address, within seven days."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from infra.local.mailbox import Mailbox
from tests.builders.browser import person as in_browser
from tests.builders.browser import send
from tests.builders.mail import receiving
from tests.builders.workspaces import SITE, Person, Space, maintenance, person, refusal, relay, taken

ACCEPT = "/api/workspace-invitations/accept"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with receiving(tmp_path / "mail") as mailbox:
        yield mailbox


@pytest.fixture
async def zoe(space: Space) -> Person:
    return await person(space.api, "zoe")


async def mailed(space: Space, mailbox: Mailbox) -> str:
    """The token of the newest mail, after what waits was delivered."""
    counts = await relay(maintenance(space.api, smtp_url=SecretStr(mailbox.smtp_url)))
    assert counts["failed"] == counts["dead"] == 0
    return token_in(mailbox)


async def signed_in_again(space: Space, role: str) -> None:
    """A new access token, after the clock has gone on."""
    who = space.people[role]
    who.client = await space.api.as_user(who.id, Role.LEARNER)


def token_in(mailbox: Mailbox) -> str:
    newest = max(mailbox.mails(), key=lambda mail: mail.id)
    [link] = re.findall(r"https://\S+", newest.text)
    assert link.startswith(f"{SITE}/ui/workspaces/accept?")
    return parse_qs(urlsplit(link).query)["token"][0]


async def test_somebody_is_invited_by_mail_and_joins(space: Space, mailbox: Mailbox, zoe: Person) -> None:
    await space["owner"].patch(space.path, json={"name": "Acme <Inc>"}, headers={"If-Match": "*"})
    invited = await space.post("/invitations", by="admin", email="ZOE@example.org")
    token = await mailed(space, mailbox)

    joined = taken(await zoe.client.post(ACCEPT, json={"token": token}))
    again = await zoe.client.post(ACCEPT, json={"token": token})

    [mail] = mailbox.mails()
    assert mail.recipients == ("zoe@example.org",)
    assert mail.message["Subject"] == "Admin invites you to the workspace Acme <Inc>"
    assert "Acme &lt;Inc&gt;" in mail.part("html")
    assert "token" not in str(invited)
    assert (joined["id"], joined["role"]) == (space.id, "editor")
    assert refusal(again) == (409, "invitation_closed")
    [entry] = taken(await space["admin"].get(f"{space.path}/invitations", params={"limit": 1}))["items"]
    assert (entry["email"], entry["accepted_by"]) == ("zoe@example.org", str(zoe.id))


async def test_the_link_in_the_mail_leads_to_a_page_whose_button_accepts(
    space: Space, mailbox: Mailbox, zoe: Person
) -> None:
    await space.post("/invitations", by="admin", email="zoe@example.org")
    page = f"/ui/workspaces/accept?token={await mailed(space, mailbox)}"
    browser, other = [await in_browser(space.api, who, Role.LEARNER) for who in (zoe.id, space.people["stranger"].id)]
    fields = {"token": parse_qs(urlsplit(page).query)["token"][0]}

    seen = [await browser.get(page) for _ in range(3)]
    before = await zoe.client.get(space.path)
    refused = await send(other, "/ui/workspaces/accept", fields, form_of=page)
    accepted = await send(browser, "/ui/workspaces/accept", fields, form_of=page)

    assert [answer.status_code for answer in seen] == [200, 200, 200]
    assert before.status_code == 404
    assert refused.status_code == 403
    assert (accepted.status_code, accepted.headers["location"]) == (303, f"/ui/workspaces/{space.id}")
    assert taken(await zoe.client.get(space.path))["role"] == "editor"


async def test_an_invitation_is_for_who_has_proved_the_address(space: Space, mailbox: Mailbox) -> None:
    claims = await space.api.add_user(Role.LEARNER, email="yann@example.org", email_confirmed_at=None)
    client = await space.api.as_user(claims, Role.LEARNER)
    await space.post("/invitations", email="yann@example.org")
    token = await mailed(space, mailbox)

    early = await client.post(ACCEPT, json={"token": token})
    async with space.api.database.transaction() as connection:
        statement = text("UPDATE identity.users SET email_confirmed_at = now() WHERE id = :id")
        await connection.execute(statement, {"id": claims})
    proved = await client.post(ACCEPT, json={"token": token})

    assert refusal(early) == (403, "invitation_for_somebody_else")
    assert proved.status_code == 200


async def test_nothing_stored_opens_the_workspace(space: Space, mailbox: Mailbox, zoe: Person) -> None:
    await space.post("/invitations", email=zoe.email)
    token = await mailed(space, mailbox)

    async with space.api.database.read_only() as connection:
        rows = [
            str(row)
            for table in ("workspaces.invitations", "platform.outbox", "platform.audit_log")
            for row in await connection.execute(text(f"SELECT t::text FROM {table} t"))
        ]
    stored = [await zoe.client.post(ACCEPT, json={"token": part}) for part in re.findall(r"[0-9a-f]{64}", str(rows))]

    assert token not in str(rows)
    assert {refusal(answer) for answer in stored} == {(404, "invitation_not_found")}


async def test_of_many_who_accept_at_once_one_gets_in_once(space: Space, mailbox: Mailbox, zoe: Person) -> None:
    await space.post("/invitations", email=zoe.email)
    token = await mailed(space, mailbox)

    answers = await asyncio.gather(*(zoe.client.post(ACCEPT, json={"token": token}) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    members = taken(await space["owner"].get(f"{space.path}/members"))["items"]
    assert [item["username"] for item in members].count("zoe") == 1


async def test_somebody_else_cannot_use_the_link(space: Space, mailbox: Mailbox, zoe: Person) -> None:
    await space.post("/invitations", email=zoe.email)
    token = await mailed(space, mailbox)

    stolen = await space["stranger"].post(ACCEPT, json={"token": token})
    forged = await zoe.client.post(ACCEPT, json={"token": token[:-2] + "xx"})

    assert refusal(stolen) == (403, "invitation_for_somebody_else")
    assert refusal(forged) == (404, "invitation_not_found")
    taken(await zoe.client.post(ACCEPT, json={"token": token}))


async def test_another_mail_replaces_the_link_and_its_week(
    space: Space, mailbox: Mailbox, zoe: Person, clock: FixedClock
) -> None:
    invited = await space.post("/invitations", email=zoe.email)
    first = await mailed(space, mailbox)
    again = f"{space.path}/invitations/{invited['id']}/resend"

    at_once = await space["admin"].post(again)
    clock.advance(timedelta(days=6))
    await signed_in_again(space, "admin")
    resent = taken(await space["admin"].post(again))
    second = await mailed(space, mailbox)
    clock.advance(timedelta(days=6))
    zoe.client = await space.api.as_user(zoe.id, Role.LEARNER)
    old = await zoe.client.post(ACCEPT, json={"token": first})

    assert (refusal(at_once), at_once.headers["Retry-After"]) == ((429, "too_many_requests"), "61")
    assert resent["sendings"] == 2
    assert refusal(old) == (404, "invitation_not_found")
    taken(await zoe.client.post(ACCEPT, json={"token": second}))


async def test_an_event_that_comes_twice_is_mailed_once(space: Space, mailbox: Mailbox, zoe: Person) -> None:
    await space.post("/invitations", email=zoe.email)
    first = await mailed(space, mailbox)
    async with space.api.database.transaction() as connection:
        await connection.execute(text("UPDATE platform.outbox SET relayed_at = NULL"))

    second = await mailed(space, mailbox)

    assert len(mailbox.mails()) == 1
    assert first == second


async def test_a_revoked_or_old_invitation_opens_nothing(
    space: Space, mailbox: Mailbox, zoe: Person, clock: FixedClock
) -> None:
    invited = await space.post("/invitations", email=zoe.email)
    token = await mailed(space, mailbox)
    taken(await space["admin"].delete(f"{space.path}/invitations/{invited['id']}"), 204)
    revoked = await zoe.client.post(ACCEPT, json={"token": token})
    await space.post("/invitations", email=zoe.email)
    token = await mailed(space, mailbox)
    clock.advance(timedelta(days=7))
    await signed_in_again(space, "admin")
    zoe.client = await space.api.as_user(zoe.id, Role.LEARNER)
    expired = await zoe.client.post(ACCEPT, json={"token": token})
    anew = await space["admin"].post(f"{space.path}/invitations", json={"email": zoe.email})

    assert refusal(revoked) == (409, "invitation_closed")
    assert refusal(expired) == (409, "invitation_expired")
    assert anew.status_code == 201


async def test_a_revoked_invitation_that_still_waits_is_not_mailed(space: Space, mailbox: Mailbox) -> None:
    invited = await space.post("/invitations", email="zoe@example.org")
    taken(await space["owner"].delete(f"{space.path}/invitations/{invited['id']}"), 204)

    counts = await relay(maintenance(space.api, smtp_url=SecretStr(mailbox.smtp_url)))

    assert counts["failed"] == 0
    assert mailbox.mails() == []


async def test_an_address_is_invited_once_and_a_member_not_at_all(space: Space) -> None:
    await space.post("/invitations", email="zoe@example.org")

    again = await space["admin"].post(f"{space.path}/invitations", json={"email": "Zoe@Example.org"})
    member = await space["admin"].post(f"{space.path}/invitations", json={"email": "Viewer@example.org"})
    owner = await space["admin"].post(f"{space.path}/invitations", json={"email": "y@example.org", "role": "owner"})

    assert refusal(again) == (409, "already_invited")
    assert refusal(member) == (409, "already_member")
    assert refusal(owner) == (403, "workspace_not_owned")


async def test_nobody_joins_an_archived_workspace(space: Space, mailbox: Mailbox, zoe: Person) -> None:
    await space.post("/invitations", email=zoe.email)
    token = await mailed(space, mailbox)
    taken(await space["owner"].post(f"{space.path}/archive"))

    assert refusal(await zoe.client.post(ACCEPT, json={"token": token})) == (409, "workspace_archived")
