"""The way of a statement in process: the xAPI app, the queue and the loader, over a real database and the emulator."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import httpx
import orjson
from pydantic import SecretStr
from sqlalchemy import text

from dataforge.bootstrap import build_platform, xapi_app
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials.commands import CreateXapiCredential, create_xapi_credential
from dataforge.contexts.identity.xapi_credentials.published import CredentialPublisher
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.statements.repository import Intake
from dataforge.kernel.principal import SYSTEM
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.database import Database
from dataforge.settings import EtlMode, WorkerSettings, XapiSettings
from tests.builders.emulator import EmulatedAws
from tests.builders.roles import in_role

VERSION = {"X-Experience-API-Version": "1.0.3"}


class StoreUnderTest:
    """Sends statements as an LMS does, and runs what is behind the queue when told to."""

    def __init__(
        self,
        aws: EmulatedAws,
        database: Database,
        *,
        mode: EtlMode = EtlMode.STREAMING,
        keep_accepted: bool = False,
        front: Mapping[str, Any] | None = None,
        queue_url: str | None = None,
        bucket: str | None = None,
        **worker: Any,
    ) -> None:
        self.database = database
        self.queue_url, self.bucket = queue_url or aws.queue(), bucket or aws.bucket()
        shared: dict[str, Any] = {
            "database_url": SecretStr("unused: the database is given"),
            "data_bucket": self.bucket,
            "statements_queue_url": self.queue_url,
            "keep_accepted": keep_accepted,
        }
        ahead = build_platform(XapiSettings(**shared, **(front or {})))
        back = build_platform(WorkerSettings(**shared, etl_mode=mode, **worker))
        ahead.database, back.database = in_role(database, "xapi"), in_role(database, "xapi-etl")
        self.front, self.back = ahead.get(LrsServices), back.get(LrsServices)
        # On a busy machine the database is slow, and not away.
        self.front.__dict__["intake"] = Intake(ahead.database, patience_seconds=20)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.key, self.secret = await self.credential()
        transport = httpx.ASGITransport(xapi_app(self.front.platform))
        client = httpx.AsyncClient(transport=transport, base_url="http://xapi.test", auth=(self.key, self.secret))
        self.lms = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def credential(self, **values: Any) -> tuple[str, str]:
        """Key and secret of a new credential, published."""
        async with IdentityUnitOfWork(self.database, principal=SYSTEM) as uow:
            made = await create_xapi_credential(CreateXapiCredential(name="LMS", **values), uow)
            await uow.commit()
        await CredentialPublisher(self.database, self.bucket).publish(made.key_id)
        return made.key_id, made.secret

    async def post(
        self,
        body: Any,
        *,
        headers: Mapping[str, str] = VERSION,
        path: str = "/xapi/statements",
        auth: tuple[str, str] | None = None,
    ) -> httpx.Response:
        """POST JSON (or raw bytes) as an LMS does, with its credential or another one."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Content-Type": "application/json", **headers}
        return await self.lms.post(path, content=content, headers=headers, auth=auth or (self.key, self.secret))

    async def deliver(self, *, limit: int = 100) -> int:
        """Let the loader consume what is in the queue; returns how many messages it acknowledged."""
        done = 0
        queue = Queue(self.queue_url)
        while limit > 0:
            received = await queue.receive()
            if not received:
                break
            failed = set(await self.back.statement_loader.load([item.record for item in received]))
            handles = [item.receipt_handle for item in received if item.record.message_id not in failed]
            await queue.delete(handles)
            done += len(handles)
            limit -= len(received)
            if failed:
                break
        return done

    async def reported(self) -> datetime:
        """Wait until the watermark is behind all that has happened; the watermark."""
        (now,) = (await self.rows("SELECT clock_timestamp()"))[0]
        while True:
            async with self.database.read_only() as connection:
                watermark = await self.back.matching.reported_through(connection)
            if watermark > now:
                return watermark
            await asyncio.sleep(0.1)

    async def rows(self, query: str, **values: Any) -> Sequence[Any]:
        """Rows of a query."""
        async with self.database.read_only() as connection:
            return (await connection.execute(text(query), values)).all()

    async def flat(self, statement_id: str | UUID) -> Any:
        """The flat row of a statement, or None."""
        rows = await self.rows("SELECT * FROM records.statements_flat WHERE statement_id = :id", id=statement_id)
        return rows[0] if rows else None

    async def count(self, table: str) -> int:
        """How many rows a table of records has."""
        return int((await self.rows(f"SELECT count(*) FROM records.{table}"))[0][0])

    async def change(self, statement: str, **values: Any) -> None:
        """Execute one statement and commit."""
        async with self.database.transaction() as connection:
            await connection.execute(text(statement), values)
