"""REST of datasets, tags and permissions."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets import commands, queries, wire
from dataforge.contexts.datasets.datasets.calls import (
    DATASETS,
    DatasetCall,
    on_dataset,
    router,
)
from dataforge.contexts.datasets.datasets.domain import Grant, SubjectKind, dataset_missing
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.paging import DEFAULT_LIMIT


def _dataset_response(call: Call, dataset: dict[str, Any], *, status: int = 200) -> Response:
    body = wire.DatasetOut.model_validate(dataset).model_dump(mode="json")
    headers = {"ETag": etag(dataset["revision"])}
    if status == 201:
        headers["Location"] = call.address(DATASETS, dataset["id"])
    return json_response(body, status=status, headers=headers)


def _showing(call: Call, *, status: int = 200) -> Callable[[AsyncConnection, UUID], Awaitable[Response]]:
    # The dataset as a command's transaction leaves it.
    async def show(connection: AsyncConnection, dataset_id: UUID) -> Response:
        dataset = await queries.get_dataset(connection, dataset_id, call.principal)
        return _dataset_response(call, dataset, status=status)

    return show


async def _require_move(call: DatasetCall, target: UUID | None) -> None:
    source = call.access.workspace_id
    if target == source:
        return
    if source is not None:
        await call.require(Action.TRANSFER, Resource(Kind.DATASET, workspace=source), dataset_missing(call.dataset_id))
    if target is not None:
        await call.require(Action.CREATE, Resource(Kind.DATASET, workspace=target))


async def _show_grants(connection: AsyncConnection, dataset_id: UUID) -> Response:
    return json_response({"items": await queries.list_grants(connection, dataset_id)})


@router.post("/api/datasets", status_code=201, response_model=wire.DatasetOut)
async def create_dataset(
    body: wire.DatasetIn, call: Annotated[Call, require(Action.CREATE, Kind.DATASET, replays=False)]
) -> Response:
    """Create a dataset with an empty commit on `main`: one's own, or one of a workspace, for its editors."""
    await call.require(Action.CREATE, Resource(Kind.DATASET, workspace=body.workspace_id))
    command = commands.CreateDataset(body.name, body.description, tuple(body.tags), body.workspace_id)
    show = _showing(call, status=201)
    return await call.execute_and_read(Work, commands.create_dataset, command, show)


@router.get("/api/datasets", response_model=wire.DatasetPage)
async def list_datasets(
    call: Annotated[Call, require(Action.READ, Kind.DATASET)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    search: Annotated[str | None, Query(max_length=100, description="in name and description")] = None,
    tag: Annotated[list[str] | None, Query(description="datasets that have all of these tags")] = None,
    workspace_id: Annotated[UUID | None, Query(description="datasets of this workspace")] = None,
    *,
    deleted: Annotated[bool, Query(description="deleted datasets that you administer")] = False,
) -> Response:
    """Datasets that the caller may read, by name."""
    page = await call.query(
        queries.list_datasets,
        call.principal,
        after=call.after(cursor),
        limit=limit,
        search=search,
        tags=tag or [],
        deleted=deleted,
        workspace_id=workspace_id,
    )
    return call.page_response(page, limit=limit)


@router.get("/api/datasets/tags", response_model=wire.TagList)
async def list_tags(call: Annotated[Call, require(Action.READ, Kind.DATASET)]) -> Response:
    """Tags of readable datasets, most used first."""
    return json_response({"items": await call.query(queries.list_tags, call.principal)})


@router.get("/api/datasets/{dataset_id}", response_model=wire.DatasetOut)
async def get_dataset(call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.DATASET)]) -> Response:
    """One dataset."""
    dataset = await call.query(queries.get_dataset, call.dataset_id, call.principal)
    return _dataset_response(call, dataset)


@router.patch("/api/datasets/{dataset_id}", response_model=wire.DatasetOut)
async def change_dataset(
    body: wire.DatasetChangeIn, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.DATASET)]
) -> Response:
    """Change name, description, tags, default branch or workspace; needs If-Match.

    Out of a workspace its administrators take it, into another one its editors.
    """
    given = body.model_dump(exclude_unset=True)
    changes = {key: value for key, value in given.items() if value is not None or key == "workspace_id"}
    await _require_move(call, changes.get("workspace_id", call.access.workspace_id))
    command = commands.ChangeDataset(call.dataset_id, call.expected_revision(), changes)
    show = _showing(call)
    return await call.execute_and_read(Work, commands.change_dataset, command, show)


@router.delete("/api/datasets/{dataset_id}", status_code=204)
async def delete_dataset(call: Annotated[DatasetCall, on_dataset(Action.DELETE, Kind.DATASET)]) -> Response:
    """Put the dataset away; it can be restored for 30 days. Needs If-Match."""
    command = commands.DeleteDataset(call.dataset_id, call.expected_revision())
    return await call.execute(Work, commands.delete_dataset, command, lambda _: json_response(None, status=204))


@router.post("/api/datasets/{dataset_id}/restore", response_model=wire.DatasetOut)
async def restore_dataset(
    call: Annotated[DatasetCall, on_dataset(Action.DELETE, Kind.DATASET, deleted=True)],
) -> Response:
    """Bring a deleted dataset back."""
    show = _showing(call)
    return await call.execute_and_read(Work, commands.restore_dataset, commands.RestoreDataset(call.dataset_id), show)


@router.get("/api/datasets/{dataset_id}/permissions", response_model=wire.GrantList)
async def list_permissions(call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.GRANT)]) -> Response:
    """Who may do what."""
    return await call.query(_show_grants, call.dataset_id)


@router.put("/api/datasets/{dataset_id}/permissions/{kind}/{subject_id}", response_model=wire.GrantList)
async def put_permission(
    kind: SubjectKind,
    subject_id: UUID,
    body: wire.GrantIn,
    call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.GRANT)],
) -> Response:
    """Grant a level to a `user` or `workspace`, instead of the one they had; audited."""
    command = commands.PutGrant(call.dataset_id, Grant(kind, subject_id, body.level))
    return await call.execute_and_read(Work, commands.put_grant, command, _show_grants)


@router.delete("/api/datasets/{dataset_id}/permissions/{kind}/{subject_id}", status_code=204)
async def remove_permission(
    kind: SubjectKind, subject_id: UUID, call: Annotated[DatasetCall, on_dataset(Action.DELETE, Kind.GRANT)]
) -> Response:
    """Revoke access; audited. The last person who administers the dataset stays."""
    command = commands.RemoveGrant(call.dataset_id, kind, subject_id)
    return await call.execute(Work, commands.remove_grant, command, lambda _: json_response(None, status=204))
