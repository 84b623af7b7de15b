"""The real datasets API in process: the app as its function serves it, a database, the emulator's S3."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID

import httpx
from sqlalchemy import insert

from dataforge.bootstrap import rest_app
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.workspaces.tables import members, profiles, workspaces
from dataforge.kernel.clock import Clock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws

COMMIT = "0" * 64


class DatasetsUnderTest(ApiUnderTest):
    """Makes clients of the datasets app, and files and messages beside it."""

    def __init__(self, database: Database, clock: Clock, emulator: EmulatedAws, **settings: Any) -> None:
        super().__init__(
            database,
            clock,
            function="datasets-api",
            # Tests move the clock for hours with one token.
            access_token_seconds=86_400,
            data_bucket=emulator.bucket(),
            imports_queue_url=emulator.queue(),
            exports_queue_url=emulator.queue(),
            **settings,
        )
        self.app, self.asgi = rest_app("datasets_api", self.platform)
        self.services = self.platform.get(DatasetsServices)
        self.importing = self.platform_of("dataset-import").get(DatasetsServices)
        self.exporting = self.platform_of("dataset-export").get(DatasetsServices)

    async def work_on(self, job_id: UUID, run_type: str = "import") -> Done:
        """Do a job as its function would."""
        if run_type == "import":
            return await self.importing.job_runner.run(job_id, self.importing.importer.work)
        return await self.exporting.job_runner.run(job_id, self.exporting.export_or_publish)

    async def analyst(self) -> httpx.AsyncClient:
        """A new person who may create datasets."""
        return await self.as_role(Role.ANALYST)

    async def add_workspace(self, owner_id: UUID, *viewers: UUID, **members_by_role: UUID) -> UUID:
        """A workspace of these people (`editor=…`); its id."""
        workspace_id, now = uuid7(), self.platform.clock.now()
        row = {"id": workspace_id, "name": "Space", "owner_id": owner_id, "workspace_type": "general"}
        roles = {owner_id: "owner", **dict.fromkeys(viewers, "viewer")}
        roles |= {user_id: role for role, user_id in members_by_role.items()}
        async with self.database.transaction() as connection:
            await connection.execute(insert(profiles).values(user_id=owner_id, created_at=now, updated_at=now))
            await connection.execute(insert(workspaces).values(**row, created_at=now, updated_at=now))
            members_in = [
                {"workspace_id": workspace_id, "user_id": user_id, "role": role, "joined_at": now}
                for user_id, role in roles.items()
            ]
            await connection.execute(insert(members), members_in)
        return workspace_id

    async def sql_client(self, client: httpx.AsyncClient) -> httpx.AsyncClient:
        """The same person at the function that serves SQL."""
        token = client.headers["Authorization"].removeprefix("Bearer ")
        return await self.client(token, rest_app("datasets_api", self.platform_of("datasets-sql"))[1])

    async def member(self, owner: httpx.AsyncClient, dataset_id: str, level: str) -> httpx.AsyncClient:
        """A new person with this level on a dataset."""
        user_id = await self.add_user(Role.VIEWER)
        path = f"/api/datasets/{dataset_id}/permissions/user/{user_id}"
        ok(await owner.put(path, json={"level": level}))
        return await self.as_user(user_id, Role.VIEWER)


def ok(response: httpx.Response, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def refused(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return response.status_code, response.json()["code"]


async def new_dataset(client: httpx.AsyncClient, name: str = "Rosters", **values: Any) -> str:
    """A new dataset; its id."""
    return str(ok(await client.post("/api/datasets", json={"name": name, **values}), 201)["id"])


async def head(client: httpx.AsyncClient, dataset_id: str, ref: str = "main") -> str:
    """The commit a branch is at."""
    return str(ok(await client.get(f"/api/datasets/{dataset_id}/refs/{ref}"))["commit_id"])


async def branch(client: httpx.AsyncClient, dataset_id: str, name: str, at: str | None = None) -> str:
    """A new branch; the commit it is at."""
    made = ok(await client.post(f"/api/datasets/{dataset_id}/refs", json={"name": name, "at": at}), 201)
    return str(made["commit_id"])


def sha256(data: bytes) -> str:
    """Base64 of the SHA-256, as S3 spells checksums."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def put(url: str, data: bytes, headers: Mapping[str, str]) -> int:
    """Send bytes to a presigned URL; the status."""
    with urlopen(Request(url, data=data, method="PUT", headers=dict(headers)), timeout=30) as answer:
        return int(answer.status)


async def open_upload(
    client: httpx.AsyncClient,
    dataset_id: str,
    data: bytes,
    *,
    ref: str = "main",
    name: str = "people.csv",
    **options: Any,
) -> dict[str, Any]:
    """A new upload for these bytes."""
    body = {"file_name": name, "size_bytes": len(data), "part_size": 5 * 1024 * 1024, "import": options}
    return dict(ok(await client.post(f"/api/datasets/{dataset_id}/refs/{ref}/uploads", json=body), 201))


# A request asks for so many at most.
_MOST_PARTS = 100


async def send_parts(
    client: httpx.AsyncClient, upload: Mapping[str, Any], data: bytes, numbers: Sequence[int] | None = None
) -> None:
    """Upload some or all parts through presigned URLs."""
    size = upload["part_size"]
    wanted = numbers or range(1, upload["part_count"] + 1)
    path = f"/api/datasets/{upload['dataset_id']}/uploads/{upload['id']}/parts"
    for first in range(0, len(wanted), _MOST_PARTS):
        bodies = {number: data[(number - 1) * size : number * size] for number in wanted[first : first + _MOST_PARTS]}
        asked = {"parts": [{"number": number, "sha256": sha256(body)} for number, body in bodies.items()]}
        for part in ok(await client.post(path, json=asked))["parts"]:
            status = await asyncio.to_thread(put, part["url"], bodies[part["number"]], part["headers"])
            assert status == 200


async def complete(client: httpx.AsyncClient, upload: Mapping[str, Any]) -> dict[str, Any]:
    """Complete an upload; the job."""
    path = f"/api/datasets/{upload['dataset_id']}/uploads/{upload['id']}/complete"
    return dict(ok(await client.post(path), 202))


async def upload_file(client: httpx.AsyncClient, dataset_id: str, data: bytes, **options: Any) -> dict[str, Any]:
    """Upload a file whole; the job that waits."""
    upload = await open_upload(client, dataset_id, data, **options)
    await send_parts(client, upload, data)
    return await complete(client, upload)


def job_message(job_id: str | UUID) -> dict[str, Any]:
    """The SQS event of one job."""
    body = json.dumps({"job_id": str(job_id)})
    return {"Records": [{"messageId": "m1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}]}


def csv(rows: Sequence[Sequence[object]]) -> bytes:
    """Rows as CSV; the first is the header."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


PEOPLE = csv([("id", "name", "age"), (1, "Ada", 36), (2, "Grace", 45), (3, "Linus", 21)])


async def run_job(datasets: DatasetsUnderTest, client: httpx.AsyncClient, job: Mapping[str, Any]) -> dict[str, Any]:
    """Do a job as its function would; the job afterwards."""
    await datasets.work_on(UUID(job["id"]), job["run_type"])
    return dict(ok(await client.get(f"/api/datasets/{job['dataset_id']}/jobs/{job['id']}")))


async def import_file(
    datasets: DatasetsUnderTest, client: httpx.AsyncClient, dataset_id: str, data: bytes = PEOPLE, **options: Any
) -> dict[str, Any]:
    """Upload a file and import it; the summary of the commit."""
    job = await run_job(datasets, client, await upload_file(client, dataset_id, data, **options))
    assert job["status"] == "completed", job["error"]
    return dict(job["output_summary"])


async def commit_rows(
    client: httpx.AsyncClient,
    dataset_id: str,
    operations: Sequence[Mapping[str, Any]],
    *,
    ref: str = "main",
    **more: Any,
) -> httpx.Response:
    """A direct commit on where the branch is."""
    at = more.pop("at", None) or await head(client, dataset_id, ref)
    body = {"message": "change", "operations": list(operations), **more}
    path = f"/api/datasets/{dataset_id}/refs/{ref}/commits"
    return await client.post(path, json=body, headers={"If-Match": f'"{at}"'})


async def rows_of(
    client: httpx.AsyncClient, dataset_id: str, version: str = "main", **params: Any
) -> list[dict[str, Any]]:
    """The cells of the first page of rows."""
    page = ok(await client.get(f"/api/datasets/{dataset_id}/refs/{version}/data", params=params))
    return [row["data"] for row in page["rows"]]
