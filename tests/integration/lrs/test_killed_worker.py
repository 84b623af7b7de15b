"""The process of `worker` is killed for real in the middle of an import, an erasure and a purge: each is done once."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.db.database import Database
from infra.local.layout import SOURCE_PATH
from infra.local.placeholders import NOWHERE
from tests.builders.desk import RecordsDesk
from tests.builders.emulator import EmulatedAws
from tests.builders.statements import statement

COUNT = 3_000
ADA = {"mbox": "mailto:ada@example.org"}
WORKER = (
    "import json, sys; from dataforge.bootstrap import worker_handler; worker_handler()(json.load(sys.stdin), None)"
)


@pytest.fixture
async def desk(database: Database, emulator: EmulatedAws) -> AsyncIterator[RecordsDesk]:
    async with RecordsDesk(database, emulator) as desk:
        yield desk


def started_worker(desk: RecordsDesk, database_url: str, job_id: str) -> subprocess.Popen[str]:
    """The function's own process, as Lambda runs it, at work on a job."""
    environment = os.environ | NOWHERE
    environment |= {"PYTHONPATH": SOURCE_PATH, "DATABASE_URL": database_url, "DATA_BUCKET": desk.store.bucket}
    command = [sys.executable, "-c", WORKER]
    worker = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert worker.stdin is not None
    with worker.stdin as pipe:
        json.dump({"Records": [{"messageId": "1", "body": json.dumps({"job_id": job_id})}]}, pipe)
    return worker


async def killed_in_the_middle(desk: RecordsDesk, database_url: str, job_id: str) -> None:
    """Let the function's own process do some of the job, kill it, and let its lease run out."""
    worker = started_worker(desk, database_url, job_id)
    try:
        deadline = time.monotonic() + 60
        while not await steps_of(desk, job_id):
            assert worker.poll() is None, "the worker ended by itself"
            assert time.monotonic() < deadline, "the worker did nothing"
            await asyncio.sleep(0.005)
    finally:
        worker.kill()
        worker.wait()
    assert (await desk.job(job_id))["status"] == "running", "it was killed before it could end"
    await desk.store.change("UPDATE platform.jobs SET lease_until = now() - interval '1 second'")


async def steps_of(desk: RecordsDesk, job_id: str) -> int:
    """How far the job is: lines or statements that are done for good."""
    (row,) = await desk.store.rows("SELECT checkpoint FROM platform.jobs WHERE id = :id", id=UUID(job_id))
    return int(row.checkpoint.get("lines") or row.checkpoint.get("deleted") or 0)


async def asked(desk: RecordsDesk, path: str, **body: Any) -> str:
    plan = await desk.post(f"{path}/preview", 200, **body)
    return str((await desk.post(path, 202, plan_hash=plan["plan_hash"]))["job_id"])


async def test_what_a_killed_worker_has_done_is_not_done_again(desk: RecordsDesk, database_url: str) -> None:
    key = (await desk.post("/api/xapi/imports/uploads", 201, size_bytes=1, sha256="0" * 64))["upload_key"]
    ids = [str(UUID(int=(4 << 76) | (8 << 60) | number)) for number in range(COUNT)]
    lines = (
        statement(actor=ADA, id=statement_id, stored=f"2021-02-03T04:05:06.{number:06}Z")
        for number, statement_id in enumerate(ids)
    )
    await AsyncObjects(desk.store.bucket).put(key, b"\n".join(json.dumps(line).encode() for line in lines))

    job_id = (await desk.post("/api/xapi/imports", 202, upload_key=key))["job_id"]
    await killed_in_the_middle(desk, database_url, job_id)
    result = await desk.result(job_id)
    assert (result["lines"], result["new"], result["known"], result["bad"]) == (COUNT, COUNT, 0, 0)

    job_id = await asked(desk, "/api/xapi/erasures", agents=[ADA])
    await killed_in_the_middle(desk, database_url, job_id)
    assert (await desk.result(job_id))["statements"] == COUNT
    people = "SELECT count(DISTINCT actor_key) AS people, count(*) AS rows FROM records.statements_flat"
    assert list(await desk.store.rows(people)) == [(1, COUNT)]

    job_id = await asked(desk, "/api/xapi/purges", until="2021-03-01T00:00:00Z")
    await killed_in_the_middle(desk, database_url, job_id)
    result = await desk.result(job_id)
    assert (result["statements"], result["partitions_dropped"]) == (COUNT, ["2021-02"])
    for table in ("records.statements_raw", "records.statements_flat", "lrs.statement_keys", "lrs.statement_bodies"):
        assert (await desk.store.rows(f"SELECT count(*) FROM {table}"))[0][0] == 0
