"""Messages of the exports queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataforge.events.sqs import MessageBatch, id_in, json_object

if TYPE_CHECKING:
    from dataforge.contexts.datasets.services import DatasetsServices


async def export_messages(event: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Messages of the exports queue: `{"job_id": …}`, of exports, publications and snapshots that are read."""
    from dataforge.platform.jobs.worker import Done

    batch = MessageBatch(event)
    for record in batch:
        with batch.given_back(record):
            if (job_id := id_in(json_object(record), "job_id")) is not None:
                done = await services.job_runner.run(job_id, services.export_or_publish)
                if done is Done.PAUSED:  # what was read from a snapshot is imported now
                    await services.import_queue.send(json.dumps({"job_id": str(job_id)}))
    return batch.response()
