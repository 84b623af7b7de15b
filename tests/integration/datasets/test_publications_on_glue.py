"""Publications in the Glue catalog, as on AWS, with the emulator's Glue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from dataforge.contexts.datasets.maintenance.consumers import queue_due
from dataforge.kernel.clock import FixedClock
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.db.database import Database
from tests.builders.datasets import DatasetsUnderTest, commit_rows, head, import_file, new_dataset, ok, rows_of
from tests.builders.emulator import EmulatedAws
from tests.builders.lake import glue_catalog, publish, rows_in, run_publication, stored_files, table_of


@pytest.fixture
async def datasets(emulator: EmulatedAws, database: Database, clock: FixedClock) -> AsyncIterator[DatasetsUnderTest]:
    async with DatasetsUnderTest(database, clock, emulator, iceberg_catalog="glue") as api:
        yield api


async def people(datasets: DatasetsUnderTest) -> tuple[Any, str]:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, key=["id"])
    return client, dataset_id


async def test_a_branch_is_published_followed_and_removed(datasets: DatasetsUnderTest) -> None:
    client, dataset_id = await people(datasets)
    first, before = await head(client, dataset_id), await rows_of(client, dataset_id)
    waiting = await publish(client, dataset_id)
    assert waiting["catalog"] == "glue"
    await run_publication(datasets, client, waiting)
    ok(await commit_rows(client, dataset_id, [{"op": "delete", "key": {"id": 1}}]), 201)
    await queue_due(datasets.services)
    done = await run_publication(datasets, client, waiting)

    assert (done["state"], done["row_count"]) == ("current", 2), done["failure"]
    table = table_of(glue_catalog(), done)
    assert rows_in(table) == await rows_of(client, dataset_id)
    assert rows_in(table, first) == before
    database = aws("glue").get_database(Name=done["namespace"])["Database"]
    assert database["LocationUri"].endswith(f"/lake/{dataset_id}")
    shown = aws("glue").get_table(DatabaseName=done["namespace"], Name=done["table"])["Table"]
    assert shown["Parameters"]["table_type"] == "ICEBERG"
    assert [column["Name"] for column in shown["StorageDescriptor"]["Columns"]] == ["id", "name", "age"]

    ok(await client.delete(f"/api/datasets/{dataset_id}/publications/{done['id']}"), 202)
    await run_publication(datasets, client, waiting)
    assert aws("glue").get_tables(DatabaseName=done["namespace"])["TableList"] == []
    assert stored_files(datasets, f"lake/{dataset_id}/") == []
