"""Versions published as Iceberg tables: read by pyiceberg and DuckDB, followed, removed."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from pydantic import SecretStr
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from sqlalchemy import text

from dataforge.contexts.datasets.contract import BranchMoved
from dataforge.contexts.datasets.maintenance.consumers import queue_due
from dataforge.contexts.datasets.publications.consumers import follow_branch
from dataforge.contexts.datasets.publications.repository import RETRY_AFTER
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.jobs import LEASE
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.db.database import Database
from tests.builders.datasets import (
    DatasetsUnderTest,
    commit_rows,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
    rows_of,
)
from tests.builders.emulator import EmulatedAws
from tests.builders.events import published
from tests.builders.lake import catalog_of, publication, publish, rows_in, run_publication, stored_files, table_of
from tests.integration.datasets.test_killed_workers import started_worker


@pytest.fixture
async def datasets(
    emulator: EmulatedAws, database: Database, database_url: str, clock: FixedClock
) -> AsyncIterator[DatasetsUnderTest]:
    async with DatasetsUnderTest(database, clock, emulator, database_url=SecretStr(database_url)) as api:
        yield api


async def people(datasets: DatasetsUnderTest, **options: Any) -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, **{"key": ["id"], **options})
    return client, dataset_id


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


async def test_a_branch_is_published_and_read_commit_by_commit(datasets: DatasetsUnderTest, database_url: str) -> None:
    client, dataset_id = await people(datasets)
    first = await head(client, dataset_id)
    before = await rows_of(client, dataset_id)

    waiting = await publish(client, dataset_id)
    assert (waiting["state"], waiting["follows"], waiting["sheet"]) == ("waiting", True, "data")
    done = await run_publication(datasets, client, waiting)
    assert (done["state"], done["published_commit_id"], done["row_count"]) == ("current", first, 3)

    changes = [
        {"op": "update", "key": {"id": 2}, "values": {"age": 46}},
        {"op": "delete", "key": {"id": 1}},
        {"op": "insert", "values": {"id": 9, "name": "Zoë", "age": None}},
    ]
    ok(await commit_rows(client, dataset_id, changes), 201)
    second = await head(client, dataset_id)
    behind = await publication(client, waiting)
    assert (behind["state"], behind["head_commit_id"]) == ("behind", second)
    assert behind["behind_since"] is not None

    # What the outbox says is delivered by maintenance.
    moved = [event for event in await published(datasets.database, BranchMoved) if event.commit_id == second]
    await follow_branch(moved[0], datasets.services)
    await follow_branch(moved[0], datasets.services)
    done = await run_publication(datasets, client, waiting)
    assert (done["state"], done["published_commit_id"], done["behind_since"]) == ("current", second, None)

    with catalog_of(database_url) as catalog:
        table = table_of(catalog, done)
        assert str(table.metadata.current_snapshot_id) == done["snapshot_id"]
        assert table.location() == done["location"]
        assert rows_in(table) == in_order(await rows_of(client, dataset_id)) == rows_in(table, second)
        assert rows_in(table, first) == in_order(before)
        tasks = list(table.scan().plan_files())
        data = [task.file.file_path for task in tasks]
        deletes = [file.file_path for task in tasks for file in task.delete_files]
    assert duckdb_reads(data, deletes) == in_order(await rows_of(client, dataset_id))


def duckdb_reads(data: list[str], deletes: list[str]) -> list[dict[str, Any]]:
    """The rows of data files without those that delete files name, by DuckDB alone."""
    local = {path: _fetched(path) for path in [*data, *deletes]}
    rows = []
    for path in data:
        found = duckdb.execute(
            "SELECT d.* EXCLUDE (file_row_number) FROM read_parquet(?, file_row_number = true) d "
            "ANTI JOIN read_parquet(?) x ON x.file_path = ? AND x.pos = d.file_row_number",
            [local[path], [local[file] for file in deletes], path],
        )
        names = [column[0] for column in found.description or ()]
        rows += [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return in_order(rows)


def _fetched(path: str) -> str:
    bucket, _, key = path.removeprefix("s3://").partition("/")
    target = Path(tempfile.mkdtemp()) / "file.parquet"
    aws("s3").download_file(bucket, key, str(target))
    return str(target)


async def test_every_commit_of_a_branch_is_a_snapshot_in_order(datasets: DatasetsUnderTest, database_url: str) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    commits = [await head(client, dataset_id)]
    for age in (50, 51, 52):
        ok(await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": age}}]), 201)
        commits.append(await head(client, dataset_id))

    await queue_due(datasets.services)
    done = await run_publication(datasets, client, waiting)

    assert done["published_commit_id"] == commits[-1]
    with catalog_of(database_url) as catalog:
        table = table_of(catalog, done)
        named = {ref.snapshot_id: name for name, ref in table.metadata.refs.items() if name != "main"}
        assert [named[entry.snapshot_id] for entry in table.history()] == commits
        ages = [next(row["age"] for row in rows_in(table, commit) if row["id"] == 1) for commit in commits]
    assert ages == [36, 50, 51, 52]


async def test_columns_that_are_renamed_and_come_again_are_right_at_every_commit(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    versions = {await head(client, dataset_id): await rows_of(client, dataset_id)}
    for schema in (
        {"rename": {"name": "called"}},
        {"types": {"age": "decimal(20,2)"}},
        {"drop": ["age"]},
        {"add": [{"name": "age", "type": "string"}]},
        {"rename": {"called": "name", "age": "called"}},
    ):
        ok(await commit_rows(client, dataset_id, [], schema_changes=[schema]), 201)
        versions[await head(client, dataset_id)] = await rows_of(client, dataset_id)

    await queue_due(datasets.services)
    done = await run_publication(datasets, client, waiting)

    with catalog_of(database_url) as catalog:
        table = table_of(catalog, done)
        for commit, expected in versions.items():
            assert rows_in(table, commit) == in_order(expected)


async def test_a_tag_is_published_once_and_does_not_move(datasets: DatasetsUnderTest, database_url: str) -> None:
    client, dataset_id = await people(datasets)
    commit = await head(client, dataset_id)
    ok(await client.post(f"/api/datasets/{dataset_id}/refs", json={"name": "v1", "kind": "tag"}), 201)

    waiting = await publish(client, dataset_id, "v1")
    done = await run_publication(datasets, client, waiting)
    again = await client.post(f"/api/datasets/{dataset_id}/commits/{commit}/publications", json={})
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)

    assert (done["follows"], done["commit_id"], done["state"]) == (False, commit, "current")
    assert refused(again) == (409, "publication_exists")
    assert (await publication(client, waiting))["state"] == "current"
    with catalog_of(database_url) as catalog:
        assert len(rows_in(table_of(catalog, done))) == 3


async def test_a_removed_publication_takes_its_table_and_files_along(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    done = await run_publication(datasets, client, waiting)
    path = f"/api/datasets/{dataset_id}/publications/{done['id']}"

    removing = ok(await client.delete(path), 202)
    assert removing["state"] == "removing"
    await run_publication(datasets, client, waiting)

    assert refused(await client.get(path)) == (404, "publication_not_found")
    assert stored_files(datasets, f"lake/{dataset_id}/") == []
    with catalog_of(database_url) as catalog, pytest.raises(NoSuchTableError):
        table_of(catalog, done)
    # And again, under another name.
    assert (await publish(client, dataset_id))["table"] != done["table"]


async def test_a_deleted_dataset_is_published_no_longer(datasets: DatasetsUnderTest, database_url: str) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    done = await run_publication(datasets, client, waiting)
    found = await client.get(f"/api/datasets/{dataset_id}")
    ok(await client.delete(f"/api/datasets/{dataset_id}", headers={"If-Match": found.headers["ETag"]}), 204)

    assert (await queue_due(datasets.services))["publications"] == 1
    async with datasets.database.read_only() as connection:
        job = await connection.scalar(text("SELECT job_id FROM datasets.publications"))
    await datasets.work_on(job, "publication")

    with catalog_of(database_url) as catalog, pytest.raises(NoSuchTableError):
        table_of(catalog, done)
    async with datasets.database.read_only() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM datasets.publications")) == 0


async def test_what_has_failed_says_why_and_is_tried_again(datasets: DatasetsUnderTest, clock: FixedClock) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    at = await head(client, dataset_id)
    await import_file(datasets, client, dataset_id, key=[], table="other")
    assert await head(client, dataset_id) != at

    await queue_due(datasets.services)
    failed = await run_publication(datasets, client, waiting)
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "sheet_not_found")
    assert (await queue_due(datasets.services))["publications"] == 0

    clock.advance(RETRY_AFTER + timedelta(seconds=1))
    assert (await queue_due(datasets.services))["publications"] == 1


@pytest.mark.parametrize("locked", ["datasets.iceberg_tables", "datasets.publications"])
async def test_a_publisher_that_is_killed_before_or_behind_the_move_of_the_table_leaves_one_snapshot_a_commit(
    datasets: DatasetsUnderTest, database_url: str, clock: FixedClock, locked: str
) -> None:
    clock.advance(datetime.now(UTC) - clock.now())  # the worker's process has the machine's clock
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    commits = [await head(client, dataset_id)]
    for age in (50, 51):
        ok(await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": age}}]), 201)
        commits.append(await head(client, dataset_id))
    await queue_due(datasets.services)
    behind = await publication(client, waiting)

    await killed_at(datasets, database_url, behind["job_id"], locked)

    with catalog_of(database_url) as catalog:
        moved = len(snapshots_of(catalog, waiting)) - 1
        assert moved == (locked == "datasets.publications")
        assert len(rows_in(table_of(catalog, waiting))) == 3
        assert (await publication(client, waiting))["published_commit_id"] == commits[0]
        clock.advance(2 * LEASE + timedelta(seconds=1))
        assert (await queue_due(datasets.services))["requeued"] == 1
        done = await run_publication(datasets, client, waiting)

        assert (done["state"], done["published_commit_id"]) == ("current", commits[-1])
        table = table_of(catalog, done)
        named = {ref.snapshot_id: name for name, ref in table.metadata.refs.items() if name != "main"}
        assert [named[entry.snapshot_id] for entry in table.history()] == commits
        assert len(table.metadata.snapshots) == len(commits)
        for commit, age in zip(commits, (36, 50, 51), strict=True):
            assert next(row["age"] for row in rows_in(table, commit) if row["id"] == 1) == age


async def test_a_publisher_that_is_killed_while_it_removes_a_table_is_followed_by_another(
    datasets: DatasetsUnderTest, database_url: str, clock: FixedClock
) -> None:
    clock.advance(datetime.now(UTC) - clock.now())
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    path = f"/api/datasets/{dataset_id}/publications/{waiting['id']}"
    removing = ok(await client.delete(path), 202)

    await killed_at(datasets, database_url, removing["job_id"], "datasets.publications")

    assert (await publication(client, waiting))["state"] == "removing"
    clock.advance(2 * LEASE + timedelta(seconds=1))
    await queue_due(datasets.services)
    await run_publication(datasets, client, waiting)
    assert refused(await client.get(path)) == (404, "publication_not_found")
    assert stored_files(datasets, f"lake/{dataset_id}/") == []


async def killed_at(datasets: DatasetsUnderTest, database_url: str, job_id: str, locked: str) -> None:
    """Let a worker do a job until it wants to write to a table of the database, and kill it there."""
    with psycopg.connect(database_url) as blocker, psycopg.connect(database_url, autocommit=True) as watcher:
        blocker.execute(f"LOCK TABLE {locked} IN SHARE MODE")
        worker = started_worker(datasets, database_url, "dataset_export_handler", job_id)
        try:
            deadline = time.monotonic() + 60
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
            while watcher.execute(waits, [locked]).fetchone() == (0,):
                assert worker.poll() is None, "the worker ended by itself"
                assert time.monotonic() < deadline, "the worker never came this far"
                await asyncio.sleep(0.05)
        finally:
            worker.kill()
            worker.wait()
        blocker.rollback()


def snapshots_of(catalog: SqlCatalog, waiting: dict[str, Any]) -> list[int]:
    """Snapshots that the table has, none while it is not there."""
    try:
        return [snapshot.snapshot_id for snapshot in table_of(catalog, waiting).metadata.snapshots]
    except NoSuchTableError:
        return []


async def test_who_may_export_may_publish_and_who_may_write_may_stop_it(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    reader = await datasets.member(client, dataset_id, "read")
    writer = await datasets.member(client, dataset_id, "write")
    stranger = await datasets.analyst()
    path = f"/api/datasets/{dataset_id}/refs/main/publications"

    assert refused(await stranger.post(path, json={})) == (404, "dataset_not_found")
    made = ok(await reader.post(path, json={}), 202)
    one = f"/api/datasets/{dataset_id}/publications/{made['id']}"
    assert ok(await reader.get(f"/api/datasets/{dataset_id}/publications"))["items"][0]["id"] == made["id"]
    assert refused(await stranger.get(one)) == (404, "dataset_not_found")
    assert (await reader.delete(one)).status_code == 403
    ok(await writer.delete(one), 202)


async def test_a_table_that_names_files_elsewhere_is_not_read(datasets: DatasetsUnderTest, database_url: str) -> None:
    client, dataset_id = await people(datasets)
    waiting = await publish(client, dataset_id)
    done = await run_publication(datasets, client, waiting)
    other = await new_dataset(client, "Other")
    async with datasets.database.transaction() as connection:
        # Whoever can write to the catalog can point a name at another dataset's table.
        await connection.execute(
            text("UPDATE datasets.iceberg_tables SET metadata_location = replace(metadata_location, :one, :other)"),
            {"one": dataset_id, "other": other},
        )
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)
    await queue_due(datasets.services)

    failed = await run_publication(datasets, client, waiting)

    assert (failed["state"], failed["failure"]["code"]) == ("failed", "snapshot_refused")
    assert done["location"] not in json.dumps(failed["failure"])
