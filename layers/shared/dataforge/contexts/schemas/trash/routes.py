"""REST of the trash."""

from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.schemas.access import in_workspace
from dataforge.contexts.schemas.deployments.announcing import announce_emptying
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.trash import commands, queries, wire
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT, Page

router = context_router("schemas")


@router.get("/api/schema/trash", response_model=wire.TrashPage)
async def list_trash(
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA_TRASH)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Tables, partitions and columns that were dropped and are kept for a while, newest first."""
    page = await call.query(queries.list_items, workspace_id, after=call.after(cursor), limit=limit)
    return call.page_response(Page([wire.item_out(row) for row in page.rows], page.next_key), limit=limit)


@router.delete("/api/schema/trash/{item_id}", status_code=202, response_model=wire.TrashItemOut)
async def empty_trash_item(
    item_id: UUID, workspace_id: UUID, call: Annotated[Call, in_workspace(Action.DELETE, Kind.SCHEMA_TRASH)]
) -> Response:
    """Delete something in the trash for good, soon; for administrators of the workspace."""

    async def read(connection: AsyncConnection, item_id: UUID) -> Response:
        return json_response(wire.item_out(await queries.find_item(connection, workspace_id, item_id)), status=202)

    command = commands.EmptyTrashItem(workspace_id, item_id)
    response = await call.execute_and_read(SchemasUnitOfWork, commands.empty_trash_item, command, read)
    await announce_emptying(call.services(SchemasServices), workspace_id)
    return response
