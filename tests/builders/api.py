"""The real API in process: the app as the function serves it, a real database, real tokens."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Self
from uuid import UUID

import httpx
from pydantic import SecretStr
from sqlalchemy import insert
from starlette.types import ASGIApp

from dataforge.bootstrap import build_platform, rest_app
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions.domain import Session
from dataforge.contexts.identity.tables import users
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.kernel.clock import Clock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.platform.services import Platform
from dataforge.settings import ApiSettings
from tests.builders.roles import in_role

TEST_KEY = b"a key of the tests"  # signs cursors and links
BASE_URL = "http://api.test"


class FakeSecrets:
    """Secrets Manager's place in tests: one dict per secret."""

    def __init__(self, values: Mapping[str, dict[str, Any]]) -> None:
        self.values = dict(values)

    def read(self, arn: str, *, fresh: bool = False) -> dict[str, Any]:
        return self.values.get(arn, {})

    def write(self, arn: str, value: dict[str, Any]) -> None:
        self.values[arn] = value


class ApiUnderTest:
    """Makes clients of the app, anonymous or as a new person with a role."""

    def __init__(self, database: Database, clock: Clock, *, function: str = "api", **settings: Any) -> None:
        values: dict[str, Any] = {
            "database_url": SecretStr("unused: the database is given"),
            "app_secret_arn": "app",
            "signing_keys_secret_arn": "signing-keys",
            "data_bucket": "test-bucket",
            **settings,
        }
        self.platform = build_platform(ApiSettings(**values), clock=clock)
        self.database = database
        self.platform.database = in_role(database, function)
        self.platform.get(SchemasServices).proofs = in_role(database, "schema-proof")
        self.secrets = FakeSecrets({"app": {"cursor_key": TEST_KEY.decode()}})
        self.platform.secrets = self.secrets  # type: ignore[assignment]  # reads and writes as the real one does
        # Keys are made and tokens are signed for tests of other functions as well.
        self.operator = self.platform_of("maintenance").get(IdentityServices)
        self.identity = self.platform.get(IdentityServices)
        self.identity.token_signer = self.operator.token_signer
        self.identity.private_keys = self.operator.private_keys
        self.app, self.asgi = rest_app("api", self.platform)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.operator.private_keys.ensure()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def platform_of(self, function: str) -> Platform:
        """What another function is built on: the same world, seen with the rights of that function's role."""
        other = build_platform(self.platform.settings, clock=self.platform.clock)
        other.database = in_role(self.database, function)
        other.secrets = self.secrets  # type: ignore[assignment]  # as above
        return other

    async def client(
        self, token: str | None = None, asgi: ASGIApp | None = None, *, address: str = "127.0.0.1"
    ) -> httpx.AsyncClient:
        """A client without or with an access token, at this IP address."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(asgi or self.asgi, client=(address, 40_000))
        client = httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)
        return await self._stack.enter_async_context(client)

    async def add_user(self, role: Role, **values: Any) -> UUID:
        """A person in the database, for whose address the organisation vouches unless `email_confirmed_at` is said."""
        user_id, now = uuid7(), self.platform.clock.now()
        name = f"{role.value}_{user_id.hex[-8:]}"
        row = {
            "id": user_id,
            "username": name,
            "email": f"{name}@example.org",
            "email_vouched": "email_confirmed_at" not in values,
            "avatar": f"avatar-{user_id.hex[-12:]}",
            "display_name": name.capitalize(),
            "role": role.value,
            "created_at": now,
            "updated_at": now,
            **values,
        }
        async with self.database.transaction() as connection:
            await connection.execute(insert(users).values(**row))
        return user_id

    async def token(self, user_id: UUID, role: Role, username: str = "somebody", *, session: UUID | None = None) -> str:
        """A real access token of a person."""
        answer = await self.operator.token_signer.issue(Session(user_id, username, role, session or uuid7(), "unused"))
        return str(answer["access_token"])

    async def as_user(self, user_id: UUID, role: Role) -> httpx.AsyncClient:
        """A client signed in as an existing person."""
        return await self.client(await self.token(user_id, role))

    async def as_role(self, role: Role) -> httpx.AsyncClient:
        """A client signed in as a new person with this role."""
        return await self.as_user(await self.add_user(role), role)
