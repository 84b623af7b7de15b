"""Exports: 202 and a job, then a presigned link."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.commands.jobs import QueueJob, queue_job
from dataforge.contexts.datasets.domain.jobs import RunType
from dataforge.contexts.datasets.routes.calls import ReadCall, execute, router
from dataforge.contexts.datasets.routes.jobs import send_job, show_job
from dataforge.contexts.datasets.schemas import inputs, outputs
from dataforge.contexts.datasets.services.exports import check_export, check_filter_runs
from dataforge.contexts.datasets.services.versions import Version
from versioned_tables.errors import FilterRefused


@router.post("/api/datasets/{dataset_id}/refs/{version}/exports", status_code=202, response_model=outputs.JobOut)
@router.post("/api/datasets/{dataset_id}/commits/{version}/exports", status_code=202, response_model=outputs.JobOut)
async def export(version: str, body: inputs.ExportIn, call: ReadCall) -> Response:
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
    answer = await execute(call, queue_job, command, show)
    for job_id in made:
        await send_job(call, job_id, RunType.EXPORT)
    return answer


def _check_names(version: Version, body: inputs.ExportIn) -> None:
    if body.format == "excel" and body.sheet is None:
        names = list(version.tables) or [version.sheet_name(None)]
    else:
        names = [version.sheet_name(body.sheet)]
    for name in names:
        schema = version.tables[name].manifest.schema
        unknown = [column for column in body.columns or () if schema.by_name(column) is None]
        if unknown:
            message = f"There is no column {unknown[0]!r} in sheet {name!r}; it has {', '.join(schema.names[:30])}."
            raise FilterRefused(message)
        if body.filter is not None:
            check_filter_runs(body.filter, schema)
