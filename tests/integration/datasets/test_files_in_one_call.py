"""Small files that come as the body of a request and become a commit at once."""

import asyncio
import gzip
import io
from typing import Any

import httpx
import pyarrow as pa
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from dataforge.contexts.datasets.contract import DatasetImportEnded
from dataforge.contexts.datasets.imports import bounds
from dataforge.platform.aws.clients import client as aws
from tests.builders.datasets import (
    COMMIT,
    PEOPLE,
    DatasetsUnderTest,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
    rows_of,
    run_job,
)
from tests.builders.events import published

ROWS = [
    {"id": 1, "name": "Ada", "age": 36},
    {"id": 2, "name": "Grace", "age": 45},
    {"id": 3, "name": "Linus", "age": 21},
]


async def put_file(
    client: httpx.AsyncClient,
    dataset_id: str,
    data: bytes = PEOPLE,
    *,
    ref: str = "main",
    headers: dict[str, str] | None = None,
    **options: Any,
) -> httpx.Response:
    """Send a file with one call."""
    path = f"/api/datasets/{dataset_id}/refs/{ref}/file"
    return await client.put(path, content=data, params=options, headers=headers)


def workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "data"
    for row in [("id", "name", "age"), *((row["id"], row["name"], row["age"]) for row in ROWS)]:
        sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def parquet_file() -> bytes:
    written = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(ROWS), written)
    return written.getvalue()


async def test_a_file_becomes_a_commit_with_its_report_in_one_call(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    before = await head(client, dataset_id)

    answer = await put_file(client, dataset_id, key="id", message="Term 1", file_name="people.csv")

    body = ok(answer, 201)
    assert body["new_commit_id"] == await head(client, dataset_id) != before
    assert (body["previous_commit_id"], body["updated_ref"], body["unchanged"]) == (before, "main", False)
    assert answer.headers["ETag"] == f'"{body["new_commit_id"]}"'
    assert ok(await client.get(answer.headers["Location"]))["message"] == "Term 1"
    assert body["sheets"] == [{"sheet_name": "data", "row_count": 3, "inserted": 3, "updated": 0, "deleted": 0}]
    assert [column["type"] for column in body["report"]["tables"][0]["columns"]] == ["int", "string", "int"]
    assert await rows_of(client, dataset_id) == ROWS
    job = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{body['job_id']}"))
    assert (job["status"], job["output_summary"]["new_commit_id"]) == ("completed", body["new_commit_id"])


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"id;name;age\n1;Ada;36\n2;Grace;45\n3;Linus;21\n", {}),
        (gzip.compress(PEOPLE), {}),
        (workbook(), {}),
        (parquet_file(), {}),
        (b'{"id":1,"name":"Ada","age":36}\n{"id":2,"name":"Grace","age":45}\n{"id":3,"name":"Linus","age":21}\n', {}),
        (b'[{"id":1,"name":"Ada","age":36},{"id":2,"name":"Grace","age":45},{"id":3,"name":"Linus","age":21}]', {}),
        ("id\tname\tage\n1\tAda\t36\n2\tGrace\t45\n3\tLinus\t21\n".encode("utf-16"), {"format": "csv"}),
    ],
    ids=["semicolons", "gzip", "workbook", "parquet", "json lines", "json", "utf-16"],
)
async def test_every_format_of_imports_is_taken(
    datasets: DatasetsUnderTest, data: bytes, options: dict[str, Any]
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    ok(await put_file(client, dataset_id, data, **options), 201)

    assert await rows_of(client, dataset_id) == ROWS


async def test_the_commit_is_the_one_that_an_upload_makes(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    uploaded, sent = await new_dataset(client, "A"), await new_dataset(client, "B")

    summary = await import_file(datasets, client, uploaded, key=["id"], declared_types={"age": "decimal(5,1)"})
    body = ok(await put_file(client, sent, key="id", declared_types='{"age": "decimal(5,1)"}'), 201)

    one, other = [
        ok(await client.get(f"/api/datasets/{dataset_id}/commits/{commit}"))["content_hash"]
        for dataset_id, commit in [(uploaded, summary["new_commit_id"]), (sent, body["new_commit_id"])]
    ]
    assert one == other


async def test_the_same_file_again_changes_nothing(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    first = ok(await put_file(client, dataset_id), 201)

    again = ok(await put_file(client, dataset_id), 200)

    assert (again["unchanged"], again["new_commit_id"]) == (True, first["new_commit_id"])


async def test_if_match_names_the_commit_that_the_branch_must_be_at(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    seen = await head(client, dataset_id)
    first = ok(await put_file(client, dataset_id, headers={"If-Match": f'"{seen}"'}), 201)

    late = await put_file(client, dataset_id, b"id\n1\n", headers={"If-Match": f'"{seen}"'})
    strange = await put_file(client, dataset_id, b"id\n1\n", headers={"If-Match": f'"{COMMIT}"'})

    assert refused(late) == refused(strange) == (409, "ref_moved")
    assert (late.json()["expected_commit"], late.json()["current_commit"]) == (seen, first["new_commit_id"])
    assert await head(client, dataset_id) == first["new_commit_id"]


async def test_of_many_at_once_on_one_commit_one_wins(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    seen = {"If-Match": f'"{await head(client, dataset_id)}"'}
    files = [csv([("id",), (number,)]) for number in range(4)]

    answers = await asyncio.gather(*(put_file(client, dataset_id, file, headers=seen) for file in files))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"ref_moved"}


async def test_a_repeated_request_gets_the_first_answer(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    headers = {"Idempotency-Key": "one", "If-Match": f'"{await head(client, dataset_id)}"'}

    first = await put_file(client, dataset_id, headers=headers)
    again = await put_file(client, dataset_id, headers=headers)
    another = await put_file(client, dataset_id, b"id\n1\n", headers=headers)

    assert ok(again, 201) == ok(first, 201)
    assert (again.headers["Idempotency-Replayed"], again.headers["ETag"]) == ("true", first.headers["ETag"])
    assert refused(another) == (422, "idempotency_key_reused")
    assert len(ok(await client.get(f"/api/datasets/{dataset_id}/jobs"))["items"]) == 1


async def test_why_a_file_is_refused_is_said_in_german(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    answer = await put_file(client, dataset_id, b"id\n1\n", key="number", headers={"Accept-Language": "de"})

    assert "der Schlüssel nennt die Spalte 'number'" in answer.json()["detail"]
    assert answer.headers["Content-Language"] == "de"


async def test_a_refused_file_may_be_sent_again_with_its_key(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    bad = b"id,name\n1,Ada\n2\n"

    answers = [await put_file(client, dataset_id, bad, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert [refused(answer) for answer in answers] == [(422, "too_many_rejected_rows")] * 2
    jobs = {job["id"]: job for job in ok(await client.get(f"/api/datasets/{dataset_id}/jobs"))["items"]}
    assert [answer.json()["job_id"] for answer in answers] == sorted(jobs)
    assert {job["status"] for job in jobs.values()} == {"failed"}
    assert answers[0].json()["rejected"] == next(iter(jobs.values()))["error"]["facts"]["rejected"]


async def test_a_larger_file_is_refused_with_the_way_to_upload_it(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    answer = await put_file(client, dataset_id, b"x" * (4 * 1024 * 1024 + 1))

    assert refused(answer) == (413, "payload_too_large")
    assert answer.json()["upload_url"] == f"/api/datasets/{dataset_id}/refs/main/uploads"
    assert answer.json()["upload_url"] in answer.json()["detail"]


@pytest.mark.parametrize(
    ("data", "options", "headers", "refusal"),
    [
        (b"", {}, {}, (422, "import_refused")),
        (b"%PDF-1.7\n", {}, {}, (422, "import_refused")),
        (PEOPLE, {"delimiter": '"'}, {}, (400, "validation_failed")),
        (PEOPLE, {"declared_types": "{"}, {}, (400, "validation_failed")),
        (PEOPLE, {"declared_types": '["id"]'}, {}, (400, "validation_failed")),
        (PEOPLE, {"mode": "upsert"}, {}, (422, "schema_mismatch")),
        (PEOPLE, {}, {"Content-Type": "multipart/form-data; boundary=x"}, (415, "unsupported_media_type")),
    ],
)
async def test_what_cannot_be_imported_is_refused_and_changes_nothing(
    datasets: DatasetsUnderTest,
    data: bytes,
    options: dict[str, str],
    headers: dict[str, str],
    refusal: tuple[int, str],
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    before = await head(client, dataset_id)

    answer = await put_file(client, dataset_id, data, headers=headers, **options)

    assert refused(answer) == refusal
    assert await head(client, dataset_id) == before


async def test_tags_and_protected_branches_take_no_files(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    at = await head(client, dataset_id)
    ok(await client.post(f"/api/datasets/{dataset_id}/refs", json={"name": "v1", "kind": "tag", "at": at}), 201)
    ok(await client.put(f"/api/datasets/{dataset_id}/refs/main/protection", json={"protected": True}))

    assert refused(await put_file(client, dataset_id, ref="v1")) == (409, "not_a_branch")
    assert refused(await put_file(client, dataset_id)) == (423, "ref_protected")
    assert refused(await put_file(client, dataset_id, ref="none")) == (404, "ref_not_found")


async def test_only_those_who_may_write_send_files(datasets: DatasetsUnderTest) -> None:
    owner = await datasets.analyst()
    dataset_id = await new_dataset(owner)
    reader = await datasets.member(owner, dataset_id, "read")

    assert refused(await put_file(reader, dataset_id)) == (403, "dataset_access")
    assert refused(await put_file(await datasets.analyst(), dataset_id)) == (404, "dataset_not_found")


async def test_those_who_have_the_answer_are_not_told_again(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)

    ok(await put_file(client, dataset_id), 201)
    await put_file(client, dataset_id, b"")

    events = await published(datasets.database, DatasetImportEnded)
    assert [(event.rows, event.awaited, event.error is None) for event in events] == [(3, True, True), (0, True, False)]


class TestMoreThanARequestCanDo:
    @pytest.fixture(autouse=True)
    def _no_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bounds, "MOST_ROWS", -1)

    async def test_the_queue_goes_on_with_it(self, datasets: DatasetsUnderTest) -> None:
        client = await datasets.analyst()
        dataset_id = await new_dataset(client)

        answer = await put_file(client, dataset_id, headers={"Idempotency-Key": "one"})

        job = ok(answer, 202)
        assert (job["status"], job["attempt"]) == ("pending", 0)
        assert answer.headers["Location"] == f"/api/datasets/{dataset_id}/jobs/{job['id']}"
        queue = datasets.services.settings.imports_queue_url
        messages = aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        assert [message["Body"] for message in messages] == [f'{{"job_id": "{job["id"]}"}}']
        assert ok(await put_file(client, dataset_id, headers={"Idempotency-Key": "one"}), 202)["id"] == job["id"]
        assert (await run_job(datasets, client, job))["status"] == "completed"
        assert await rows_of(client, dataset_id) == ROWS
