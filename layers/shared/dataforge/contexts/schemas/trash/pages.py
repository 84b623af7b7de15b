"""The page of what was dropped and is kept for a while."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.schemas.deployments.announcing import announce_emptying
from dataforge.contexts.schemas.page_calls import (
    ROWS,
    SCHEMA_PAGE,
    SCHEMAS_PAGES,
    SchemaPageCall,
    in_schema_page,
    router,
)
from dataforge.contexts.schemas.trash import commands, queries
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

TRASH = SCHEMA_PAGE + "/trash"


@router.get(TRASH)
async def trash_page(
    call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA_TRASH)], cursor: Cursor = None
) -> Response:
    """What is in the trash, newest first."""
    return await _trash(call, cursor)


@router.post(TRASH + "/{item_id}/delete")
async def empty_from_page(
    item_id: UUID, call: Annotated[SchemaPageCall, in_schema_page(Action.DELETE, Kind.SCHEMA_TRASH)]
) -> Response:
    """Delete one thing for good, soon."""
    try:
        item = await call.query(queries.find_item, call.workspace.id, item_id)
        await call.carry_out(commands.empty_trash_item, commands.EmptyTrashItem(call.workspace.id, item_id))
    except DataForgeError as error:
        return await _trash(call, None, refusal_of(error))
    await announce_emptying(call.schemas, call.workspace.id)
    return call.go_on(
        "success", Text("{given} is deleted soon.", given=item["object"]), SCHEMAS_PAGES, call.workspace.id, "trash"
    )


async def _trash(call: SchemaPageCall, cursor: str | None, refusal: Refusal = ACCEPTED) -> Response:
    found = await call.query(queries.list_items, call.workspace.id, after=call.after(cursor), limit=ROWS)
    return call.page(
        "schemas/trash.html",
        refusal=refusal,
        items=found.rows,
        first=cursor is None,
        following=call.following(found.next_key),
    )
