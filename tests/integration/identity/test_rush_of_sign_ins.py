"""A thousand people who sign in at the same moment, while others guess their passwords."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert

from dataforge.contexts.identity.tables import refresh_tokens, users
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.tables import throttles
from tests.builders.api import BASE_URL, ApiUnderTest

PEOPLE, GUESSED = 1_000, 300
PASSWORD = "correct horse battery staple"
# Real hashes of argon2id, of a thousandth of the memory: what is looked at is who gets in, not what a hash costs.
HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
ELSEWHERE = "203.0.113"


async def crowd(api: ApiUnderTest, size: int) -> Sequence[str]:
    """People who can sign in, by their names."""
    now, names = api.platform.clock.now(), [f"person_{number}" for number in range(size)]
    rows: list[dict[str, Any]] = [
        {
            "id": uuid7(),
            "username": name,
            "email": f"{name}@example.org",
            "avatar": name,
            "display_name": name,
            "password_hash": HASH,
            "role": Role.LEARNER.value,
            "created_at": now,
            "updated_at": now,
        }
        for name in names
    ]
    async with api.database.transaction() as connection:
        await connection.execute(insert(users), rows)
    return names


async def sign_in(api: ApiUnderTest, name: str, password: str, address: str) -> httpx.Response:
    transport = httpx.ASGITransport(api.asgi, client=(address, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        return await client.post("/api/auth/login", json={"username": name, "password": password})


async def rows_of(api: ApiUnderTest, table: Any) -> list[Any]:
    async with api.database.read_only() as connection:
        return list(await connection.execute(table.select()))


@pytest.mark.slow
async def test_a_thousand_sign_ins_at_once_all_succeed_whoever_guesses_meanwhile(api: ApiUnderTest) -> None:
    names = await crowd(api, PEOPLE)
    asked = []
    for number, name in enumerate(names):
        # Between them, for every third name, guesses of a few machines elsewhere: more than a name is given.
        if number % (PEOPLE // GUESSED) == 0 and number // (PEOPLE // GUESSED) < GUESSED:
            asked.append(sign_in(api, names[number % 5], "wrong", f"{ELSEWHERE}.{number % 7}"))
        asked.append(sign_in(api, name, PASSWORD, f"10.0.{number // 250}.{number % 250}"))

    answers = await asyncio.gather(*asked)

    right = [answer for answer in answers if answer.request.read() and PASSWORD.encode() in answer.request.content]
    wrong = [answer for answer in answers if answer not in right]
    assert Counter(answer.status_code for answer in right) == {200: PEOPLE}
    assert set(Counter(answer.status_code for answer in wrong)) <= {401, 429}
    assert len(wrong) == GUESSED
    assert len({answer.json()["refresh_token"] for answer in right}) == PEOPLE
    assert len(await rows_of(api, refresh_tokens)) == PEOPLE
    assert [row for row in await rows_of(api, throttles) if row.in_flight] == []
    for name in names[:5]:
        assert (await sign_in(api, name, PASSWORD, "192.0.2.1")).status_code == 200


@pytest.mark.slow
async def test_a_school_behind_one_address_gets_in_by_trying_again_as_it_is_asked_to(api: ApiUnderTest) -> None:
    names = await crowd(api, 200)

    async def patient(name: str) -> int:
        for _ in range(200):
            answer = await sign_in(api, name, PASSWORD, "192.0.2.7")
            if answer.status_code != 429:
                return answer.status_code
            assert int(answer.headers["Retry-After"]) == 1  # nobody has failed: only sign-ins under way are waited for
            await asyncio.sleep(0.1)
        return answer.status_code

    found = Counter(await asyncio.gather(*(patient(name) for name in names)))

    assert found == {200: 200}
