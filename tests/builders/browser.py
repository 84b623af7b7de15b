"""A person with a browser, without the browser: cookies, forms as pages give them, redirects only when followed."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
from sqlalchemy import insert
from starlette.types import ASGIApp

from dataforge.contexts.identity.passwords.hashing import hash_password
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.contexts.identity.tables import refresh_tokens
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from tests.builders.api import ApiUnderTest

COOKIE = "dataforge"
PASSWORD = "correct horse battery"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


async def add_person(api: ApiUnderTest, role: Role, username: str | None = None, **values: Any) -> tuple[UUID, str]:
    """A person who can sign in with PASSWORD: the id and the username."""
    name = username or f"{role.value}_{uuid7().hex[-8:]}"
    user_id = await api.add_user(role, username=name, email=f"{name}@example.org", password_hash=_hash(), **values)
    return user_id, name


async def visitor(api: ApiUnderTest, asgi: ASGIApp | None = None) -> httpx.AsyncClient:
    """A browser in which nobody has signed in."""
    client = await api.client(None, asgi)
    client.headers["Accept"] = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
    return client


async def person(
    api: ApiUnderTest, user_id: UUID, role: Role, *, session: UUID | None = None, asgi: ASGIApp | None = None
) -> httpx.AsyncClient:
    """A browser whose session cookie is that of a person; `session` is the sign-in it belongs to."""
    client, family, now = await visitor(api, asgi), session or uuid7(), api.platform.clock.now()
    refresh = f"refresh-{uuid7().hex}"
    if session is None:
        row = {"id": uuid7(), "user_id": user_id, "token_hash": token_hash(refresh), "family": family}
        async with api.database.transaction() as connection:
            await connection.execute(
                insert(refresh_tokens).values(**row, created_at=now, expires_at=now + timedelta(days=30))
            )
    keep(client, f"{refresh}.{await api.token(user_id, role, session=family)}")
    return client


async def browser_of(api: ApiUnderTest, role: Role) -> httpx.AsyncClient:
    """A browser in which a new person with this role has signed in."""
    user_id, _ = await add_person(api, role)
    return await person(api, user_id, role)


def keep(client: httpx.AsyncClient, session_cookie: str) -> None:
    """Put a session cookie where the answers put theirs."""
    client.cookies.set(COOKIE, session_cookie, domain="api.test", path="/")


def csrf_of(page: httpx.Response) -> str:
    """What the forms of a page prove with that they are ours."""
    found = _CSRF.search(page.text)
    assert found, page.text
    return found[1]


async def send(
    client: httpx.AsyncClient, path: str, fields: Mapping[str, str], *, form_of: str = "/ui"
) -> httpx.Response:
    """Send a form that the page at `form_of` gave; redirects are not followed."""
    csrf = csrf_of(await client.get(form_of))
    return await post_form(client, path, {**fields, "csrf": csrf})


async def post_form(client: httpx.AsyncClient, path: str, fields: Mapping[str, Any]) -> httpx.Response:
    """Send these fields as a form."""
    return await client.post(path, content=urlencode(fields), headers=FORM)


def csrf_for(api: ApiUnderTest, refresh_token: str) -> str:
    """What a form must carry in the sign-in of this refresh token."""
    return api.platform.cursors.seal(f"csrf {refresh_token}", ())


async def ask_page(client: httpx.AsyncClient, method: str, path: str, csrf: str) -> httpx.Response:
    """Ask for a page, or send an otherwise empty form."""
    if method == "GET":
        return await client.get(path)
    return await client.request(method, path, content=urlencode({"csrf": csrf}), headers=FORM)


def outcome(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a page as if it were a problem document: ways to the sign-in page are 401."""
    location = response.headers.get("location", "")
    if location.startswith("/ui/sign-in"):
        return 401, "unauthenticated"
    if location.startswith("/ui/renew"):
        return 401, "session_ended"
    code = re.search(r'/errors/([a-z_]+)"', response.text)
    return response.status_code, code[1] if code else ""
