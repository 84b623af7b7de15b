"""Branches, tags, commits and history."""

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.commands import refs as commands
from dataforge.contexts.datasets.domain.refs import RefKind
from dataforge.contexts.datasets.queries import history as queries
from dataforge.contexts.datasets.repository import SqlDatasetsUnitOfWork
from dataforge.contexts.datasets.routes.calls import AdminCall, DatasetCall, ReadCall, WriteCall, execute, router
from dataforge.contexts.datasets.schemas import inputs, outputs
from dataforge.http.call import json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.paging import DEFAULT_LIMIT


def ref_response(ref: dict[str, Any], *, status: int = 200) -> Response:
    """A branch or tag with its ETag, which is its commit id."""
    body = outputs.RefOut.model_validate(ref).model_dump(mode="json")
    return json_response(body, status=status, headers={"ETag": etag(ref["commit_id"])})


async def _shown(call: DatasetCall, name: str) -> Response:
    return ref_response(await call.query(queries.get_ref, call.dataset_id, name))


@router.get("/api/datasets/{dataset_id}/refs", response_model=outputs.RefPage)
async def list_refs(
    call: ReadCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, kind: RefKind | None = None
) -> Response:
    """Branches and tags by name."""
    page = await call.query(
        queries.list_refs, call.dataset_id, kind=kind.value if kind else None, after=call.after(cursor), limit=limit
    )
    return call.page_response(page, limit=limit)


@router.post("/api/datasets/{dataset_id}/refs", status_code=201, response_model=outputs.RefOut)
async def create_ref(body: inputs.RefIn, call: WriteCall) -> Response:
    """Create a branch or tag at any version."""
    command = commands.CreateRef(call.dataset_id, body.name, body.kind, body.at or call.access.default_branch)

    async def show(connection: AsyncConnection, name: str) -> Response:
        return ref_response(await queries.get_ref(connection, call.dataset_id, name), status=201)

    return await execute(call, commands.create_ref, command, show)


@router.get("/api/datasets/{dataset_id}/refs/{ref}", response_model=outputs.RefOut)
async def get_ref(ref: str, call: ReadCall) -> Response:
    """One branch or tag."""
    return await _shown(call, ref)


@router.patch("/api/datasets/{dataset_id}/refs/{ref}", response_model=outputs.RefOut)
async def move_ref(ref: str, body: inputs.RefMoveIn, call: WriteCall) -> Response:
    """Move a branch or tag by compare-and-set; If-Match carries the commit it is expected at, 409 names both."""
    command = commands.MoveRef(call.dataset_id, ref, call.expected_revision(), body.commit_id, body.force)
    await call.run(SqlDatasetsUnitOfWork, commands.move_ref, command)
    return await _shown(call, ref)


@router.put("/api/datasets/{dataset_id}/refs/{ref}/protection", response_model=outputs.RefOut)
async def protect_ref(ref: str, body: inputs.ProtectionIn, call: AdminCall) -> Response:
    """Protect a branch or tag: no deletion, no direct write, merges after approvals and checks only."""
    command = commands.ProtectRef(call.dataset_id, ref, body.protected, body.required_approvals)
    await call.run(SqlDatasetsUnitOfWork, commands.protect_ref, command)
    return await _shown(call, ref)


@router.delete("/api/datasets/{dataset_id}/refs/{ref}", status_code=204)
async def delete_ref(ref: str, call: WriteCall) -> Response:
    """Delete a branch or tag that is where If-Match says."""
    command = commands.DeleteRef(call.dataset_id, ref, call.expected_revision())
    await call.run(SqlDatasetsUnitOfWork, commands.delete_ref, command)
    return json_response(None, status=204)


@router.get("/api/datasets/{dataset_id}/refs/{ref}/history", response_model=outputs.HistoryPage)
async def history_of_ref(
    ref: str,
    call: ReadCall,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = DEFAULT_LIMIT,
) -> Response:
    """The commits of a branch, tag or commit, newest first, with the edges of their graph."""
    start, _ = await call.query(queries.find_version, call.dataset_id, ref)
    after = call.after(cursor)
    # A cursor continues the walk it began with, also when the branch has moved since.
    first = start if after is None else after[2]
    page = await call.query(queries.history, call.dataset_id, first, after=after, limit=limit)
    return call.page_response(page, items="commits", limit=limit)


@router.get("/api/datasets/{dataset_id}/commits/{commit_id}", response_model=outputs.CommitOut)
async def get_commit(commit_id: str, call: ReadCall) -> Response:
    """One commit with its tables."""
    commit = await call.query(queries.get_commit, call.dataset_id, commit_id)
    body = outputs.CommitOut.model_validate(commit).model_dump(mode="json")
    return json_response(body, headers={"ETag": etag(commit_id)})
