"""REST of files that are imported with one request, and of dry runs of imports."""

from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Path
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import DatasetCall, on_dataset, router
from dataforge.contexts.datasets.imports import wire
from dataforge.contexts.datasets.imports.applying import AppliedImport, ApplyImport, apply_import
from dataforge.contexts.datasets.imports.calls import Ended, do_now, imported, kept_file, planned, sent_file
from dataforge.contexts.datasets.imports.domain import plan_of
from dataforge.contexts.datasets.imports.parameters import FileName, file_options
from dataforge.contexts.datasets.imports.queries import find_plan
from dataforge.contexts.datasets.jobs.calls import send_job, show_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.jobs.queries import get_job
from dataforge.contexts.datasets.jobs.wire import JobOut
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.contexts.datasets.uploads.commands import FileJob, ReceiveFile, receive_file
from dataforge.http.call import KEYED, json_response
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.limits import MAX_BODY_BYTES

PlanHash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_IMPORTED: dict[int | str, dict[str, Any]] = {
    200: {"model": wire.FileImported, "description": "nothing is different; the branch is where it was"},
    202: {"model": JobOut, "description": "the import goes on; see the job at Location"},
}
_FILE = {
    KEYED: True,
    "requestBody": {
        "required": True,
        "description": "the file itself, of any format that imports take, at most 4 MiB",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
}


@router.put(
    "/api/datasets/{dataset_id}/refs/{ref}/file",
    status_code=201,
    response_model=wire.FileImported,
    responses=_IMPORTED,
    openapi_extra=_FILE,
)
async def import_file(
    ref: str,
    call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.UPLOAD)],
    options: Annotated[wire.ImportIn, Depends(file_options)],
    file_name: FileName = None,
) -> Response:
    """Import a small file in one call: it becomes a commit of the branch, and the answer has the report.

    If-Match, when sent, carries the commit that the branch must be at; another commit there: 409 names both.
    """
    command = await _received(call, ref, file_name, options, RunType.IMPORT)
    return await _at_once(call, command, imported)


@router.post(
    "/api/datasets/{dataset_id}/refs/{ref}/file/plan",
    status_code=201,
    response_model=wire.ImportPlan,
    responses={202: {"model": JobOut, "description": "the dry run goes on; the summary of its job is the plan"}},
    openapi_extra=_FILE,
)
async def plan_file(
    ref: str,
    call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.UPLOAD)],
    options: Annotated[wire.ImportIn, Depends(file_options)],
    file_name: FileName = None,
) -> Response:
    """Try the import of a small file: what it would do to the branch, and the hash that applies it within the hour."""
    command = await _received(call, ref, file_name, options, RunType.IMPORT_PLAN)
    return await _at_once(call, command, planned)


@router.get("/api/datasets/{dataset_id}/import-plans/{plan_hash}", response_model=wire.ImportPlan)
async def get_plan(plan_hash: PlanHash, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.UPLOAD)]) -> Response:
    """A plan of an import, kept for a day after it has expired."""
    return json_response(plan_of(await call.query(find_plan, call.dataset_id, plan_hash)))


@router.post(
    "/api/datasets/{dataset_id}/import-plans/{plan_hash}/apply",
    status_code=201,
    response_model=wire.FileImported,
    responses=_IMPORTED,
)
async def apply_plan(
    plan_hash: PlanHash, call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.UPLOAD)]
) -> Response:
    """Do what a plan says: at once for a small file, else by a job. Applying it again gives the same job."""
    command = ApplyImport(call.dataset_id, plan_hash)
    applied: list[AppliedImport] = []

    async def accept(connection: AsyncConnection, done: AppliedImport) -> Response:
        applied.append(done)
        job = await get_job(connection, call.dataset_id, done.job_id)
        if job["status"] == JobStatus.COMPLETED:
            return imported(call, job)
        return await show_job(call, connection, done.job_id, status=202)

    answer = await call.execute_and_read(Work, apply_import, command, accept)
    if not applied or not applied[0].begun:
        return answer
    if applied[0].size > MAX_BODY_BYTES:
        await send_job(call, applied[0].job_id, RunType.IMPORT)
        return answer

    async def import_now() -> Response:
        file = await kept_file(call, applied[0].upload_id)
        return await do_now(call, FileJob(applied[0].job_id, RunType.IMPORT, file), imported)

    return await call.answer_instead(import_now)


async def _received(
    call: DatasetCall, ref: str, file_name: str | None, options: wire.ImportIn, run_type: RunType
) -> ReceiveFile:
    file = await sent_file(call, file_name)
    at = call.expected_revision() if "if-match" in call.request.headers else "*"
    return ReceiveFile(call.dataset_id, ref, file, options.model_dump(mode="json"), run_type, at)


async def _at_once(call: DatasetCall, command: ReceiveFile, ended: Ended) -> Response:
    services = call.services(DatasetsServices)
    handler = partial(receive_file, objects=services.chunks, limits=services.upload_limits)
    received: list[FileJob] = []

    async def accept(connection: AsyncConnection, job: FileJob) -> Response:
        received.append(job)
        return await show_job(call, connection, job.job_id, status=202)

    answer = await call.execute_and_read(Work, handler, command, accept)
    if not received:
        return answer  # the one that the first request with this key got
    return await call.answer_instead(lambda: do_now(call, received[0], ended))
