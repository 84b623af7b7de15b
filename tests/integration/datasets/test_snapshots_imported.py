"""Tables that engines have written come back as commits: checked, diffed and merged like any other import."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from dataforge.contexts.datasets.exports.consumers import export_messages
from dataforge.contexts.datasets.imports.consumers import import_messages
from dataforge.contexts.datasets.maintenance.consumers import queue_due
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.jobs import LEASE
from dataforge.platform.db.database import Database
from tests.builders.datasets import (
    DatasetsUnderTest,
    branch,
    head,
    import_file,
    job_message,
    new_dataset,
    ok,
    refused,
    rows_of,
)
from tests.builders.emulator import EmulatedAws
from tests.builders.lake import catalog_of, publish, run_publication, table_of


@pytest.fixture
async def datasets(
    emulator: EmulatedAws, database: Database, database_url: str, clock: FixedClock
) -> AsyncIterator[DatasetsUnderTest]:
    async with DatasetsUnderTest(database, clock, emulator, database_url=SecretStr(database_url)) as api:
        yield api


async def published(datasets: DatasetsUnderTest) -> tuple[Any, str, dict[str, Any]]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    return client, dataset_id, await run_publication(datasets, client, await publish(client, dataset_id))


async def come_back(datasets: DatasetsUnderTest, client: Any, dataset_id: str, ref: str, **body: Any) -> dict[str, Any]:
    """Import a snapshot as the two functions do; the job afterwards."""
    path = f"/api/datasets/{dataset_id}/refs/{ref}/imports"
    job = ok(await client.post(path, json=body), 202)
    await export_messages(job_message(job["id"]), datasets.exporting)
    await import_messages(job_message(job["id"]), datasets.importing)
    return dict(ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}")))


async def test_a_table_that_an_engine_wrote_becomes_a_commit(datasets: DatasetsUnderTest, database_url: str) -> None:
    client, dataset_id, publication = await published(datasets)
    await branch(client, dataset_id, "cleaned")
    with catalog_of(database_url) as catalog:
        table = table_of(catalog, publication)
        rows = table.scan().to_arrow()
        result = catalog.create_table((publication["namespace"], "result"), rows.schema)
        result.append(rows.set_column(2, "age", pa.array([37, 45, 21])))
        first = result.metadata.current_snapshot_id
        result.append(pa.table({"id": [4], "name": ["Edsger"], "age": [72]}))

    source = {"iceberg": {"table": "result"}}
    job = await come_back(datasets, client, dataset_id, "cleaned", source=source, message="Cleaned by Daft")

    assert job["status"] == "completed", job["error"]
    summary = job["output_summary"]
    changes = {name: summary["sheets"][0][name] for name in ("inserted", "updated", "deleted")}
    assert changes == {"inserted": 1, "updated": 1, "deleted": 0}
    assert summary["source"]["iceberg"]["table"] == "result"
    commit = ok(await client.get(f"/api/datasets/{dataset_id}/commits/{summary['new_commit_id']}"))
    snapshot = summary["source"]["iceberg"]["snapshot_id"]
    assert commit["message"].startswith("Cleaned by Daft\n\nIceberg table ")
    assert commit["message"].endswith(f".result, snapshot {snapshot}")
    assert [row["name"] for row in await rows_of(client, dataset_id, "cleaned")] == ["Ada", "Grace", "Linus", "Edsger"]

    # As it was at an earlier snapshot, and into the branch by a merge.
    source = {"iceberg": {"table": "result", "snapshot": str(first)}}
    earlier = await come_back(datasets, client, dataset_id, "cleaned", source=source)
    assert earlier["output_summary"]["sheets"][0]["deleted"] == 1
    merge = {"source": "cleaned", "message": "merge"}
    at = {"If-Match": f'"{await head(client, dataset_id)}"'}
    answer = await client.post(f"/api/datasets/{dataset_id}/refs/main/merge", json=merge, headers=at)
    assert answer.status_code in (200, 201), answer.text
    assert (await rows_of(client, dataset_id))[0]["age"] == 37


async def test_a_published_table_comes_back_unchanged(datasets: DatasetsUnderTest) -> None:
    client, dataset_id, publication = await published(datasets)
    at = await head(client, dataset_id)

    source = {"iceberg": {"publication_id": publication["id"], "snapshot": at}}
    job = await come_back(datasets, client, dataset_id, "main", source=source)

    assert job["status"] == "completed", job["error"]
    assert job["output_summary"]["unchanged"] is True
    assert await head(client, dataset_id) == at


async def test_a_dry_run_says_what_would_come(datasets: DatasetsUnderTest, database_url: str) -> None:
    client, dataset_id, publication = await published(datasets)
    at = await head(client, dataset_id)
    with catalog_of(database_url) as catalog:
        table_of(catalog, publication).delete("id = 1")

    source = {"iceberg": {"publication_id": publication["id"]}}
    job = await come_back(datasets, client, dataset_id, "main", source=source, dry_run=True)

    assert job["status"] == "completed", job["error"]
    assert job["output_summary"]["sheets"][0]["deleted"] == 1
    assert await head(client, dataset_id) == at
    plan = job["output_summary"]["plan_hash"]
    done = ok(await client.post(f"/api/datasets/{dataset_id}/import-plans/{plan}/apply"), 201)
    assert done["previous_commit_id"] == at
    assert len(await rows_of(client, dataset_id)) == 2


@pytest.mark.parametrize(
    ("iceberg", "code"),
    [
        ({"table": "nothing"}, "snapshot_not_found"),
        ({"table": "own", "snapshot": "12345"}, "snapshot_not_found"),
        ({"table": "own", "snapshot": "no-such-tag"}, "snapshot_not_found"),
        ({"table": "elsewhere"}, "snapshot_refused"),
    ],
)
async def test_what_is_not_there_or_not_ours_is_refused(
    datasets: DatasetsUnderTest, database_url: str, iceberg: dict[str, Any], code: str
) -> None:
    client, dataset_id, publication = await published(datasets)
    with catalog_of(database_url) as catalog:
        table = table_of(catalog, publication)
        catalog.register_table((publication["namespace"], "own"), table.metadata_location)
        bucket = datasets.services.settings.data_bucket
        foreign = catalog.create_table(
            (publication["namespace"], "elsewhere"),
            pa.schema([("id", pa.int64())]),
            location=f"s3://{bucket}/lake/other",
        )
        foreign.append(pa.table({"id": [1]}))

    job = await come_back(datasets, client, dataset_id, "main", source={"iceberg": iceberg})

    assert (job["status"], job["error"]["code"]) == ("failed", code)


async def test_another_datasets_table_is_not_to_be_had(datasets: DatasetsUnderTest) -> None:
    client, _, publication = await published(datasets)
    own = await new_dataset(client, "Own")
    await import_file(datasets, client, own, key=["id"])
    path = f"/api/datasets/{own}/refs/main/imports"

    by_id = await client.post(path, json={"source": {"iceberg": {"publication_id": publication["id"]}}})
    by_name = await come_back(datasets, client, own, "main", source={"iceberg": {"table": publication["table"]}})

    assert refused(by_id) == (404, "publication_not_found")
    assert by_name["error"]["code"] == "snapshot_not_found"


async def test_values_of_another_type_are_refused_like_those_of_a_file(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client, dataset_id, publication = await published(datasets)
    with catalog_of(database_url) as catalog:
        rows = pa.table({"id": [1], "name": ["Ada"], "age": ["unknown"]})
        catalog.create_table((publication["namespace"], "result"), rows.schema).append(rows)

    rules = {"widen_types": False}
    source = {"iceberg": {"table": "result"}}
    job = await come_back(datasets, client, dataset_id, "main", source=source, evolution=rules)

    assert (job["status"], job["error"]["code"]) == ("failed", "schema_mismatch")


async def test_a_reader_that_was_lost_is_followed_by_another(datasets: DatasetsUnderTest, clock: FixedClock) -> None:
    client, dataset_id, publication = await published(datasets)
    source = {"iceberg": {"publication_id": publication["id"]}}
    job = ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/imports", json={"source": source}), 202)

    clock.advance(LEASE + timedelta(seconds=1))
    assert (await queue_due(datasets.services))["requeued"] == 1
    # The importer meets a job whose file is not there yet only when somebody sends it a wrong message.
    await export_messages(job_message(job["id"]), datasets.exporting)
    waiting = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
    assert (waiting["status"], waiting["attempt"]) == ("pending", 0)
    await datasets.work_on(UUID(job["id"]))

    assert ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))["status"] == "completed"


async def test_a_published_table_with_columns_of_every_type_comes_back_unchanged(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    rows = {
        "id": pa.array([1, 2, 3], pa.int64()),
        "flag": pa.array([True, None, False]),
        "ratio": pa.array([0.5, float("nan"), None]),
        "price": pa.array([Decimal("1.10"), None, Decimal("-99999999999999999999.99")], pa.decimal128(22, 2)),
        "wide": pa.array([Decimal(10**44), None, Decimal("-1.5")], pa.decimal256(50, 4)),
        "Name, as given": pa.array(["Núñez", "", None]),
        "raw": pa.array([b"\x00\xff", None, b""], pa.binary()),
        "born": pa.array([date(1, 1, 1), date(9999, 12, 31), None]),
        "at": pa.array([time(23, 59, 59, 999_999), None, time(0)], pa.time64("us")),
        "local": pa.array([datetime(1969, 12, 31, 23, 59), None, datetime(2026, 3, 29, 2, 30)], pa.timestamp("us")),  # noqa: DTZ001 - it has none
        "seen": pa.array([datetime(2026, 1, 1, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
        "tags": pa.array([["a", "b"], [], None], pa.list_(pa.string())),
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(rows), sink)
    await import_file(datasets, client, dataset_id, sink.getvalue(), name="all.parquet", key=["id"])
    at = await head(client, dataset_id)
    publication = await run_publication(datasets, client, await publish(client, dataset_id))
    assert publication["state"] == "current", publication["failure"]
    with catalog_of(database_url) as catalog:
        table = table_of(catalog, publication)
        assert [str(field.field_type) for field in table.schema().fields] == [
            "long", "boolean", "double", "decimal(22, 2)", "string", "string", "binary", "date", "time", "timestamp",
            "timestamptz", "string",
        ]  # fmt: skip
        assert table.scan(row_filter="born < '2000-01-01'").to_arrow().num_rows == 1

    source = {"iceberg": {"publication_id": publication["id"]}}
    job = await come_back(datasets, client, dataset_id, "main", source=source)

    assert job["status"] == "completed", job["error"]
    assert job["output_summary"]["unchanged"] is True
    assert await head(client, dataset_id) == at
