"""What a dataset forgets, its published tables forget: branches put back, branches and tags that are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from dataforge.contexts.datasets.maintenance.commands import KEEP_UNREACHABLE
from dataforge.contexts.datasets.maintenance.consumers import queue_due
from dataforge.contexts.datasets.tables import datasets as tables
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.datasets import (
    DatasetsUnderTest,
    branch,
    commit_rows,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
    rows_of,
)
from tests.builders.emulator import EmulatedAws
from tests.builders.lake import (
    catalog_of,
    commits_in,
    publication,
    publish,
    rows_in,
    run_publication,
    stored_files,
    table_of,
)


@pytest.fixture
async def datasets(
    emulator: EmulatedAws, database: Database, database_url: str, clock: FixedClock
) -> AsyncIterator[DatasetsUnderTest]:
    clock.advance(datetime.now(UTC) - clock.now())  # the time that objects of the bucket have
    async with DatasetsUnderTest(database, clock, emulator, database_url=SecretStr(database_url)) as api:
        yield api


async def people(datasets: DatasetsUnderTest) -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    return client, dataset_id


async def forget(datasets: DatasetsUnderTest, clock: FixedClock, dataset_id: str) -> Any:
    """A month later the dataset's storage is looked after; its owner, signed in again."""
    clock.advance(KEEP_UNREACHABLE + timedelta(days=1))
    report = await datasets.importing.maintenance.maintain(UUID(dataset_id))
    assert report["commits"] > 0
    async with datasets.database.read_only() as connection:
        owner = await connection.scalar(select(tables.c.created_by).where(tables.c.id == UUID(dataset_id)))
    return await datasets.as_user(owner, Role.ANALYST)


async def put_back(client: Any, dataset_id: str, commit: str, at: str, name: str = "main") -> None:
    body = {"commit_id": commit, "force": True}
    path = f"/api/datasets/{dataset_id}/refs/{name}"
    ok(await client.patch(path, json=body, headers={"If-Match": f'"{at}"'}))


async def test_a_branch_that_is_put_back_is_a_new_snapshot_and_the_others_stay(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    first, before = await head(client, dataset_id), await rows_of(client, dataset_id)
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)
    second, after = await head(client, dataset_id), await rows_of(client, dataset_id)
    await queue_due(datasets.services)
    await run_publication(datasets, client, waiting)

    await put_back(client, dataset_id, first, second)
    await queue_due(datasets.services)
    done = await run_publication(datasets, client, waiting)

    assert (done["state"], done["published_commit_id"], done["row_count"]) == ("current", first, 3)
    with catalog_of(database_url) as catalog:
        table = table_of(catalog, done)
        assert commits_in(table) == [first, second, first]
        assert rows_in(table) == rows_in(table, first) == before
        assert rows_in(table, second) == after


async def test_snapshots_of_forgotten_commits_go_with_the_files_that_only_they_had(
    datasets: DatasetsUnderTest, database_url: str, clock: FixedClock
) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    first, before = await head(client, dataset_id), await rows_of(client, dataset_id)
    ok(await commit_rows(client, dataset_id, [{"op": "insert", "values": {"id": 9, "name": "Secret", "age": 1}}]), 201)
    second = await head(client, dataset_id)
    await queue_due(datasets.services)
    done = await run_publication(datasets, client, waiting)
    with catalog_of(database_url) as catalog:
        theirs = [task.file.file_path for task in table_of(catalog, done).scan().plan_files()]
    await put_back(client, dataset_id, first, second)
    await queue_due(datasets.services)
    await run_publication(datasets, client, waiting)

    client = await forget(datasets, clock, dataset_id)
    # Once a day maintenance has each table looked at.
    await queue_due(datasets.services)
    done = await run_publication(datasets, client, waiting)

    job = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{done['job_id']}"))
    assert job["output_summary"]["expired"] == 1
    with catalog_of(database_url) as catalog:
        table = table_of(catalog, done)
        assert second not in table.metadata.refs
        assert {
            snapshot.summary["dataforge.commit-id"] for snapshot in table.metadata.snapshots if snapshot.summary
        } == {first}
        assert rows_in(table) == rows_in(table, first) == before
        for snapshot in table.metadata.snapshots:
            assert table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().num_rows == 3
        kept = {task.file.file_path for task in table.scan().plan_files()}
    gone = [path for path in theirs if path not in kept]
    keys = stored_files(datasets, f"lake/{dataset_id}/")
    assert len(gone) == 1
    assert not any(path.endswith(key) for path in gone for key in keys)


async def test_a_publication_of_a_branch_that_is_gone_goes_when_its_commits_do(
    datasets: DatasetsUnderTest, clock: FixedClock
) -> None:
    client, dataset_id = await people(datasets)
    await branch(client, dataset_id, "side")
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}], ref="side"), 201)
    waiting = await publish(client, dataset_id, "side")
    await run_publication(datasets, client, waiting)
    path = f"/api/datasets/{dataset_id}/refs/side"
    at = ok(await client.get(path))["commit_id"]
    ok(await client.delete(path, headers={"If-Match": f'"{at}"'}), 204)

    await queue_due(datasets.services)
    failed = await run_publication(datasets, client, waiting)
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "ref_not_found")

    client = await forget(datasets, clock, dataset_id)
    await queue_due(datasets.services)
    await run_publication(datasets, client, waiting)
    gone = await client.get(f"/api/datasets/{dataset_id}/publications/{waiting['id']}")
    assert refused(gone) == (404, "publication_not_found")
    assert stored_files(datasets, f"lake/{dataset_id}/") == []


async def test_a_table_without_rows_or_key_is_published_and_followed(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client = await datasets.analyst()
    empty, keyless = await new_dataset(client, "Empty"), await new_dataset(client, "Keyless")
    await import_file(datasets, client, empty, b"id,name\n", key=["id"], declared_types={"id": "int"})
    await import_file(datasets, client, keyless, b"word\na\na\nb\n", key=[])
    for dataset_id, count in ((empty, 0), (keyless, 3)):
        done = await run_publication(datasets, client, await publish(client, dataset_id))
        assert (done["state"], done["row_count"]) == ("current", count), done["failure"]
        with catalog_of(database_url) as catalog:
            assert rows_in(table_of(catalog, done)) == await rows_of(client, dataset_id)
    ok(await commit_rows(client, empty, [{"op": "insert", "values": {"id": 1, "name": "Ada"}}]), 201)
    await import_file(datasets, client, keyless, b"word\na\nb\nb\n", key=[])
    await queue_due(datasets.services)
    for dataset_id in (empty, keyless):
        [listed] = ok(await client.get(f"/api/datasets/{dataset_id}/publications"))["items"]
        done = await run_publication(datasets, client, await publication(client, listed))
        assert done["state"] == "current", done["failure"]
        with catalog_of(database_url) as catalog:
            expected = sorted(await rows_of(client, dataset_id), key=lambda row: [str(v) for v in row.values()])
            assert rows_in(table_of(catalog, done)) == expected
