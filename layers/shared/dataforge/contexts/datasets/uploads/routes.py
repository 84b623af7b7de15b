"""REST of uploads: presigned parts on demand, resumable, completed into an import job."""

import asyncio
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import (
    DATASETS,
    DatasetCall,
    on_dataset,
    router,
)
from dataforge.contexts.datasets.jobs.calls import show_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.jobs.wire import JobOut
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.contexts.datasets.uploads import commands, queries, wire
from dataforge.http.call import json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.kernel.texts import Text
from dataforge.kernel.uploads import URL_SECONDS, PartRefused, UploadClosed, UploadState
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.uploads.files import S3Part, base64_sha256
from dataforge.platform.uploads.multipart import make_object, plan_of, require_parts


def _shown(row: dict[str, Any], parts: list[S3Part] | None = None) -> dict[str, Any]:
    arrived = None
    if parts is not None:
        arrived = [{"number": part.number, "size_bytes": part.size, "sha256": part.sha256} for part in parts]
    values = {**row, "part_count": plan_of(row).count, "parts": arrived}
    return wire.UploadOut.model_validate(values).model_dump(mode="json")


async def _with_parts(call: DatasetCall, upload_id: UUID) -> dict[str, Any]:
    row = await call.query(queries.get_upload, call.dataset_id, upload_id)
    parts: list[S3Part] | None = None
    if row["state"] == UploadState.OPEN:
        files = call.services(DatasetsServices).files
        found = await asyncio.to_thread(files.parts, row["s3_key"], row["s3_upload_id"])
        parts = list(found or [])
    return _shown(row, parts)


@router.post("/api/datasets/{dataset_id}/refs/{ref}/uploads", status_code=201, response_model=wire.UploadOut)
async def open_upload(
    ref: str, body: wire.UploadIn, call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.UPLOAD)]
) -> Response:
    """Open an upload for a branch. Ask for part URLs as you need them, PUT the parts, then complete it."""
    command = commands.OpenUpload(
        call.dataset_id,
        ref,
        body.file_name,
        body.size_bytes,
        body.options.model_dump(mode="json"),
        body.content_type,
        body.part_size,
        body.base_commit_id or "*",
    )
    services = call.services(DatasetsServices)
    handler = partial(commands.open_upload, storage=services.files, limits=services.upload_limits)

    async def show(connection: AsyncConnection, upload_id: UUID) -> Response:
        made = await queries.get_upload(connection, call.dataset_id, upload_id)
        headers = {"Location": call.address(DATASETS, call.dataset_id, "uploads", upload_id)}
        return json_response(_shown(made, []), status=201, headers=headers)

    return await call.execute_and_read(Work, handler, command, show)


@router.get("/api/datasets/{dataset_id}/uploads", response_model=wire.UploadPage)
async def list_uploads(
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.UPLOAD)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Uploads, newest first."""
    page = await call.query(queries.list_uploads, call.dataset_id, after=call.after(cursor), limit=limit)
    return call.page_response(Page([_shown(row) for row in page.rows], page.next_key), limit=limit)


@router.get("/api/datasets/{dataset_id}/uploads/{upload_id}", response_model=wire.UploadOut)
async def get_upload(upload_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.UPLOAD)]) -> Response:
    """An upload and the parts that have arrived; send the others to resume it."""
    return json_response(await _with_parts(call, upload_id))


@router.post(
    "/api/datasets/{dataset_id}/uploads/{upload_id}/parts",
    response_model=wire.PartUrls,
    openapi_extra={UNKEYED: True},
)
async def part_urls(
    upload_id: UUID, body: wire.PartsIn, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.UPLOAD)]
) -> Response:
    """Presigned URLs for up to 100 parts; each takes exactly the bytes whose SHA-256 was given."""
    row = await call.query(queries.get_upload, call.dataset_id, upload_id)
    if row["state"] != UploadState.OPEN:
        message = Text("The upload is {state}; it takes no more parts.", state=row["state"])
        raise UploadClosed(message)
    plan, files, made = plan_of(row), call.services(DatasetsServices).files, []
    for part in body.parts:
        checksum, length = base64_sha256(part.sha256), plan.length(part.number)
        if checksum is None:
            message = Text(
                "The SHA-256 of part {number} must be 64 hex digits or base64 of 32 bytes.", number=part.number
            )
            raise PartRefused(message)
        url, headers = files.part_url(row["s3_key"], row["s3_upload_id"], part.number, checksum, length)
        made.append({"number": part.number, "size_bytes": length, "url": url, "headers": headers})
    return json_response({"parts": made, "expires_in": URL_SECONDS})


@router.post("/api/datasets/{dataset_id}/uploads/{upload_id}/complete", status_code=202, response_model=JobOut)
async def complete_upload(
    upload_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.UPLOAD)]
) -> Response:
    """All parts are there: make the file and import it. Repeating this gives the same job."""
    return await _complete(call, commands.CompleteUpload(call.dataset_id, upload_id))


@router.post("/api/datasets/{dataset_id}/uploads/{upload_id}/plan", status_code=202, response_model=JobOut)
async def plan_upload(
    upload_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.UPLOAD)]
) -> Response:
    """All parts are there: make the file and try its import; the summary of the job is the plan, to be applied."""
    return await _complete(call, commands.CompleteUpload(call.dataset_id, upload_id, RunType.IMPORT_PLAN))


async def _complete(call: DatasetCall, command: commands.CompleteUpload) -> Response:
    files = call.services(DatasetsServices).files
    row = await call.query(queries.get_upload, call.dataset_id, command.upload_id)
    if row["state"] == UploadState.OPEN:
        # Refused here, nothing has been written; refused later, the job would wait for a file that never comes.
        await asyncio.to_thread(require_parts, row, files)
    job_id, begun = await run(call.unit_of_work(Work), commands.begin_completion, command)
    if begun["state"] != UploadState.COMPLETED:
        await asyncio.to_thread(make_object, begun, files)

    async def show(connection: AsyncConnection, _ended: None) -> Response:
        return await show_job(call, connection, job_id, status=202)

    return await call.execute_and_read(Work, commands.end_completion, command, show)


@router.delete("/api/datasets/{dataset_id}/uploads/{upload_id}", status_code=204)
async def abort_upload(
    upload_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.DELETE, Kind.UPLOAD)]
) -> Response:
    """Forget an upload that is not completed."""
    handler = partial(commands.abort_upload, storage=call.services(DatasetsServices).files)
    command = commands.AbortUpload(call.dataset_id, upload_id)
    return await call.execute(Work, handler, command, lambda _: json_response(None, status=204))
