"""REST of files that are imported with one request."""

from functools import partial
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import DatasetCall, on_dataset, router
from dataforge.contexts.datasets.imports import wire
from dataforge.contexts.datasets.imports.calls import do_now, imported, sent_file
from dataforge.contexts.datasets.imports.parameters import FileName, file_options
from dataforge.contexts.datasets.jobs.calls import show_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.jobs.wire import JobOut
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.contexts.datasets.uploads.commands import FileJob, ReceiveFile, receive_file
from dataforge.http.call import KEYED
from dataforge.kernel.access import Action, Kind

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
    responses={
        200: {"model": wire.FileImported, "description": "nothing is different; the branch is where it was"},
        202: {"model": JobOut, "description": "the import goes on; see the job at Location"},
    },
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
    file = await sent_file(call, file_name)
    at = call.expected_revision() if "if-match" in call.request.headers else "*"
    command = ReceiveFile(call.dataset_id, ref, file, options.model_dump(mode="json"), RunType.IMPORT, at)
    services = call.services(DatasetsServices)
    handler = partial(receive_file, objects=services.chunks, limits=services.upload_limits)
    received: list[FileJob] = []

    async def accept(connection: AsyncConnection, job: FileJob) -> Response:
        received.append(job)
        return await show_job(call, connection, job.job_id, status=202)

    answer = await call.execute_and_read(Work, handler, command, accept)
    if not received:
        return answer  # the one that the first request with this key got
    return await call.answer_instead(lambda: do_now(call, received[0], imported))
