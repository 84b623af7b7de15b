"""Signing in with the session cookie: the same sign-in, throttling and live checks as the API's."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from dataforge.contexts.identity.tables import refresh_tokens, users
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.browser import COOKIE, PASSWORD, add_person, csrf_of, keep, person, post_form, send, visitor


async def sign_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD, to: str = "") -> httpx.Response:
    fields = {"username": username, "password": password, "next": to}
    return await send(client, "/ui/sign-in", fields, form_of="/ui/sign-in")


async def test_a_person_signs_in_sees_pages_and_signs_out(api: ApiUnderTest) -> None:
    _, name = await add_person(api, Role.LEARNER)
    client = await visitor(api)

    wanted = await client.get("/ui/courses?q=safety")
    answer = await sign_in(client, name, to="/ui/courses?q=safety")
    page = await client.get(answer.headers["location"])
    left = await send(client, "/ui/sign-out", {})
    after = await client.get("/ui/courses")

    assert (wanted.status_code, wanted.headers["location"]) == (303, "/ui/sign-in?next=%2Fui%2Fcourses%3Fq%3Dsafety")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/courses?q=safety")
    assert page.status_code == 200
    assert name in page.text
    assert left.headers["location"] == "/ui/sign-in"
    assert COOKIE not in client.cookies
    assert after.headers["location"].startswith("/ui/sign-in")


async def test_a_sign_out_reaches_a_cookie_that_was_copied(api: ApiUnderTest) -> None:
    _, name = await add_person(api, Role.REGISTRAR)
    client, thief = await visitor(api), await visitor(api)
    await sign_in(client, name)
    keep(thief, client.cookies[COOKIE])
    assert (await thief.get("/ui/courses")).status_code == 200

    await send(client, "/ui/sign-out", {})
    api.platform.clock.advance(timedelta(seconds=11))  # type: ignore[attr-defined]
    renewal = await thief.get("/ui/courses")
    refused = await thief.get(renewal.headers["location"])

    assert renewal.status_code == 307
    assert refused.headers["location"].startswith("/ui/sign-in")
    assert COOKIE not in thief.cookies


@pytest.mark.parametrize(
    ("scheme", "name", "attributes"),
    [
        ("http", "dataforge", {"httponly", "samesite=lax", "path=/"}),
        ("https", "__Host-dataforge", {"httponly", "samesite=lax", "path=/", "secure"}),
    ],
)
async def test_the_cookie_is_for_us_alone(api: ApiUnderTest, scheme: str, name: str, attributes: set[str]) -> None:
    _, username = await add_person(api, Role.LEARNER)
    client = await visitor(api)
    client.base_url = httpx.URL(f"{scheme}://api.test")

    answer = await sign_in(client, username)

    [cookie] = [value for value in answer.headers.get_list("set-cookie") if value.startswith(f"{name}=")]
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == attributes


async def test_the_configured_address_says_whether_the_cookie_is_for_https(
    database: Database, clock: FixedClock
) -> None:
    for base, name in (("http://127.0.0.1:4566/stage", "dataforge"), ("https://x.example/v1", "__Host-dataforge")):
        async with ApiUnderTest(database, clock, public_base_url=base) as api:
            _, username = await add_person(api, Role.LEARNER)
            client = await visitor(api)
            client.base_url = httpx.URL("https://api.test")  # what is guessed where no proxy tells the scheme

            answer = await sign_in(client, username)

            assert [value for value in answer.headers.get_list("set-cookie") if value.startswith(f"{name}=")]


async def test_a_wrong_password_is_told_beside_the_form_and_counted(api: ApiUnderTest) -> None:
    _, name = await add_person(api, Role.LEARNER)
    client = await visitor(api)

    answers = [await sign_in(client, name, "wrong") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert "The username or the password is wrong." in answers[0].text
    assert f'value="{name}"' in answers[0].text
    assert "wrong" not in answers[0].text.replace("is wrong", "")
    assert "retry-after" in answers[-1].headers
    assert "Too many sign-ins" in answers[-1].text


@pytest.mark.parametrize(
    "fields", [{}, {"username": "ada"}, {"password": "x"}, {"username": "a" * 300, "password": "x"}]
)
async def test_a_form_that_is_not_filled_in_is_shown_again(api: ApiUnderTest, fields: dict[str, str]) -> None:
    answer = await send(await visitor(api), "/ui/sign-in", fields, form_of="/ui/sign-in")

    assert answer.status_code == 401
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/ui//evil.example/..", "/uix", "javascript:alert(1)", "/ui\\x"],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(api: ApiUnderTest, wanted: str) -> None:
    _, name = await add_person(api, Role.LEARNER)

    answer = await sign_in(await visitor(api), name, to=wanted)

    assert answer.headers["location"] in ("/ui", "/ui//evil.example/..")


async def test_an_old_access_token_is_renewed_on_the_way_and_a_form_arrives(
    database: Database, clock: FixedClock
) -> None:
    async with ApiUnderTest(database, clock) as api:
        user_id, _ = await add_person(api, Role.LEARNER)
        client = await person(api, user_id, Role.LEARNER)
        csrf = csrf_of(await client.get("/ui"))
        before = client.cookies[COOKIE]
        clock.advance(timedelta(minutes=20))

        asked = await client.get("/ui/schedule?x=1")
        renewed = await client.get(asked.headers["location"])
        page = await client.get(renewed.headers["location"])
        clock.advance(timedelta(minutes=20))
        unknown = "00000000-0000-7000-8000-000000000000"
        sent = await post_form(client, f"/ui/enrollments/{unknown}/drop", {"csrf": csrf})
        way = await post_form(client, sent.headers["location"], {"csrf": csrf})
        arrived = await post_form(client, way.headers["location"], {"csrf": csrf})

        assert (asked.status_code, renewed.status_code, page.status_code) == (307, 307, 200)
        assert renewed.headers["location"] == "/ui/schedule?x=1"
        assert (sent.status_code, way.status_code, arrived.status_code) == (307, 307, 404)
        assert client.cookies[COOKIE].partition(".")[0] == before.partition(".")[0]
        assert client.cookies[COOKIE] != before


async def test_two_tabs_may_renew_at_once(database: Database, clock: FixedClock) -> None:
    async with ApiUnderTest(database, clock) as api:
        user_id, _ = await add_person(api, Role.LEARNER)
        one, other = [await person(api, user_id, Role.LEARNER) for _ in range(2)]
        keep(other, one.cookies[COOKIE])
        clock.advance(timedelta(minutes=20))

        answers = [await tab.get("/ui/renew?next=/ui/schedule") for tab in (one, other, one)]

        assert [answer.headers["location"] for answer in answers] == ["/ui/schedule"] * 3
        assert [(await tab.get("/ui/schedule")).status_code for tab in (one, other)] == [200, 200]


async def test_a_renewal_is_refused_to_whom_was_suspended(api: ApiUnderTest) -> None:
    user_id, _ = await add_person(api, Role.LEARNER)
    client = await person(api, user_id, Role.LEARNER)
    async with api.database.transaction() as connection:
        await connection.execute(
            update(users).where(users.c.id == user_id).values(suspended_at=api.platform.clock.now())
        )

    answer = await client.get("/ui/renew?next=/ui/schedule")

    assert answer.headers["location"].startswith("/ui/sign-in")
    assert COOKIE not in client.cookies


async def test_a_token_that_was_exchanged_elsewhere_ends_the_sign_in(api: ApiUnderTest, clock: FixedClock) -> None:
    user_id, _ = await add_person(api, Role.LEARNER)
    client = await person(api, user_id, Role.LEARNER)
    token = client.cookies[COOKIE].partition(".")[0]
    taken = await (await api.client()).post("/api/auth/refresh", json={"refresh_token": token})
    clock.advance(timedelta(minutes=1))  # two tabs would be quicker

    answer = await client.get("/ui/renew?next=/ui/schedule")

    assert answer.headers["location"].startswith("/ui/sign-in")
    async with api.database.read_only() as connection:
        rows = (await connection.execute(refresh_tokens.select().where(refresh_tokens.c.user_id == user_id))).all()
    assert taken.status_code == 200
    assert all(row.revoked_at is not None for row in rows)


async def test_the_session_cookie_opens_no_route_of_the_api(api: ApiUnderTest) -> None:
    user_id, _ = await add_person(api, Role.ADMIN)
    client = await person(api, user_id, Role.ADMIN)

    assert (await client.get("/api/users/me", headers={"Accept": "application/json"})).status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_of_another_site_is_refused(api: ApiUnderTest, site: str) -> None:
    user_id, _ = await add_person(api, Role.LEARNER)
    client = await person(api, user_id, Role.LEARNER)
    csrf = csrf_of(await client.get("/ui"))

    answer = await client.post(
        "/ui/sign-out",
        content=f"csrf={csrf}",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": site},
    )

    assert answer.status_code == 403
    assert COOKIE in client.cookies


async def test_the_form_of_one_person_is_not_good_for_another(api: ApiUnderTest) -> None:
    clients = []
    for _ in range(2):
        user_id, _ = await add_person(api, Role.LEARNER)
        clients.append(await person(api, user_id, Role.LEARNER))
    csrf = csrf_of(await clients[0].get("/ui"))

    answer = await post_form(clients[1], "/ui/sign-out", {"csrf": csrf})

    assert answer.status_code == 403
    assert "form_refused" in answer.text


async def test_the_page_does_not_tell_the_token(api: ApiUnderTest) -> None:
    user_id, _ = await add_person(api, Role.LEARNER)
    client = await person(api, user_id, Role.LEARNER)

    page = await client.get("/ui")

    refresh, _, access = client.cookies[COOKIE].partition(".")
    assert refresh not in page.text
    assert access not in page.text


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/ui/workspaces/accept?token=a.b", "/ui/workspaces/accept?token=a.b"),
        ("https://elsewhere.example/ui", "/ui"),
        ("//elsewhere.example/ui", "/ui"),
    ],
)
async def test_what_was_wanted_is_reached_after_a_sign_up(api: ApiUnderTest, wanted: str, reached: str) -> None:
    client = await visitor(api)
    entrance = await client.get("/ui/sign-in", params={"next": wanted})
    form = await client.get("/ui/sign-up", params={"next": wanted})
    given = {"username": "zoe", "email": "zoe@example.org", "password": PASSWORD, "next": wanted}
    made = await send(client, "/ui/sign-up", given, form_of="/ui/sign-up")
    sign_in_page = httpx.URL(made.headers["location"])
    entered = await sign_in(client, "zoe", to=sign_in_page.params["next"])
    signed_in = await client.get("/ui/sign-up", params={"next": wanted})

    assert f'href="/ui/sign-up?{httpx.QueryParams(next=wanted)}"' in entrance.text
    assert f'name="next" value="{wanted}"' in form.text
    assert ("You were invited into a workspace" in entrance.text) is (reached != "/ui")
    assert (sign_in_page.path, sign_in_page.params["next"]) == ("/ui/sign-in", reached)
    assert entered.headers["location"] == signed_in.headers["location"] == reached


async def test_an_invitation_leads_whoever_has_no_account_to_the_sign_in_that_knows_of_it(api: ApiUnderTest) -> None:
    client = await visitor(api)
    answer = await client.get("/ui/workspaces/accept?token=a.b")
    entrance = await client.get(answer.headers["location"])

    assert answer.headers["location"] == "/ui/sign-in?next=%2Fui%2Fworkspaces%2Faccept%3Ftoken%3Da.b"
    assert "You were invited into a workspace" in entrance.text


@pytest.mark.parametrize("role", [Role.LEARNER, Role.ADMIN])
async def test_home_leads_to_workspaces_transcripts_and_tutorials(api: ApiUnderTest, role: Role) -> None:
    user_id, _ = await add_person(api, role)
    home = await (await person(api, user_id, role)).get("/ui")

    for place in ("workspaces", "transcripts", "tutorials"):
        assert f'<a class="card" href="/ui/{place}">' in home.text


async def test_somebody_signs_up_where_they_sign_in_and_is_told_what_is_wrong(api: ApiUnderTest) -> None:
    client = await visitor(api)
    given = {"username": "zoe", "email": "zoe@example.org", "display_name": "", "password": PASSWORD}
    form = await client.get("/ui/sign-in")

    wrong = await send(client, "/ui/sign-up", {**given, "username": "1", "password": "x"}, form_of="/ui/sign-up")
    made = await send(client, "/ui/sign-up", given, form_of="/ui/sign-up")
    twice = await send(client, "/ui/sign-up", {**given, "email": "other@example.org"}, form_of="/ui/sign-up")
    entered = await sign_in(client, "zoe")
    signed_in = await client.get("/ui/sign-up")

    assert 'href="/ui/sign-up"' in form.text
    assert wrong.status_code == 400
    assert 'id="why-username">Must have 3 to 255 letters, digits or underscores' in wrong.text
    assert 'id="why-password">Must have at least' in wrong.text
    assert 'value="x"' not in wrong.text
    assert (made.status_code, made.headers["location"]) == (303, "/ui/sign-in")
    assert twice.status_code == 400
    assert 'value="other@example.org"' in twice.text
    assert (entered.status_code, signed_in.status_code) == (303, 303)


async def test_a_link_that_was_used_is_no_dead_end(api: ApiUnderTest) -> None:
    client = await visitor(api)
    for path, way in (("/ui/confirm-email", "/ui/account/email"), ("/ui/stop-email-change", "/ui/forgot-password")):
        answer = await send(client, path, {"token": "used"}, form_of=path)

        assert answer.status_code == 400
        assert f'href="{way}"' in answer.text
        assert f'action="{path}"' not in answer.text
