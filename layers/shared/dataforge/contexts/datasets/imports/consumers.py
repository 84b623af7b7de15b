"""Messages of the imports queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus
from uuid import UUID

from dataforge.contexts.datasets.uploads.queries import upload_by_key
from dataforge.events.sqs import MessageBatch, id_in, json_object
from dataforge.platform.db.database import Database
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.datasets.services import DatasetsServices


async def import_messages(event: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Messages of the imports queue: S3's notices of new objects, `{"job_id": …}`, and maintenance.

    Maintenance is here because this function may write and delete chunks: `{"upkeep": dataset}`, `{"purge": dataset}`.
    A job that must be tried again needs no message kept for it: its row says so, and maintenance queues it.
    """

    batch = MessageBatch(event)
    for record in batch:
        with batch.given_back(record):
            await _handle(json_object(record), services)
    return batch.response()


async def _handle(body: Mapping[str, Any], services: DatasetsServices) -> None:
    if (dataset_id := id_in(body, "upkeep")) is not None:
        await services.maintenance.maintain(dataset_id)
    if (dataset_id := id_in(body, "purge")) is not None:
        await services.maintenance.purge(dataset_id)
    for job_id in await _import_jobs(body, services.database):
        await services.job_runner.run(job_id, services.importer.work)


async def _import_jobs(body: Mapping[str, Any], database: Database) -> list[UUID]:
    direct = id_in(body, "job_id")
    if direct is not None:
        return [direct]
    found = []
    for record in body.get("Records", []):
        # S3 encodes keys in its notices as in a query string.
        key = unquote_plus(str(record.get("s3", {}).get("object", {}).get("key", "")))
        async with database.read_only() as connection:
            upload = await upload_by_key(connection, key)
        if upload is None or upload["job_id"] is None:
            logger.warning("an object that no upload announced", key=key)
            continue
        found.append(upload["job_id"])
    return found
