"""Dry runs of imports: the plan, its hash, and what becomes of it when the branch moves or time goes on."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from dataforge.contexts.datasets.contract import DatasetImportEnded
from dataforge.contexts.datasets.imports import bounds
from dataforge.contexts.datasets.imports.consumers import import_messages
from dataforge.kernel.clock import FixedClock
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.db.database import Database
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
    open_upload,
    refused,
    rows_of,
    run_job,
    send_parts,
)
from tests.builders.events import published

CHANGED = csv(
    [("id", "name", "age", "city"), (1, "Ada", 36, "London"), (2, "Grace", 45.5, "York"), (4, "Alan", 41, "")]
)


async def plan_file(client: httpx.AsyncClient, dataset_id: str, data: bytes, **options: Any) -> httpx.Response:
    """Try the import of a small file."""
    return await client.post(f"/api/datasets/{dataset_id}/refs/main/file/plan", content=data, params=options)


async def apply(client: httpx.AsyncClient, dataset_id: str, plan: dict[str, Any]) -> httpx.Response:
    """Apply a plan."""
    return await client.post(f"/api/datasets/{dataset_id}/import-plans/{plan['plan_hash']}/apply")


async def plan_upload(
    datasets: DatasetsUnderTest, client: httpx.AsyncClient, dataset_id: str, data: bytes, **options: Any
) -> dict[str, Any]:
    """Upload a file in parts and try its import; the plan."""
    upload = await open_upload(client, dataset_id, data, **options)
    await send_parts(client, upload, data)
    job = ok(await client.post(f"/api/datasets/{dataset_id}/uploads/{upload['id']}/plan"), 202)
    assert job["run_type"] == "import_plan"
    ended = await run_job(datasets, client, {**job, "run_type": "import"})
    assert ended["status"] == "completed", ended["error"]
    return dict(ended["output_summary"])


async def test_a_plan_says_what_the_import_would_do_and_changes_nothing(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    before = await head(client, dataset_id)

    plan = ok(await plan_file(client, dataset_id, CHANGED, file_name="next.csv"), 201)

    assert await head(client, dataset_id) == before == plan["base_commit_id"]
    assert (plan["ref_name"], plan["file_name"], plan["size_bytes"]) == ("main", "next.csv", len(CHANGED))
    assert (plan["unchanged"], plan["job_id"]) == (False, None)
    [sheet] = plan["sheets"]
    counts = {
        name: sheet[name] for name in ("rows_before", "rows_after", "inserted", "updated", "deleted", "unchanged")
    }
    assert counts == {"rows_before": 3, "rows_after": 3, "inserted": 1, "updated": 2, "deleted": 1, "unchanged": 0}
    assert {(change["column"], change["change_type"]) for change in sheet["schema"]["changes"]} == {
        ("city", "added"),
        ("age", "type_changed"),
    }
    types = {column["name"]: column["type"] for column in plan["report"]["tables"][0]["columns"]}
    assert types == {"id": "int", "name": "string", "age": "decimal(3,1)", "city": "string"} | {"age": types["age"]}
    assert ok(await client.get(f"/api/datasets/{dataset_id}/import-plans/{plan['plan_hash']}")) == plan


async def test_a_plan_is_applied_by_its_hash_once(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    plan = ok(await plan_file(client, dataset_id, PEOPLE, key="id", message="Term 1"), 201)

    first = await apply(client, dataset_id, plan)
    again = await apply(client, dataset_id, plan)

    body = ok(first, 201)
    assert ok(again, 201)["job_id"] == body["job_id"]
    assert (body["new_commit_id"], body["previous_commit_id"]) == (
        await head(client, dataset_id),
        plan["base_commit_id"],
    )
    assert body["sheets"][0]["inserted"] == plan["sheets"][0]["inserted"] == 3
    assert [row["name"] for row in await rows_of(client, dataset_id)] == ["Ada", "Grace", "Linus"]
    commit = ok(await client.get(first.headers["Location"]))
    assert (commit["message"], commit["parent_commit_id"]) == ("Term 1", plan["base_commit_id"])
    shown = ok(await client.get(f"/api/datasets/{dataset_id}/import-plans/{plan['plan_hash']}"))
    assert shown["job_id"] == body["job_id"]


async def test_of_many_who_apply_one_plan_at_once_one_commit_comes(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    plan = ok(await plan_file(client, dataset_id, PEOPLE), 201)

    answers = await asyncio.gather(*(apply(client, dataset_id, plan) for _ in range(4)))

    assert {answer.status_code for answer in answers} <= {201, 202}
    assert len({answer.json().get("job_id") or answer.json()["id"] for answer in answers}) == 1
    commits = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/history"))["commits"]
    assert [commit["parent_commit_id"] for commit in commits] == [plan["base_commit_id"], None]


async def test_a_plan_whose_branch_moved_is_stale_and_names_both_commits(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    plan = ok(await plan_file(client, dataset_id, CHANGED), 201)
    moved = ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 3}}]), 201)

    answer = await apply(client, dataset_id, plan)

    assert refused(answer) == (409, "plan_stale")
    assert answer.json()["expected_commit"] == plan["base_commit_id"]
    assert answer.json()["current_commit"] == moved["new_commit_id"] == await head(client, dataset_id)


async def test_a_plan_is_stale_when_the_branch_moves_while_it_is_applied(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    plan = ok(await plan_file(client, dataset_id, CHANGED), 201)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "MOST_ROWS", -1)
        job = ok(await apply(client, dataset_id, plan), 202)
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 3}}]), 201)

    ended = await run_job(datasets, client, job)

    assert (ended["status"], ended["error"]["code"], ended["error"]["status"]) == ("failed", "plan_stale", 409)


async def test_a_plan_that_has_expired_is_refused(datasets: DatasetsUnderTest, clock: FixedClock) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    plan = ok(await plan_file(client, dataset_id, PEOPLE), 201)

    clock.advance(timedelta(minutes=61))

    assert refused(await apply(client, dataset_id, plan)) == (409, "plan_expired")
    assert await rows_count(client, dataset_id) == 0


async def rows_count(client: httpx.AsyncClient, dataset_id: str) -> int:
    """Rows of all tables of the branch."""
    tables = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/tables"))["tables"]
    return sum(table["row_count"] for table in tables)


async def test_the_hash_is_over_file_branch_and_options(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    hashes = [
        ok(await plan_file(client, dataset_id, data, **options), 201)["plan_hash"]
        for data, options in [
            (PEOPLE, {}),
            (PEOPLE, {}),
            (PEOPLE, {"key": "id"}),
            (PEOPLE + b"4,Alan,41\n", {}),
            (PEOPLE, {"message": "other"}),
        ]
    ]
    await import_file(datasets, client, dataset_id)
    hashes.append(ok(await plan_file(client, dataset_id, PEOPLE), 201)["plan_hash"])

    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 5


async def test_a_plan_that_changes_nothing_says_so(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])

    plan = ok(await plan_file(client, dataset_id, PEOPLE), 201)

    assert (plan["unchanged"], plan["sheets"][0]["change"], plan["sheets"][0]["unchanged"]) == (True, "unchanged", 3)
    assert ok(await apply(client, dataset_id, plan), 200)["unchanged"] is True


async def test_sheets_that_come_and_go_are_in_the_plan(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, table="people")

    plan = ok(await plan_file(client, dataset_id, PEOPLE, table="staff"), 201)

    assert [
        (sheet["sheet_name"], sheet["change"], sheet["inserted"], sheet["deleted"]) for sheet in plan["sheets"]
    ] == [
        ("staff", "added", 3, 0),
        ("people", "removed", 0, 3),
    ]


async def test_rows_that_would_be_left_out_stand_in_the_plan(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    data = b'id,name\n1,"Ada\nLovelace"\n2\n3,Linus\n4,Alan,x\n'

    plan = ok(await plan_file(client, dataset_id, data, max_rejected=2), 201)
    refusal = await plan_file(client, dataset_id, data)

    rejected = plan["report"]["tables"][0]["rejected"]
    assert [(row["row"], row["line"]) for row in rejected] == [(2, 4), (4, 6)]
    assert plan["sheets"][0]["rows_after"] == 2
    assert refused(refusal) == (422, "too_many_rejected_rows")
    assert [(row["row"], row["line"]) for row in refusal.json()["rejected"]] == [(2, 4), (4, 6)]


async def test_an_upload_of_any_size_is_tried_and_then_applied(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    data = b"id,name\n" + b"".join(b"%d,%s\n" % (number, b"x" * 100) for number in range(60_000))

    plan = await plan_upload(datasets, client, dataset_id, data, key=["id"])
    before = await head(client, dataset_id)
    job = ok(await apply(client, dataset_id, plan), 202)
    ended = await run_job(datasets, client, job)

    assert before == plan["base_commit_id"]
    assert plan["sheets"][0]["inserted"] == 60_000
    assert ended["status"] == "completed", ended["error"]
    assert ended["output_summary"]["new_commit_id"] == await head(client, dataset_id)
    assert ok(await apply(client, dataset_id, plan), 201)["job_id"] == job["id"]


async def test_the_notice_of_the_object_begins_the_dry_run(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    upload = await open_upload(client, dataset_id, PEOPLE)
    await send_parts(client, upload, PEOPLE)
    job = ok(await client.post(f"/api/datasets/{dataset_id}/uploads/{upload['id']}/plan"), 202)

    await import_messages(job_message(job["id"]), datasets.services)

    ended = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
    assert (ended["status"], ended["output_summary"]["unchanged"]) == ("completed", False)
    assert await rows_count(client, dataset_id) == 0
    again = ok(await client.post(f"/api/datasets/{dataset_id}/uploads/{upload['id']}/plan"), 202)
    complete = await client.post(f"/api/datasets/{dataset_id}/uploads/{upload['id']}/complete")
    assert again["id"] == job["id"]
    assert refused(complete) == (409, "upload_closed")


async def test_a_dry_run_that_a_request_cannot_do_goes_on_as_a_job(
    datasets: DatasetsUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    monkeypatch.setattr(bounds, "MOST_ROWS", -1)

    job = ok(await plan_file(client, dataset_id, PEOPLE), 202)
    await datasets.work_on(UUID(job["id"]))

    ended = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
    assert ended["status"] == "completed", ended["error"]
    plan = ok(await client.get(f"/api/datasets/{dataset_id}/import-plans/{ended['output_summary']['plan_hash']}"))
    assert plan == ended["output_summary"]


async def test_nobody_hears_of_a_dry_run(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    ok(await plan_file(client, dataset_id, PEOPLE), 201)
    await plan_file(client, dataset_id, b"")

    assert await published(datasets.database, DatasetImportEnded) == []


async def test_plans_of_one_dataset_are_unknown_to_others(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id, other = await new_dataset(client, "A"), await new_dataset(client, "B")
    plan = ok(await plan_file(client, dataset_id, PEOPLE), 201)
    reader = await datasets.member(client, dataset_id, "read")

    assert refused(await apply(client, other, plan)) == (404, "plan_unknown")
    assert refused(await client.get(f"/api/datasets/{other}/import-plans/{plan['plan_hash']}")) == (404, "plan_unknown")
    assert refused(await apply(reader, dataset_id, plan)) == (403, "dataset_access")
    assert ok(await reader.get(f"/api/datasets/{dataset_id}/import-plans/{plan['plan_hash']}")) == plan
    stranger = await datasets.analyst()
    assert refused(await apply(stranger, dataset_id, plan)) == (404, "dataset_not_found")


async def test_a_file_that_is_no_longer_kept_cannot_be_applied(datasets: DatasetsUnderTest, database: Database) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    plan = ok(await plan_file(client, dataset_id, PEOPLE), 201)
    async with database.read_only() as connection:
        key = await connection.scalar(text("SELECT s3_key FROM datasets.uploads"))
    aws("s3").delete_object(Bucket=datasets.services.settings.data_bucket, Key=key)

    assert refused(await apply(client, dataset_id, plan)) == (422, "file_gone")


async def test_a_plan_whose_import_would_do_something_else_is_stale(
    datasets: DatasetsUnderTest, database: Database
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    plan = ok(await plan_file(client, dataset_id, PEOPLE), 201)
    async with database.transaction() as connection:
        other = """UPDATE platform.plans SET preview = jsonb_set(preview, '{content_hash}', '"other"')"""
        await connection.execute(text(other))

    assert refused(await apply(client, dataset_id, plan)) == (409, "plan_stale")
    assert await rows_count(client, dataset_id) == 0
