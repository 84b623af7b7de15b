"""Events on their way, for people."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.operations.outbox import commands, queries
from dataforge.contexts.operations.outbox.domain import EventState
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from dataforge.web.calls import Chosen, PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("operations")
PAGE = "/ui/operations/events"
_ROWS = 50


@router.get(PAGE)
async def events_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.EVENT)],
    cursor: Cursor = None,
    state: Annotated[EventState | None, Chosen] = None,
) -> Response:
    """Events, newest first, with what those that were given up failed with."""
    page = await call.query(queries.list_events, state, None, after=call.after(cursor), limit=_ROWS)
    return call.page(
        "operations/events.html",
        events=page.rows,
        state=state or "",
        states=[(item.value, item.value.capitalize()) for item in EventState],
        first=cursor is None,
        following=call.following(page.next_key),
    )


@router.post(f"{PAGE}/{{event_id}}/retry")
async def retry_page(event_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.EVENT)]) -> Response:
    """Try an event again that was given up."""
    async with call.unit_of_work(SqlUnitOfWork) as uow:
        await commands.retry_event(commands.RetryEvent(event_id), uow)
        await uow.commit()
    return call.go_on("success", Text("The event is tried again within a minute."), PAGE)
