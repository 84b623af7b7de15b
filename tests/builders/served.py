"""The whole API at an address, with workers that do what is queued: what a client library meets."""

import asyncio
import secrets
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlalchemy import or_, select
from starlette.types import ASGIApp, Receive, Scope, Send

from dataforge.bootstrap import rest_app, xapi_app
from dataforge.contexts.datasets.tables import jobs, uploads
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db import roles
from dataforge.platform.db.database import Database
from dataforge.platform.db.grants import GRANTS
from dataforge.platform.db.migrations import upgrade
from infra.local.postgres import PostgresServer
from tests.builders.browser import PASSWORD, add_person
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.roles import dispose_roles
from tests.builders.server import ServedApp
from tests.builders.whole_api import WholeApi

_LOOK_SECONDS = 0.02


def prepared(server: PostgresServer) -> str:
    """The address of a new, migrated database with the functions' roles, for runs that no test makes one for."""
    url = server.create_database("served")
    upgrade(url)
    roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
    return url


class ServedApi:
    """Serves until the block ends: `url`, tokens of people, and `run` for what tests do behind the API. Queued jobs are
    looked for every `look_seconds`.
    """

    def __init__(
        self, database_url: str, clock: FixedClock, emulator: EmulatedAws, *, look_seconds: float = _LOOK_SECONDS
    ) -> None:
        self.clock = clock
        self._look_seconds = look_seconds
        self.database = Database(database_url, pool_size=6)
        self.whole = WholeApi(self.database, clock, emulator)
        self.store = StoreUnderTest(
            emulator, self.database, queue_url=self.whole.statements_queue, bucket=self.whole.bucket
        )
        self._xapi = xapi_app(self.store.front.platform)
        self._sql = rest_app("datasets_api", self.whole.datasets.platform_of("datasets-sql"))[1]
        self.server = ServedApp(self.gateway)
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.answers: list[tuple[int, dict[str, str], bytes] | None] = []

    @property
    def url(self) -> str:
        """Where the API is."""
        return self.server.url

    async def gateway(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless the test has another answer for it; what was asked for is in `requests`."""
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.requests.append((scope["method"], scope["path"], headers))
            given = self.answers.pop(0) if self.answers else None
            if given is not None:
                status, more, body = given
                raw = [(name.encode(), value.encode()) for name, value in more.items()]
                await send({"type": "http.response.start", "status": status, "headers": raw})
                await send({"type": "http.response.body", "body": body})
                return
        await self._app_of(scope["path"])(scope, receive, send)

    def _app_of(self, path: str) -> ASGIApp:
        if path.startswith("/xapi"):
            return self._xapi
        return self._sql if path.endswith("/sql") else self.whole.gateway

    def run(self, coroutine: Any) -> Any:
        """The coroutine's result, computed where the apps run."""
        return self.server.run(coroutine)

    def token(self, role: Role = Role.ANALYST) -> str:
        """An access token of a new person."""

        async def made() -> str:
            user_id = await self.whole.api.add_user(role)
            return await self.whole.api.token(user_id, role)

        return str(self.run(made()))

    def person(self, role: Role = Role.ANALYST) -> tuple[UUID, str, str]:
        """Somebody new who can sign in: id, username, password."""
        user_id, name = self.run(add_person(self.whole.api, role))
        return user_id, name, PASSWORD

    async def work(self) -> None:
        """Do the jobs that wait, one after the other, for ever."""
        waiting = (
            select(jobs.c.id, jobs.c.run_type)
            .outerjoin(uploads, uploads.c.id == jobs.c.upload_id)
            .where(jobs.c.status == "pending", or_(uploads.c.id.is_(None), uploads.c.state == "completed"))
            .order_by(jobs.c.id)
        )
        while True:
            async with self.database.read_only() as connection:
                found = (await connection.execute(waiting)).all()
            for job_id, run_type in found:
                await self.whole.datasets.work_on(job_id, "export" if run_type == "export" else "import")
            await asyncio.sleep(self._look_seconds)

    def credential(self) -> tuple[str, str]:
        """Key and secret of a new xAPI credential."""
        key, secret = self.run(self.store.credential())
        return str(key), str(secret)

    def deliver(self) -> None:
        """Let the statements that were accepted arrive in the store."""
        self.run(self.store.deliver())

    async def _start(self) -> None:
        await self.whole.start()
        self._working = asyncio.get_running_loop().create_task(self.work())

    async def _stop(self) -> None:
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)
        await self.whole.close()
        await dispose_roles(self.database)
        await self.database.dispose()

    def __enter__(self) -> Self:
        self.server.__enter__()
        self.run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._stop())
        self.server.__exit__()
