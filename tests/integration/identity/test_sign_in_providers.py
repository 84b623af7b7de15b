"""Providers as administrators keep them: over REST and on their page."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from dataforge.kernel.clock import FixedClock, SystemClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from infra.local.ports import LOOPBACK, free_port
from tests.builders.api import ApiUnderTest
from tests.builders.browser import person, send, visitor
from tests.builders.oidc_provider import CLIENT_SECRET, OidcProvider
from tests.builders.single_sign_on import Console, signed_in, why, with_provider

ADDRESS, PAGE = "/api/sign-in-providers", "/ui/admin/sign-in-providers"
BODY: dict[str, Any] = {"name": "Campus", "issuer": "https://login.example.org", "client_id": "us"}


async def test_the_secret_is_kept_encrypted_and_given_to_nobody(console: Console) -> None:
    admin = await console.api.as_role(Role.ADMIN)

    listed = await admin.get(ADDRESS)
    one = await admin.get(f"{ADDRESS}/{console.provider_id}")

    assert one.json()["has_secret"] is True
    assert CLIENT_SECRET not in listed.text + one.text
    everything = await console.rows(
        "SELECT p::text AS kept FROM identity.sign_in_providers p UNION ALL SELECT a::text FROM platform.audit_log a "
        "UNION ALL SELECT o::text FROM platform.outbox o UNION ALL SELECT k::text FROM platform.idempotency_keys k"
    )
    assert everything
    assert not [row.kept for row in everything if CLIENT_SECRET in row.kept or CLIENT_SECRET.encode().hex() in row.kept]


async def test_a_change_keeps_the_secret_until_another_is_given(console: Console) -> None:
    admin = await console.api.as_role(Role.ADMIN)
    address = f"{ADDRESS}/{console.provider_id}"

    first = await admin.get(address)
    renamed = await admin.patch(address, json={"name": "University"}, headers={"If-Match": first.headers["etag"]})
    assert renamed.status_code == 200, renamed.text
    assert signed_in(await console.sign_in(await visitor(console.api)))
    stale = await admin.patch(address, json={"name": "Late"}, headers={"If-Match": first.headers["etag"]})
    await admin.patch(address, json={"client_secret": "wrong"}, headers={"If-Match": "*"})
    refused = await console.sign_in(await visitor(console.api))
    forgotten = await admin.patch(address, json={"client_secret": ""}, headers={"If-Match": "*"})

    assert (renamed.json()["name"], stale.status_code) == ("University", 412)
    assert refused.status_code == 503
    assert forgotten.json()["has_secret"] is False


async def test_the_secret_is_sent_to_no_other_issuer(console: Console) -> None:
    admin = await console.api.as_role(Role.ADMIN)
    address = f"{ADDRESS}/{console.provider_id}"

    answer = await admin.patch(address, json={"issuer": "https://evil.example"}, headers={"If-Match": "*"})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/client_secret"]
    assert (await admin.get(address)).json()["issuer"] == console.provider.issuer


async def test_a_provider_that_is_down_is_not_asked_again_at_once(laptop: ApiUnderTest, provider: OidcProvider) -> None:
    console = await with_provider(laptop, provider)
    provider.broken = True
    browser = await visitor(laptop)

    answers = [await browser.get(console.with_it) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {503}
    assert len(provider.asked) == 1


async def test_removing_a_provider_ends_signing_in_and_adding_it_again_goes_on(console: Console) -> None:
    admin = await console.api.as_role(Role.ADMIN)
    await console.sign_in(await visitor(console.api))

    gone = await admin.delete(f"{ADDRESS}/{console.provider_id}", headers={"If-Match": "*"})
    page = await (await visitor(console.api)).get(console.with_it)
    again = await with_provider(console.api, console.provider)

    assert (gone.status_code, page.status_code) == (204, 404)
    assert signed_in(await again.sign_in(await visitor(console.api)))
    assert len(await console.rows("SELECT 1 FROM identity.users WHERE role = 'learner'")) == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"issuer": "http://login.example.org"}, "/issuer"),
        ({"issuer": "https://127.0.0.1"}, "/issuer"),
        ({"issuer": "https://169.254.169.254/latest"}, "/issuer"),
        ({"issuer": "https://[::1]/"}, "/issuer"),
        ({"issuer": "https://login.example.org/?tenant=1"}, "/issuer"),
        ({"issuer": "https://user@login.example.org"}, "/issuer"),
        ({"name": ""}, "/name"),
        ({"client_id": "no\nline"}, "/client_id"),
        ({"domains": ["@example.org"]}, "/domains/0"),
        ({"domains": ["exa mple.org"]}, "/domains/0"),
        ({"domains": ["ex\u0430mple.org"]}, "/domains/0"),
        ({"secret": "x"}, "/secret"),
    ],
)
async def test_what_is_no_provider_is_refused(api: ApiUnderTest, changes: dict[str, Any], pointer: str) -> None:
    admin = await api.as_role(Role.ADMIN)

    answer = await admin.post(ADDRESS, json={**BODY, **changes})

    assert answer.status_code == 400, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_an_issuer_is_there_once(api: ApiUnderTest) -> None:
    admin = await api.as_role(Role.ADMIN)
    assert (await admin.post(ADDRESS, json=BODY)).status_code == 201

    answer = await admin.post(ADDRESS, json={**BODY, "name": "Another"})

    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")


async def test_only_administrators_keep_providers(console: Console) -> None:
    registrar = await console.api.as_role(Role.REGISTRAR)
    address = f"{ADDRESS}/{console.provider_id}"

    answers = [
        await registrar.get(ADDRESS),
        await registrar.post(ADDRESS, json=BODY),
        await registrar.get(address),
        await registrar.patch(address, json={"name": "Mine"}, headers={"If-Match": "*"}),
        await registrar.delete(address, headers={"If-Match": "*"}),
        await registrar.get(f"{address}/check"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 6


async def test_a_provider_is_checked_before_anybody_signs_in(console: Console) -> None:
    admin = await console.api.as_role(Role.ADMIN)

    good = await admin.get(f"{ADDRESS}/{console.provider_id}/check")
    elsewhere = {"issuer": "http://127.0.0.1:9", "client_secret": "another"}
    await admin.patch(f"{ADDRESS}/{console.provider_id}", json=elsewhere, headers={"If-Match": "*"})
    bad = await admin.get(f"{ADDRESS}/{console.provider_id}/check")

    assert good.json()["token_endpoint"] == f"{console.provider.issuer}/token"
    assert (bad.status_code, bad.json()["code"]) == (503, "sign_in_provider_unavailable")
    assert "connection was refused" in bad.json()["detail"]


@pytest.mark.parametrize(
    ("methods", "secret"),
    [(["client_secret_basic", "client_secret_post"], True), (["client_secret_post"], True), (["none"], False)],
)
async def test_we_prove_who_we_are_as_the_provider_asks(
    laptop: ApiUnderTest, provider: OidcProvider, methods: list[str], secret: bool
) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": methods}
    values = {"client_secret": CLIENT_SECRET if secret else None, "creates_accounts": True}
    console = await with_provider(laptop, provider, **values)

    assert signed_in(await console.sign_in(await visitor(laptop)))


async def test_an_address_that_is_only_told_when_asked_counts_too(console: Console) -> None:
    console.provider.email_in_token = False

    assert signed_in(await console.sign_in(await visitor(console.api)))
    assert await console.rows("SELECT 1 FROM identity.users WHERE email = 'ada@example.org'")
    assert console.provider.asked.count("/userinfo") == 1


async def test_the_way_back_is_behind_the_prefix_that_the_client_knows(console: Console) -> None:
    browser = await visitor(console.api)
    browser.headers["X-Forwarded-Prefix"] = "/prod"

    address = await console.depart(browser, next="/prod/ui/courses")
    answer = await browser.get(f"{console.with_it}/return", params=console.provider.approve(address, "ada-1"))

    assert parse_qs(urlsplit(address).query)["redirect_uri"] == [f"http://api.test/prod{console.with_it}/return"]
    assert answer.headers["location"] == "/prod/ui/courses"


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/ui/../api", "/api/users", "/ui\\@evil"])
async def test_nobody_is_led_elsewhere_afterwards(console: Console, wanted: str) -> None:
    answer = await console.sign_in(await visitor(console.api), next=wanted)

    assert signed_in(answer)
    assert answer.headers["location"] in ("/ui", wanted)
    assert "evil" not in answer.headers["location"]
    assert answer.headers["location"].startswith("/ui")


async def test_an_address_that_fails_too_often_waits(
    database: Database, clock: FixedClock, provider: OidcProvider
) -> None:
    async with ApiUnderTest(database, clock, private_receivers=True, sign_in_tries=2) as api:
        console = await with_provider(api, provider, creates_accounts=True)
        provider.claims = {"nonce": "another"}
        for _ in range(2):
            assert (await console.sign_in(await visitor(api))).status_code == 401
        provider.claims = {}

        answer = await console.sign_in(await visitor(api))

        assert answer.status_code == 429
        assert "retry-after" in answer.headers


async def test_who_signs_in_again_and_again_is_not_counted(
    database: Database, clock: FixedClock, provider: OidcProvider
) -> None:
    async with ApiUnderTest(database, clock, private_receivers=True, sign_in_tries=2) as api:
        console = await with_provider(api, provider, creates_accounts=True)

        assert all([signed_in(await console.sign_in(await visitor(api))) for _ in range(4)])


async def test_administrators_add_change_check_and_remove_a_provider_on_its_page(
    laptop: ApiUnderTest, provider: OidcProvider
) -> None:
    admin = await person(laptop, await laptop.add_user(Role.ADMIN), Role.ADMIN)
    fields = {"name": "Campus", "issuer": provider.issuer, "client_id": "dataforge", "client_secret": CLIENT_SECRET}
    fields |= {"domains": "example.org, staff.example.org", "creates_accounts": "on", "enabled": "on"}

    made = await send(admin, PAGE, fields, form_of=PAGE)
    place = made.headers["location"]
    page = await admin.get(place)
    assert f"http://api.test/ui/sign-in/with/{place.rsplit('/', 1)[-1]}/return" in page.text
    assert CLIENT_SECRET not in page.text
    console = Console(laptop, provider, place.rsplit("/", 1)[-1])
    assert signed_in(await console.sign_in(await visitor(laptop)))
    await send(admin, f"{place}/check", {}, form_of=place)
    assert "It answers." in (await admin.get(place)).text
    changed = {**fields, "name": "University", "client_secret": "", "revision": "*"}
    assert (await send(admin, place, changed, form_of=place)).status_code == 303
    assert "Sign in with University" in (await (await visitor(laptop)).get("/ui/sign-in")).text
    assert signed_in(await console.sign_in(await visitor(laptop)))
    wrong = await send(admin, place, {**changed, "issuer": "ftp://x"}, form_of=place)
    assert (wrong.status_code, why(wrong)) == (400, "Issuer must begin with https://.")
    removed = await send(admin, f"{place}/remove", {"revision": "*"}, form_of=place)
    assert removed.headers["location"] == PAGE
    assert "Sign in with" not in (await (await visitor(laptop)).get("/ui/sign-in")).text


@pytest.fixture
def mock() -> Iterator[str]:
    """The issuer of `oidc-provider-mock`, a provider that others wrote, in a process of its own as on a laptop."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    claims = {"sub": "ada", "email": "ada@example.org", "email_verified": True, "name": "Ada"}
    environment = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with subprocess.Popen([*command, "--user-claims", json.dumps(claims)], env=environment) as process:
        try:
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.terminate()


async def test_a_provider_that_others_wrote_signs_people_in(database: Database, mock: str) -> None:
    """With RS256, its claims in the id token, and the clock of the machine."""
    provider = OidcProvider(SystemClock())
    provider.issuer = mock
    async with ApiUnderTest(database, SystemClock(), private_receivers=True) as api, httpx.AsyncClient() as there:
        console = await with_provider(api, provider, domains=["example.org"], creates_accounts=True)
        browser = await visitor(api)
        address = await departed(console, browser)
        agreed = await there.post(address, data={"sub": "ada"})
        query = {name: value[0] for name, value in parse_qs(urlsplit(agreed.headers["location"]).query).items()}

        answer = await browser.get(f"{console.with_it}/return", params=query)

        assert signed_in(answer), answer.text
        assert await console.rows("SELECT 1 FROM identity.users WHERE email = 'ada@example.org'")


async def departed(console: Console, browser: httpx.AsyncClient) -> str:
    """Where the browser is sent to, once the provider has started: until then its page says that it is down."""
    for _ in range(200):
        answer = await browser.get(console.with_it)
        if answer.status_code == 303:
            return answer.headers["location"]
        await asyncio.sleep(0.1)
    pytest.fail(why(answer))
