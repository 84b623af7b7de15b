"""REST of events on their way, for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.operations.outbox import commands, queries, wire
from dataforge.contexts.operations.outbox.domain import EventState
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.platform.db.unit_of_work import SqlUnitOfWork

router = context_router("operations")
NameParam = Annotated[str | None, Query(max_length=100, description="events of this name")]


@router.get("/api/outbox", response_model=wire.EventPage)
async def list_events(
    call: Annotated[Call, require(Action.READ, Kind.EVENT)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    state: EventState | None = None,
    name: NameParam = None,
) -> Response:
    """Events on their way to their subscribers, newest first; those that all have heard are forgotten after a while."""
    page = await call.query(queries.list_events, state, name, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post("/api/outbox/{event_id}/retry", response_model=wire.EventOut)
async def retry_event(event_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.EVENT)]) -> Response:
    """Try an event again that was given up; every subscriber hears it again."""

    async def show(connection: AsyncConnection, event_id: UUID) -> Response:
        row = await queries.get_event(connection, event_id)
        return json_response(wire.EventOut.model_validate(row).model_dump(mode="json"))

    return await call.execute_and_read(SqlUnitOfWork, commands.retry_event, commands.RetryEvent(event_id), show)
