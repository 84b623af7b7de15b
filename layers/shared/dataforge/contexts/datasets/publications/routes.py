"""REST of publications."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import DATASETS, DatasetCall, on_dataset, router
from dataforge.contexts.datasets.jobs.calls import send_job, show_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.jobs.wire import JobOut
from dataforge.contexts.datasets.publications import commands, queries, snapshots, wire
from dataforge.contexts.datasets.publications.calls import (
    athena_of,
    require_publishing,
    shown_publication,
    shown_query,
    snapshot_options,
)
from dataforge.contexts.datasets.publications.domain import (
    NotPublishedYet,
    lake_prefix,
    namespace_of,
    output_prefix,
    query_over,
)
from dataforge.contexts.datasets.publications.snapshots import ImportSnapshot
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.call import json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.kernel.texts import Text


@router.post(
    "/api/datasets/{dataset_id}/refs/{version}/publications", status_code=202, response_model=wire.PublicationOut
)
@router.post(
    "/api/datasets/{dataset_id}/commits/{version}/publications", status_code=202, response_model=wire.PublicationOut
)
async def publish_version(
    version: str,
    body: Annotated[wire.PublicationIn, Body(default_factory=wire.PublicationIn)],
    call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.PUBLICATION)],
) -> Response:
    """Publish a version as an Apache Iceberg table for engines like Daft, Spark, Trino and Athena.

    A branch is followed: every commit becomes a snapshot that is called like it. Who may read the catalog and its
    bucket reads the rows, so that access is a matter of both from then on.
    """
    require_publishing(call)
    found = await call.versions.load(call.dataset_id, version)
    command = commands.PublishVersion(call.dataset_id, version, found.sheet_name(body.sheet))
    return await _queued(call, commands.publish_version, command)


@router.get("/api/datasets/{dataset_id}/publications", response_model=wire.PublicationPage)
async def list_publications(
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.PUBLICATION)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Publications of a dataset, newest first, and how far behind their branches they are."""
    page = await call.query(queries.list_publications, call.dataset_id, after=call.after(cursor), limit=limit)
    shown = [shown_publication(call, row) for row in page.rows]
    return call.page_response(Page(shown, page.next_key), limit=limit)


@router.get("/api/datasets/{dataset_id}/publications/{publication_id}", response_model=wire.PublicationOut)
async def get_publication(
    publication_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.PUBLICATION)]
) -> Response:
    """A publication: its table, its state and its last failure."""
    row = await call.query(queries.get_publication, call.dataset_id, publication_id)
    return json_response(shown_publication(call, row))


@router.delete(
    "/api/datasets/{dataset_id}/publications/{publication_id}", status_code=202, response_model=wire.PublicationOut
)
async def remove_publication(
    publication_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.DELETE, Kind.PUBLICATION)]
) -> Response:
    """Drop the table and delete its files, all snapshots included; the dataset stays as it is."""
    command = commands.RemovePublication(call.dataset_id, publication_id)
    return await _queued(call, commands.remove_publication, command)


@router.post(
    "/api/datasets/{dataset_id}/publications/{publication_id}/queries",
    status_code=202,
    response_model=wire.QueryOut,
    openapi_extra={UNKEYED: True},
)
async def query_publication(
    publication_id: UUID, body: wire.QueryIn, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)]
) -> Response:
    """Run a query over a published table in Amazon Athena, where it may take minutes and read terabytes.

    It reads tables of this dataset and nothing else, whatever it names. Installations elsewhere than on AWS answer 501.
    """
    row = await call.query(queries.get_publication, call.dataset_id, publication_id)
    athena = athena_of(call)
    if row["published_commit_id"] is None:
        raise NotPublishedYet(Text("The table has not been made yet; its job is {job_id}.", job_id=row["job_id"]))
    statement = query_over(body.sql, row["sheet"], row["table_name"], body.snapshot)
    namespace = namespace_of(call.platform.settings.iceberg_namespaces, call.dataset_id)
    query_id = await athena.start(
        statement, namespace, files=lake_prefix(call.dataset_id), output=output_prefix(call.dataset_id)
    )
    shown = await shown_query(call, athena, publication_id, UUID(query_id))
    headers = {"Location": call.address(DATASETS, call.dataset_id, "publications", publication_id, "queries", query_id)}
    return json_response(shown, status=202, headers=headers)


@router.get("/api/datasets/{dataset_id}/publications/{publication_id}/queries/{query_id}", response_model=wire.QueryOut)
async def get_query(
    publication_id: UUID, query_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)]
) -> Response:
    """A query over a published table: how far it is, and its rows when it has succeeded."""
    await call.query(queries.get_publication, call.dataset_id, publication_id)
    return json_response(await shown_query(call, athena_of(call), publication_id, query_id))


@router.post("/api/datasets/{dataset_id}/refs/{ref}/imports", status_code=202, response_model=JobOut)
async def import_snapshot(
    ref: str, body: wire.SnapshotImportIn, call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.UPLOAD)]
) -> Response:
    """Make a snapshot of a table that an engine has written a commit of a branch, checked like any other import.

    The commit's message names the table and the snapshot. Only tables of the dataset's own namespace are read, and only
    files below its own prefix.
    """
    require_publishing(call)
    source = body.source.iceberg
    table = source.table
    if source.publication_id is not None:
        row = await call.query(queries.get_publication, call.dataset_id, source.publication_id)
        table = row["table_name"]
    command = ImportSnapshot(
        call.dataset_id,
        ref,
        str(table),
        source.snapshot,
        await snapshot_options(call, ref, body),
        RunType.IMPORT_PLAN if body.dry_run else RunType.IMPORT,
        body.base_commit_id or "*",
    )
    queued: list[UUID] = []

    async def show(connection: AsyncConnection, job_id: UUID) -> Response:
        queued.append(job_id)
        return await show_job(call, connection, job_id, status=202)

    answer = await call.execute_and_read(Work, snapshots.import_snapshot, command, show)
    for job_id in queued:
        await send_job(call, job_id, command.run_type, of_snapshot=True)
    return answer


async def _queued(call: DatasetCall, handler: Any, command: object) -> Response:  # noqa: ANN401 - one of the above
    jobs: list[UUID] = []

    async def show(connection: AsyncConnection, queued: commands.QueuedPublication) -> Response:
        if queued.job_id is not None:
            jobs.append(queued.job_id)
        row = await queries.get_publication(connection, call.dataset_id, queued.publication_id)
        headers = {"Location": call.address(DATASETS, call.dataset_id, "publications", queued.publication_id)}
        return json_response(shown_publication(call, row), status=202, headers=headers)

    answer = await call.execute_and_read(Work, handler, command, show)
    for job_id in jobs:
        await send_job(call, job_id, RunType.PUBLICATION)
    return answer
