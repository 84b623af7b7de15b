"""What routes that make or show jobs share."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import DATASETS, DatasetCall
from dataforge.contexts.datasets.jobs import queries, wire
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.http.call import json_response
from dataforge.http.languages import failure_in_words_of
from dataforge.kernel.jobs import JobStatus
from dataforge.platform.observability import logger


def shown_job(call: DatasetCall, job: dict[str, Any]) -> dict[str, Any]:
    """A job for the wire; a completed export comes with a link that works for an hour."""
    shown = wire.JobOut.model_validate(job).model_dump(mode="json")
    shown["error"] = failure_in_words_of(call.request.scope, shown["error"])
    summary = job["output_summary"] or {}
    if job["run_type"] == RunType.EXPORT and job["status"] == JobStatus.COMPLETED and "s3_key" in summary:
        files = call.services(DatasetsServices).files
        shown["download_url"] = files.download_url(summary["s3_key"], summary["file_name"])
        shown["output_summary"] = {key: value for key, value in summary.items() if key != "s3_key"}
    return shown


async def show_job(call: DatasetCall, connection: AsyncConnection, job_id: UUID, *, status: int) -> Response:
    """The job as a command's transaction leaves it, with its Location when it is under way."""
    job = await queries.get_job(connection, call.dataset_id, job_id)
    headers = {"Location": call.address(DATASETS, call.dataset_id, "jobs", job_id)} if status in (201, 202) else {}
    return json_response(shown_job(call, job), status=status, headers=headers)


async def send_job(call: DatasetCall, job_id: UUID, run_type: RunType, *, of_snapshot: bool = False) -> None:
    """Put a message for a job on its queue; `maintenance` does it again if this fails.

    `of_snapshot`: what exports reads a snapshot for it first, and hands it on.
    """
    services = call.services(DatasetsServices)
    queue = services.import_queue if run_type.reads_a_file and not of_snapshot else services.export_queue
    try:
        await queue.send(json.dumps({"job_id": str(job_id)}))
    except Exception:  # noqa: BLE001 - the job is durable; it is queued again within minutes
        logger.warning("job not queued yet, maintenance will do it", exc_info=True, job_id=str(job_id))
