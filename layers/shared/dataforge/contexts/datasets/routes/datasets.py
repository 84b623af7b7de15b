"""Datasets, tags and permissions."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.commands import datasets as commands
from dataforge.contexts.datasets.domain.access import Grant, SubjectKind
from dataforge.contexts.datasets.queries import datasets as queries
from dataforge.contexts.datasets.repository import SqlDatasetsUnitOfWork
from dataforge.contexts.datasets.routes.calls import (
    DATASETS,
    AdminCall,
    ReadCall,
    RestoreCall,
    execute,
    memberships_of,
    router,
)
from dataforge.contexts.datasets.schemas import inputs, outputs
from dataforge.http.auth import AnyoneCall, require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.kernel.principal import Role

CreatorCall = Annotated[Call, Depends(require(Role.ANALYST, Role.INSTRUCTOR, Role.REGISTRAR))]


def _dataset_response(call: Call, dataset: dict[str, Any], *, status: int = 200) -> Response:
    body = outputs.DatasetOut.model_validate(dataset).model_dump(mode="json")
    headers = {"ETag": etag(dataset["revision"])}
    if status == 201:
        headers["Location"] = call.address(DATASETS, dataset["id"])
    return json_response(body, status=status, headers=headers)


async def _shown(call: Call, dataset_id: UUID) -> dict[str, Any]:
    return await call.query(queries.get_dataset, dataset_id, call.principal, await memberships_of(call))


@router.post("/api/datasets", status_code=201, response_model=outputs.DatasetOut)
async def create_dataset(body: inputs.DatasetIn, call: CreatorCall) -> Response:
    """Create a dataset with an empty commit on `main`; the caller administers it."""
    memberships = await memberships_of(call)
    command = commands.CreateDataset(body.name, body.description, tuple(body.tags), body.workspace_id, memberships)

    async def show(connection: AsyncConnection, dataset_id: UUID) -> Response:
        made = await queries.get_dataset(connection, dataset_id, call.principal, memberships)
        return _dataset_response(call, made, status=201)

    return await execute(call, commands.create_dataset, command, show)


@router.get("/api/datasets", response_model=outputs.DatasetPage)
async def list_datasets(
    call: AnyoneCall,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    search: Annotated[str | None, Query(max_length=100, description="in name and description")] = None,
    tag: Annotated[list[str] | None, Query(description="datasets that have all of these tags")] = None,
    *,
    deleted: Annotated[bool, Query(description="deleted datasets that you administer")] = False,
) -> Response:
    """Datasets that the caller may read, by name."""
    page = await call.query(
        queries.list_datasets,
        call.principal,
        await memberships_of(call),
        after=call.after(cursor),
        limit=limit,
        search=search,
        tags=tag or [],
        deleted=deleted,
    )
    return call.page_response(page, limit=limit)


@router.get("/api/datasets/tags", response_model=outputs.TagList)
async def list_tags(call: AnyoneCall) -> Response:
    """Tags of readable datasets, most used first."""
    return json_response({"items": await call.query(queries.list_tags, call.principal, await memberships_of(call))})


@router.get("/api/datasets/{dataset_id}", response_model=outputs.DatasetOut)
async def get_dataset(call: ReadCall) -> Response:
    """One dataset."""
    return _dataset_response(call, await _shown(call, call.dataset_id))


@router.patch("/api/datasets/{dataset_id}", response_model=outputs.DatasetOut)
async def change_dataset(body: inputs.DatasetChangeIn, call: AdminCall) -> Response:
    """Change name, description, tags or default branch; needs If-Match."""
    changes = {key: value for key, value in body.model_dump(exclude_unset=True).items() if value is not None}
    command = commands.ChangeDataset(call.dataset_id, call.expected_revision(), changes)
    await call.run(SqlDatasetsUnitOfWork, commands.change_dataset, command)
    return _dataset_response(call, await _shown(call, call.dataset_id))


@router.delete("/api/datasets/{dataset_id}", status_code=204)
async def delete_dataset(call: AdminCall) -> Response:
    """Put the dataset away; it can be restored for 30 days. Needs If-Match."""
    command = commands.DeleteDataset(call.dataset_id, call.expected_revision())
    await call.run(SqlDatasetsUnitOfWork, commands.delete_dataset, command)
    return json_response(None, status=204)


@router.post("/api/datasets/{dataset_id}/restore", response_model=outputs.DatasetOut)
async def restore_dataset(call: RestoreCall) -> Response:
    """Bring a deleted dataset back."""
    memberships = await memberships_of(call)

    async def show(connection: AsyncConnection, _restored: object) -> Response:
        dataset = await queries.get_dataset(connection, call.dataset_id, call.principal, memberships)
        return _dataset_response(call, dataset)

    return await execute(call, commands.restore_dataset, commands.RestoreDataset(call.dataset_id), show)


@router.get("/api/datasets/{dataset_id}/permissions", response_model=outputs.GrantList)
async def list_permissions(call: AdminCall) -> Response:
    """Who may do what."""
    return json_response({"items": await call.query(queries.list_grants, call.dataset_id)})


@router.put("/api/datasets/{dataset_id}/permissions/{kind}/{subject_id}", response_model=outputs.GrantList)
async def put_permission(kind: SubjectKind, subject_id: UUID, body: inputs.GrantIn, call: AdminCall) -> Response:
    """Grant a level to a `user` or `workspace`, instead of the one they had; audited."""
    command = commands.PutGrant(call.dataset_id, Grant(kind, subject_id, body.level))
    await call.run(SqlDatasetsUnitOfWork, commands.put_grant, command)
    return json_response({"items": await call.query(queries.list_grants, call.dataset_id)})


@router.delete("/api/datasets/{dataset_id}/permissions/{kind}/{subject_id}", status_code=204)
async def remove_permission(kind: SubjectKind, subject_id: UUID, call: AdminCall) -> Response:
    """Revoke access; audited. The last person who administers the dataset stays."""
    command = commands.RemoveGrant(call.dataset_id, kind, subject_id)
    await call.run(SqlDatasetsUnitOfWork, commands.remove_grant, command)
    return json_response(None, status=204)
