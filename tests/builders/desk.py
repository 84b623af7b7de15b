"""An administrator's desk over the record store: the API, the worker behind it, and an LMS that sends."""

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

import httpx

from dataforge.bootstrap import modules
from dataforge.contexts.lrs.module import LrsServices
from dataforge.events.worker import do_job
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement

_STORED = ("records.statements_raw", "lrs.statement_bodies", "records.statements_flat", "lrs.statement_keys")


class RecordsDesk:
    """Sends statements, asks for jobs and lets the worker do them; all of it on one bucket and one database."""

    def __init__(self, database: Database, aws: EmulatedAws, **settings: Any) -> None:
        self.store = StoreUnderTest(aws, database)
        self.api = ApiUnderTest(
            database,
            SystemClock(),
            data_bucket=self.store.bucket,
            jobs_queue_url=aws.queue(),
            access_token_seconds=86_400,
            **settings,
        )
        self.worker = self.api.platform_of("worker")
        self.services = self.worker.get(LrsServices)

    async def __aenter__(self) -> Self:
        await self.api.__aenter__()
        await self.store.__aenter__()
        self.admin: httpx.AsyncClient = await self.api.as_role(Role.ADMIN)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.store.__aexit__()
        await self.api.__aexit__()

    async def sent(self, *given: Mapping[str, Any], stored: str | None = None) -> list[str]:
        """Statements that were sent and loaded, as if stored at this time; their ids."""
        answer = await self.store.post([statement(**values) for values in given])
        assert answer.status_code == 200, answer.text
        await self.store.deliver()
        ids = [str(item) for item in answer.json()]
        if stored is not None:
            await self.move(ids, stored)
        return ids

    async def move(self, ids: list[str], stored: str) -> None:
        """Have statements be stored at another time, a microsecond apart."""
        for number, statement_id in enumerate(ids):
            for table in _STORED:
                await self.store.change(
                    f"UPDATE {table} SET stored_at = CAST(CAST(:at AS text) AS timestamptz) "
                    "+ :n * interval '1 microsecond' WHERE statement_id = :id",
                    at=stored,
                    n=number,
                    id=statement_id,
                )

    async def ids(self, **parameters: str) -> list[str]:
        """What a list of statements has, in the order they were stored in."""
        asked = {"limit": "500", "ascending": "true", **parameters}
        answer = await self.store.lms.get("/xapi/statements", params=asked, headers=VERSION)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["statements"]]

    async def post(self, path: str, status: int, **body: Any) -> dict[str, Any]:
        """What the API answers an administrator."""
        answer = await self.admin.post(path, json=body)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def do(self, job_id: str, **options: Any) -> Done:
        """Let the worker do a job, to its end unless it pauses."""
        return await do_job(UUID(job_id), modules(), self.worker, **options)

    async def job(self, job_id: str) -> dict[str, Any]:
        """A job as the administrator sees it."""
        return dict((await self.admin.get(f"/api/jobs/{job_id}")).json())

    async def result(self, job_id: str) -> dict[str, Any]:
        """The summary of a job that the worker has done well."""
        assert await self.do(job_id) is Done.ENDED
        job = await self.job(job_id)
        assert job["status"] == "completed", job
        return dict(job["output_summary"])
