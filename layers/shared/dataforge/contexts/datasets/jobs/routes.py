"""REST of jobs: status, cancel, retry, removal."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Body
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import (
    DatasetCall,
    checked,
    on_dataset,
    router,
)
from dataforge.contexts.datasets.datasets.domain import (
    DatasetNotFound,
)
from dataforge.contexts.datasets.jobs import commands, queries, wire
from dataforge.contexts.datasets.jobs.calls import send_job, show_job, shown_job
from dataforge.contexts.datasets.jobs.domain import Job, RunType
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.jobs import JobNotFound, JobStatus
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run


async def job_response(call: DatasetCall, job_id: UUID) -> Response:
    """The job as it is now."""
    return json_response(shown_job(call, await call.query(queries.get_job, call.dataset_id, job_id)))


@router.get("/api/datasets/jobs/{job_id}", response_model=wire.JobOut)
async def get_any_job(job_id: UUID, call: Annotated[Call, require(Action.READ, Kind.DATASET_JOB)]) -> Response:
    """A job of any dataset that the caller may read."""
    missing = JobNotFound(Text("There is no job {job_id}, or you may not read it.", job_id=job_id))
    dataset_id = await call.query(queries.dataset_of_job, job_id)
    if dataset_id is None:
        raise missing
    try:
        readable = await checked(call, dataset_id, Action.READ, Kind.DATASET_JOB)
    except DatasetNotFound as error:
        raise missing from error
    return await job_response(readable, job_id)


@router.get("/api/datasets/{dataset_id}/jobs", response_model=wire.JobPage)
async def list_jobs(
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.DATASET_JOB)],
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


@router.get("/api/datasets/{dataset_id}/jobs/{job_id}", response_model=wire.JobOut)
async def get_job(job_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.DATASET_JOB)]) -> Response:
    """A job: status, progress, report or error."""
    return await job_response(call, job_id)


@router.post("/api/datasets/{dataset_id}/jobs/{job_id}/cancel", response_model=wire.JobOut)
async def cancel_job(
    job_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.DATASET_JOB)]
) -> Response:
    """Stop a job; a running one stops at its next step and leaves nothing behind."""

    async def show(connection: AsyncConnection, job_id: UUID) -> Response:
        return await show_job(call, connection, job_id, status=200)

    return await call.execute_and_read(Work, commands.cancel_job, commands.CancelJob(call.dataset_id, job_id), show)


@router.post("/api/datasets/{dataset_id}/jobs/{job_id}/retry", status_code=202, response_model=wire.JobOut)
async def retry_job(
    job_id: UUID,
    call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.DATASET_JOB)],
    body: Annotated[wire.RetryIn | None, Body()] = None,
) -> Response:
    """Run a failed or cancelled job again."""
    command = commands.RetryJob(call.dataset_id, job_id, onto_current=body.onto_current if body else False)
    retried: list[Job] = []

    async def show(connection: AsyncConnection, job: Job) -> Response:
        retried.append(job)
        return await show_job(call, connection, job_id, status=202)

    answer = await call.execute_and_read(Work, commands.retry_job, command, show)
    for job in retried:
        await send_job(call, job_id, job.run_type, of_snapshot="source" in job.run_parameters)
    return answer


@router.delete("/api/datasets/{dataset_id}/jobs/{job_id}", status_code=204)
async def remove_job(
    job_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.DELETE, Kind.DATASET_JOB)]
) -> Response:
    """Remove the record of an ended job and the file it made."""
    command = commands.CancelJob(call.dataset_id, job_id)
    job = await run(call.unit_of_work(Work), commands.remove_job, command)
    key = (job.output_summary or {}).get("s3_key")
    if key is not None:
        await asyncio.to_thread(call.services(DatasetsServices).files.delete, key)
    return json_response(None, status=204)
