"""Every route, walked as the wrong person: nothing answers that should not."""

from collections.abc import AsyncIterator, Iterable, Iterator

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import insert, update

from dataforge.contexts.identity.tables import refresh_tokens, users
from dataforge.http.auth import Require
from dataforge.http.openapi import requirement_of
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.kernel.rules import RULES, token_scope
from dataforge.kernel.scopes import SCOPES
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.browser import ask_page, csrf_for, keep, outcome, visitor
from tests.builders.routes import APPS, app_under_test, routes_of
from tests.builders.tokens import new_token

# Public on purpose; each line is a decision.
PUBLIC = {
    ("POST", "/api/signup"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/second-factor"),  # by the challenge that follows a right password
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
    # Players have the token in the address, and their browsers ask before they send it from another origin.
    ("POST", "/api/launches/fetch"),
    ("POST", "/api/passwords/resets"),
    ("POST", "/api/passwords/resets/complete"),
    ("POST", "/api/invitations/sign-up"),  # by the token of a mailed link, as its page
    ("GET", "/ui/invitation"),
    ("POST", "/ui/invitation"),
    ("POST", "/api/email-addresses/confirm"),
    ("POST", "/api/email-addresses/stop-change"),
    ("GET", "/ui/sign-up"),
    ("POST", "/ui/sign-up"),
    ("GET", "/ui/forgot-password"),
    ("POST", "/ui/forgot-password"),
    ("GET", "/ui/reset-password"),
    ("POST", "/ui/reset-password"),
    ("GET", "/ui/confirm-email"),
    ("POST", "/ui/confirm-email"),
    ("GET", "/ui/stop-email-change"),
    ("POST", "/ui/stop-email-change"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/api/schema/format"),  # a file of ours that editors read by its address
    ("POST", "/api/repo-webhooks/{repo_id}"),  # by the signature of the host of the repository
    ("GET", "/api/calendar-feeds/{feed_id}/calendar.ics"),  # by the secret in the address
    ("GET", "/ui/shared-tutorials/{token}"),
    ("GET", "/api/shared-tutorials/{token}"),  # by the token of a link that an editor passed on
    ("POST", "/oauth/token"),  # by the key and secret of a credential (RFC 6749 §4.4)
    ("GET", "/"),
    ("GET", "/ui"),
    ("GET", "/ui/status"),
    ("GET", "/api/unsubscribe"),
    ("POST", "/api/unsubscribe"),  # by the token of a mail (RFC 8058)
    ("GET", "/ui/unsubscribe"),
    ("POST", "/ui/unsubscribe"),
    ("GET", "/ui/static/{digest}/{name}"),
    ("GET", "/ui/sign-in"),
    ("POST", "/ui/sign-in"),
    ("GET", "/ui/sign-in/code"),
    ("POST", "/ui/sign-in/code"),
    ("GET", "/ui/sign-in/with/{provider_id}"),
    ("GET", "/ui/sign-in/with/{provider_id}/return"),  # by what the browser keeps of the way there
    ("POST", "/ui/sign-out"),
    ("GET", "/ui/renew"),
    ("POST", "/ui/renew"),
    ("GET", "/docs"),
    ("GET", "/docs/{name}"),
    ("GET", "/openapi.json"),
    ("GET", "/errors"),
    ("GET", "/errors/{code}"),
    ("GET", "/health"),
}
REFRESH = "a-refresh-token"
SAMPLE = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(params=APPS)
async def api(request: pytest.FixtureRequest, database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """Each of our apps in turn."""
    async with app_under_test(request.param, database, clock) as api:
        yield api


def decided_by_the_database(api: ApiUnderTest) -> Iterator[tuple[str, APIRoute]]:
    """Every write, and every route that names roles."""
    for method, route in routes_of(api):
        needed = requirement_of(route)
        if needed is not None and (method not in ("GET", "HEAD") or needed.roles):
            yield method, route


def for_programs(api: ApiUnderTest) -> list[tuple[str, APIRoute]]:
    """Every route but pages that is not public."""
    return [
        (method, route)
        for method, route in routes_of(api)
        if requirement_of(route) is not None and not route.path_format.startswith("/ui")
    ]


def interactive(route: APIRoute) -> bool:
    """Whether the route is for somebody who has signed in."""
    needed = requirement_of(route)
    return needed is not None and needed.interactive


async def answers_of(
    api: ApiUnderTest, token: str | None, walked: Iterable[tuple[str, APIRoute]]
) -> dict[tuple[str, str], tuple[int, str]]:
    """Status and code of each route, asked with a token; pages are asked with it in the session cookie."""
    client, browser, answers = await api.client(token), await visitor(api), {}
    if token is not None:
        keep(browser, f"{REFRESH}.{token}")
    for method, route in walked:
        if route.path_format.startswith("/ui"):
            response = await ask_page(browser, method, address(route), csrf_for(api, REFRESH))
            answers[method, route.path_format] = outcome(response)
        else:
            response = await client.request(method, address(route), json={})
            answers[method, route.path_format] = (response.status_code, str(response.json().get("code")))
    assert answers
    return answers


def address(route: APIRoute) -> str:
    return route.path_format.format(**dict.fromkeys(route.param_convertors, SAMPLE))


async def test_a_route_without_a_requirement_is_public_on_purpose(api: ApiUnderTest) -> None:
    """Others say what is done with what: `call: Annotated[Call, require(Action.CREATE, Kind.COURSE)]`.

    The rows are in `kernel/rules.py`; what is missing is added there, and `make access` writes `docs/access.md` anew.
    """
    open_routes = {(method, route.path_format) for method, route in routes_of(api) if requirement_of(route) is None}

    served = {(method, route.path_format) for method, route in routes_of(api)}
    assert open_routes == PUBLIC & served


def test_a_route_for_people_asks_for_what_people_may() -> None:
    for_credentials = [row for row, rule in RULES.items() if not rule.entered_by]

    assert for_credentials
    for kind, action in for_credentials:
        with pytest.raises(ValueError, match="only credentials"):
            Require(action, kind)


async def test_nobody_gets_in_without_a_token(api: ApiUnderTest) -> None:
    answers = await answers_of(
        api, None, [(method, route) for method, route in routes_of(api) if requirement_of(route) is not None]
    )

    assert {route: answer for route, answer in answers.items() if answer != (401, "unauthenticated")} == {}


async def test_no_form_is_taken_that_none_of_our_pages_gave(api: ApiUnderTest) -> None:
    client = await visitor(api)
    keep(client, f"{REFRESH}.{await api.token(await api.add_user(Role.ADMIN), Role.ADMIN)}")
    answers = {}
    for method, route in routes_of(api):
        if route.path_format.startswith("/ui") and method not in ("GET", "HEAD"):
            for csrf in ("", "forged", csrf_for(api, "another sign-in")):
                answer = await ask_page(client, method, address(route), csrf)
                answers[route.path_format, csrf] = outcome(answer)

    assert {route: answer for route, answer in answers.items() if answer != (403, "form_refused")} == {}


@pytest.mark.slow
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_a_role_that_is_not_named_is_refused(api: ApiUnderTest, role: Role) -> None:
    named = [
        (method, route)
        for method, route in routes_of(api)
        if (needed := requirement_of(route)) is not None and needed.roles and role not in needed.roles
    ]

    answers = await answers_of(api, await api.token(await api.add_user(role), role), named)

    assert {route: answer for route, answer in answers.items() if answer != (403, "forbidden")} == {}


@pytest.mark.slow
async def test_a_suspension_reaches_every_write_and_every_privileged_route_at_once(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.ADMIN)
    token = await api.token(person, Role.ADMIN)
    async with api.platform.database.transaction() as connection:
        await connection.execute(
            update(users).where(users.c.id == person).values(suspended_at=api.platform.clock.now())
        )

    answers = await answers_of(api, token, list(decided_by_the_database(api)))

    assert {route: answer for route, answer in answers.items() if answer != (403, "account_suspended")} == {}


@pytest.mark.slow
async def test_a_sign_out_reaches_every_write_and_every_privileged_route_at_once(api: ApiUnderTest) -> None:
    person, session, now = await api.add_user(Role.ADMIN), uuid7(), api.platform.clock.now()
    token = await api.token(person, Role.ADMIN, session=session)
    row = {"id": uuid7(), "user_id": person, "token_hash": "of this session", "family": session, "expires_at": now}
    async with api.platform.database.transaction() as connection:
        await connection.execute(insert(refresh_tokens).values(**row, created_at=now, revoked_at=now))

    answers = await answers_of(api, token, list(decided_by_the_database(api)))

    assert {route: answer for route, answer in answers.items() if answer != (401, "session_ended")} == {}


@pytest.mark.slow
async def test_a_demotion_closes_every_privileged_route_at_once(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.VIEWER)
    named = [
        (method, route)
        for method, route in routes_of(api)
        if (needed := requirement_of(route)) is not None and needed.roles and Role.VIEWER not in needed.roles
    ]

    answers = await answers_of(api, await api.token(person, Role.ADMIN), named)

    assert {route: answer for route, answer in answers.items() if answer != (403, "forbidden")} == {}


async def test_a_token_without_the_scope_is_refused_everywhere_and_told_which_one(api: ApiUnderTest) -> None:
    token = await new_token(api, await api.add_user(Role.ADMIN), ("calendar",))
    guarded = [item for item in for_programs(api) if item[1].path_format != "/api/calendar.ics"]

    client, wrong = await api.client(token.secret), {}
    for method, route in guarded:
        answer = await client.request(method, address(route), json={})
        code, needed = answer.json().get("code"), str(answer.json().get("required_scope"))
        if interactive(route):
            expected = (answer.status_code, code) == (403, "sign_in_required")
        else:
            asked = requirement_of(route)
            assert asked is not None
            expected = (answer.status_code, code) == (403, "scope_missing") and needed in SCOPES
            expected &= needed == token_scope(asked.action, asked.kind)
            expected &= needed.endswith(":read") or method not in ("GET", "HEAD")
        if not expected:
            wrong[method, route.path_format] = (answer.status_code, code, needed)

    assert guarded
    assert wrong == {}


async def test_what_is_for_people_themselves_is_closed_to_every_token(api: ApiUnderTest) -> None:
    token = await new_token(api, await api.add_user(Role.ADMIN), ("all",))
    closed = [(method, route) for method, route in for_programs(api) if interactive(route)]

    answers = await answers_of(api, token.secret, closed) if closed else {}

    assert {route: answer for route, answer in answers.items() if answer != (403, "sign_in_required")} == {}
    assert bool(closed) is ("/api/tokens" in {route.path_format for _, route in routes_of(api)})


@pytest.mark.slow
async def test_a_suspension_reaches_tokens_at_every_route_at_once(api: ApiUnderTest) -> None:
    person = await api.add_user(Role.ADMIN)
    token = await new_token(api, person)
    async with api.platform.database.transaction() as connection:
        await connection.execute(
            update(users).where(users.c.id == person).values(suspended_at=api.platform.clock.now())
        )

    answers = await answers_of(api, token.secret, for_programs(api))

    assert {route: answer for route, answer in answers.items() if answer != (403, "account_suspended")} == {}


@pytest.mark.slow
async def test_a_person_who_is_no_longer_there_can_do_nothing(api: ApiUnderTest) -> None:
    token = await api.token(uuid7(), Role.LEARNER)

    answers = await answers_of(api, token, list(decided_by_the_database(api)))

    assert {route: answer for route, answer in answers.items() if answer != (401, "session_ended")} == {}
