"""Sign-up, sign-in, refresh and sign-out through the API."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import text

from dataforge.contexts.identity.sessions.access_tokens import TokenVerifier
from dataforge.contexts.identity.sessions.commands import Refresh, refresh
from dataforge.contexts.identity.sessions.domain import Session
from dataforge.contexts.identity.sign_in.domain import TryLimits
from dataforge.contexts.identity.signing_keys.public_keys import PublicKeys
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest

PASSWORD = "correct horse battery staple"


def sign_up_body(**changes: Any) -> dict[str, Any]:
    return {"username": "ada", "email": "Ada@Example.org", "password": PASSWORD, "avatar": "owl", **changes}


async def signed_up(api: ApiUnderTest) -> httpx.AsyncClient:
    client = await api.client()
    response = await client.post("/api/signup", json=sign_up_body())
    assert response.status_code == 201, response.text
    return client


async def sign_in(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await client.post("/api/auth/login", json={"username": "ada", "password": PASSWORD, **changes})


async def test_a_new_person_is_a_learner_and_the_password_is_not_shown(api: ApiUnderTest) -> None:
    client = await api.client()

    response = await client.post("/api/signup", json=sign_up_body())

    assert response.status_code == 201
    assert response.json()["role"] == "learner"
    assert response.json()["email"] == "ada@example.org"
    assert "password" not in response.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"username": "ADA", "email": "b@example.org", "avatar": "b"}, "duplicate_username"),
        ({"username": "bob", "email": "TAKEN@example.org", "avatar": "b"}, "duplicate_email"),
        ({"username": "bob", "email": "b@example.org", "avatar": "owl"}, "duplicate_avatar"),
    ],
)
async def test_a_duplicate_is_refused_with_its_own_code(api: ApiUnderTest, changes: dict[str, str], code: str) -> None:
    client = await signed_up(api)
    await api.add_user(Role.LEARNER, email="taken@example.org", email_confirmed_at=api.platform.clock.now())

    response = await client.post("/api/signup", json=sign_up_body(**changes))

    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"username": "ab"}, "/username"),
        ({"username": "1ada"}, "/username"),
        ({"username": "ada'; DROP TABLE users"}, "/username"),
        ({"email": "nobody"}, "/email"),
        ({"password": "short"}, "/password"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"role": "admin"}, "/role"),
        ({"avatar": "x" * 65}, "/avatar"),
    ],
)
async def test_a_bad_member_is_named_by_its_pointer(api: ApiUnderTest, changes: dict[str, str], pointer: str) -> None:
    client = await api.client()

    response = await client.post("/api/signup", json=sign_up_body(**changes))

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "validation_failed"
    assert [item["pointer"] for item in response.json()["errors"]] == [pointer]


async def test_signing_in_gives_tokens_that_work(api: ApiUnderTest) -> None:
    client = await signed_up(api)

    response = await sign_in(client, username="ADA@example.org")

    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    me = await client.get("/api/users/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert (me.status_code, me.json()["username"]) == (200, "ada")


async def test_a_password_is_the_same_however_a_keyboard_composes_it(api: ApiUnderTest) -> None:
    client = await api.client()
    composed, decomposed = "caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301"
    await client.post("/api/signup", json=sign_up_body(password=composed))

    assert (await sign_in(client, password=decomposed)).status_code == 200
    assert (await sign_in(client, password="cafe cafe")).status_code == 401


@pytest.mark.parametrize("path", ["/api/signup", "/api/users/me"])
async def test_an_address_that_is_too_long_in_lower_case_is_refused(api: ApiUnderTest, path: str) -> None:
    email = "\u0130" * 64 + "@" + "a." * 90 + "org"
    signed_in = await api.as_role(Role.LEARNER)

    if path == "/api/signup":
        answer = await signed_in.post(path, json=sign_up_body(email=email))
    else:
        answer = await signed_in.patch(path, json={"email": email}, headers={"If-Match": "*"})

    assert (answer.status_code, [item["pointer"] for item in answer.json()["errors"]]) == (400, ["/email"])


async def test_an_address_is_kept_in_lower_case_when_it_is_changed_too(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.LEARNER)

    changed = await client.patch("/api/users/me", json={"email": "Ada@Example.ORG"}, headers={"If-Match": "*"})

    assert changed.json()["new_email"] == "ada@example.org"


@pytest.mark.parametrize("path", ["/api/signup", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"username": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"username": ' + b'{"a": ' * 500 + b"1" + b"}" * 500 + b"}",
        b'{"username": "a\\u0000", "password": "12345678\\u0000", "refresh_token": "\\u0000"}',
        b'{"username": "\\ud800", "password": "\\udfff", "refresh_token": "\\ud800"}',
        b'{"username": 1e999, "password": -0.0, "refresh_token": 1}',
        b"[]",
        b"null",
        b"",
        b"\xff\xfe",
    ],
)
async def test_hostile_bodies_are_refused(api: ApiUnderTest, path: str, body: bytes) -> None:
    answer = await (await api.client()).post(path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text


async def test_a_wrong_password_and_an_unknown_name_look_the_same(api: ApiUnderTest) -> None:
    client = await signed_up(api)

    wrong = await sign_in(client, password="not the password")
    unknown = await sign_in(client, username="nobody")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["code"] == unknown.json()["code"] == "invalid_credentials"
    assert wrong.json()["detail"] == unknown.json()["detail"]


async def test_a_refresh_token_works_once(api: ApiUnderTest) -> None:
    client = await signed_up(api)
    first = (await sign_in(client)).json()["refresh_token"]

    second = await client.post("/api/auth/refresh", json={"refresh_token": first})

    assert second.status_code == 200
    assert second.json()["refresh_token"] != first


async def test_using_a_refresh_token_twice_ends_the_whole_sign_in(api: ApiUnderTest, clock: FixedClock) -> None:
    client = await signed_up(api)
    stolen = (await sign_in(client)).json()["refresh_token"]
    current = (await client.post("/api/auth/refresh", json={"refresh_token": stolen})).json()["refresh_token"]

    clock.advance(timedelta(seconds=10))
    reuse = await client.post("/api/auth/refresh", json={"refresh_token": stolen})
    after = await client.post("/api/auth/refresh", json={"refresh_token": current})

    assert (reuse.status_code, reuse.json()["code"]) == (401, "refresh_token_reused")
    assert (after.status_code, after.json()["code"]) == (401, "invalid_refresh_token")


async def test_of_two_refreshes_at_once_one_wins(api: ApiUnderTest) -> None:
    client = await signed_up(api)
    token = (await sign_in(client)).json()["refresh_token"]

    answers = await asyncio.gather(*(client.post("/api/auth/refresh", json={"refresh_token": token}) for _ in range(2)))

    assert sorted(item.status_code for item in answers) == [200, 401]


async def test_a_rotation_that_is_under_way_does_not_outlive_the_revocation(
    api: ApiUnderTest, database: Database, clock: FixedClock
) -> None:
    client = await signed_up(api)
    used = (await sign_in(client)).json()["refresh_token"]
    current = (await client.post("/api/auth/refresh", json={"refresh_token": used})).json()["refresh_token"]
    clock.advance(timedelta(seconds=10))

    async with IdentityUnitOfWork(database, clock=api.platform.clock) as rotation:
        rotated = await refresh(Refresh(current, "192.0.2.1"), rotation, limits=TryLimits())
        reuse = asyncio.create_task(client.post("/api/auth/refresh", json={"refresh_token": used}))
        await asyncio.sleep(0.2)  # long enough for the revocation to wait at a lock
        await rotation.commit()
    assert (await reuse).json()["code"] == "refresh_token_reused"
    assert isinstance(rotated, Session)
    after = await client.post("/api/auth/refresh", json={"refresh_token": rotated.refresh_token})

    assert (after.status_code, after.json()["code"]) == (401, "invalid_refresh_token")


async def test_a_refresh_that_cannot_be_answered_leaves_the_token_unspent(api: ApiUnderTest) -> None:
    client = await signed_up(api)
    token = {"refresh_token": (await sign_in(client)).json()["refresh_token"]}
    keys = api.secrets.values.pop("signing-keys")

    failed = await client.post("/api/auth/refresh", json=token)
    api.secrets.values["signing-keys"] = keys
    repeated = await client.post("/api/auth/refresh", json=token)

    assert (failed.status_code, failed.json()["code"]) == (503, "no_signing_key")
    assert repeated.status_code == 200


async def test_a_refresh_token_expires(api: ApiUnderTest, clock: FixedClock) -> None:
    client = await signed_up(api)
    token = (await sign_in(client)).json()["refresh_token"]
    clock.advance(timedelta(days=31))

    response = await client.post("/api/auth/refresh", json={"refresh_token": token})

    assert (response.status_code, response.json()["code"]) == (401, "invalid_refresh_token")


async def test_signing_out_ends_the_refresh_token(api: ApiUnderTest) -> None:
    client = await signed_up(api)
    token = (await sign_in(client)).json()["refresh_token"]

    out = await client.post("/api/auth/logout", json={"refresh_token": token})

    assert out.status_code == 204
    assert (await client.post("/api/auth/refresh", json={"refresh_token": token})).status_code == 401


async def test_a_suspended_person_cannot_sign_in_or_refresh(api: ApiUnderTest, database: Database) -> None:
    client = await signed_up(api)
    token = (await sign_in(client)).json()["refresh_token"]
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE identity.users SET suspended_at = now()"))

    login = await sign_in(client)
    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": token})

    assert (login.status_code, login.json()["code"]) == (403, "account_suspended")
    assert (refreshed.status_code, refreshed.json()["code"]) == (403, "account_suspended")


async def test_no_password_or_token_is_stored_readable(api: ApiUnderTest, database: Database) -> None:
    client = await signed_up(api)
    tokens = (await sign_in(client)).json()

    async with database.read_only() as connection:
        stored = str(
            (await connection.execute(text("SELECT u, r FROM identity.users u, identity.refresh_tokens r"))).all()
        )

    assert PASSWORD not in stored
    assert tokens["refresh_token"] not in stored
    assert "$argon2id$" in stored


class TestForgedAndExpiredTokens:
    async def status(self, api: ApiUnderTest, token: str) -> tuple[int, str]:
        client = await api.client(token)
        response = await client.get("/api/users/me")
        return response.status_code, response.json()["code"]

    async def genuine(self, api: ApiUnderTest) -> str:
        return await api.token(await api.add_user(Role.LEARNER), Role.LEARNER)

    async def test_an_expired_token_is_refused(self, api: ApiUnderTest, clock: FixedClock) -> None:
        token = await self.genuine(api)
        clock.advance(timedelta(hours=1))

        assert await self.status(api, token) == (401, "invalid_token")

    async def test_algorithm_none_is_refused(self, api: ApiUnderTest) -> None:
        claims = jwt.decode(await self.genuine(api), options={"verify_signature": False})

        assert await self.status(api, jwt.encode(claims, "", algorithm="none")) == (401, "invalid_token")

    async def test_the_public_key_as_hmac_secret_is_refused(self, api: ApiUnderTest) -> None:
        token = await self.genuine(api)
        kid = jwt.get_unverified_header(token)["kid"]
        claims = jwt.decode(token, options={"verify_signature": False})
        forged = jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": kid})

        assert await self.status(api, forged) == (401, "invalid_token")

    @pytest.mark.parametrize("kid", ["../../etc/passwd", "' OR 1=1 --", "0" * 32, ""])
    async def test_an_unknown_kid_is_refused(self, api: ApiUnderTest, kid: str) -> None:
        claims = jwt.decode(await self.genuine(api), options={"verify_signature": False})
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        forged = jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid})

        assert await self.status(api, forged) == (401, "invalid_token")

    @pytest.mark.parametrize("change", [{"aud": "other"}, {"iss": "other"}])
    async def test_a_token_for_somebody_else_is_refused(self, api: ApiUnderTest, change: dict[str, str]) -> None:
        token = await self.genuine(api)
        kid = jwt.get_unverified_header(token)["kid"]
        claims = jwt.decode(token, options={"verify_signature": False}) | change
        private = api.secrets.values["signing-keys"]["keys"][kid]

        forged = jwt.encode(claims, private, algorithm="ES256", headers={"kid": kid})

        assert await self.status(api, forged) == (401, "invalid_token")

    async def test_a_changed_role_breaks_the_signature(self, api: ApiUnderTest) -> None:
        head, _, signature = (await self.genuine(api)).split(".")
        claims = jwt.decode(await self.genuine(api), options={"verify_signature": False}) | {"role": "admin"}
        payload = jwt.encode(claims, "k" * 32, algorithm="HS256").split(".")[1]

        assert await self.status(api, f"{head}.{payload}.{signature}") == (401, "invalid_token")

    @pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer  ", "nonsense"])
    async def test_another_scheme_is_told_what_to_send(self, api: ApiUnderTest, header: str) -> None:
        client = await api.client()

        response = await client.get("/api/users/me", headers={"Authorization": header})

        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
        assert response.headers["www-authenticate"].startswith("Bearer")


class TestKeyRotation:
    async def test_tokens_of_the_old_key_work_until_they_expire(self, api: ApiUnderTest, clock: FixedClock) -> None:
        user = await api.add_user(Role.LEARNER)
        old = await api.token(user, Role.LEARNER)

        await api.identity.private_keys.rotate()

        new = await api.token(user, Role.LEARNER)
        assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
        for token in (old, new):
            assert (await (await api.client(token)).get("/api/users/me")).status_code == 200

    async def test_a_function_that_read_its_keys_before_the_rotation_knows_the_new_one(self, api: ApiUnderTest) -> None:
        mine = api.identity
        keys = PublicKeys(mine.database, mine.clock)
        other = TokenVerifier(mine.database, keys, mine.personal_tokens, mine.settings, mine.clock)
        user = await api.add_user(Role.LEARNER)
        await other.authenticate(await api.token(user, Role.LEARNER))

        await mine.private_keys.rotate()

        assert (await other.authenticate(await api.token(user, Role.LEARNER))).user_id == user

    async def test_the_key_set_lists_both_keys_and_no_private_part(self, api: ApiUnderTest) -> None:
        await api.identity.private_keys.rotate()

        keys = (await (await api.client()).get("/.well-known/jwks.json")).json()["keys"]

        assert len(keys) == 2
        assert {key["alg"] for key in keys} == {"ES256"}
        assert not any("d" in key for key in keys)

    async def test_a_retired_key_is_forgotten_everywhere(self, api: ApiUnderTest, clock: FixedClock) -> None:
        await api.identity.private_keys.rotate()
        clock.advance(timedelta(days=1))

        kid = await api.identity.private_keys.rotate()

        keys = (await (await api.client()).get("/.well-known/jwks.json")).json()["keys"]
        assert kid in [key["kid"] for key in keys]
        assert len(keys) == 2
        assert len(api.secrets.values["signing-keys"]["keys"]) == 2
