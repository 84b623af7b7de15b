"""A worker process is killed for real: its job is taken up when the lease runs out, and never for ever."""

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from dataforge.contexts.datasets.exports.consumers import export_messages
from dataforge.contexts.datasets.imports.consumers import import_messages
from dataforge.contexts.datasets.maintenance.consumers import queue_due
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.jobs import LEASE, MAX_ATTEMPTS
from dataforge.platform.aws.sqs import Queue
from infra.local.layout import SOURCE_PATH
from tests.builders.datasets import (
    PEOPLE,
    DatasetsUnderTest,
    csv,
    head,
    import_file,
    job_message,
    new_dataset,
    ok,
    rows_of,
    upload_file,
)

NEW = csv([("id", "name", "age"), *((n, f"n{n}", n % 90) for n in range(1, 400))])
WORKER = (
    "import json, sys; from dataforge import bootstrap; getattr(bootstrap, sys.argv[1])()(json.load(sys.stdin), None)"
)


def started_worker(datasets: DatasetsUnderTest, database_url: str, handler: str, job_id: str) -> subprocess.Popen[str]:
    """A function's own process, as Lambda runs it, at work on a job."""
    settings = datasets.services.settings
    environment = os.environ | {
        "PYTHONPATH": SOURCE_PATH,
        "DATABASE_URL": database_url,
        "DATA_BUCKET": settings.data_bucket,
        "IMPORTS_QUEUE_URL": settings.imports_queue_url,
        "EXPORTS_QUEUE_URL": settings.exports_queue_url,
    }
    command = [sys.executable, "-c", WORKER, handler]
    worker = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert worker.stdin is not None
    with worker.stdin as pipe:
        json.dump(job_message(job_id), pipe)
    return worker


async def killed_in_the_middle(datasets: DatasetsUnderTest, database_url: str, handler: str, job_id: str) -> datetime:
    """Let a worker begin the job and kill it before it can end it; when its lease runs out."""
    with psycopg.connect(database_url) as blocker:
        # Whatever it computes, it cannot write that the job has ended.
        blocker.execute("LOCK TABLE datasets.commits, datasets.refs IN ACCESS EXCLUSIVE MODE")
        worker = started_worker(datasets, database_url, handler, job_id)
        try:
            lease = None
            deadline = time.monotonic() + 30
            while lease is None:
                assert worker.poll() is None, "the worker ended by itself"
                assert time.monotonic() < deadline, "the worker never took the job"
                await asyncio.sleep(0.05)
                lease = await lease_of(datasets, job_id)
        finally:
            worker.kill()
            worker.wait()
    # It may have prolonged its lease until the last moment.
    return await lease_of(datasets, job_id) or lease


async def lease_of(datasets: DatasetsUnderTest, job_id: str) -> datetime | None:
    async with datasets.services.database.read_only() as connection:
        query = text("SELECT lease_until FROM datasets.jobs WHERE id = :id")
        lease: datetime | None = await connection.scalar(query, {"id": job_id})
    return lease


async def messages_of(url: str) -> list[dict[str, Any]]:
    """The bodies that wait in a queue, as events."""
    queue, found = Queue(url), []
    for received in await queue.receive():
        found.append({"Records": [{"messageId": received.record.message_id, "body": received.record.body}]})
        await queue.delete([received.receipt_handle])
    return found


async def test_the_import_of_a_killed_worker_is_taken_up_when_its_lease_runs_out(
    datasets: DatasetsUnderTest, database_url: str, clock: FixedClock
) -> None:
    clock.advance(datetime.now(UTC) - clock.now())  # the worker's process has the machine's clock
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, PEOPLE, key=["id"])
    before = await head(client, dataset_id)
    job = await upload_file(client, dataset_id, NEW)
    lease = await killed_in_the_middle(datasets, database_url, "dataset_import_handler", job["id"])

    clock.advance(lease - timedelta(seconds=1) - clock.now())
    early = await queue_due(datasets.services)
    clock.advance(timedelta(seconds=2))
    due = await queue_due(datasets.services)
    again = await queue_due(datasets.services)
    answers = [
        await import_messages(event, datasets.services)
        for event in await messages_of(datasets.services.settings.imports_queue_url)
    ]

    assert [counts["requeued"] for counts in (early, due, again)] == [0, 1, 0]
    assert answers == [{"batchItemFailures": []}]
    done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
    assert (done["status"], done["attempt"]) == ("completed", 2)
    assert len(await rows_of(client, dataset_id, limit=1000)) == 399
    history = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/history"))["commits"]
    assert [row["commit_id"] for row in history[1:2]] == [before]


async def test_the_export_of_a_killed_worker_is_taken_up_when_its_lease_runs_out(
    datasets: DatasetsUnderTest, database_url: str, clock: FixedClock
) -> None:
    clock.advance(datetime.now(UTC) - clock.now())  # the worker's process has the machine's clock
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, PEOPLE, key=["id"])
    job = ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/exports", json={"format": "csv"}), 202)
    lease = await killed_in_the_middle(datasets, database_url, "dataset_export_handler", job["id"])
    queue = datasets.services.settings.exports_queue_url
    await messages_of(queue)  # the first message is lost with the emulator

    clock.advance(lease + timedelta(seconds=1) - clock.now())
    await queue_due(datasets.services)
    for event in await messages_of(queue):
        await export_messages(event, datasets.services)

    done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
    assert (done["status"], done["attempt"]) == ("completed", 2)


async def test_a_message_about_a_job_that_another_worker_has_is_dropped(
    datasets: DatasetsUnderTest, clock: FixedClock
) -> None:
    client = await datasets.analyst()
    job = await upload_file(client, await new_dataset(client), PEOPLE)
    async with datasets.services.job_runner.unit_of_work() as uow:
        await uow.jobs.claim(UUID(job["id"]), UUID(int=1), clock.now() + LEASE)
        await uow.commit()

    answer = await import_messages(job_message(job["id"]), datasets.services)

    # Given back it would wait for the queue's visibility of an hour and more, and end among the dead letters.
    assert answer == {"batchItemFailures": []}


async def test_a_job_that_kills_every_worker_is_given_up(datasets: DatasetsUnderTest, clock: FixedClock) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    job = await upload_file(client, dataset_id, PEOPLE)
    for worker in range(MAX_ATTEMPTS):
        async with datasets.services.job_runner.unit_of_work() as uow:
            assert await uow.jobs.claim(UUID(job["id"]), UUID(int=worker), clock.now() + LEASE) is not None
            await uow.commit()
        clock.advance(LEASE + timedelta(seconds=1))

    await import_messages(job_message(job["id"]), datasets.services)

    done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
    assert (done["status"], done["error"]["code"]) == ("failed", "job_gave_up")
    assert "ended without a word" in done["error"]["detail"]
    clock.advance(timedelta(hours=1))
    assert (await queue_due(datasets.services))["requeued"] == 0


async def test_a_job_that_was_let_go_is_queued_again_within_a_lease(
    datasets: DatasetsUnderTest, clock: FixedClock
) -> None:
    client = await datasets.analyst()
    job = await upload_file(client, await new_dataset(client), PEOPLE)
    async with datasets.services.job_runner.unit_of_work() as uow:
        await uow.jobs.claim(UUID(job["id"]), UUID(int=1), clock.now() + LEASE)
        await uow.jobs.release(UUID(job["id"]), UUID(int=1))
        await uow.commit()

    at_once = await queue_due(datasets.services)
    clock.advance(LEASE + timedelta(seconds=1))
    later = await queue_due(datasets.services)

    assert [counts["requeued"] for counts in (at_once, later)] == [0, 1]
