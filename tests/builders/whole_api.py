"""Both REST apps behind one address, as the gateway puts them, with something in every context."""

import asyncio
import hashlib
from typing import Any
from uuid import UUID

import httpx
from starlette.types import Receive, Scope, Send

from dataforge.kernel.clock import Clock
from dataforge.kernel.principal import Authenticator, Principal, Role
from dataforge.platform.aws.clients import client as aws_client
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.shared import SharedJobsUnitOfWork, queue_job
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.datasets import DatasetsUnderTest, commit_rows, csv, import_file, new_dataset, ok
from tests.builders.emulator import EmulatedAws
from tests.builders.rosters import simple_csv

BESIDE_DATASETS = ("/api/datasets", "/api/sql", "/ui/datasets", "/api/reports", "/ui/reports")
TABLE = csv([("id", "name"), (1, "Ada"), (2, "Grace")])


class WholeApi:
    """An administrator's client, and things to send requests about; `await start()` first."""

    client: httpx.AsyncClient
    user_id: UUID

    def __init__(self, database: Database, clock: Clock, emulator: EmulatedAws) -> None:
        self.database = database
        origins = ("http://127.0.0.1:*",)
        self.datasets = DatasetsUnderTest(database, clock, emulator, cors_origins=origins)
        self.bucket = self.datasets.services.settings.data_bucket
        self.statements_queue = emulator.queue()
        self.api = ApiUnderTest(
            database,
            clock,
            data_bucket=self.bucket,
            statements_queue_url=self.statements_queue,
            statements_dlq_url=emulator.queue(),
            private_receivers=True,
            cors_origins=origins,
            trusted_home_pages=("https://lms.example.org",),
        )
        self.datasets.platform.put(Authenticator, self.api.identity.authenticator)
        self.campus = Campus(database, clock)
        self._numbers = iter(range(1, 10_000))

    async def start(self) -> None:
        """Sign the administrator in."""
        await self.api.identity.private_keys.ensure()
        self.user_id = await self.api.add_user(Role.ADMIN)
        token = await self.api.token(self.user_id, Role.ADMIN)

        self.client = await self.api.client(token, self.gateway)

    async def gateway(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the app that serves its path."""
        behind = self.datasets if scope["path"].startswith(BESIDE_DATASETS) else self.api
        await behind.asgi(scope, receive, send)

    async def close(self) -> None:
        """Close the client."""
        await self.api.__aexit__()

    def number(self) -> int:
        """Another number each time."""
        return next(self._numbers)

    async def post(self, path: str, /, status: int, **body: Any) -> dict[str, Any]:
        """What a POST makes."""
        return dict(ok(await self.client.post(path, json=body), status))

    async def dataset(self) -> str:
        """A dataset with a keyed table of two rows on `main`."""
        dataset_id = await new_dataset(self.client, f"Dataset {self.number()}")
        await import_file(self.datasets, self.client, dataset_id, TABLE, key=["id"])
        return dataset_id

    async def commit(self, dataset_id: str, ref: str = "main") -> str:
        """A commit that adds a row."""
        values = {"id": 100 + self.number(), "name": "somebody"}
        answer = await commit_rows(self.client, dataset_id, [{"op": "insert", "values": values}], ref=ref)
        return str(ok(answer, 201)["new_commit_id"])

    async def branch(self, dataset_id: str) -> str:
        """A branch with a commit of its own."""
        name = f"branch-{self.number()}"
        await self.post(f"/api/datasets/{dataset_id}/refs", 201, name=name)
        await self.commit(dataset_id, name)
        return name

    async def review(self, dataset_id: str) -> int:
        """An open review request."""
        source = await self.branch(dataset_id)
        return int(
            (await self.post(f"/api/datasets/{dataset_id}/reviews", 201, title="T", source_ref=source))["number"]
        )

    async def job(self, dataset_id: str) -> str:
        """An export that waits."""
        return str((await self.post(f"/api/datasets/{dataset_id}/refs/main/exports", 202, format="csv"))["id"])

    async def shared_job(self) -> str:
        """A job of the administrator that waits in the shared table."""
        who = Principal(self.user_id, Role.ADMIN)
        async with SharedJobsUnitOfWork(self.database, principal=who, clock=self.api.platform.clock) as uow:
            job_id = await queue_job(uow, f"kind_{self.number()}", {})
            await uow.commit()
        return str(job_id)

    async def roster(self) -> tuple[UUID, bytes]:
        """A semester with a section, and a file that enrols somebody in it."""
        semester, course = await self.campus.semester(), await self.campus.course(f"CRS{self.number()}")
        await self.campus.section(course=course, semester_id=semester, code="A")
        code = (await self.campus.rows("SELECT code FROM academics.courses WHERE id = :id", id=course))[0]["code"]
        row = {"student_number": f"N{self.number()}", "first_name": "Ada", "last_name": "L", "course_code": code}
        return semester, simple_csv({**row, "section_code": "A", "status": "active"})

    async def uploaded_roster(self, data: bytes) -> str:
        """The key of a roster that was uploaded."""
        announced = {"filename": "roster.csv", "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        upload = await self.post("/api/rosters/uploads", 201, **announced)
        key = str(upload["upload_key"])
        await asyncio.to_thread(aws_client("s3").put_object, Bucket=self.bucket, Key=key, Body=data)
        return key
