"""How often one address may try to sign in, sign up or refresh, and whom that never keeps out."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from dataforge.contexts.identity.passwords.hashing import hash_password
from dataforge.contexts.identity.tables import users
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest

PASSWORD = "correct horse battery staple"
ELSEWHERE, AT_HOME = "203.0.113.9", "192.0.2.1"


@pytest.fixture
async def api(database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """The API with small budgets, because each try hashes a password."""
    limits = {"sign_in_tries": 6, "sign_in_tries_per_name": 3, "sign_up_tries": 3, "refresh_tries": 3}
    async with ApiUnderTest(database, clock, **limits) as api:
        await api.add_user(Role.LEARNER, username="ada", email="ada@example.org", password_hash=hash_password(PASSWORD))
        yield api


async def sign_in(client: httpx.AsyncClient, username: str = "ada", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/auth/login", json={"username": username, "password": password})


async def test_guesses_from_many_addresses_never_keep_the_right_password_out(api: ApiUnderTest) -> None:
    attackers = [await api.client(address=f"203.0.113.{n}") for n in range(5)]
    guesses = [await sign_in(attacker, password="wrong") for attacker in attackers for _ in range(4)]
    assert [guess.status_code for guess in guesses] == [401, 401, 401, 429] * 5

    owner = await sign_in(await api.client(address=AT_HOME))

    assert owner.status_code == 200


async def test_failures_of_one_name_at_one_address_wait_and_say_how_long(api: ApiUnderTest, clock: FixedClock) -> None:
    client = await api.client(address=ELSEWHERE)
    for _ in range(3):
        await sign_in(client, password="wrong")

    refused = await sign_in(client)
    clock.advance(timedelta(seconds=int(refused.headers["retry-after"])))

    assert (refused.status_code, refused.json()["code"]) == (429, "login_throttled")
    assert refused.headers["retry-after"] in refused.json()["detail"]
    assert (await sign_in(client)).status_code == 200


async def test_one_address_has_a_number_of_failures_whatever_the_names(api: ApiUnderTest) -> None:
    client = await api.client(address=ELSEWHERE)

    answers = [await sign_in(client, username=f"nobody{n}") for n in range(8)]

    assert [answer.status_code for answer in answers] == [401] * 6 + [429] * 2
    assert (await sign_in(await api.client(address=AT_HOME), username="nobody")).status_code == 401


async def test_people_behind_one_address_who_know_their_passwords_are_not_counted(api: ApiUnderTest) -> None:
    client = await api.client(address=ELSEWHERE)

    assert [(await sign_in(client)).status_code for _ in range(8)] == [200] * 8


async def test_guesses_in_parallel_are_counted_one_by_one(api: ApiUnderTest) -> None:
    client = await api.client(address=ELSEWHERE)

    answers = await asyncio.gather(*(sign_in(client, password=f"wrong {n}") for n in range(12)))

    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 9


async def test_capitals_do_not_make_another_name(api: ApiUnderTest) -> None:
    client = await api.client(address=ELSEWHERE)

    answers = [await sign_in(client, username=name, password="wrong") for name in ("ada", "ADA", "Ada", "aDA")]

    assert [answer.status_code for answer in answers] == [401] * 3 + [429]


@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_a_known_and_an_unknown_name_are_counted_alike(api: ApiUnderTest, name: str) -> None:
    client = await api.client(address=ELSEWHERE)

    answers = [await sign_in(client, username=name, password="wrong") for _ in range(4)]
    by_mail = await sign_in(client, username=f"{name}@example.org", password="wrong")

    # A count that name and e-mail address of one person shared would tell strangers that they belong together.
    assert [(answer.status_code, answer.json()["detail"]) for answer in answers[:3]] == [
        (401, "The username or the password is wrong.")
    ] * 3
    assert (answers[3].status_code, by_mail.status_code) == (429, 401)


async def test_addresses_of_one_ipv6_network_are_one_caller(api: ApiUnderTest) -> None:
    clients = [await api.client(address=f"2001:db8::{n}") for n in range(1, 5)]

    answers = [await sign_in(client, password="wrong") for client in clients]

    assert [answer.status_code for answer in answers] == [401] * 3 + [429]


async def test_another_address_in_a_header_changes_nothing(api: ApiUnderTest) -> None:
    client = await api.client(address=ELSEWHERE)

    def claim(number: int) -> dict[str, str]:
        return {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}

    body = {"username": "ada", "password": "wrong"}
    answers = [await client.post("/api/auth/login", json=body, headers=claim(n)) for n in range(4)]

    assert [answer.status_code for answer in answers] == [401] * 3 + [429]


async def test_sign_ups_are_counted_per_address_before_anything_is_hashed(
    api: ApiUnderTest, database: Database
) -> None:
    client = await api.client(address=ELSEWHERE)

    def body(number: int) -> dict[str, str]:
        return {"username": f"new{number}", "email": f"new{number}@example.org", "password": PASSWORD}

    answers = await asyncio.gather(*(client.post("/api/signup", json=body(n)) for n in range(6)))

    refused = next(answer for answer in answers if answer.status_code == 429)
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 3
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("too_many_requests", "60")
    async with database.read_only() as connection:
        made = (await connection.scalars(select(users.c.username).where(users.c.username.like("new%")))).all()
    assert len(made) == 3
    assert (await (await api.client(address=AT_HOME)).post("/api/signup", json=body(9))).status_code == 201


async def test_refreshes_that_fail_are_counted_per_address_and_those_that_work_are_not(api: ApiUnderTest) -> None:
    client = await api.client(address=ELSEWHERE)
    token = (await sign_in(client)).json()["refresh_token"]
    for _ in range(5):
        answer = await client.post("/api/auth/refresh", json={"refresh_token": token})
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]

    guesses = [await client.post("/api/auth/refresh", json={"refresh_token": f"guess{n}"}) for n in range(4)]
    held = await client.post("/api/auth/refresh", json={"refresh_token": token})
    clean = await (await api.client(address=AT_HOME)).post("/api/auth/refresh", json={"refresh_token": token})

    assert [guess.status_code for guess in guesses] == [401] * 3 + [429]
    # What was refused for the address has not spent the token.
    assert (held.status_code, clean.status_code) == (429, 200)
