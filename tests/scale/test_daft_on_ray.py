"""A published table on a Ray cluster of two nodes: what Daft reads there is what the API says (`make test-scale`)."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from dataforge.contexts.datasets.exports.consumers import export_messages
from dataforge.contexts.datasets.imports.consumers import import_messages
from dataforge.contexts.datasets.maintenance.consumers import queue_due
from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from infra.local.environments import ENVIRONMENTS, ROOT
from tests.builders.datasets import (
    DatasetsUnderTest,
    commit_rows,
    complete,
    head,
    import_file,
    job_message,
    new_dataset,
    ok,
    rows_of,
    run_job,
    send_parts,
)
from tests.builders.emulator import EmulatedAws
from tests.builders.lake import catalog_properties, publication, publish, run_publication

PYTHON = ENVIRONMENTS["scale"][0] / "bin" / "python"
ROWS = 10_000_000
MOST_BYTES = 400 << 20


@pytest.fixture
async def datasets(
    emulator: EmulatedAws, database: Database, database_url: str, clock: FixedClock
) -> AsyncIterator[DatasetsUnderTest]:
    async with DatasetsUnderTest(database, clock, emulator, database_url=SecretStr(database_url)) as api:
        yield api


async def on_the_cluster(database_url: str, queries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the cluster answers."""
    asked = {"catalog": catalog_properties(database_url, driver="psycopg2"), "queries": list(queries)}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = await asyncio.create_subprocess_exec(
        str(PYTHON), str(ROOT / "tests" / "scale" / "engine.py"), json.dumps(asked),
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-5_000:]
    return dict(json.loads(out.decode().strip().splitlines()[-1]))


def people(count: int) -> bytes:
    """A Parquet file of a keyed table with columns of many types."""
    numbers = np.arange(count)
    table = pa.table(
        {
            "id": numbers,
            "course": pa.array([f"course {n % 97}" for n in numbers]),
            "score": numbers / 8,
            "passed": numbers % 3 == 0,
            "fee": pa.array(numbers % 500).cast(pa.decimal128(20, 0)).cast(pa.decimal128(22, 2)),
            "since": pa.array(numbers % 20_000, pa.int32()).cast(pa.date32()),
            "seen": pa.array(numbers * 1_000_000).cast(pa.timestamp("us", "UTC")),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


async def test_rows_types_pruning_and_time_travel_are_those_of_the_api(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, people(300_000), name="people.parquet", key=["id"])
    first = await head(client, dataset_id)
    waiting = await publish(client, dataset_id)
    await run_publication(datasets, client, waiting)
    changes = [{"op": "update", "key": {"id": n}, "values": {"course": "moved"}} for n in range(0, 300_000, 1_000)]
    changes += [{"op": "delete", "key": {"id": n}} for n in range(1, 300_000, 1_000)]
    ok(await commit_rows(client, dataset_id, changes), 201)
    second = await head(client, dataset_id)
    await queue_due(datasets.services)
    done = await run_publication(datasets, client, waiting)
    table = [done["namespace"], done["table"]]
    small = await new_dataset(client, "Small")
    await import_file(datasets, client, small, people(50), name="people.parquet", key=["id"])
    tiny = await run_publication(datasets, client, await publish(client, small))

    found = await on_the_cluster(
        database_url,
        [
            {"table": [tiny["namespace"], tiny["table"]], "kind": "rows", "sort": "id"},
            {"table": table, "kind": "types"},
            {"table": table, "kind": "count", "where": "course = 'moved'", "snapshot": first},
            {"table": table, "kind": "count", "where": "course = 'moved'", "snapshot": second},
            {"table": table, "kind": "count", "where": "id >= 0", "snapshot": first},
            {"table": table, "kind": "count", "where": "id >= 0"},
            {"table": table, "kind": "count", "where": "id >= 299000"},
            {"table": table, "kind": "files"},
            {"table": table, "kind": "files", "where": "id >= 299000 and course = 'course 5'"},
            {"table": table, "kind": "write", "into": [done["namespace"], "moved"], "where": "course = 'moved'"},
        ],
    )

    rows, types, *counts, files, fewer, written = found["answers"]
    sql = await datasets.sql_client(client)

    async def counted(version: str, where: str) -> int:
        body = {"sql": f"SELECT count(*) AS n FROM data WHERE {where}"}
        return int(ok(await sql.post(f"/api/datasets/{dataset_id}/refs/{version}/sql", json=body))["rows"][0][0])

    expected = await rows_of(client, small, limit=100)
    assert [{**row, "seen": row["seen"].replace(" ", "T").replace("+00:00", "Z")} for row in rows] == expected
    assert types == {
        "id": "Int64", "course": "String", "score": "Float64", "passed": "Bool",
        "fee": "Decimal[precision: 22, scale: 2]", "since": "Date", "seen": "Timestamp[us; UTC]",
    }  # fmt: skip
    assert counts == [
        await counted(first, "course = 'moved'"), await counted(second, "course = 'moved'"),
        await counted(first, "true"), await counted(second, "true"), await counted(second, "id >= 299000"),
    ]  # fmt: skip
    assert counts == [0, 300, 300_000, 299_700, 999]
    assert fewer < files
    assert found["nodes"] == 2

    # And back: what Daft has written is a commit.
    source = {"iceberg": {"table": "moved", "snapshot": written}}
    ok(await client.post(f"/api/datasets/{dataset_id}/refs", json={"name": "moved"}), 201)
    job = ok(await client.post(f"/api/datasets/{dataset_id}/refs/moved/imports", json={"source": source}), 202)
    await export_messages(job_message(job["id"]), datasets.exporting)
    await import_messages(job_message(job["id"]), datasets.importing)
    job = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
    assert job["status"] == "completed", job["error"]
    assert job["output_summary"]["sheets"][0]["deleted"] == 299_400
    assert job["output_summary"]["sheets"][0]["updated"] == 0


async def test_ten_million_rows_are_grouped_in_memory_that_does_not_grow_with_them(
    datasets: DatasetsUnderTest, database_url: str
) -> None:
    client = await datasets.analyst()
    most = []
    for count in (ROWS // 10, ROWS):
        done = await published_points(datasets, client, count)
        query = {"table": [done["namespace"], done["table"]], "kind": "group", "by": "course", "of": "points"}
        found = await on_the_cluster(database_url, [query])

        [groups] = found["answers"]
        numbers = np.arange(count)
        totals = np.bincount(numbers % 97, weights=numbers % 1_000)
        assert {group["course"]: (group["rows"], group["total"]) for group in groups} == {
            course: (count // 97 + (course < count % 97), int(totals[course])) for course in range(97)
        }
        assert found["nodes"] == 2
        assert len(found["memory"]) >= 2
        sizes = ", ".join(f"{resident >> 20} ({own >> 20})" for resident, own in found["memory"])
        sys.stdout.write(f"{count:,} rows grouped in {found['seconds'][0]:.1f} s on {found['nodes']} nodes; ")
        sys.stdout.write(f"resident (own) memory of each process, MB: {sizes}\n")
        most.append(max(resident for resident, _ in found["memory"]))
    assert most[1] < MOST_BYTES
    # Ten times the rows are 216 MB more as Arrow has them.
    assert most[1] - most[0] < 100 << 20


async def published_points(datasets: DatasetsUnderTest, client: Any, count: int) -> dict[str, Any]:
    """A published table of so many rows, and two commits of a thousand rows anywhere; prints what each has written."""
    dataset_id = await new_dataset(client, f"{count} points")
    await large_import(datasets, client, dataset_id, count)
    waiting = await publish(client, dataset_id)
    first = await timed_publication(datasets, client, waiting)
    # Put back as they were: the sums stay.
    for points in (-1, None):
        changes = [
            {"op": "update", "key": {"id": n}, "values": {"points": n % 1_000 if points is None else points}}
            for n in range(0, count, count // 1_000)
        ]
        ok(await commit_rows(client, dataset_id, changes), 201)
    await queue_due(datasets.services)
    second = await timed_publication(datasets, client, waiting)
    sys.stdout.write(f"\n{count:,} rows published: {first}; two commits of 1,000 rows anywhere: {second}\n")
    done = await publication(client, waiting)
    assert (done["state"], done["row_count"]) == ("current", count), done["failure"]
    return done


async def timed_publication(datasets: DatasetsUnderTest, client: Any, waiting: dict[str, Any]) -> str:
    """How long a run takes and what it adds."""
    began = time.monotonic()
    done = await run_publication(datasets, client, waiting)
    seconds = time.monotonic() - began
    job = ok(await client.get(f"/api/datasets/{waiting['dataset_id']}/jobs/{done['job_id']}"))
    snapshots = job["output_summary"]["snapshots"]
    size = sum(snapshot["bytes"] for snapshot in snapshots)
    files = [(snapshot["files"], snapshot["delete_files"]) for snapshot in snapshots]
    return f"{seconds:.1f} s, {size / 1e6:.2f} MB of rows, (data files, delete files) {files}"


async def large_import(datasets: DatasetsUnderTest, client: Any, dataset_id: str, count: int) -> None:
    """A table of that many rows, from a Parquet file that is put where an upload would be."""
    numbers = np.arange(count)
    table = pa.table({"id": numbers, "course": numbers % 97, "points": numbers % 1_000})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    data = sink.getvalue()
    body = {"file_name": "points.parquet", "size_bytes": len(data), "import": {"key": ["id"]}}
    upload = ok(await client.post(f"/api/datasets/{dataset_id}/refs/main/uploads", json=body), 201)
    await send_parts(client, upload, data)
    job = await run_job(datasets, client, await complete(client, upload))
    assert job["status"] == "completed", job["error"]
