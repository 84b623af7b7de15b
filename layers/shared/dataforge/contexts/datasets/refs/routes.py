"""REST of branches and tags."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import DatasetCall, on_dataset, router
from dataforge.contexts.datasets.refs import commands, queries, wire
from dataforge.contexts.datasets.refs.domain import RefKind
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.call import json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT


def ref_response(ref: dict[str, Any], *, status: int = 200) -> Response:
    """A branch or tag with its ETag, which is its commit id."""
    body = wire.RefOut.model_validate(ref).model_dump(mode="json")
    return json_response(body, status=status, headers={"ETag": etag(ref["commit_id"])})


def _showing(call: DatasetCall, *, status: int = 200) -> Callable[[AsyncConnection, str], Awaitable[Response]]:
    # The branch or tag as a command's transaction leaves it.
    async def show(connection: AsyncConnection, name: str) -> Response:
        return ref_response(await queries.get_ref(connection, call.dataset_id, name), status=status)

    return show


@router.get("/api/datasets/{dataset_id}/refs", response_model=wire.RefPage)
async def list_refs(
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.REF)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    kind: RefKind | None = None,
) -> Response:
    """Branches and tags by name."""
    page = await call.query(
        queries.list_refs, call.dataset_id, kind=kind.value if kind else None, after=call.after(cursor), limit=limit
    )
    return call.page_response(page, limit=limit)


@router.post("/api/datasets/{dataset_id}/refs", status_code=201, response_model=wire.RefOut)
async def create_ref(body: wire.RefIn, call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.REF)]) -> Response:
    """Create a branch or tag at any version."""
    command = commands.CreateRef(call.dataset_id, body.name, body.kind, body.at or call.access.default_branch)
    return await call.execute_and_read(Work, commands.create_ref, command, _showing(call, status=201))


@router.get("/api/datasets/{dataset_id}/refs/{ref}", response_model=wire.RefOut)
async def get_ref(ref: str, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.REF)]) -> Response:
    """One branch or tag."""
    return ref_response(await call.query(queries.get_ref, call.dataset_id, ref))


@router.patch("/api/datasets/{dataset_id}/refs/{ref}", response_model=wire.RefOut)
async def move_ref(
    ref: str, body: wire.RefMoveIn, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.REF)]
) -> Response:
    """Move a branch or tag by compare-and-set; If-Match carries the commit it is expected at, 409 names both."""
    command = commands.MoveRef(call.dataset_id, ref, call.expected_revision(), body.commit_id, body.force)
    return await call.execute_and_read(Work, commands.move_ref, command, _showing(call))


@router.put("/api/datasets/{dataset_id}/refs/{ref}/protection", response_model=wire.RefOut)
async def protect_ref(
    ref: str, body: wire.ProtectionIn, call: Annotated[DatasetCall, on_dataset(Action.PROTECT, Kind.REF)]
) -> Response:
    """Protect a branch or tag: no deletion, no direct write, merges after approvals and checks only."""
    command = commands.ProtectRef(call.dataset_id, ref, body.protected, body.required_approvals)
    return await call.execute_and_read(Work, commands.protect_ref, command, _showing(call))


@router.delete("/api/datasets/{dataset_id}/refs/{ref}", status_code=204)
async def delete_ref(ref: str, call: Annotated[DatasetCall, on_dataset(Action.DELETE, Kind.REF)]) -> Response:
    """Delete a branch or tag that is where If-Match says."""
    command = commands.DeleteRef(call.dataset_id, ref, call.expected_revision())
    return await call.execute(Work, commands.delete_ref, command, lambda _: json_response(None, status=204))
