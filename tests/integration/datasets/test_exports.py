"""Versions and differences as files."""

import asyncio
import gzip
import io
import json
from typing import Any
from urllib.request import urlopen

import openpyxl
import pyarrow.parquet as pq
import pytest

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
    run_job,
)


async def people(datasets: DatasetsUnderTest, **options: Any) -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, **{"key": ["id"], **options})
    return client, dataset_id


def fetch(url: str) -> tuple[bytes, str]:
    with urlopen(url, timeout=30) as answer:
        return answer.read(), answer.headers.get("Content-Disposition", "")


async def exported(
    datasets: DatasetsUnderTest, client: Any, dataset_id: str, **body: Any
) -> tuple[bytes, dict[str, Any]]:
    waiting = ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/exports", json=body), 202)
    job = await run_job(datasets, client, waiting)
    assert (waiting["status"], job["status"]) == ("pending", "completed"), job["error"]
    data, disposition = await asyncio.to_thread(fetch, job["download_url"])
    assert job["output_summary"]["file_name"] in disposition
    return data, job


async def test_csv_with_columns_and_a_filter(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)

    data, job = await exported(
        datasets,
        client,
        dataset_id,
        columns=["name", "age"],
        filter={"column": "age", "op": "gt", "value": 30},
    )

    assert data == b"name,age\nAda,36\nGrace,45\n"
    assert (job["output_summary"]["rows_processed"], job["output_summary"]["bytes"]) == (2, len(data))
    assert "s3_key" not in job["output_summary"]


async def test_every_format_tells_the_same_rows(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)

    packed, _ = await exported(datasets, client, dataset_id, compression="gzip")
    lines, _ = await exported(datasets, client, dataset_id, format="jsonl")
    parquet, _ = await exported(datasets, client, dataset_id, format="parquet")
    workbook, _ = await exported(datasets, client, dataset_id, format="excel")

    expected = await rows_of(client, dataset_id)
    assert gzip.decompress(packed).startswith(b"id,name,age\n1,Ada,36\n")
    assert [json.loads(line) for line in lines.splitlines()] == expected
    assert pq.read_table(io.BytesIO(parquet)).to_pylist() == expected
    sheet = openpyxl.load_workbook(io.BytesIO(workbook))["data"]
    assert [list(row) for row in sheet.iter_rows(values_only=True)][1] == [1, "Ada", 36]


async def test_a_difference_is_exported_with_both_sides(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    base = await head(client, dataset_id)
    ok(await commit_rows(client, dataset_id, [{"op": "update", "key": {"id": 1}, "values": {"age": 37}}]), 201)

    data, job = await exported(datasets, client, dataset_id, base=base)

    header, line = data.decode().splitlines()
    assert header.startswith("_change,")
    assert line.startswith("updated,")
    assert "36,37" in line
    assert "-changes.csv" in job["output_summary"]["file_name"]


@pytest.mark.parametrize("file_format", ["csv", "parquet", "jsonl", "excel"])
async def test_an_export_imported_again_has_the_same_content(datasets: DatasetsUnderTest, file_format: str) -> None:
    client, dataset_id = await people(datasets)
    data, job = await exported(datasets, client, dataset_id, format=file_format)

    summary = await import_file(datasets, client, dataset_id, data, name=job["output_summary"]["file_name"], key=["id"])

    assert summary["unchanged"] is True


async def test_an_export_is_of_the_commit_it_was_asked_for(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    waiting = ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/exports", json={}), 202)
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)

    job = await run_job(datasets, client, waiting)

    data, _ = await asyncio.to_thread(fetch, job["download_url"])
    assert data.count(b"\n") == 4


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"format": "excel", "compression": "gzip"}, 422, "filter_refused"),
        ({"format": "parquet", "base": "main"}, 422, "filter_refused"),
        ({"columns": ["nope"]}, 422, "filter_refused"),
        ({"filter": {"column": "age", "op": "near", "value": 1}}, 422, "filter_refused"),
        ({"filter": {"column": "nope", "op": "is_null"}}, 422, "filter_refused"),
        ({"sheet": "nope"}, 404, "sheet_not_found"),
        ({"base": "nowhere"}, 404, "ref_not_found"),
        ({"format": "pdf"}, 400, "validation_failed"),
    ],
)
async def test_an_export_that_cannot_be_made_is_refused_at_once(
    datasets: DatasetsUnderTest, body: dict[str, Any], status: int, code: str
) -> None:
    client, dataset_id = await people(datasets)

    response = await client.post(f"/api/datasets/{dataset_id}/refs/main/exports", json=body)

    assert refused(response) == (status, code)
    assert ok(await client.get(f"/api/datasets/{dataset_id}/jobs", params={"run_type": "export"}))["items"] == []


async def test_readers_may_export_and_strangers_see_no_job(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    reader, stranger = await datasets.member(client, dataset_id, "read"), await datasets.analyst()

    job = ok(await reader.post(f"/api/datasets/{dataset_id}/refs/main/exports", json={}), 202)
    seen = await reader.get(f"/api/datasets/jobs/{job['id']}")
    hidden = await stranger.get(f"/api/datasets/jobs/{job['id']}")

    assert ok(seen)["id"] == job["id"]
    assert refused(hidden) == (404, "job_not_found")


async def test_a_workbook_has_every_sheet(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets, table="people")
    await import_file(datasets, client, dataset_id, csv([("c",), (1,)]), table="courses", keep_other_tables=True)

    data, _ = await exported(datasets, client, dataset_id, format="excel")

    assert openpyxl.load_workbook(io.BytesIO(data)).sheetnames == ["people", "courses"]


async def test_a_large_file_is_written_in_parts_and_a_broken_off_one_leaves_nothing(
    datasets: DatasetsUnderTest,
) -> None:
    files, bucket = datasets.services.files, datasets.services.settings.data_bucket
    block = bytes(range(256)) * 4096

    whole, broken = files.writer("exports/whole", "text/csv"), files.writer("exports/broken", "text/csv")
    for _ in range(20):
        whole.write(block)
        broken.write(block)
    unseen = files.exists("exports/whole")
    whole.close()
    broken.abort()

    stored = aws("s3").get_object(Bucket=bucket, Key="exports/whole")
    assert (unseen, files.exists("exports/broken")) == (False, False)
    assert stored["Body"].read() == block * 20
    assert stored["ContentType"] == "text/csv"
    assert "Uploads" not in aws("s3").list_multipart_uploads(Bucket=bucket)
