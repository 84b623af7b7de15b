"""Access tokens of xAPI credentials: given at /oauth/token, good at /xapi, and nowhere else."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import text

from dataforge.contexts.identity.signing_keys.consumers import ensure_signing_key, rotate_signing_keys
from dataforge.contexts.identity.signing_keys.published import PublishedKeys
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement


@dataclass
class Senders:
    """The record store and the API that gives tokens for it."""

    records: StoreUnderTest
    api: ApiUnderTest

    async def ask(self, auth: tuple[str, str] | None = None, **form: str) -> httpx.Response:
        """Ask for a token, by default with the credential of the store's LMS."""
        client = await self.api.client()
        data = {"grant_type": "client_credentials", **form}
        return await client.post("/oauth/token", data=data, auth=auth or (self.records.key, self.records.secret))

    async def token(self, auth: tuple[str, str] | None = None, **form: str) -> str:
        """A token."""
        answer = await self.ask(auth, **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def send(self, token: str, method: str = "POST", path: str = "/xapi/statements", **more: Any) -> Any:
        """Send a statement, or something else, with a token."""
        headers = {**VERSION, "Authorization": f"Bearer {token}"}
        body = {"json": statement()} if method == "POST" else {}
        return await self.records.lms.request(method, path, headers=headers, auth=Bare(), **body, **more)


class Bare(httpx.Auth):
    """Sends a request as it is."""


@pytest.fixture
async def senders(emulator: EmulatedAws, database: Database) -> AsyncIterator[Senders]:
    async with (
        StoreUnderTest(emulator, database) as records,
        ApiUnderTest(database, SystemClock(), data_bucket=records.bucket) as api,
    ):
        yield Senders(records, api)


async def test_a_token_is_given_as_the_standard_says_and_sends_statements(senders: Senders) -> None:
    answer = await senders.ask()

    sent = await senders.send(answer.json()["access_token"])

    await senders.records.deliver()
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert set(body["scope"].split()) == {"statements/write", "statements/read/mine", "state", "define", "profile"}
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert sent.status_code == 200
    query = "SELECT authority FROM records.statements_raw WHERE statement_id = :id"
    assert (await senders.records.rows(query, id=sent.json()[0]))[0].authority == senders.records.key


async def test_the_secret_may_be_in_the_body(senders: Senders) -> None:
    client = await senders.api.client()
    form = {"grant_type": "client_credentials", "client_id": senders.records.key}

    answer = await client.post("/oauth/token", data={**form, "client_secret": senders.records.secret})

    assert answer.status_code == 200


async def test_a_token_has_the_scopes_that_were_asked_for(senders: Senders) -> None:
    token = await senders.token(scope="statements/write")

    written = await senders.send(token)
    read = await senders.send(token, "GET")

    assert (written.status_code, read.status_code, read.json()["code"]) == (200, 403, "scope_missing")


@pytest.mark.parametrize(
    ("auth", "form", "status", "error"),
    [
        (("lrs_none", "s"), {}, 401, "invalid_client"),
        (None, {"scope": "all"}, 400, "invalid_scope"),
        (None, {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (None, {"grant_type": ""}, 400, "invalid_request"),
    ],
)
async def test_a_refusal_has_the_form_of_the_standard(
    senders: Senders, auth: tuple[str, str] | None, form: dict[str, str], status: int, error: str
) -> None:
    answer = await senders.ask(auth, **form)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


async def test_a_wrong_secret_shows_with_the_credential(senders: Senders) -> None:
    await senders.ask((senders.records.key, "wrong"))

    query = "SELECT last_refused_reason AS reason FROM identity.xapi_credentials WHERE key_id = :key"
    (row,) = await senders.records.rows(query, key=senders.records.key)
    assert row.reason.startswith("invalid_client: ")


async def test_a_token_works_while_the_database_is_away(senders: Senders) -> None:
    token = await senders.token()
    senders.records.front.platform.database = Database("postgresql://nobody@127.0.0.1:9/nothing")

    answer = await senders.send(token)

    assert answer.status_code == 200


async def test_a_revoked_credentials_token_is_refused_within_thirty_seconds(
    senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await senders.token()
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    before = await senders.send(token)
    admin = await senders.api.as_role(Role.ADMIN)
    await admin.delete(f"/api/xapi-credentials/{senders.records.key}")

    now += 30
    after = await senders.send(token)
    another = await senders.ask()

    assert (before.status_code, after.status_code, another.status_code) == (200, 401, 401)
    assert 'error="invalid_token"' in after.headers["WWW-Authenticate"]


async def test_a_scope_that_its_credential_lost_is_lost_to_its_tokens(
    senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await senders.token()
    admin = await senders.api.as_role(Role.ADMIN)
    address = f"/api/xapi-credentials/{senders.records.key}"
    now = time.monotonic() + 31
    monkeypatch.setattr(time, "monotonic", lambda: now)

    await admin.patch(address, json={"scopes": ["state", "all/read"]}, headers={"If-Match": "*"})

    written, read = await senders.send(token), await senders.send(token, "GET")
    assert (written.status_code, read.status_code) == (403, 200)


async def test_a_persons_token_is_none_of_a_credential_and_the_other_way_round(senders: Senders) -> None:
    person = await senders.api.add_user(Role.ADMIN)

    at_xapi = await senders.send(await senders.api.token(person, Role.ADMIN))
    at_api = await (await senders.api.client(await senders.token())).get("/api/users/me")

    assert (at_xapi.status_code, at_xapi.json()["code"]) == (401, "invalid_token")
    assert (at_api.status_code, at_api.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "dataforge-api"},
        {"iss": "somebody else"},
        {"exp": 1},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"scope": None},
        {"sub": "lrs_none"},
    ],
)
async def test_a_token_that_says_something_else_is_refused(senders: Senders, change: dict[str, Any]) -> None:
    good = await senders.token()
    kid, private = await senders.api.operator.private_keys.active()
    claims = {**jwt.decode(good, options={"verify_signature": False}), **change}
    forged = jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        private,
        algorithm="ES256",
        headers={"kid": kid, "typ": "at+jwt"},
    )

    answer = await senders.send(forged)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("headers", [{"typ": "JWT"}, {"kid": "../x"}, {"kid": "0" * 32}, {"kid": None}])
async def test_a_token_of_another_type_or_of_an_unknown_key_is_refused(
    senders: Senders, headers: dict[str, Any]
) -> None:
    good = await senders.token()
    kid, private = await senders.api.operator.private_keys.active()
    claims = jwt.decode(good, options={"verify_signature": False})
    named = {name: value for name, value in ({"kid": kid, "typ": "at+jwt"} | headers).items() if value is not None}

    answer = await senders.send(jwt.encode(claims, private, algorithm="ES256", headers=named))

    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é"])
async def test_what_is_no_token_is_refused(senders: Senders, token: str) -> None:
    answer = await senders.records.lms.post(
        "/xapi/statements",
        json=statement(),
        headers={**VERSION, "Authorization": f"Bearer {token}".encode()},  # type: ignore[dict-item]  # httpx takes bytes
        auth=Bare(),
    )

    assert answer.status_code == 401


async def test_a_token_goes_on_after_a_rotation_until_its_key_no_longer_counts(senders: Senders) -> None:
    token = await senders.token()
    await rotate_signing_keys({}, senders.api.operator)
    now, kid = SystemClock().now(), jwt.get_unverified_header(token)["kid"]

    after = await senders.send(token)
    another = await senders.send(await senders.token())

    assert (after.status_code, another.status_code) == (200, 200)
    assert await PublishedKeys(senders.records.bucket).find(kid, now)
    with pytest.raises(jwt.InvalidKeyError):
        await PublishedKeys(senders.records.bucket).find(kid, now + timedelta(hours=1))


async def test_publishing_the_keys_again_changes_nothing(senders: Senders) -> None:
    await ensure_signing_key({}, senders.api.operator)
    token = await senders.token()
    await ensure_signing_key({}, senders.api.operator)

    assert (await senders.send(token)).status_code == 200
    async with senders.records.database.read_only() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM identity.signing_keys"))).scalar_one() == 1


async def last_used(senders: Senders) -> Any:
    async with senders.records.database.read_only() as connection:
        query = text("SELECT last_used_at FROM identity.xapi_credentials WHERE key_id = :key")
        return await connection.scalar(query, {"key": senders.records.key})


async def forget_use(senders: Senders) -> None:
    async with senders.records.database.transaction() as connection:
        query = text("UPDATE identity.xapi_credentials SET last_used_at = NULL WHERE key_id = :key")
        await connection.execute(query, {"key": senders.records.key})
    for services in (senders.records.front, senders.records.back):
        services.uses._noted.clear()


async def test_every_way_of_using_a_credential_is_seen(senders: Senders) -> None:
    lms, seen = senders.records.lms, {}
    token = await senders.token(scope="statements/read/mine state")
    seen["asking for a token"] = await last_used(senders)
    about = {"activityId": "https://e.org/a", "agent": '{"mbox": "mailto:ada@example.org"}', "stateId": "s"}
    bearer = {**VERSION, "Authorization": f"Bearer {token}"}
    bare = httpx.AsyncClient(transport=lms._transport, base_url="http://xapi.test")

    async def use(name: str, answer: Any) -> None:
        await forget_use(senders)
        response = await answer()
        assert response.status_code < 300, response.text
        await senders.records.deliver()
        seen[name] = await last_used(senders)

    state = "/xapi/activities/state"
    await use("reading statements", lambda: lms.get("/xapi/statements", headers=VERSION))
    await use("writing a document", lambda: lms.put(state, params=about, content=b"{}", headers=VERSION))
    await use("reading a document", lambda: lms.get(state, params=about, headers=VERSION))
    await use("reading statements with a token", lambda: bare.get("/xapi/statements", headers=bearer))
    await use("reading a document with a token", lambda: bare.get(state, params=about, headers=bearer))
    await use("sending statements", lambda: senders.records.post(statement()))
    await bare.aclose()

    assert [name for name, at in seen.items() if at is None] == []


async def test_what_is_refused_is_no_use_and_uses_are_written_once_a_minute(senders: Senders) -> None:
    lms = senders.records.lms

    await lms.get("/xapi/statements", params={"statementId": "x"}, headers=VERSION)
    refused = await last_used(senders)
    await lms.get("/xapi/statements", headers=VERSION)
    first = await last_used(senders)
    await lms.get("/xapi/statements", headers=VERSION)

    assert refused is None
    assert await last_used(senders) == first is not None
