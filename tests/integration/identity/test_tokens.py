"""Personal access tokens: made, shown once, used by real clients, and refused the moment they should be."""

import asyncio
import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pandas as pd
import pytest
import requests
from icalendar import Calendar
from sqlalchemy import select, text

from dataforge.bootstrap import rest_app
from dataforge.contexts.identity.tables import personal_tokens
from dataforge.contexts.identity.tokens.domain import MOST_TOKENS
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest
from tests.builders.browser import keep, outcome, visitor
from tests.builders.mail import deliver
from tests.builders.server import ServedApp
from tests.builders.tokens import new_token

ANY = {"If-Match": "*"}
WHO, PEOPLE = "/api/users/me", "/api/users"


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def said(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code") if answer.content else None


async def last_used(api: ApiUnderTest, token_id: UUID) -> Any:
    async with api.database.read_only() as connection:
        return await connection.scalar(select(personal_tokens.c.last_used_at).where(personal_tokens.c.id == token_id))


async def test_a_token_is_shown_once_listed_by_its_end_and_revoked(api: ApiUnderTest, clock: FixedClock) -> None:
    client = await api.as_role(Role.LEARNER)

    made = await client.post("/api/tokens", json={"name": "Power Query", "scopes": ["datasets:read"], "days": 30})
    shown = made.json()
    listed = (await client.get("/api/tokens")).json()["items"]
    with_token = await api.client(shown["token"])
    worked = await with_token.get("/api/users/me")
    revoked = await client.delete(f"/api/tokens/{shown['id']}")

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert shown["expires_at"] == (clock.now() + timedelta(days=30)).isoformat().replace("+00:00", "Z")
    assert [(item["id"], item["name"], item["hint"]) for item in listed] == [
        (shown["id"], "Power Query", shown["token"][-4:])
    ]
    assert shown["token"] not in str(listed)
    assert said(worked) == (403, "scope_missing")  # known, and not for this
    assert revoked.status_code == 204
    assert said(await with_token.get(WHO)) == (401, "invalid_token")
    assert (await client.get("/api/tokens")).json()["items"] == []
    assert said(await client.delete(f"/api/tokens/{shown['id']}")) == (404, "token_unknown")


async def test_nobody_sees_or_revokes_a_token_of_somebody_else(api: ApiUnderTest) -> None:
    ada = await api.add_user(Role.LEARNER)
    token, eve = await new_token(api, ada), await api.as_role(Role.ADMIN)

    assert (await eve.get("/api/tokens")).json()["items"] == []
    assert said(await eve.delete(f"/api/tokens/{token.id}")) == (404, "token_unknown")
    assert (await (await api.client(token.secret)).get(WHO)).status_code == 200


async def test_the_secret_is_kept_nowhere(api: ApiUnderTest, caplog: pytest.LogCaptureFixture) -> None:
    client = await api.as_role(Role.LEARNER)
    made = await client.post(
        "/api/tokens", json={"name": "Calendar", "scopes": ["calendar"]}, headers={"Idempotency-Key": "once"}
    )
    secret = made.json()["token"]
    assert (await (await api.client()).get(made.json()["address"])).status_code == 200

    async with api.database.read_only() as connection:
        tables = (
            await connection.execute(
                text("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT LIKE 'pg_%'")
            )
        ).scalars()
        for table in tables:
            rows = (await connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars()
            assert [row for row in rows if secret[6:40] in row] == [], table
    logged = str([vars(record) for record in caplog.records if not record.name.startswith("httpx")])
    assert "/api/calendar.ics" in logged
    assert secret[6:40] not in logged


async def test_a_token_works_as_a_bearer_token_and_as_the_password_of_any_name(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.LEARNER)
    secret, client = (await new_token(api, person)).secret, await api.client()
    headers = [
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"bearer  {secret} "},
        basic("ada", secret),
        basic("", secret),
        basic("x" * 300, secret),
        {**basic("ada", secret), "Sec-Fetch-Site": "same-origin"},
    ]

    answers = [await client.get(WHO, headers=given) for given in headers]

    assert [answer.json()["id"] for answer in answers] == [str(person)] * len(headers)


async def test_a_name_and_password_that_are_no_token_are_refused(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.ADMIN)
    secret, client = (await new_token(api, person)).secret, await api.client()
    jwt = await api.token(person, Role.ADMIN)
    wrong = [
        basic("ada", "correct horse battery"),
        basic("ada", ""),
        basic("ada", jwt),
        basic(secret, ""),
        basic("ada", secret[:-1]),
        basic("ada", secret + " "),
        {"Authorization": f"Basic {secret}"},
        {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()},
        {"Authorization": "Basic /w=="},
        {"Authorization": f"Bearer {secret}x"},
        {"Authorization": "Bearer dfpat_" + "0" * 49},
        {**basic("ada", secret), "Sec-Fetch-Site": "cross-site"},
    ]

    answers = [await client.get(WHO, headers=given) for given in wrong]

    assert {answer.status_code for answer in answers} == {401}
    assert all("WWW-Authenticate" in answer.headers for answer in answers)


async def test_programs_are_asked_for_a_password_and_browsers_are_not(api: ApiUnderTest) -> None:
    client = await api.client()

    program = await client.get(WHO)
    browser = await client.get(WHO, headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"})

    assert 'Basic realm="dataforge"' in program.headers["WWW-Authenticate"]
    assert browser.headers["WWW-Authenticate"] == 'Bearer realm="dataforge"'


async def test_a_token_never_does_more_than_its_person_may_now(api: ApiUnderTest) -> None:
    admin = await api.as_role(Role.ADMIN)
    person = await api.add_user(Role.ADMIN)
    client = await api.client((await new_token(api, person)).secret)
    assert (await client.get(PEOPLE)).status_code == 200

    await admin.patch(f"{PEOPLE}/{person}", json={"role": "viewer"}, headers=ANY)

    assert said(await client.get(PEOPLE)) == (403, "forbidden")
    assert said(await client.post("/api/cohorts", json={"name": "Blue"})) == (403, "forbidden")
    assert (await client.get(WHO)).json()["role"] == "viewer"


async def test_a_suspension_refuses_tokens_at_once_and_ends_them(api: ApiUnderTest) -> None:
    admin, person = await api.as_role(Role.ADMIN), await api.add_user(Role.LEARNER)
    client = await api.client((await new_token(api, person)).secret)
    assert (await client.get(WHO)).status_code == 200

    await admin.patch(f"{PEOPLE}/{person}", json={"suspended": True}, headers=ANY)
    suspended = said(await client.get(WHO))
    await admin.patch(f"{PEOPLE}/{person}", json={"suspended": False}, headers=ANY)

    assert suspended == (403, "account_suspended")
    assert said(await client.get(WHO)) == (401, "invalid_token")


async def test_a_token_ends_at_its_hour(api: ApiUnderTest, clock: FixedClock) -> None:
    person = await api.add_user(Role.LEARNER)
    client = await api.client((await new_token(api, person, days=1)).secret)

    clock.advance(timedelta(days=1) - timedelta(seconds=1))
    before = await client.get(WHO)
    clock.advance(timedelta(seconds=1))

    assert before.status_code == 200
    assert said(await client.get(WHO)) == (401, "invalid_token")


async def test_what_only_a_person_does_themselves_no_token_does(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.ADMIN)
    client = await api.client((await new_token(api, person, ("all",))).secret)

    answers = [
        await client.post("/api/tokens", json={"name": "another", "scopes": ["all"]}),
        await client.get("/api/tokens"),
        await client.delete(f"/api/tokens/{uuid7()}"),
        await client.put("/api/passwords/mine", json={"current_password": "x", "password": "correct horse battery"}),
        await client.patch(WHO, json={"email": "eve@example.org"}, headers=ANY),
        await client.post("/api/email-addresses/confirmations"),
        await client.get("/api/sessions"),
        await client.delete("/api/sessions"),
    ]

    assert [said(answer) for answer in answers] == [(403, "sign_in_required")] * len(answers)


async def test_a_token_in_the_session_cookie_is_no_sign_in(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.ADMIN)
    browser = await visitor(api)
    keep(browser, f"refresh.{(await new_token(api, person)).secret}")

    assert outcome(await browser.get("/ui/admin/keys"))[0] == 401


async def test_the_last_use_is_written_once_a_minute_at_most(api: ApiUnderTest, clock: FixedClock) -> None:
    token = await new_token(api, await api.add_user(Role.LEARNER))
    client, start = await api.client(token.secret), clock.now()
    seen = [await last_used(api, token.id)]

    for seconds in (0, 59, 1):
        clock.advance(timedelta(seconds=seconds))
        await asyncio.gather(*(client.get(WHO) for _ in range(5)))
        seen.append(await last_used(api, token.id))

    assert seen == [None, start, start, start + timedelta(seconds=60)]


@pytest.mark.parametrize(("function", "role"), [("datasets_api", "datasets-api"), ("datasets_sql", "datasets-sql")])
async def test_a_token_works_in_each_function_and_its_use_is_written_there(
    api: ApiUnderTest, function: str, role: str
) -> None:
    person = await api.add_user(Role.ANALYST)
    token, narrow = await new_token(api, person, ("datasets:read",)), await new_token(api, person, ("reports:write",))
    parts = api.platform_of(role)
    url = parts.database.engine.url.update_query_dict(
        {"options": f"-c role={role} -c default_transaction_read_only={'on' if role == 'datasets-sql' else 'off'}"}
    )
    parts.database = Database(url.render_as_string(hide_password=False), pool_size=2)
    _, asgi = rest_app(function, parts)

    found = await (await api.client(token.secret, asgi)).get("/api/datasets/" + str(uuid7()))
    refused = await (await api.client(narrow.secret, asgi)).get("/api/datasets/" + str(uuid7()))

    assert said(found) == (404, "dataset_not_found")
    assert said(refused) == (403, "scope_missing")
    assert refused.json()["required_scope"] == "datasets:read"
    assert [await last_used(api, item.id) for item in (token, narrow)] == [api.platform.clock.now()] * 2
    await parts.database.dispose()


async def test_a_token_for_reading_writes_nothing(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.ADMIN)
    client = await api.client((await new_token(api, person, ("all:read",))).secret)

    assert (await client.get("/api/cohorts")).status_code == 200
    refused = await client.post("/api/cohorts", json={"name": "Blue"}, headers={"Idempotency-Key": "1"})
    assert said(refused) == (403, "scope_missing")
    assert refused.json()["required_scope"] == "learning:write"


async def test_a_calendar_is_fetched_by_its_address_which_opens_nothing_else(api: ApiUnderTest) -> None:
    me = await api.as_role(Role.LEARNER)
    made = (await me.post("/api/tokens", json={"name": "Phone", "scopes": ["calendar"]})).json()
    anybody, narrow = await api.client(), await api.client(made["token"])

    fetched = await anybody.get(made["address"])
    elsewhere = await anybody.get("/api/users/me", params={"token": made["token"]})
    await me.delete(f"/api/tokens/{made['id']}")

    assert made["expires_at"] is None
    assert Calendar.from_ical(fetched.content).events == []
    assert said(elsewhere) == (400, "unknown_parameter")  # no route takes a token in its address but this
    assert said(await narrow.get(WHO)) == (401, "invalid_token")
    assert said(await anybody.get(made["address"])) == (401, "invalid_token")


async def test_only_a_token_for_the_calendar_alone_is_taken_in_an_address(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.LEARNER)
    wide, client = await new_token(api, person, ("all",)), await api.client()
    own = await new_token(api, person, ("calendar",))
    jwt = await api.token(person, Role.LEARNER)

    refused = [await client.get("/api/calendar.ics", params={"token": token}) for token in (wide.secret, jwt)]

    assert [said(answer) for answer in refused] == [(403, "scope_missing")] * 2
    assert said(await client.get("/api/calendar.ics", params={"token": ""}))[0] == 401
    for token in (wide, own):
        assert (await client.get("/api/calendar.ics", headers=basic("", token.secret))).status_code == 200
    assert said(await (await api.client(own.secret)).get(WHO)) == (403, "scope_missing")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "scopes": ["all"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "scopes": ["calendar", "all"]},
        {"name": "x", "scopes": ["all"], "days": 0},
        {"name": "x", "scopes": ["all"], "days": 367},
        {"name": "a\nb", "scopes": ["all"]},
    ],
)
async def test_a_token_that_cannot_be_is_refused(api: ApiUnderTest, body: dict[str, Any]) -> None:
    client = await api.as_role(Role.LEARNER)

    assert said(await client.post("/api/tokens", json=body)) == (400, "validation_failed")


async def test_nobody_has_more_than_fifty_tokens_however_many_are_asked_for_at_once(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.LEARNER)
    for _ in range(MOST_TOKENS - 2):
        await new_token(api, person)
    client = await api.as_user(person, Role.LEARNER)

    answers = await asyncio.gather(
        *(client.post("/api/tokens", json={"name": "x", "scopes": ["all"]}) for _ in range(6))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409, 409]
    assert {said(answer)[1] for answer in answers if answer.status_code == 409} == {"too_many_tokens"}


async def test_a_person_hears_of_a_new_token_and_of_its_end(
    mailing: ApiUnderTest, mailbox: Mailbox, clock: FixedClock
) -> None:
    person = await mailing.add_user(Role.LEARNER, email="ada@example.org", locale="de", display_name="Ada")
    await new_token(mailing, person, days=30, name="Tabelle")

    [made] = await deliver(mailing, mailbox)
    clock.advance(timedelta(days=22))
    early = await warn(mailing)
    clock.advance(timedelta(days=2))
    told = [await warn(mailing) for _ in range(2)]
    mails = (await deliver(mailing, mailbox))[-1:]

    assert (made.recipients, made.message["Subject"]) == (
        ("ada@example.org",),
        "Ein neues Zugriffstoken für Ihr Konto",
    )
    assert "Tabelle" in made.text
    assert (early, told) == (0, [1, 0])
    assert [mail.message["Subject"] for mail in mails] == ["Eines Ihrer Zugriffstoken läuft bald ab"]


async def warn(api: ApiUnderTest) -> int:
    from dataforge.contexts.identity.sessions.consumers import maintain

    return (await maintain(api.operator))["expiry_warnings"]


async def test_maintenance_forgets_tokens_a_month_past_their_end(api: ApiUnderTest, clock: FixedClock) -> None:
    from dataforge.contexts.identity.sessions.consumers import maintain

    person = await api.add_user(Role.LEARNER)
    for scopes in (("all",), ("calendar",)):
        await new_token(api, person, scopes, days=1 if scopes == ("all",) else None)

    clock.advance(timedelta(days=30, hours=23))
    kept = (await maintain(api.operator))["personal_tokens"]
    clock.advance(timedelta(hours=2))

    assert (kept, (await maintain(api.operator))["personal_tokens"]) == (0, 1)


async def test_published_clients_use_a_token_as_they_use_any(api: ApiUnderTest) -> None:
    analyst = await api.add_user(Role.ADMIN)
    secret = (await new_token(api, analyst, ("accounts:read", "reports:read"))).secret
    reports = api.platform_of("datasets-api")
    # Connections belong to the loop that made them; those of the servers are made there.
    await api.database.dispose()

    with ServedApp(api.asgi) as people, ServedApp(rest_app("datasets_api", reports)[1]) as tables:
        me = f"{people.url}{WHO}"
        frame = await asyncio.to_thread(
            pd.read_csv,
            f"{tables.url}/api/reports/completions?since=2026-01-01T00:00:00Z",
            storage_options={"Authorization": f"Bearer {secret}", "Accept": "text/csv"},
        )
        by_dialog = await asyncio.to_thread(requests.get, me, auth=("ada", secret), timeout=30)
        # Asks without a password first, and then as it is told to.
        curl = await asyncio.create_subprocess_exec(
            "curl", "-sS", "--anyauth", "-u", f"ada:{secret}", me, stdout=asyncio.subprocess.PIPE
        )
        shown, _ = await curl.communicate()
        people.run(api.database.dispose())

    assert {"user_id", "completed_at"} <= set(frame.columns)
    assert by_dialog.json()["id"] == str(analyst)
    assert str(analyst) in shown.decode()
