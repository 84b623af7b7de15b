"""REST of exports: 202 and a job, then a presigned link."""

from typing import Annotated
from uuid import UUID

from fastapi import Body
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.commits.versions import Version
from dataforge.contexts.datasets.datasets.calls import DatasetCall, on_dataset, router
from dataforge.contexts.datasets.exports import wire
from dataforge.contexts.datasets.exports.commands import check_export, check_filter_runs
from dataforge.contexts.datasets.jobs.calls import send_job, show_job
from dataforge.contexts.datasets.jobs.commands import QueueJob, queue_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.jobs.wire import JobOut
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused


@router.post("/api/datasets/{dataset_id}/refs/{version}/exports", status_code=202, response_model=JobOut)
@router.post("/api/datasets/{dataset_id}/commits/{version}/exports", status_code=202, response_model=JobOut)
async def export(
    version: str,
    body: Annotated[wire.ExportIn, Body(default_factory=wire.ExportIn)],
    call: Annotated[DatasetCall, on_dataset(Action.EXPORT, Kind.TABLE)],
) -> Response:
    """Write a version, or its difference to `base`, to a file; the job links to it when it is ready."""
    parameters = body.model_dump(mode="json")
    check_export(parameters)
    found = await call.versions.load(call.dataset_id, version)
    _check_names(found, body)
    if body.base is not None:
        parameters["base"] = (await call.versions.load(call.dataset_id, body.base)).commit_id
    made: list[UUID] = []

    async def show(connection: AsyncConnection, job_id: UUID) -> Response:
        made.append(job_id)
        return await show_job(call, connection, job_id, status=202)

    command = QueueJob(call.dataset_id, RunType.EXPORT, found.commit_id, parameters)
    answer = await call.execute_and_read(Work, queue_job, command, show)
    for job_id in made:
        await send_job(call, job_id, RunType.EXPORT)
    return answer


def _check_names(version: Version, body: wire.ExportIn) -> None:
    if body.format == "excel" and body.sheet is None:
        names = list(version.tables) or [version.sheet_name(None)]
    else:
        names = [version.sheet_name(body.sheet)]
    for name in names:
        schema = version.tables[name].manifest.schema
        unknown = [column for column in body.columns or () if schema.by_name(column) is None]
        if unknown:
            message = Text(
                "There is no column {unknown!r} in sheet {name!r}; it has {names}.",
                unknown=unknown[0],
                name=name,
                names=", ".join(schema.names[:30]),
            )
            raise FilterRefused(message)
        if body.filter is not None:
            check_filter_runs(body.filter, schema)
