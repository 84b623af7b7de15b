"""REST of jobs: status, cancel, retry."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.operations.jobs import commands, queries, wire
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.languages import failure_in_words_of
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.platform.jobs.shared import SharedJobsUnitOfWork as Work
from dataforge.platform.uploads.files import S3Files

router = context_router("jobs")

AskedKind = Annotated[str | None, Query(max_length=60, description="jobs of this kind")]


def _shown(call: Call, job: dict[str, Any]) -> dict[str, Any]:
    """A job for the wire; the key of a file that it has made becomes a link."""
    shown = wire.SharedJobOut.model_validate(job).model_dump(mode="json")
    shown["error"] = failure_in_words_of(call.request.scope, shown["error"])
    summary = job["output_summary"] or {}
    if "s3_key" in summary and job["status"] == JobStatus.COMPLETED:
        files = S3Files(call.platform.settings.data_bucket)
        shown["download_url"] = files.download_url(summary["s3_key"], summary["file_name"])
        shown["output_summary"] = {key: value for key, value in summary.items() if key != "s3_key"}
    return shown


async def _answer(call: Call, connection: AsyncConnection, job_id: UUID, status: int = 200) -> Response:
    job = await queries.get_job(connection, call.principal, job_id)
    headers = {"Location": call.address("/api/jobs", job_id)} if status == 202 else {}
    return json_response(_shown(call, job), status=status, headers=headers)


@router.get("/api/jobs", response_model=wire.SharedJobPage)
async def list_jobs(
    call: Annotated[Call, require(Action.READ, Kind.JOB)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    kind: AskedKind = None,
    status: JobStatus | None = None,
) -> Response:
    """The caller's jobs, newest first; administrators see all. Jobs of datasets are with the datasets."""
    after, wanted = call.after(cursor), status.value if status else None
    page = await call.query(queries.list_jobs, call.principal, after=after, limit=limit, kind=kind, status=wanted)
    return call.page_response(Page([_shown(call, job) for job in page.rows], page.next_key), limit=limit)


@router.get("/api/jobs/{job_id}", response_model=wire.SharedJobOut)
async def get_job(job_id: UUID, call: Annotated[Call, require(Action.READ, Kind.JOB)]) -> Response:
    """A job: status, progress, report or error."""
    return json_response(_shown(call, await call.query(queries.get_job, call.principal, job_id)))


@router.post("/api/jobs/{job_id}/cancel", response_model=wire.SharedJobOut)
async def cancel_job(job_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.JOB)]) -> Response:
    """Stop a job; a running one stops at its next step."""

    async def show(connection: AsyncConnection, job_id: UUID) -> Response:
        return await _answer(call, connection, job_id)

    return await call.execute_and_read(Work, commands.cancel_job, commands.CancelJob(job_id), show)


@router.post("/api/jobs/{job_id}/retry", status_code=202, response_model=wire.SharedJobOut)
async def retry_job(job_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.JOB)]) -> Response:
    """Run a failed or cancelled job again; it goes on where it has stopped."""

    async def show(connection: AsyncConnection, job_id: UUID) -> Response:
        return await _answer(call, connection, job_id, 202)

    answer = await call.execute_and_read(Work, commands.retry_job, commands.RetryJob(job_id), show)
    await call.platform.send_job(job_id)
    return answer
