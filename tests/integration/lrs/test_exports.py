"""Exports: what GET statements would list, in a file."""

import csv
import gzip
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pyarrow.parquet as pq
import pytest

from dataforge.contexts.lrs.exports import consumers
from dataforge.kernel.principal import Role
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.desk import RecordsDesk
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION
from tests.builders.statements import full_statement

ADA, BOB = {"mbox": "mailto:ada@example.org"}, {"mbox": "mailto:bob@example.org"}
OLD = "2021-02-03T04:05:06Z"


@pytest.fixture
async def desk(database: Database, emulator: EmulatedAws) -> AsyncIterator[RecordsDesk]:
    async with RecordsDesk(database, emulator) as desk:
        yield desk


async def exported(desk: RecordsDesk, **asked: Any) -> tuple[bytes, dict[str, Any]]:
    job = await desk.post("/api/xapi/exports", 202, **asked)
    summary = await desk.result(job["job_id"])
    (found,) = await AsyncObjects(desk.store.bucket).oldest(f"exports/statements/{job['job_id']}/", limit=2)
    return await AsyncObjects(desk.store.bucket).get(found.key), summary


async def test_json_lines_are_the_statements_as_they_are_read(
    desk: RecordsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PAGE", 2)
    full = full_statement()
    ids = await desk.sent({"actor": ADA}, {"actor": BOB}, {"actor": ADA}, full, {"actor": BOB}, stored=OLD)

    data, summary = await exported(desk)

    lines = [json.loads(line) for line in data.splitlines()]
    assert [line["id"] for line in lines] == ids
    for line in lines:
        read = await desk.store.lms.get("/xapi/statements", params={"statementId": line["id"]}, headers=VERSION)
        assert read.json() == line
    assert (summary["statements"], summary["bytes"]) == (5, len(data))


async def test_filters_are_those_of_reading_and_gzip_packs(desk: RecordsDesk) -> None:
    (hers, _) = await desk.sent({"actor": ADA}, {"actor": BOB}, stored=OLD)
    (about,) = await desk.sent({"actor": BOB, "object": {"objectType": "StatementRef", "id": hers}}, stored=OLD)

    data, summary = await exported(desk, agent=ADA, gzip=True, since="2021-01-01T00:00:00Z")

    assert {json.loads(line)["id"] for line in gzip.decompress(data).splitlines()} == {hers, about}
    assert summary["file_name"].endswith(".jsonl.gz")
    rows = await desk.store.rows("SELECT run_parameters::text, checkpoint::text FROM platform.jobs")
    assert "ada@" not in str(rows), "who it was about goes when the work is done"


@pytest.mark.parametrize("voided", [False, True])
async def test_what_is_voided_is_there_when_asked(desk: RecordsDesk, voided: bool) -> None:
    (target,) = await desk.sent({"actor": ADA}, stored=OLD)
    reference = {"objectType": "StatementRef", "id": target}
    verb = {"id": "http://adlnet.gov/expapi/verbs/voided"}
    (voiding,) = await desk.sent({"actor": BOB, "verb": verb, "object": reference}, stored=OLD)

    data, _ = await exported(desk, voided=voided)

    assert {json.loads(line)["id"] for line in data.splitlines()} == ({target, voiding} if voided else {voiding})


async def test_tables_have_a_row_for_each_statement(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, full_statement(), stored=OLD)

    text, _ = await exported(desk, format="csv")
    columns, _ = await exported(desk, format="parquet")

    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    table = pq.read_table(io.BytesIO(columns)).to_pylist()
    assert [row["id"] for row in rows] == [row["id"] for row in table]
    assert [json.loads(row["statement"]) for row in rows] == [json.loads(row["statement"]) for row in table]
    assert [(row["score_scaled"], row["success"]) for row in rows] == [("", ""), ("0.85", "true")]
    assert [(row["score_scaled"], row["success"]) for row in table] == [(None, None), (0.85, True)]
    assert table[0]["credential"] == desk.store.key


async def test_a_file_of_nothing_is_a_file(desk: RecordsDesk) -> None:
    for form in ("jsonl", "csv", "parquet"):
        _, summary = await exported(desk, format=form, agent=ADA)
        assert summary["statements"] == 0


async def test_the_job_links_to_its_file_and_ends_where_the_watermark_was(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, stored=OLD)
    job = await desk.post("/api/xapi/exports", 202)
    await desk.sent({"actor": BOB})

    summary = await desk.result(job["job_id"])

    assert summary["statements"] == 1
    assert "s3_key" not in summary
    assert "X-Amz-Signature" in (await desk.job(job["job_id"]))["download_url"]


async def test_an_export_that_is_cancelled_leaves_no_file(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, stored=OLD)
    job = await desk.post("/api/xapi/exports", 202)
    await desk.store.change("UPDATE platform.jobs SET cancel_requested = true")

    assert await desk.do(job["job_id"]) is Done.ENDED

    assert (await desk.job(job["job_id"]))["status"] == "cancelled"
    assert await AsyncObjects(desk.store.bucket).oldest("exports/", limit=5) == []


async def test_exports_are_for_administrators_and_go_together(desk: RecordsDesk) -> None:
    registrar = await desk.api.as_role(Role.REGISTRAR)
    assert (await registrar.post("/api/xapi/exports", json={})).status_code == 403

    answer = await desk.admin.post("/api/xapi/exports", json={"format": "parquet", "gzip": True})

    assert (answer.status_code, answer.json()["code"]) == (400, "export_refused")
