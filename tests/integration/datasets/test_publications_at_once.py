"""Publications while something else happens to them: commits, removal, a second worker, a job that is retried."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError

from dataforge.contexts.datasets.contract import BranchMoved
from dataforge.contexts.datasets.maintenance.consumers import queue_due
from dataforge.contexts.datasets.publications.consumers import follow_branch
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.jobs import LEASE
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.datasets import DatasetsUnderTest, commit_rows, head, import_file, new_dataset, ok, refused
from tests.builders.emulator import EmulatedAws
from tests.builders.events import published
from tests.builders.lake import catalog_of, commits_in, publication, publish, run_publication, stored_files, table_of


@pytest.fixture
async def datasets(
    emulator: EmulatedAws, database: Database, database_url: str, clock: FixedClock
) -> AsyncIterator[DatasetsUnderTest]:
    async with DatasetsUnderTest(database, clock, emulator, database_url=SecretStr(database_url)) as api:
        yield api


async def people(datasets: DatasetsUnderTest) -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    return client, dataset_id


async def older(client: Any, dataset_id: str, age: int) -> str:
    """A commit that changes a row; its id."""
    ok(await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": age}}]), 201)
    return await head(client, dataset_id)


@asynccontextmanager
async def at_the_catalog(
    datasets: DatasetsUnderTest, database_url: str, *job_ids: str
) -> AsyncIterator[list[asyncio.Task[Done]]]:
    """Workers that are at these jobs, one after the other, and want to move a table now; they may when this ends."""
    with psycopg.connect(database_url) as blocker, psycopg.connect(database_url, autocommit=True) as watcher:
        blocker.execute("LOCK TABLE datasets.iceberg_tables IN SHARE MODE")
        workers: list[asyncio.Task[Done]] = []
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'datasets.iceberg_tables'::regclass"
        for job_id in job_ids:
            workers.append(asyncio.create_task(datasets.work_on(UUID(job_id), "publication")))
            deadline = time.monotonic() + 60
            while watcher.execute(waits).fetchone() != (len(workers),):
                assert not workers[-1].done(), "the worker ended by itself"
                assert time.monotonic() < deadline, "the worker never came this far"
                await asyncio.sleep(0.05)
        try:
            yield workers
        finally:
            blocker.rollback()
            await asyncio.wait(workers)


def history(catalog: SqlCatalog, of: dict[str, Any]) -> list[str]:
    """The commits that a table has been at, one after the other."""
    return commits_in(table_of(catalog, of))


async def test_a_commit_during_a_run_is_published_by_the_next_which_the_run_queues(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    first = await head(client, dataset_id)

    async with at_the_catalog(datasets, database_url, waiting["job_id"]):
        second = await older(client, dataset_id, 50)
        for event in await published(datasets.database, BranchMoved):
            await follow_branch(event, datasets.services)
        assert (await publication(client, waiting))["job_id"] == waiting["job_id"]

    behind = await publication(client, waiting)
    assert (behind["state"], behind["published_commit_id"]) == ("behind", first)
    assert behind["job_id"] != waiting["job_id"]
    done = await run_publication(datasets, client, waiting)
    assert (done["state"], done["published_commit_id"]) == ("current", second)
    with catalog_of(database_url) as catalog:
        assert history(catalog, done) == [first, second]


async def test_a_publication_that_is_removed_during_a_run_leaves_nothing(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    path = f"/api/datasets/{dataset_id}/publications/{waiting['id']}"

    async with at_the_catalog(datasets, database_url, waiting["job_id"]):
        assert ok(await client.delete(path), 202)["job_id"] == waiting["job_id"]
    assert (await publication(client, waiting))["state"] == "removing"
    await run_publication(datasets, client, waiting)

    assert refused(await client.get(path)) == (404, "publication_not_found")
    assert stored_files(datasets, f"lake/{dataset_id}/") == []
    with catalog_of(database_url) as catalog, pytest.raises(NoSuchTableError):
        table_of(catalog, waiting)


async def test_of_two_workers_of_one_branch_one_moves_the_table(
    datasets: DatasetsUnderTest, database_url: str, clock: FixedClock
) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    commits = [await head(client, dataset_id), *[await older(client, dataset_id, age) for age in (50, 51, 52)]]
    await queue_due(datasets.services)
    job_id = (await publication(client, waiting))["job_id"]

    async with at_the_catalog(datasets, database_url, job_id) as [first]:
        # To everybody else it is dead: its lease has run out.
        clock.advance(LEASE + timedelta(seconds=1))
        second = asyncio.create_task(datasets.work_on(UUID(job_id), "publication"))
        await asyncio.sleep(0.5)
    await asyncio.wait([second])

    assert Done.ENDED in (first.result(), second.result()) or Done.AGAIN in (first.result(), second.result())
    if (await publication(client, waiting))["state"] != "current":
        await run_publication(datasets, client, waiting)
    done = await publication(client, waiting)
    assert (done["state"], done["published_commit_id"]) == ("current", commits[-1])
    with catalog_of(database_url) as catalog:
        assert history(catalog, done) == commits


async def test_a_job_that_is_retried_leaves_the_table_to_the_job_under_way(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    jobs = f"/api/datasets/{dataset_id}/jobs"
    ok(await client.post(f"{jobs}/{waiting['job_id']}/cancel"))
    await queue_due(datasets.services)
    present = await publication(client, waiting)
    assert present["job_id"] != waiting["job_id"]
    ok(await client.post(f"{jobs}/{waiting['job_id']}/retry"), 202)

    await asyncio.gather(*(datasets.work_on(UUID(item["job_id"]), "publication") for item in (waiting, present)))

    done = await publication(client, waiting)
    assert (done["state"], done["job_id"]) == ("current", present["job_id"])
    retried = ok(await client.get(f"{jobs}/{waiting['job_id']}"))
    assert (retried["status"], retried["output_summary"]["snapshots"]) == ("completed", [])
    with catalog_of(database_url) as catalog:
        assert history(catalog, done) == [await head(client, dataset_id)]
