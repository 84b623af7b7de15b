"""Queue handlers of datasets: uploaded files and exports, one message at a time."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus
from uuid import UUID

from dataforge.contexts.datasets.queries.jobs import upload_by_key
from dataforge.events.sqs import batch_response, queue_records
from dataforge.kernel.errors import BadRequest
from dataforge.platform.db.database import Database
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.datasets.module import DatasetsServices


Handle = Callable[[Mapping[str, Any]], Awaitable[None]]


async def each_message(event: Mapping[str, Any], handle: Handle) -> dict[str, Any]:
    """Handle the messages of an SQS event; those that failed are given back to the queue."""
    failed = []
    for record in queue_records(event):
        try:
            body = json.loads(record.body)
            await handle(body if isinstance(body, dict) else {})
        except Exception:  # noqa: BLE001 - one message must not take the others along
            logger.error("message failed", exc_info=True, message_id=record.message_id)
            failed.append(record.message_id)
    return batch_response(failed)


async def import_messages(event: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Messages of the imports queue: S3's notices of new objects, `{"job_id": …}`, and upkeep.

    Upkeep is here because this function may write and delete chunks: `{"upkeep": dataset}`, `{"purge": dataset}`.
    A job that must be tried again needs no message kept for it: its row says so, and maintenance queues it.
    """

    async def handle(body: Mapping[str, Any]) -> None:
        if (dataset_id := _id(body, "upkeep")) is not None:
            await services.lifecycle.upkeep(dataset_id)
        if (dataset_id := _id(body, "purge")) is not None:
            await services.lifecycle.purge(dataset_id)
        for job_id in await _import_jobs(body, services.database):
            await services.importer.run(job_id)

    return await each_message(event, handle)


async def export_messages(event: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Messages of the exports queue: `{"job_id": …}`."""

    async def handle(body: Mapping[str, Any]) -> None:
        job_id = _id(body, "job_id")
        if job_id is not None:
            await services.exporter.run(job_id)

    return await each_message(event, handle)


async def _import_jobs(body: Mapping[str, Any], database: Database) -> list[UUID]:
    direct = _id(body, "job_id")
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


def _id(body: Mapping[str, Any], name: str) -> UUID | None:
    try:
        return UUID(str(body[name]))
    except (KeyError, ValueError):
        return None


async def verify_dataset(payload: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Operator command `{"command": "verify_dataset", "dataset_id": …}`: walk a dataset from its refs to its bytes.

    Names the first broken hash in `broken`; null means that every byte is what the commit ids say.
    """
    return await services.lifecycle.verify(_required(payload))


async def upkeep_dataset(payload: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Operator command `{"command": "upkeep_dataset", "dataset_id": …}`: compact and collect garbage now."""
    return await services.lifecycle.upkeep(_required(payload))


def _required(payload: Mapping[str, Any]) -> UUID:
    dataset_id = _id(payload, "dataset_id")
    if dataset_id is None:
        message = "Give the id of a dataset as `dataset_id`."
        raise BadRequest(message)
    return dataset_id
