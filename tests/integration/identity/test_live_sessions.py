"""What an access token may still do after its person was suspended, demoted, promoted or signed out."""

from datetime import timedelta
from typing import Any

import httpx

from dataforge.bootstrap import rest_app
from dataforge.contexts.identity.passwords.hashing import hash_password
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest

PASSWORD = "correct horse battery staple"
ANY = {"If-Match": "*"}


async def signed_in(api: ApiUnderTest, role: Role) -> tuple[httpx.AsyncClient, str, dict[str, Any]]:
    """A client that signed in with a password, the person's id, and the tokens."""
    person = await api.add_user(role, username="ada", password_hash=hash_password(PASSWORD))
    login = {"username": "ada", "password": PASSWORD}
    tokens = (await (await api.client()).post("/api/auth/login", json=login)).json()
    return await api.client(tokens["access_token"]), str(person), tokens


async def outcome(response: httpx.Response) -> tuple[int, str | None]:
    return response.status_code, response.json().get("code")


async def test_a_suspended_person_changes_nothing_more_and_the_end_of_it_needs_a_new_sign_in(
    api: ApiUnderTest,
) -> None:
    client, person, _ = await signed_in(api, Role.LEARNER)
    admin = await api.as_role(Role.ADMIN)
    rename = {"display_name": "Ada"}
    assert (await client.patch("/api/users/me", json=rename, headers=ANY)).status_code == 200

    await admin.patch(f"/api/users/{person}", json={"suspended": True}, headers=ANY)
    suspended = await outcome(await client.patch("/api/users/me", json=rename, headers=ANY))
    await admin.patch(f"/api/users/{person}", json={"suspended": False}, headers=ANY)
    afterwards = await outcome(await client.patch("/api/users/me", json=rename, headers=ANY))

    assert suspended == (403, "account_suspended")
    assert afterwards == (401, "session_ended")


async def test_a_demoted_administrator_changes_nothing_at_once_and_sees_within_ten_seconds_what_everybody_sees(
    api: ApiUnderTest, clock: FixedClock
) -> None:
    client, person, _ = await signed_in(api, Role.ADMIN)
    owner, admin = await api.as_role(Role.ANALYST), await api.as_role(Role.ADMIN)
    _, datasets = rest_app("datasets_api", api.platform_of("datasets-api"))
    client_of_datasets = await api.client(client.headers["authorization"].removeprefix("Bearer "), datasets)
    owner_of_datasets = await api.client(owner.headers["authorization"].removeprefix("Bearer "), datasets)
    private = (await owner_of_datasets.post("/api/datasets", json={"name": "private"})).json()["id"]
    assert (await client_of_datasets.get(f"/api/datasets/{private}")).status_code == 200

    await admin.patch(f"/api/users/{person}", json={"role": "viewer"}, headers=ANY)

    assert await outcome(await client.get("/api/users")) == (403, "forbidden")
    assert (await client_of_datasets.patch(f"/api/datasets/{private}", json={}, headers=ANY)).status_code == 404
    clock.advance(timedelta(seconds=10))
    assert (await client_of_datasets.get(f"/api/datasets/{private}")).status_code == 404
    assert (await client_of_datasets.get("/api/datasets")).json()["items"] == []


async def test_a_promoted_person_need_not_sign_in_again(api: ApiUnderTest) -> None:
    client, person, _ = await signed_in(api, Role.LEARNER)
    admin = await api.as_role(Role.ADMIN)

    await admin.patch(f"/api/users/{person}", json={"role": "registrar"}, headers=ANY)

    assert (await client.post("/api/departments", json={"code": "MATH", "name": "Mathematics"})).status_code == 201


async def test_signing_out_ends_the_access_tokens_of_that_sign_in_only(api: ApiUnderTest) -> None:
    client, _, tokens = await signed_in(api, Role.ADMIN)
    login = {"username": "ada", "password": PASSWORD}
    elsewhere = (await (await api.client()).post("/api/auth/login", json=login)).json()["access_token"]

    await client.post("/api/auth/logout", json={"refresh_token": tokens["refresh_token"]})

    ended = await client.get("/api/users")
    assert await outcome(ended) == (401, "session_ended")
    assert 'error="invalid_token"' in ended.headers["www-authenticate"]
    assert (await (await api.client(elsewhere)).get("/api/users")).status_code == 200


async def test_a_refresh_token_used_twice_ends_the_access_tokens_too(api: ApiUnderTest, clock: FixedClock) -> None:
    client, _, tokens = await signed_in(api, Role.ADMIN)
    for _ in range(2):
        await client.post("/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        clock.advance(timedelta(seconds=10))

    assert await outcome(await client.get("/api/users")) == (401, "session_ended")
