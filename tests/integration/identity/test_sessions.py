"""One's own sign-ins: seen, ended, and two tabs that renew one at once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest
from tests.builders.browser import PASSWORD, add_person


async def signed_in(api: ApiUnderTest, name: str, device: str = "curl/8") -> tuple[httpx.AsyncClient, dict[str, Any]]:
    login = {"username": name, "password": PASSWORD}
    answer = await (await api.client()).post("/api/auth/login", json=login, headers={"User-Agent": device})
    return await api.client(answer.json()["access_token"]), answer.json()


async def renew(api: ApiUnderTest, tokens: dict[str, Any]) -> httpx.Response:
    return await (await api.client()).post("/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})


async def test_a_person_sees_where_they_are_signed_in(api: ApiUnderTest, clock: FixedClock) -> None:
    _, name = await add_person(api, Role.LEARNER)
    await add_person(api, Role.LEARNER, "eve")
    await signed_in(api, "eve")
    _, tokens = await signed_in(api, name, "Firefox\x7f" + "x" * 300)
    began = clock.now()
    clock.advance(timedelta(minutes=20))
    here, _ = await signed_in(api, name)
    clock.advance(timedelta(minutes=1))
    await renew(api, tokens)

    items = (await here.get("/api/sessions")).json()["items"]

    assert [(item["current"], item["device"]) for item in items] == [
        (False, "Firefox" + "x" * 193),
        (True, "curl/8"),
    ]
    assert items[0]["began_at"] == began.isoformat().replace("+00:00", "Z")
    assert items[0]["last_used_at"] == clock.now().isoformat().replace("+00:00", "Z")


async def test_a_person_ends_one_sign_in_or_all_others(api: ApiUnderTest) -> None:
    _, name = await add_person(api, Role.LEARNER)
    (here, mine), (_, one), (_, two) = [await signed_in(api, name) for _ in range(3)]
    first = next(item["id"] for item in (await here.get("/api/sessions")).json()["items"] if not item["current"])

    assert (await here.delete(f"/api/sessions/{first}")).status_code == 204
    assert (await here.delete(f"/api/sessions/{first}")).json()["code"] == "session_unknown"
    assert len((await here.get("/api/sessions")).json()["items"]) == 2
    assert (await here.delete("/api/sessions")).status_code == 204
    assert [item["current"] for item in (await here.get("/api/sessions")).json()["items"]] == [True]
    assert [(await renew(api, tokens)).status_code for tokens in (mine, one, two)] == [200, 401, 401]


async def test_nobody_ends_what_is_not_theirs(api: ApiUnderTest) -> None:
    await add_person(api, Role.LEARNER, "ada")
    await add_person(api, Role.LEARNER, "eve")
    (ada, tokens), (eve, _) = await signed_in(api, "ada"), await signed_in(api, "eve")
    hers = (await ada.get("/api/sessions")).json()["items"][0]["id"]

    for session in (hers, uuid7()):
        answer = await eve.delete(f"/api/sessions/{session}")
        assert (answer.status_code, answer.json()["code"]) == (404, "session_unknown")
    assert (await renew(api, tokens)).status_code == 200


async def test_two_tabs_that_renew_at_once_do_not_end_the_sign_in(api: ApiUnderTest, clock: FixedClock) -> None:
    _, name = await add_person(api, Role.LEARNER)
    _, tokens = await signed_in(api, name)

    answers = await asyncio.gather(*(renew(api, tokens) for _ in range(5)))
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    refused = [(answer.status_code, answer.json()["code"]) for answer in answers if answer.status_code != 200]

    assert refused == [(401, "refresh_token_rotated")] * 4
    clock.advance(timedelta(seconds=9))
    assert (await renew(api, tokens)).json()["code"] == "refresh_token_rotated"
    assert (await renew(api, won)).status_code == 200


async def test_the_same_ten_seconds_later_is_a_theft(api: ApiUnderTest, clock: FixedClock) -> None:
    _, name = await add_person(api, Role.LEARNER)
    _, tokens = await signed_in(api, name)
    newer = (await renew(api, tokens)).json()

    clock.advance(timedelta(seconds=10))
    stolen = await renew(api, tokens)
    ended = await renew(api, newer)

    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_token_reused")
    assert (ended.status_code, ended.json()["code"]) == (401, "invalid_refresh_token")
