"""Queries over published tables, with the emulator's Glue, STS and Athena.

The emulator's Athena runs DuckDB over the Parquet files below a table's location. It knows neither Iceberg's metadata
nor position deletes, and whoever has any key may do anything: what is shown here is what is asked of Athena, and what
becomes of its answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.db.database import Database
from tests.builders.datasets import DatasetsUnderTest, import_file, new_dataset, ok, refused, rows_of
from tests.builders.emulator import EmulatedAws
from tests.builders.lake import publish, run_publication

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


@pytest.fixture
async def datasets(emulator: EmulatedAws, database: Database, clock: FixedClock) -> AsyncIterator[DatasetsUnderTest]:
    name = f"tables-{uuid4().hex[:8]}"
    aws("athena").create_work_group(Name=name)
    role = "arn:aws:iam::000000000000:role/table-queries"
    settings = {"iceberg_catalog": "glue", "athena_workgroup": name, "athena_role_arn": role}
    async with DatasetsUnderTest(database, clock, emulator, **settings) as api:
        yield api


async def published(datasets: DatasetsUnderTest, name: str = "People") -> tuple[Any, str, dict[str, Any]]:
    """A published table, whose data files alone are where the emulator's Athena looks."""
    client = await datasets.analyst()
    dataset_id = await new_dataset(client, name)
    await import_file(datasets, client, dataset_id, key=["id"])
    done = await run_publication(datasets, client, await publish(client, dataset_id))
    assert done["state"] == "current", done["failure"]
    table = aws("glue").get_table(DatabaseName=done["namespace"], Name=done["table"])["Table"]
    storage = {**table["StorageDescriptor"], "Location": f"{done['location']}/data"}
    storage["SerdeInfo"] = {"SerializationLibrary": PARQUET}
    given = {"Name": table["Name"], "Parameters": table["Parameters"], "StorageDescriptor": storage}
    aws("glue").update_table(DatabaseName=done["namespace"], TableInput=given)
    return client, f"/api/datasets/{dataset_id}/publications/{done['id']}/queries", done


async def ended(client: Any, query: dict[str, Any], path: str) -> dict[str, Any]:
    """The query when it has ended."""
    deadline = time.monotonic() + 60
    while query["state"] in ("queued", "running"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
        query = ok(await client.get(f"{path}/{query['id']}"))
    return query


async def test_a_query_runs_over_the_published_table_under_the_name_of_its_sheet(datasets: DatasetsUnderTest) -> None:
    client, path, publication = await published(datasets)

    answer = await client.post(path, json={"sql": 'SELECT id, name, age FROM data WHERE id > 1 ORDER BY "id"'})
    query = ok(answer, 202)
    assert answer.headers["Location"].endswith(f"{path}/{query['id']}")
    query = await ended(client, query, path)

    assert query["state"] == "succeeded", query["failure"]
    assert query["publication_id"] == publication["id"]
    assert [column["name"] for column in query["columns"]] == ["id", "name", "age"]
    expected = [row for row in await rows_of(client, publication["dataset_id"]) if row["id"] > 1]
    assert query["rows"] == [[str(row["id"]), row["name"], str(row["age"])] for row in expected]
    assert query["truncated"] is False
    execution = aws("athena").get_query_execution(QueryExecutionId=query["id"])["QueryExecution"]
    assert execution["QueryExecutionContext"]["Database"] == publication["namespace"]
    where = f"/exports/queries/{publication['dataset_id']}/{query['id']}.csv"
    assert execution["ResultConfiguration"]["OutputLocation"].endswith(where)
    # The emulator writes no result there; Athena does.
    assert where in query["download_url"]


async def test_a_query_that_fails_says_why_in_the_words_of_the_engine(datasets: DatasetsUnderTest) -> None:
    client, path, _ = await published(datasets)

    query = await ended(client, ok(await client.post(path, json={"sql": "SELECT nothing FROM data"}), 202), path)

    assert query["state"] == "failed"
    assert "nothing" in query["failure"]
    assert (query["rows"], query["download_url"]) == (None, None)


async def test_what_is_no_query_is_refused_before_the_engine_hears_of_it(datasets: DatasetsUnderTest) -> None:
    client, path, _ = await published(datasets)

    for statement in ("DROP TABLE data", "INSERT INTO data SELECT 1", "-- SELECT\nDELETE FROM data", "selection"):
        assert refused(await client.post(path, json={"sql": statement})) == (422, "publication_refused")


async def test_queries_of_another_dataset_are_not_there(datasets: DatasetsUnderTest) -> None:
    client, path, _ = await published(datasets)
    other, others_path, _ = await published(datasets, "Other")
    query = ok(await client.post(path, json={"sql": "SELECT 1 AS one"}), 202)

    assert refused(await other.get(f"{others_path}/{query['id']}")) == (404, "query_not_found")
    assert refused(await other.get(f"{path}/{query['id']}")) == (404, "dataset_not_found")
    assert refused(await client.get(f"{path}/{uuid4()}")) == (404, "query_not_found")
    assert refused(await other.post(path, json={"sql": "SELECT 1"})) == (404, "dataset_not_found")


async def test_a_table_that_is_not_made_yet_has_no_queries(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    waiting = await publish(client, dataset_id)

    path = f"/api/datasets/{dataset_id}/publications/{waiting['id']}/queries"
    assert refused(await client.post(path, json={"sql": "SELECT 1"})) == (409, "not_published_yet")


async def test_where_no_engine_is_the_answer_says_so(
    emulator: EmulatedAws, database: Database, clock: FixedClock
) -> None:
    async with DatasetsUnderTest(database, clock, emulator) as api:
        client = await api.analyst()
        dataset_id = await new_dataset(client)
        await import_file(api, client, dataset_id, key=["id"])
        waiting = await publish(client, dataset_id)
        path = f"/api/datasets/{dataset_id}/publications/{waiting['id']}/queries"
        assert refused(await client.get(f"{path}/{uuid4()}")) == (501, "publishing_off")
        assert refused(await client.post(path, json={"sql": "SELECT 1"})) == (501, "publishing_off")
