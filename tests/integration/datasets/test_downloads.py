"""Tables as files: CSV, JSON lines, Parquet and Arrow, in the answer or made once and linked to."""

import asyncio
import hashlib
import io
import json
from datetime import timedelta
from typing import Any
from urllib.request import urlopen
from uuid import UUID

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from dataforge.contexts.datasets.downloads.domain import Download, Form, folder_of
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.jobs import LEASE
from dataforge.platform.aws.clients import client as aws
from tests.builders.datasets import (
    DatasetsUnderTest,
    commit_rows,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
    rows_of,
)

FORMS = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "arrow_file": "application/vnd.apache.arrow.file",
}


def token(number: int) -> str:
    return hashlib.sha512(str(number).encode()).hexdigest()


# More than 4 MiB in every form: hexadecimal digits of chance are compressed to half, and no further.
LARGE = csv([("id", "token"), *((n, token(n)) for n in range(80_000))])


async def people(datasets: DatasetsUnderTest) -> tuple[httpx.AsyncClient, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    return client, dataset_id


async def large(datasets: DatasetsUnderTest) -> tuple[httpx.AsyncClient, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, LARGE, key=["id"])
    return client, dataset_id


def data_of(dataset_id: str, version: str = "main") -> str:
    return f"/api/datasets/{dataset_id}/refs/{version}/data"


def read(form: str, body: bytes) -> list[dict[str, Any]]:
    if form == "parquet":
        return list(pq.read_table(io.BytesIO(body)).to_pylist())
    if form == "arrow":
        return list(pa.ipc.open_stream(body).read_all().to_pylist())
    if form == "arrow_file":
        return list(pa.ipc.open_file(body).read_all().to_pylist())
    if form == "jsonl":
        return [json.loads(line) for line in body.splitlines()]
    header, *lines = body.decode().splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


def vary(answer: httpx.Response) -> list[str]:
    return [name.strip().lower() for name in answer.headers["Vary"].split(",")]


def linked(answer: httpx.Response) -> tuple[bytes, str]:
    assert answer.status_code == 303, answer.text
    with urlopen(answer.headers["Location"], timeout=30) as file:
        return file.read(), file.headers.get("Content-Disposition", "")


async def export_jobs(datasets: DatasetsUnderTest, dataset_id: str) -> list[str]:
    query = text("SELECT status FROM datasets.jobs WHERE dataset_id = :id AND run_type = 'export' ORDER BY id")
    async with datasets.database.read_only() as connection:
        return list((await connection.scalars(query, {"id": UUID(dataset_id)})).all())


@pytest.mark.parametrize("form", FORMS)
async def test_a_small_table_is_in_the_answer_by_accept_and_by_format(datasets: DatasetsUnderTest, form: str) -> None:
    client, dataset_id = await people(datasets)

    by_accept = await client.get(data_of(dataset_id), headers={"Accept": FORMS[form]})
    by_format = await client.get(data_of(dataset_id), params={"format": form}, headers={"Accept": "text/html"})

    expected = await rows_of(client, dataset_id)
    found = read(form, by_accept.content)
    assert found == expected if form != "csv" else [row["name"] for row in found] == [row["name"] for row in expected]
    assert by_accept.status_code == by_format.status_code == 200
    assert by_accept.content == by_format.content
    assert by_accept.headers["Content-Type"].split(";")[0] == FORMS[form]
    assert "attachment" in by_accept.headers["Content-Disposition"]
    assert vary(by_accept).count("accept") == 1
    assert await export_jobs(datasets, dataset_id) == []


async def test_without_a_wish_the_answer_is_json_and_with_one_for_nothing_offered_it_says_what_is(
    datasets: DatasetsUnderTest,
) -> None:
    client, dataset_id = await people(datasets)

    anything = await client.get(data_of(dataset_id), headers={"Accept": "*/*"})
    browser = await client.get(data_of(dataset_id), headers={"Accept": "text/html,*/*;q=0.8"})
    picture = await client.get(data_of(dataset_id), headers={"Accept": "image/png"})

    assert ok(anything)["total_rows"] == ok(browser)["total_rows"] == 3
    assert refused(picture) == (406, "not_acceptable")
    assert all(media_type in picture.json()["detail"] for media_type in ("application/json", *FORMS.values()))
    assert refused(await client.get(data_of(dataset_id), params={"format": "xlsx"}))[0] == 400
    assert refused(await client.get(data_of(dataset_id), params={"format": "arrow", "excel": True}))[0] == 400


async def test_columns_a_filter_and_the_order_apply_to_files_too(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    asked = {
        "format": "csv",
        "columns": ["age", "name"],
        "sort": "-key",
        "filter": '{"column": "age", "op": "gt", "value": 30}',
    }

    answer = await client.get(data_of(dataset_id), params=asked)
    unknown = await client.get(data_of(dataset_id), params={"format": "csv", "columns": ["agee"]})

    assert answer.text == "age,name\n45,Grace\n36,Ada\n"
    assert refused(unknown) == (422, "filter_refused")


@pytest.mark.parametrize("form", FORMS)
async def test_a_limit_asks_for_a_page_and_link_leads_to_the_next(datasets: DatasetsUnderTest, form: str) -> None:
    client, dataset_id = await people(datasets)

    first = await client.get(data_of(dataset_id), params={"format": form, "limit": 2})
    second = await client.get(first.headers["Link"].split(">")[0].removeprefix("<"))

    pages = [*read(form, first.content), *read(form, second.content)]
    assert [row["name"] for row in pages] == [row["name"] for row in await rows_of(client, dataset_id)]
    assert "Link" not in second.headers


async def test_cells_that_begin_like_formulas_are_made_harmless_only_for_spreadsheets(
    datasets: DatasetsUnderTest,
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    evil = ["=1+1", "+1", "-1", "@a", "\ta", "a=1"]
    rows = [{"id": n, "=note": cell} for n, cell in enumerate(evil)]
    await import_file(
        datasets, client, dataset_id, "\n".join(map(json.dumps, rows)).encode(), name="evil.jsonl", key=["id"]
    )

    plain = await client.get(data_of(dataset_id), params={"format": "csv"})
    excel = await client.get(data_of(dataset_id), params={"format": "csv", "excel": True})

    assert plain.content.decode() == "id,=note\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(evil))
    lines = excel.content.decode().splitlines()
    assert lines[0] == "\ufeffid,'=note" or lines[0] == '\ufeffid,"\'=note"'
    assert [line.partition(",")[2].strip('"')[0] for line in lines[1:]] == [*"'''''", "a"]
    assert lines[0].startswith("\ufeff")


async def test_a_large_table_is_made_once_and_linked_to(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await large(datasets)

    first = await client.get(data_of(dataset_id), params={"format": "parquet"})
    again = await client.get(data_of(dataset_id), headers={"Accept": FORMS["parquet"]})
    known = await client.get(
        data_of(dataset_id), params={"format": "parquet"}, headers={"If-None-Match": first.headers["ETag"]}
    )

    body, disposition = await asyncio.to_thread(linked, first)
    assert [row["id"] for row in read("parquet", body)] == list(range(80_000))
    assert ".parquet" in disposition
    assert (await asyncio.to_thread(linked, again))[0] == body
    assert known.status_code == 304
    assert await export_jobs(datasets, dataset_id) == ["completed"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "arrow", "arrow_file"])
async def test_every_form_of_a_large_table_is_linked_to(datasets: DatasetsUnderTest, form: str) -> None:
    client, dataset_id = await large(datasets)

    answer = await client.get(data_of(dataset_id), params={"format": form})

    body, _ = await asyncio.to_thread(linked, answer)
    assert len(read(form, body)) == 80_000


async def test_requests_at_the_same_time_have_it_made_once(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await large(datasets)

    answers = await asyncio.gather(*(client.get(data_of(dataset_id), params={"format": "parquet"}) for _ in range(4)))

    assert {answer.status_code for answer in answers} == {303}
    assert await export_jobs(datasets, dataset_id) == ["completed"]


async def test_equal_content_of_another_commit_is_the_same_file(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await large(datasets)
    first = await client.get(data_of(dataset_id), params={"format": "parquet"})
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)
    changed = await client.get(data_of(dataset_id), params={"format": "parquet"})
    ok(await commit_rows(client, dataset_id, [{"op": "insert", "values": {"id": 1, "token": token(1)}}]), 201)

    back = await client.get(data_of(dataset_id), params={"format": "parquet"})

    assert first.headers["ETag"] == back.headers["ETag"] != changed.headers["ETag"]
    assert await export_jobs(datasets, dataset_id) == ["completed", "completed"]


async def test_access_is_looked_at_before_every_link(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await large(datasets)
    reader = await datasets.member(client, dataset_id, "read")
    assert (await reader.get(data_of(dataset_id), params={"format": "parquet"})).status_code == 303
    stranger = await datasets.analyst()

    refusal = await stranger.get(data_of(dataset_id), params={"format": "parquet"})
    ok(await client.delete(f"/api/datasets/{dataset_id}", headers={"If-Match": "*"}), 204)
    deleted = await reader.get(data_of(dataset_id), params={"format": "parquet"})

    assert refusal.status_code == deleted.status_code == 404


async def test_what_takes_too_long_for_a_request_is_made_by_a_worker(
    datasets: DatasetsUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, dataset_id = await large(datasets)
    monkeypatch.setattr("dataforge.contexts.datasets.downloads.domain._MOST_SECONDS", 0.0)
    monkeypatch.setattr("dataforge.contexts.datasets.downloads.calls.WAIT_SECONDS", 0.0)

    waiting = await client.get(data_of(dataset_id), params={"format": "parquet"})
    still = await client.get(data_of(dataset_id), params={"format": "parquet"})
    job = ok(waiting, 202)
    await datasets.work_on(UUID(job["id"]), "export")
    ready = await client.get(data_of(dataset_id), params={"format": "parquet"})

    assert waiting.headers["Location"].endswith(f"/jobs/{job['id']}")
    assert int(waiting.headers["Retry-After"]) > 0
    assert ok(still, 202)["id"] == job["id"]
    assert len(read("parquet", (await asyncio.to_thread(linked, ready))[0])) == 80_000


async def test_a_process_that_dies_while_it_makes_a_file_is_followed_by_a_worker(
    datasets: DatasetsUnderTest, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, dataset_id = await large(datasets)
    monkeypatch.setattr("dataforge.contexts.datasets.downloads.calls.WAIT_SECONDS", 0.0)

    async def die(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(datasets.services.exporter, "work", die)
    job = ok(await client.get(data_of(dataset_id), params={"format": "parquet"}), 202)
    clock.advance(LEASE + timedelta(seconds=1))
    await datasets.work_on(UUID(job["id"]), "export")

    answer = await client.get(data_of(dataset_id), params={"format": "parquet"})
    assert len(read("parquet", (await asyncio.to_thread(linked, answer))[0])) == 80_000
    assert await export_jobs(datasets, dataset_id) == ["completed"]


async def test_files_go_with_their_dataset(datasets: DatasetsUnderTest, clock: FixedClock) -> None:
    client, dataset_id = await large(datasets)
    await client.get(data_of(dataset_id), params={"format": "parquet"})

    def files() -> int:
        bucket, folder = datasets.services.settings.data_bucket, folder_of(UUID(dataset_id))
        return int(aws("s3").list_objects_v2(Bucket=bucket, Prefix=folder)["KeyCount"])

    before = await asyncio.to_thread(files)
    ok(await client.delete(f"/api/datasets/{dataset_id}", headers={"If-Match": "*"}), 204)
    clock.advance(timedelta(days=31))
    await datasets.services.maintenance.purge(UUID(dataset_id))

    assert (before, await asyncio.to_thread(files)) == (1, 0)


async def test_a_column_that_was_dropped_is_in_no_file_of_the_version_without_it(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    before = await client.get(data_of(dataset_id), params={"format": "arrow"})
    change = {"message": "", "schema_changes": [{"sheet": "data", "drop": ["age"]}]}
    at = {"If-Match": f'"{await head(client, dataset_id)}"'}
    ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/commits", json=change, headers=at), 201)

    after = await client.get(data_of(dataset_id), params={"format": "arrow"})

    assert before.headers["ETag"] != after.headers["ETag"]
    assert "age" in read("arrow", before.content)[0]
    assert b"age" not in after.content


def test_a_file_is_named_by_all_that_is_in_it() -> None:
    schema = {"columns": [{"id": "a", "name": "a", "type": "int"}], "key": ["a"]}
    downloads = [
        Download(Form.CSV),
        Download(Form.PARQUET),
        Download(Form.CSV, columns=("a",)),
        Download(Form.CSV, filter={"column": "a", "op": "eq", "value": 1}),
        Download(Form.CSV, descending=True),
        Download(Form.CSV, excel=True),
    ]
    names = {download.identity("x", schema) for download in downloads}
    names |= {downloads[0].identity("y", schema), downloads[0].identity("x", {**schema, "key": []})}

    assert len(names) == len(downloads) + 2
    assert [Download.of(item.parameters("data", "i")) for item in downloads] == downloads
