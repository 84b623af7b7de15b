"""The audit log, for people."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.operations.audit import queries
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.web.calls import ChosenId, PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("operations")
_ROWS = 50


@router.get("/ui/operations/audit")
async def audit_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.AUDIT)],
    cursor: Cursor = None,
    entity: Annotated[str, Query(max_length=60)] = "",
    entity_id: Annotated[str, Query(max_length=200)] = "",
    action: Annotated[str, Query(max_length=100)] = "",
    actor_id: ChosenId = None,
) -> Response:
    """Changes, newest first, with what was there before and after."""
    asked = queries.AuditFilter(
        actor_id=actor_id,
        entity=entity.strip() or None,
        entity_id=entity_id.strip() or None,
        action=action.strip() or None,
    )
    page = await call.query(queries.list_entries, asked, after=call.after(cursor), limit=_ROWS)
    chosen: dict[str, str | UUID] = {
        "entity": entity,
        "entity_id": entity_id,
        "action": action,
        "actor_id": actor_id or "",
    }
    return call.page(
        "operations/audit.html",
        entries=page.rows,
        chosen=chosen,
        first=cursor is None,
        following=call.following(page.next_key),
    )
