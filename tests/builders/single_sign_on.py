"""A provider of OpenID Connect beside the API, and people who sign in through it without a browser."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.browser import add_person
from tests.builders.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider

ADA: dict[str, Any] = {"email": "Ada@Example.org", "email_verified": True, "name": "Ada Lovelace"}
METHODS = "/ui/account/sign-in-methods"


@dataclass
class Console:
    """The API with the provider in it, and browsers."""

    api: ApiUnderTest
    provider: OidcProvider
    provider_id: str

    @property
    def with_it(self) -> str:
        """The address that leads to the provider."""
        return f"/ui/sign-in/with/{self.provider_id}"

    async def depart(self, browser: httpx.AsyncClient, path: str = "", **query: str) -> str:
        """Where the browser is sent to at the provider."""
        answer = await browser.get(path or self.with_it, params=query)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def sign_in(
        self, browser: httpx.AsyncClient, subject: str = "ada-1", path: str = "", **query: str
    ) -> httpx.Response:
        """The answer to the browser that comes back from the provider."""
        address = await self.depart(browser, path, **query)
        return await browser.get(f"{self.with_it}/return", params=self.provider.approve(address, subject))

    async def rows(self, query: str, **values: Any) -> list[Any]:
        """What the database has."""
        async with self.api.database.transaction() as connection:
            return list((await connection.execute(text(query), values)).all())


async def with_provider(api: ApiUnderTest, provider: OidcProvider, **values: Any) -> Console:
    """The API with a provider that an administrator has added."""
    admin = await api.as_role(Role.ADMIN)
    body = {"name": "Campus", "issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    answer = await admin.post("/api/sign-in-providers", json={**body, **values})
    assert answer.status_code == 201, answer.text
    return Console(api, provider, answer.json()["id"])


def signed_in(answer: httpx.Response) -> bool:
    """Whether the answer begins a sign-in."""
    return answer.status_code == 303 and "dataforge=" in answer.headers.get("set-cookie", "")


def why(page: httpx.Response) -> str:
    """What a page says that somebody was refused for."""
    found = re.search(r'role="alert"[^>]*>([^<]+)<', page.text)
    return found[1] if found else ""


async def proved(console: Console, role: Role = Role.LEARNER, username: str = "ada") -> UUID:
    """Somebody with a password who has proved the address `<username>@example.org`."""
    now = console.api.platform.clock.now()
    user_id, _ = await add_person(console.api, role, username, email_confirmed_at=now)
    return user_id


async def link_identity(database: Database, user_id: UUID | str) -> None:
    """Link the account with somebody at a provider, as an earlier visit there would have."""
    statement = (
        "INSERT INTO identity.linked_identities (id, user_id, issuer, subject, label, linked_at) "
        "VALUES (gen_random_uuid(), :user_id, 'https://id.example', 'eve', 'eve', now())"
    )
    async with database.transaction() as connection:
        await connection.execute(text(statement), {"user_id": user_id})


async def count_linked(database: Database) -> int:
    """How many identities at providers are linked with accounts."""
    async with database.read_only() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM identity.linked_identities")) or 0)
