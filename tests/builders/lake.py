"""Published tables as an analyst's program has them: the catalog, and files by S3 itself, none of our code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from dataforge.platform.aws.clients import client as aws
from tests.builders.datasets import DatasetsUnderTest, ok
from versioned_tables.schema.texts import plain_rows


def catalog_properties(database_url: str, *, driver: str = "psycopg") -> dict[str, str]:
    """What a program says to find the SQL catalog and the files."""
    uri = database_url.replace("postgresql://", f"postgresql+{driver}://", 1)
    return {
        "uri": f"{uri}{'&' if '?' in uri else '?'}options=-csearch_path%3Ddatasets",
        "init_catalog_tables": "false",
        "s3.endpoint": os.environ["AWS_ENDPOINT_URL"],
        "s3.region": os.environ["AWS_DEFAULT_REGION"],
        "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"],
        "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "s3.force-virtual-addressing": "false",
    }


@contextmanager
def catalog_of(database_url: str) -> Iterator[SqlCatalog]:
    """The SQL catalog of the local stack."""
    catalog = SqlCatalog("dataforge", **catalog_properties(database_url))
    try:
        yield catalog
    finally:
        catalog.close()


def glue_catalog() -> GlueCatalog:
    """The Glue catalog of the emulator."""
    s3 = {"s3.endpoint": os.environ["AWS_ENDPOINT_URL"], "s3.region": os.environ["AWS_DEFAULT_REGION"]}
    keys = {
        "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"],
        "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"],
    }
    return GlueCatalog("dataforge", aws("glue"), **s3, **keys)


def table_of(catalog: Catalog, publication: Mapping[str, Any]) -> Table:
    """The table of a publication."""
    return catalog.load_table((publication["namespace"], publication["table"]))


def commits_in(table: Table) -> list[str]:
    """The commits that the table has been at, one after the other."""
    shown = {snapshot.snapshot_id: snapshot.summary for snapshot in table.metadata.snapshots}
    history = [shown[entry.snapshot_id] for entry in table.history()]
    return [summary["dataforge.commit-id"] or "" for summary in history if summary is not None]


def stored_files(datasets: DatasetsUnderTest, prefix: str) -> list[str]:
    """Keys of the bucket below a prefix."""
    listed = aws("s3").list_objects_v2(Bucket=datasets.services.settings.data_bucket, Prefix=prefix)
    return [item["Key"] for item in listed.get("Contents", [])]


def rows_in(table: Table, version: str | None = None) -> list[dict[str, Any]]:
    """Rows of a snapshot, named by commit, as JSON values in order of their texts; the present one without a name."""
    scan = table.scan() if version is None else table.scan().use_ref(version)
    return sorted(plain_rows(scan.to_arrow()), key=lambda row: [str(value) for value in row.values()])


async def publish(client: Any, dataset_id: str, version: str = "main", **body: Any) -> dict[str, Any]:
    """Ask for a publication; what waits."""
    path = f"/api/datasets/{dataset_id}/refs/{version}/publications"
    return dict(ok(await client.post(path, json=body), 202))


async def publication(client: Any, waiting: Mapping[str, Any]) -> dict[str, Any]:
    """A publication as it is now."""
    return dict(ok(await client.get(f"/api/datasets/{waiting['dataset_id']}/publications/{waiting['id']}")))


async def run_publication(datasets: DatasetsUnderTest, client: Any, waiting: Mapping[str, Any]) -> dict[str, Any]:
    """Do the job that a publication has now; the publication afterwards."""
    now = await publication(client, waiting)
    await datasets.work_on(UUID(now["job_id"]), "publication")
    return now if now["state"] == "removing" else await publication(client, waiting)
