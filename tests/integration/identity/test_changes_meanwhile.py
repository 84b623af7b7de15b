"""A password that is being checked while the account changes, and what a stranger has left in one."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from dataforge.contexts.identity.passwords import commands as passwords
from dataforge.contexts.identity.sign_in import commands
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import PASSWORD, add_person
from tests.builders.datasets import ok
from tests.builders.mail import Mailbox, deliver, token_in
from tests.builders.second_factor import Phone
from tests.builders.single_sign_on import count_linked, link_identity
from tests.builders.tokens import new_token
from tests.integration.identity.test_passwords import OTHER, ask, complete, sign_in

Work = Callable[[], Awaitable[Any]]


async def while_hashing(module: Any, monkeypatch: pytest.MonkeyPatch, request: Work, meanwhile: Work) -> Any:
    """The answer to a request, during whose hash of a password something else is done to its end."""
    checking, entered, go_on = module.verify_password, threading.Event(), threading.Event()

    def slow(known: str | None, given: str) -> bool:
        entered.set()
        go_on.wait(20)
        return bool(checking(known, given))

    monkeypatch.setattr(module, "verify_password", slow)
    answer = asyncio.ensure_future(request())
    assert await asyncio.to_thread(entered.wait, 10)
    monkeypatch.setattr(module, "verify_password", checking)
    await meanwhile()
    go_on.set()
    return await answer


async def test_a_sign_in_with_the_password_of_before_ends_with_a_reset(
    mailing: ApiUnderTest, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    await ask(mailing, f"{name}@example.org")
    [mail] = await deliver(mailing, mailbox)

    async def reset() -> None:
        assert (await complete(mailing, token_in(mail))).status_code == 204

    answer = await while_hashing(commands, monkeypatch, lambda: sign_in(mailing, name, PASSWORD), reset)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


async def test_a_sign_in_ends_with_a_suspension(api: ApiUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    user_id, name = await add_person(api, Role.LEARNER)
    admin = await api.as_role(Role.ADMIN)

    async def suspend() -> None:
        answer = await admin.patch(f"/api/users/{user_id}", json={"suspended": True}, headers={"If-Match": "*"})
        assert answer.status_code == 200

    answer = await while_hashing(commands, monkeypatch, lambda: sign_in(api, name, PASSWORD), suspend)

    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")


async def test_a_change_of_password_does_not_undo_a_reset(
    mailing: ApiUnderTest, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, name = await add_person(mailing, Role.LEARNER)
    mine = await mailing.client((await sign_in(mailing, name, PASSWORD)).json()["access_token"])
    await ask(mailing, f"{name}@example.org")
    [mail] = await deliver(mailing, mailbox)

    async def change() -> httpx.Response:
        body = {"current_password": PASSWORD, "password": "what an intruder chose"}
        return await mine.put("/api/passwords/mine", json=body)

    async def reset() -> None:
        assert (await complete(mailing, token_in(mail))).status_code == 204

    answer = await while_hashing(passwords, monkeypatch, change, reset)

    assert answer.json()["code"] == "wrong_password"
    assert (await sign_in(mailing, name, OTHER)).status_code == 200


async def test_what_a_stranger_set_up_ends_when_the_address_is_proved_by_a_reset(
    mailing: ApiUnderTest, mailbox: Mailbox
) -> None:
    client = await mailing.client()
    body = {"username": "eve", "email": "victim@example.org", "password": "a quiet lake at dawn"}
    user_id = UUID((await client.post("/api/signup", json=body)).json()["id"])
    token = await new_token(mailing, user_id)
    await link_identity(mailing.database, user_id)
    signed_in = await mailing.as_user(user_id, Role.LEARNER)
    secret = ok(await signed_in.post("/api/second-factor", json={"password": body["password"]}))["secret"]
    code = Phone(secret, mailing.platform.clock).code()
    ok(await signed_in.post("/api/second-factor/confirm", json={"code": code}))
    await deliver(mailing, mailbox)
    await ask(mailing, "victim@example.org")
    mails = [mail for mail in await deliver(mailing, mailbox) if "reset-password" in str(mail)]

    assert (await complete(mailing, token_in(mails[0]))).status_code == 204

    assert (await (await mailing.client(token.secret)).get("/api/users/me")).status_code == 401
    assert await count_linked(mailing.database) == 0
    assert (await sign_in(mailing, "eve", OTHER)).status_code == 200


async def test_what_is_kept_of_a_request_lets_no_password_be_guessed(api: ApiUnderTest) -> None:
    body = {"username": "adaa", "email": "adaa@example.org", "password": "a quiet lake at dawn"}
    content = json.dumps(body).encode()
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    answer = await (await api.client()).post("/api/signup", content=content, headers=headers)
    assert answer.status_code == 201

    async with api.database.read_only() as connection:
        kept = (await connection.scalars(text("SELECT fingerprint FROM platform.idempotency_keys"))).all()

    assert len(kept) == 1
    assert kept != [hashlib.sha256(b"POST\n/api/signup?\n" + content).hexdigest()]
