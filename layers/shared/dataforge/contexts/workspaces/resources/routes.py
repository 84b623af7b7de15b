"""REST of global resources, of a person and as they are shared with a workspace."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.workspaces.profiles.domain import missing_profile
from dataforge.contexts.workspaces.resources import commands, queries, wire
from dataforge.contexts.workspaces.resources.domain import ResourceType
from dataforge.contexts.workspaces.routing import in_workspace, one_of, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

RESOURCES = "/api/user-profiles/{user_id}/resources"
RESOURCE = RESOURCES + "/{resource_id}"
SHARED = "/api/workspaces/{workspace_id}/resources"
ONE_SHARED = SHARED + "/{resource_id}"


def _require_own(user_id: UUID, call: Call) -> None:
    if user_id != call.user_id:
        raise missing_profile(user_id)


def _own_path(call: Call, resource_id: UUID) -> tuple[object, ...]:
    return "/api/user-profiles", call.user_id, "resources", resource_id


@router.get(RESOURCES, response_model=wire.ResourcePage)
async def list_resources(
    user_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.RESOURCE)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    resource_type: ResourceType | None = None,
) -> Response:
    """One's own resources, oldest first."""
    _require_own(user_id, call)
    page = await call.query(
        queries.list_resources, user_id, after=call.after(cursor), limit=limit, resource_type=resource_type
    )
    return page_of(call, page, wire.ResourceOut, limit=limit)


@router.post(RESOURCES, status_code=201, response_model=wire.ResourceOut)
async def create_resource(
    user_id: UUID, body: wire.ResourceIn, call: Annotated[Call, require(Action.CREATE, Kind.RESOURCE)]
) -> Response:
    """Make a resource of one's own, to be shared with workspaces."""

    async def read(connection: AsyncConnection, resource_id: UUID) -> Response:
        row = await queries.get_resource(connection, resource_id, call.user_id)
        return one_of(call, row, wire.ResourceOut, *_own_path(call, resource_id))

    command = commands.CreateResource(user_id, **body.model_dump())
    return await call.execute_and_read(Work, commands.create_resource, command, read)


@router.get(RESOURCE, response_model=wire.ResourceOut)
async def get_resource(
    user_id: UUID, resource_id: UUID, call: Annotated[Call, require(Action.READ, Kind.RESOURCE)]
) -> Response:
    """One of one's own resources."""
    _require_own(user_id, call)
    return one_of(call, await call.query(queries.get_resource, resource_id, user_id), wire.ResourceOut)


@router.patch(RESOURCE, response_model=wire.ResourceOut)
async def change_resource(
    user_id: UUID,
    resource_id: UUID,
    body: wire.ResourceChangeIn,
    call: Annotated[Call, require(Action.CHANGE, Kind.RESOURCE)],
) -> Response:
    """Change one of one's own resources, wherever it is shared; needs If-Match."""

    async def read(connection: AsyncConnection, resource_id: UUID) -> Response:
        return one_of(call, await queries.get_resource(connection, resource_id, call.user_id), wire.ResourceOut)

    changes = body.model_dump(exclude_unset=True)
    command = commands.ChangeResource(user_id, resource_id, call.expected_revision(), changes)
    return await call.execute_and_read(Work, commands.change_resource, command, read)


@router.delete(RESOURCE, status_code=204)
async def delete_resource(
    user_id: UUID, resource_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.RESOURCE)]
) -> Response:
    """Delete one of one's own resources, wherever it is shared."""
    command = commands.DeleteResource(user_id, resource_id)
    return await call.execute(Work, commands.delete_resource, command, lambda _: json_response(None, status=204))


@router.get(SHARED, response_model=wire.SharedResourcePage)
async def list_shared_resources(
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.SHARED_RESOURCE)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Resources that are shared with a workspace, oldest first."""
    page = await call.query(
        queries.list_shared_resources, workspace_id, call.user_id, after=call.after(cursor), limit=limit
    )
    return page_of(call, page, wire.SharedResourceOut, limit=limit)


@router.get(ONE_SHARED, response_model=wire.SharedResourceOut)
async def get_shared_resource(
    workspace_id: UUID, resource_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.SHARED_RESOURCE)]
) -> Response:
    """One resource that is shared with a workspace."""
    row = await call.query(queries.get_shared_resource, workspace_id, resource_id, call.user_id)
    return one_of(call, row, wire.SharedResourceOut)


@router.put(ONE_SHARED, response_model=wire.SharedResourceOut)
async def share_resource(
    workspace_id: UUID,
    resource_id: UUID,
    body: wire.ShareIn,
    call: Annotated[Call, in_workspace(Action.CREATE, Kind.SHARED_RESOURCE)],
) -> Response:
    """Share one of one's own resources with a workspace, or change for what; for editors."""
    command = commands.ShareResource(workspace_id, resource_id, body.access_level)
    return await call.execute_and_read(Work, commands.share_resource, command, _shared_reader(call, workspace_id))


@router.patch(ONE_SHARED, response_model=wire.SharedResourceOut)
async def change_shared_resource(
    workspace_id: UUID,
    resource_id: UUID,
    body: wire.SharedResourceChangeIn,
    call: Annotated[Call, in_workspace(Action.CHANGE, Kind.SHARED_RESOURCE)],
) -> Response:
    """Write new data of a resource that is shared to be written, for editors; needs If-Match."""
    command = commands.ChangeSharedResource(workspace_id, resource_id, call.expected_revision(), body.resource_data)
    return await call.execute_and_read(
        Work, commands.change_shared_resource, command, _shared_reader(call, workspace_id)
    )


@router.delete(ONE_SHARED, status_code=204)
async def unshare_resource(
    workspace_id: UUID, resource_id: UUID, call: Annotated[Call, in_workspace(Action.DELETE, Kind.SHARED_RESOURCE)]
) -> Response:
    """Share a resource no longer: for its person, and for administrators of the workspace."""
    command = commands.SharedResource(workspace_id, resource_id)
    return await call.execute(Work, commands.unshare_resource, command, lambda _: json_response(None, status=204))


@router.post(ONE_SHARED + "/copy", status_code=201, response_model=wire.ResourceOut)
async def copy_resource(
    workspace_id: UUID, resource_id: UUID, call: Annotated[Call, in_workspace(Action.COPY, Kind.SHARED_RESOURCE)]
) -> Response:
    """Take a copy of one's own of a resource that is shared to be copied."""

    async def read(connection: AsyncConnection, copy_id: UUID) -> Response:
        row = await queries.get_resource(connection, copy_id, call.user_id)
        return one_of(call, row, wire.ResourceOut, *_own_path(call, copy_id))

    command = commands.SharedResource(workspace_id, resource_id)
    return await call.execute_and_read(Work, commands.copy_resource, command, read)


def _shared_reader(call: Call, workspace_id: UUID) -> Callable[[AsyncConnection, UUID], Awaitable[Response]]:
    async def read(connection: AsyncConnection, resource_id: UUID) -> Response:
        row = await queries.get_shared_resource(connection, workspace_id, resource_id, call.user_id)
        return one_of(call, row, wire.SharedResourceOut)

    return read
