"""Messages of the exports queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataforge.events.sqs import MessageBatch, id_in, json_object

if TYPE_CHECKING:
    from dataforge.contexts.datasets.services import DatasetsServices


async def export_messages(event: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Messages of the exports queue: `{"job_id": …}`, of exports and of publications."""
    batch = MessageBatch(event)
    for record in batch:
        with batch.given_back(record):
            if (job_id := id_in(json_object(record), "job_id")) is not None:
                await services.job_runner.run(job_id, services.export_or_publish)
    return batch.response()
