"""Messages of the exports queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataforge.contexts.datasets.jobs.messages import each_message, id_in

if TYPE_CHECKING:
    from dataforge.contexts.datasets.services import DatasetsServices


async def export_messages(event: Mapping[str, Any], services: DatasetsServices) -> dict[str, Any]:
    """Messages of the exports queue: `{"job_id": …}`."""

    async def handle(body: Mapping[str, Any]) -> None:
        job_id = id_in(body, "job_id")
        if job_id is not None:
            await services.exporter.run(job_id)

    return await each_message(event, handle)
