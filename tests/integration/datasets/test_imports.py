"""Uploaded files into commits."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from dataforge.contexts.datasets.contract import DatasetImportEnded
from dataforge.contexts.datasets.imports.commands import Importer
from dataforge.contexts.datasets.imports.consumers import import_messages
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.jobs import LeasedJob
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.jobs.worker import JobRunner
from tests.builders.datasets import (
    PEOPLE,
    DatasetsUnderTest,
    commit_rows,
    csv,
    head,
    import_file,
    job_message,
    new_dataset,
    ok,
    rows_of,
    run_job,
    upload_file,
)
from tests.builders.events import published


async def test_a_file_becomes_one_commit_and_a_report(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    before = await head(client, dataset_id)

    job = await run_job(datasets, client, await upload_file(client, dataset_id, PEOPLE, key=["id"], message="Term 1"))

    summary = job["output_summary"]
    assert (job["status"], job["attempt"]) == ("completed", 1)
    assert (summary["updated_ref"], summary["rows_processed"], summary["unchanged"]) == ("main", 3, False)
    assert summary["new_commit_id"] == await head(client, dataset_id) != before
    assert summary["sheets"] == [{"sheet_name": "data", "row_count": 3, "inserted": 3, "updated": 0, "deleted": 0}]
    report = summary["report"]
    assert (report["encoding"], report["delimiter"]) == ("utf-8", ",")
    assert [column["type"] for column in report["tables"][0]["columns"]] == ["int", "string", "int"]
    commit = ok(await client.get(f"/api/datasets/{dataset_id}/commits/{summary['new_commit_id']}"))
    assert (commit["message"], commit["parent_commit_id"]) == ("Term 1", before)
    assert await rows_of(client, dataset_id) == [
        {"id": 1, "name": "Ada", "age": 36},
        {"id": 2, "name": "Grace", "age": 45},
        {"id": 3, "name": "Linus", "age": 21},
    ]


async def test_an_identical_file_makes_no_commit_the_second_time(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    first = await import_file(datasets, client, dataset_id, key=["id"])

    again = await import_file(datasets, client, dataset_id, key=["id"])

    assert (again["unchanged"], again["new_commit_id"]) == (True, first["new_commit_id"])


async def test_repeated_rows_survive_being_imported_twice(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    data = csv([("a", "b"), (1, 2), (1, 2), (3, 4)])
    await import_file(datasets, client, dataset_id, data)

    await import_file(datasets, client, dataset_id, data + b"1,2\n")

    assert [row["a"] for row in await rows_of(client, dataset_id)] == [1, 1, 3, 1]


async def test_append_adds_and_upsert_replaces_by_key(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])

    await import_file(datasets, client, dataset_id, csv([("id", "name", "age"), (4, "Alan", 41)]), mode="append")
    changed = csv([("id", "name", "age"), (2, "Grace H.", 46), (5, "Edsger", 50)])
    summary = await import_file(datasets, client, dataset_id, changed, mode="upsert")

    assert [row["name"] for row in await rows_of(client, dataset_id)] == ["Ada", "Grace H.", "Linus", "Alan", "Edsger"]
    assert summary["sheets"][0] == {
        "sheet_name": "data",
        "row_count": 5,
        "inserted": 1,
        "updated": 1,
        "deleted": 0,
    }


async def test_a_file_replaces_one_table_and_may_keep_the_others(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, table="people")

    await import_file(datasets, client, dataset_id, csv([("c",), (1,)]), table="courses", keep_other_tables=True)

    both = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/tables"))["tables"]
    await import_file(datasets, client, dataset_id, csv([("c",), (2,)]), table="courses")
    one = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/tables"))["tables"]
    assert [table["sheet_name"] for table in both] == ["people", "courses"]
    assert [table["sheet_name"] for table in one] == ["courses"]


async def test_a_branch_that_moved_since_fails_the_job_and_names_both_commits(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    seen = await head(client, dataset_id)
    waiting = await upload_file(client, dataset_id, csv([("id", "name", "age"), (9, "Late", 1)]), mode="append")
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)
    now = await head(client, dataset_id)

    job = await run_job(datasets, client, waiting)

    ended = await published(datasets.database, DatasetImportEnded)
    assert (ended[0].rows > 0, ended[0].refused, ended[0].error) == (True, 0, None)
    assert (str(ended[-1].job_id), ended[-1].error) == (job["id"], job["error"]["detail"])
    assert {str(event.dataset_id) for event in ended} == {dataset_id}
    assert (job["status"], job["error"]["status"], job["error"]["code"]) == ("failed", 409, "ref_moved")
    assert job["error"]["facts"] == {"ref": "main", "expected_commit": seen, "current_commit": now}
    assert await head(client, dataset_id) == now


async def test_a_failed_import_can_be_repeated_onto_where_the_branch_is(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    waiting = await upload_file(client, dataset_id, csv([("id", "name", "age"), (9, "Late", 1)]), mode="append")
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)
    failed = await run_job(datasets, client, waiting)
    path = f"/api/datasets/{dataset_id}/jobs/{failed['id']}/retry"

    pending = ok(await client.post(path, json={"onto_current": True}), 202)
    job = await run_job(datasets, client, pending)

    assert (pending["status"], job["status"]) == ("pending", "completed")
    assert [row["id"] for row in await rows_of(client, dataset_id)] == [2, 3, 9]


@pytest.mark.parametrize(
    ("data", "options", "code"),
    [
        (b"", {}, "import_refused"),
        (b"id,a\n1,2\n1,3\n", {"key": ["id"]}, "duplicate_keys"),
        (b"id\n1\n", {"key": ["nope"]}, "schema_mismatch"),
        (b"\x1f\x8b\x08\x00broken", {}, "archive_refused"),
        (b"a\n1\n", {"mode": "upsert"}, "schema_mismatch"),
    ],
)
async def test_a_bad_file_fails_its_job_with_a_reason(
    datasets: DatasetsUnderTest, data: bytes, options: dict[str, Any], code: str
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    before = await head(client, dataset_id)

    job = await run_job(datasets, client, await upload_file(client, dataset_id, data, **options))

    assert (job["status"], job["error"]["code"]) == ("failed", code), job
    assert await head(client, dataset_id) == before


async def test_a_declared_schema_decides_and_names_what_broke_it(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    data = PEOPLE + b"4,Alan,old\n"

    strict = await run_job(datasets, client, await upload_file(client, dataset_id, data, declared_types={"age": "int"}))
    lenient = await run_job(
        datasets, client, await upload_file(client, dataset_id, data, declared_types={"age": "int"}, max_rejected=1)
    )

    assert (strict["status"], strict["error"]["code"]) == ("failed", "too_many_rejected_rows")
    table = lenient["output_summary"]["report"]["tables"][0]
    assert (lenient["status"], table["rows"], table["rejected_count"]) == ("completed", 3, 1)
    assert (table["rejected"][0]["row"], "age" in table["rejected"][0]["reason"]) == (4, True)


async def test_a_schema_evolves_by_the_rules_given(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    wider = csv([("id", "name", "age", "mail"), (1, "Ada", 36.5, "a@example.org")])

    refused = await run_job(
        datasets, client, await upload_file(client, dataset_id, wider, evolution={"add_columns": False})
    )
    allowed = await run_job(datasets, client, await upload_file(client, dataset_id, wider))

    schema = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/schema"))["sheets"][0]
    assert (refused["status"], refused["error"]["code"]) == ("failed", "schema_mismatch")
    assert "mail" in refused["error"]["detail"]
    assert allowed["status"] == "completed"
    assert [column["name"] for column in schema["columns"]] == ["id", "name", "age", "mail"]
    assert schema["columns"][2]["type"] != "int"


async def test_progress_tells_stage_rows_and_bytes(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    waiting = await upload_file(client, dataset_id, PEOPLE)
    seen = []

    class Watched(JobRunner[DatasetsUnitOfWork]):
        """Stores progress with every report and not only with the heartbeat."""

        async def beat(self, job: LeasedJob, control: JobControl[DatasetsUnitOfWork]) -> None:
            await super().beat(job, control)
            seen.append(dict(control.progress))

    runner = Watched(DatasetsUnitOfWork, datasets.services.database, datasets.services.clock, heartbeat_seconds=0.001)
    await runner.run(UUID(waiting["id"]), Importer(datasets.services.versions, files=datasets.services.files).work)

    done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{waiting['id']}"))
    assert done["progress"]["stage"] == "completed"
    assert done["progress"]["rows"] == 3
    assert all(set(item) == {"stage", "rows", "bytes_done", "bytes_total"} for item in seen)


class TestMessages:
    async def test_the_notice_of_s3_finds_the_job_of_the_file(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        job = await upload_file(client, dataset_id, PEOPLE, name="new people (1).csv")
        async with datasets.services.database.read_only() as connection:
            key = await connection.scalar(text("SELECT s3_key FROM datasets.uploads"))
        body = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}}]})
        event = {"Records": [{"messageId": "m1", "body": body}]}

        answer = await import_messages(event, datasets.services)
        again = await import_messages(event, datasets.services)

        assert answer == again == {"batchItemFailures": []}
        done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
        assert (done["status"], done["attempt"]) == ("completed", 1)

    @pytest.mark.parametrize(
        "body",
        ['{"Event": "s3:TestEvent"}', '{"Records": [{"s3": {"object": {"key": "uploads/unknown"}}}]}', "[]", "{}"],
    )
    async def test_a_message_about_nothing_is_acknowledged(self, datasets: DatasetsUnderTest, body: str) -> None:
        event = {"Records": [{"messageId": "m1", "body": body}]}

        assert await import_messages(event, datasets.services) == {"batchItemFailures": []}

    async def test_a_message_that_is_not_json_goes_back_to_the_queue(self, datasets: DatasetsUnderTest) -> None:
        event = {"Records": [{"messageId": "m1", "body": "{"}]}

        answer = await import_messages(event, datasets.services)

        assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}

    async def test_a_job_that_another_worker_has_is_taken_over_when_its_lease_ends(
        self, datasets: DatasetsUnderTest, clock: FixedClock
    ) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        job = await upload_file(client, dataset_id, PEOPLE)
        async with datasets.services.job_runner.unit_of_work() as uow:
            await uow.jobs.claim(UUID(job["id"]), UUID(int=1), clock.now() + timedelta(seconds=60))
            await uow.commit()

        # The message is done with either way: the job's row brings a new one when the lease ends.
        busy = await import_messages(job_message(job["id"]), datasets.services)
        held = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
        clock.advance(timedelta(seconds=61))
        taken_over = await import_messages(job_message(job["id"]), datasets.services)

        done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
        assert busy == {"batchItemFailures": []}
        assert (held["status"], held["attempt"]) == ("running", 1)
        assert taken_over == {"batchItemFailures": []}
        assert (done["status"], done["attempt"]) == ("completed", 2)

    async def test_a_job_whose_row_is_held_for_a_moment_is_waited_for(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        job = await upload_file(client, dataset_id, PEOPLE)

        # S3's notice may arrive before the request that completed the upload has ended.
        async with datasets.services.database.transaction() as connection:
            hold = text("SELECT 1 FROM datasets.jobs WHERE id = :id FOR UPDATE")
            await connection.execute(hold, {"id": job["id"]})
            work = asyncio.create_task(import_messages(job_message(job["id"]), datasets.services))
            done, _ = await asyncio.wait([work], timeout=0.3)

        assert done == set()
        assert await work == {"batchItemFailures": []}
        ended = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
        assert (ended["status"], ended["attempt"]) == ("completed", 1)


class TestCancelling:
    async def test_a_waiting_job_never_runs(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        before = await head(client, dataset_id)
        job = await upload_file(client, dataset_id, PEOPLE)

        cancelled = ok(await client.post(f"/api/datasets/{dataset_id}/jobs/{job['id']}/cancel"))
        after = await run_job(datasets, client, job)

        assert cancelled["status"] == after["status"] == "cancelled"
        assert await head(client, dataset_id) == before

    async def test_a_finished_job_cannot_be_cancelled(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        job = await run_job(datasets, client, await upload_file(client, dataset_id, PEOPLE))

        response = await client.post(f"/api/datasets/{dataset_id}/jobs/{job['id']}/cancel")
        retried = await client.post(f"/api/datasets/{dataset_id}/jobs/{job['id']}/retry")

        assert (response.status_code, response.json()["code"]) == (409, "job_ended")
        assert (retried.status_code, retried.json()["code"]) == (409, "job_not_retryable")

    async def test_an_ended_job_can_be_removed(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)
        job = await upload_file(client, dataset_id, PEOPLE)
        path = f"/api/datasets/{dataset_id}/jobs/{job['id']}"

        early = await client.delete(path)
        await run_job(datasets, client, job)
        ok(await client.delete(path), 204)

        assert early.json()["code"] == "job_not_retryable"
        assert (await client.get(path)).status_code == 404
