"""Jobs: status, cancel, retry, removal."""

import asyncio
import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.commands import jobs as commands
from dataforge.contexts.datasets.domain.access import DatasetNotFound, Level
from dataforge.contexts.datasets.domain.jobs import Job, JobNotFound, JobStatus, RunType
from dataforge.contexts.datasets.queries import jobs as queries
from dataforge.contexts.datasets.repository import SqlDatasetsUnitOfWork
from dataforge.contexts.datasets.routes.calls import (
    DATASETS,
    Allow,
    DatasetCall,
    ReadCall,
    WriteCall,
    execute,
    router,
    services_of,
)
from dataforge.contexts.datasets.schemas import inputs, outputs
from dataforge.http.auth import AnyoneCall
from dataforge.http.call import json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.platform.observability import logger


def shown_job(call: DatasetCall, job: dict[str, Any]) -> dict[str, Any]:
    """A job for the wire; a completed export comes with a link that works for an hour."""
    shown = outputs.JobOut.model_validate(job).model_dump(mode="json")
    summary = job["output_summary"] or {}
    if job["run_type"] == RunType.EXPORT and job["status"] == JobStatus.COMPLETED and "s3_key" in summary:
        shown["download_url"] = services_of(call.request).files.download_url(summary["s3_key"], summary["file_name"])
        shown["output_summary"] = {key: value for key, value in summary.items() if key != "s3_key"}
    return shown


async def job_response(call: DatasetCall, job_id: UUID) -> Response:
    """The job as it is now."""
    return json_response(shown_job(call, await call.query(queries.get_job, call.dataset_id, job_id)))


async def show_job(call: DatasetCall, connection: AsyncConnection, job_id: UUID, *, status: int) -> Response:
    """The job as a command's transaction leaves it, with its Location when it is under way."""
    job = await queries.get_job(connection, call.dataset_id, job_id)
    headers = {"Location": call.address(DATASETS, call.dataset_id, "jobs", job_id)} if status in (201, 202) else {}
    return json_response(shown_job(call, job), status=status, headers=headers)


async def send_job(call: DatasetCall, job_id: UUID, run_type: RunType) -> None:
    """Put a message for a job on its queue; `maintenance` does it again if this fails."""
    services = services_of(call.request)
    queue = services.import_queue if run_type is RunType.IMPORT else services.export_queue
    try:
        await queue.send(json.dumps({"job_id": str(job_id)}))
    except Exception:  # noqa: BLE001 - the job is durable; it is queued again within minutes
        logger.warning("job not queued yet, maintenance will do it", exc_info=True, job_id=str(job_id))


@router.get("/api/datasets/jobs/{job_id}", response_model=outputs.JobOut)
async def get_any_job(job_id: UUID, call: AnyoneCall) -> Response:
    """A job of any dataset that the caller may read."""
    missing = JobNotFound(f"There is no job {job_id}, or you may not read it.")
    dataset_id = await call.query(queries.dataset_of_job, job_id)
    if dataset_id is None:
        raise missing
    try:
        checked = await Allow(Level.READ)(dataset_id, call)
    except DatasetNotFound as error:
        raise missing from error
    return await job_response(checked, job_id)


@router.get("/api/datasets/{dataset_id}/jobs", response_model=outputs.JobPage)
async def list_jobs(
    call: ReadCall,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    run_type: RunType | None = None,
    status: JobStatus | None = None,
) -> Response:
    """Jobs of a dataset, newest first."""
    page = await call.query(
        queries.list_jobs,
        call.dataset_id,
        after=call.after(cursor),
        limit=limit,
        run_type=run_type.value if run_type else None,
        status=status.value if status else None,
    )
    return call.page_response(Page([shown_job(call, job) for job in page.rows], page.next_key), limit=limit)


@router.get("/api/datasets/{dataset_id}/jobs/{job_id}", response_model=outputs.JobOut)
async def get_job(job_id: UUID, call: ReadCall) -> Response:
    """A job: status, progress, report or error."""
    return await job_response(call, job_id)


@router.post("/api/datasets/{dataset_id}/jobs/{job_id}/cancel", response_model=outputs.JobOut)
async def cancel_job(job_id: UUID, call: WriteCall) -> Response:
    """Stop a job; a running one stops at its next step and leaves nothing behind."""

    async def show(connection: AsyncConnection, job_id: UUID) -> Response:
        return await show_job(call, connection, job_id, status=200)

    return await execute(call, commands.cancel_job, commands.CancelJob(call.dataset_id, job_id), show)


@router.post("/api/datasets/{dataset_id}/jobs/{job_id}/retry", status_code=202, response_model=outputs.JobOut)
async def retry_job(job_id: UUID, call: WriteCall, body: Annotated[inputs.RetryIn | None, Body()] = None) -> Response:
    """Run a failed or cancelled job again."""
    command = commands.RetryJob(call.dataset_id, job_id, onto_current=body.onto_current if body else False)
    retried: list[RunType] = []

    async def show(connection: AsyncConnection, job: Job) -> Response:
        retried.append(job.run_type)
        return await show_job(call, connection, job_id, status=202)

    answer = await execute(call, commands.retry_job, command, show)
    for run_type in retried:
        await send_job(call, job_id, run_type)
    return answer


@router.delete("/api/datasets/{dataset_id}/jobs/{job_id}", status_code=204)
async def remove_job(job_id: UUID, call: WriteCall) -> Response:
    """Remove the record of an ended job and the file it made."""
    command = commands.CancelJob(call.dataset_id, job_id)
    job = await call.run(SqlDatasetsUnitOfWork, commands.remove_job, command)
    key = (job.output_summary or {}).get("s3_key")
    if key is not None:
        await asyncio.to_thread(services_of(call.request).files.delete, key)
    return json_response(None, status=204)
