"""Compaction, garbage collection, retention, verification, and what is due every minute."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from dataforge.contexts.datasets.commits.versions import Versions
from dataforge.contexts.datasets.imports.consumers import import_messages
from dataforge.contexts.datasets.maintenance.commands import GRACE, Maintenance
from dataforge.contexts.datasets.maintenance.consumers import queue_due, upkeep_dataset, verify_dataset
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.jobs import LEASE
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.aws.s3 import S3ObjectStore
from dataforge.platform.aws.sqs import Queue
from tests.builders.datasets import (
    PEOPLE,
    DatasetsUnderTest,
    branch,
    commit_rows,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    open_upload,
    rows_of,
    run_job,
    upload_file,
)


def keys(datasets: DatasetsUnderTest, prefix: str) -> list[str]:
    pages = aws("s3").list_objects_v2(Bucket=datasets.services.settings.data_bucket, Prefix=prefix)
    return sorted(item["Key"] for item in pages.get("Contents", []))


def later(datasets: DatasetsUnderTest, by: timedelta) -> Maintenance:
    """Maintenance at a time measured from now: objects carry the time of the machine."""
    versions = Versions(datasets.services.database, datasets.services.versions.objects)
    return Maintenance(versions, FixedClock(datetime.now(UTC) + by))


async def people(datasets: DatasetsUnderTest, data: bytes = PEOPLE) -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, data, key=["id"])
    return client, dataset_id


async def queued(url: str) -> list[dict[str, Any]]:
    return [json.loads(item.record.body) for item in await Queue(url).receive()]


class TestCompaction:
    async def test_keeps_commit_ids_and_rows(self, datasets: DatasetsUnderTest) -> None:
        client, dataset_id = await people(datasets)
        for age in range(20):
            change = [{"op": "update", "key": {"id": age % 3 + 1}, "values": {"age": age}}]
            ok(await commit_rows(client, dataset_id, change), 201)
        before, rows = await head(client, dataset_id), await rows_of(client, dataset_id)

        report = await upkeep_dataset({"dataset_id": dataset_id}, datasets.services)

        assert report["compacted"] == 1
        assert (await head(client, dataset_id), await rows_of(client, dataset_id)) == (before, rows)
        assert (await verify_dataset({"dataset_id": dataset_id}, datasets.services))["broken"] is None

    async def test_does_not_disturb_a_writer_that_began_before(self, datasets: DatasetsUnderTest) -> None:
        client, dataset_id = await people(datasets)
        for age in range(20):
            ok(await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": age}}]), 201)
        seen = await head(client, dataset_id)

        await later(datasets, GRACE * 2).maintain(UUID(dataset_id))
        ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 2}}], at=seen), 201)

        assert [row["id"] for row in await rows_of(client, dataset_id)] == [1, 3]


class TestGarbage:
    async def test_of_a_deleted_branch_is_removed_after_thirty_days(
        self, datasets: DatasetsUnderTest, clock: FixedClock
    ) -> None:
        client, dataset_id = await people(datasets)
        kept = keys(datasets, f"chunks/{dataset_id}/")
        await branch(client, dataset_id, "gone")
        big = csv([("id", "name", "age"), *((n, f"x{n}", n) for n in range(5000))])
        await import_file(datasets, client, dataset_id, big, ref="gone", key=["id"])
        ok(await client.delete(f"/api/datasets/{dataset_id}/refs/gone", headers={"If-Match": "*"}), 204)

        early = Maintenance(datasets.services.versions, FixedClock(clock.now() + timedelta(days=29)))
        young = await early.maintain(UUID(dataset_id))
        old = await later(datasets, timedelta(days=40)).maintain(UUID(dataset_id))

        assert (young["commits"], young["removed"]) == (0, 0)
        assert (old["commits"], old["removed"] > 0) == (1, True)
        assert keys(datasets, f"chunks/{dataset_id}/") == kept
        assert len(await rows_of(client, dataset_id)) == 3
        assert (await verify_dataset({"dataset_id": dataset_id}, datasets.services))["broken"] is None

    async def test_that_a_writer_found_in_place_makes_it_try_again(self, datasets: DatasetsUnderTest) -> None:
        client, dataset_id = await people(datasets)
        await branch(client, dataset_id, "gone")
        big = csv([("id", "name", "age"), *((n, f"x{n}", n) for n in range(5000))])
        await import_file(datasets, client, dataset_id, big, ref="gone", key=["id"])
        ok(await client.delete(f"/api/datasets/{dataset_id}/refs/gone", headers={"If-Match": "*"}), 204)
        waiting = await upload_file(client, dataset_id, big, key=["id"])
        collector = later(datasets, timedelta(days=40))

        class Collected(S3ObjectStore):
            """Garbage is collected right after this writer has found the last of its objects in place."""

            def put_if_absent(self, key: str, data: bytes) -> bool:
                stored = super().put_if_absent(key, data)
                if not stored and "/packs/" in key:
                    found.append(key)
                    aws("s3").delete_object(Bucket=datasets.services.settings.data_bucket, Key=key)
                return stored

        found: list[str] = []
        store = Collected(aws("s3"), datasets.services.settings.data_bucket)
        from dataforge.contexts.datasets.imports.commands import Importer

        importer = Importer(Versions(datasets.services.database, store), files=datasets.services.files)
        first = await datasets.services.job_runner.run(UUID(waiting["id"]), importer.work)
        state = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{waiting['id']}"))["status"]
        job = await run_job(datasets, client, waiting)
        await collector.maintain(UUID(dataset_id))

        assert found
        assert (first.value, state) == ("again", "pending")
        assert job["status"] == "completed"
        assert (await verify_dataset({"dataset_id": dataset_id}, datasets.services))["broken"] is None


class TestRetention:
    async def test_a_deleted_dataset_is_purged_after_thirty_days(
        self, datasets: DatasetsUnderTest, clock: FixedClock
    ) -> None:
        client, dataset_id = await people(datasets)
        ok(await client.delete(f"/api/datasets/{dataset_id}", headers={"If-Match": "*"}), 204)
        clock.advance(timedelta(days=29))
        early = await datasets.services.maintenance.purge(UUID(dataset_id))
        clock.advance(timedelta(days=2))

        counts = await queue_due(datasets.services)
        messages = await queued(datasets.services.settings.imports_queue_url)
        body = json.dumps({"purge": dataset_id})
        await import_messages({"Records": [{"messageId": "m", "body": body}]}, datasets.services)

        assert (early, counts["purges"]) == (False, 1)
        assert {"purge": dataset_id} in messages
        async with datasets.services.database.read_only() as connection:
            left = await connection.scalar(text("SELECT count(*) FROM datasets.commits"))
        assert left == 0
        assert keys(datasets, f"chunks/{dataset_id}/") == keys(datasets, f"uploads/{dataset_id}/") == []


class TestVerify:
    async def test_a_whole_dataset_has_nothing_broken(self, datasets: DatasetsUnderTest) -> None:
        client, dataset_id = await people(datasets)
        ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)

        report = await verify_dataset({"dataset_id": dataset_id}, datasets.services)

        assert report == {"dataset_id": dataset_id, "refs": 1, "commits": 3, "tables": 2, "broken": None}

    async def test_a_changed_object_is_named(self, datasets: DatasetsUnderTest) -> None:
        _, dataset_id = await people(datasets)
        bucket = datasets.services.settings.data_bucket
        chunk = next(key for key in keys(datasets, f"chunks/{dataset_id}/packs/"))
        body = bytearray(aws("s3").get_object(Bucket=bucket, Key=chunk)["Body"].read())
        body[len(body) // 2] ^= 1
        aws("s3").put_object(Bucket=bucket, Key=chunk, Body=bytes(body))

        broken = (await verify_dataset({"dataset_id": dataset_id}, datasets.services))["broken"]

        assert (broken["ref"], broken["sheet"], broken["thing"]) == ("main", "data", "pack")
        assert broken["identity"] == chunk.rpartition("/")[2]

    async def test_a_missing_object_is_named(self, datasets: DatasetsUnderTest) -> None:
        _, dataset_id = await people(datasets)
        bucket = datasets.services.settings.data_bucket
        chunk = next(key for key in keys(datasets, f"chunks/{dataset_id}/packs/"))
        aws("s3").delete_object(Bucket=bucket, Key=chunk)

        broken = (await verify_dataset({"dataset_id": dataset_id}, datasets.services))["broken"]

        assert "missing" in broken["reason"]

    async def test_a_changed_row_of_the_metadata_is_named(self, datasets: DatasetsUnderTest) -> None:
        _, dataset_id = await people(datasets)
        changes = {
            "commit": "UPDATE datasets.commits SET message = 'forged' WHERE parent_commit_id IS NOT NULL",
            "content hash": "UPDATE datasets.commit_tables SET row_count = 4",
            "manifest": "UPDATE datasets.manifests SET data = data || '\\x00'",
        }
        back = {
            "commit": "UPDATE datasets.commits SET message = 'Import people.csv' WHERE parent_commit_id IS NOT NULL",
            "content hash": "UPDATE datasets.commit_tables SET row_count = 3",
            "manifest": "SELECT 1",
        }
        found = []

        for thing, statement in changes.items():
            async with datasets.services.database.transaction() as connection:
                await connection.execute(text(statement))
            found.append((await verify_dataset({"dataset_id": dataset_id}, datasets.services))["broken"]["thing"])
            async with datasets.services.database.transaction() as connection:
                await connection.execute(text(back[thing]))

        assert found == list(changes)


class TestSweep:
    async def test_a_job_whose_message_was_lost_is_queued_again(
        self, datasets: DatasetsUnderTest, clock: FixedClock
    ) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        job = await upload_file(client, dataset_id, PEOPLE)

        early = await queue_due(datasets.services)
        clock.advance(LEASE + timedelta(seconds=1))
        late = await queue_due(datasets.services)
        again = await queue_due(datasets.services)

        assert [counts["requeued"] for counts in (early, late, again)] == [0, 1, 0]
        assert await queued(datasets.services.settings.imports_queue_url) == [{"job_id": job["id"]}]

    async def test_a_job_whose_worker_died_is_queued_again(
        self, datasets: DatasetsUnderTest, clock: FixedClock
    ) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        job = await upload_file(client, dataset_id, PEOPLE)
        async with datasets.services.job_runner.unit_of_work() as uow:
            await uow.jobs.claim(UUID(job["id"]), UUID(int=1), clock.now() + timedelta(seconds=60))
            await uow.commit()
        clock.advance(LEASE + timedelta(seconds=1))

        counts = await queue_due(datasets.services)

        assert counts["requeued"] == 1

    async def test_an_upload_nobody_completes_is_abandoned(
        self, datasets: DatasetsUnderTest, clock: FixedClock
    ) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        upload = await open_upload(client, dataset_id, PEOPLE)
        clock.advance(timedelta(days=3))

        counts = await queue_due(datasets.services)

        assert counts["abandoned"] == 1
        async with datasets.services.database.read_only() as connection:
            state = await connection.scalar(text("SELECT state FROM datasets.uploads"))
        assert (state, upload["state"]) == ("aborted", "open")

    async def test_maintenance_is_queued_once_a_day(self, datasets: DatasetsUnderTest, clock: FixedClock) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)

        first = await queue_due(datasets.services)
        clock.advance(timedelta(days=1, seconds=1))
        second, third = await queue_due(datasets.services), await queue_due(datasets.services)

        assert [counts["upkeep"] for counts in (first, second, third)] == [0, 1, 0]
        assert await queued(datasets.services.settings.imports_queue_url) == [{"upkeep": dataset_id}]
