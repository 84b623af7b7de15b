"""REST of the audit log, for administrators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from starlette.responses import Response

from dataforge.contexts.operations.audit import queries, wire
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

router = context_router("operations")
ActorParam = Annotated[UUID | None, Query(description="who did it")]
WorkspaceParam = Annotated[UUID | None, Query(description="the workspace that it belongs to")]
ActionParam = Annotated[str | None, Query(max_length=100, description="what was done, for example `created`")]
EntityParam = Annotated[str | None, Query(max_length=60, description="kind of what was changed, for example `course`")]
EntityIdParam = Annotated[str | None, Query(max_length=200, description="id of what was changed")]
RequestParam = Annotated[str | None, Query(max_length=100, description="id of the request, as answers carry it")]
SinceParam = Annotated[datetime | None, Query(description="at this time or later")]
UntilParam = Annotated[datetime | None, Query(description="before this time")]


def asked_for(
    actor_id: ActorParam = None,
    workspace_id: WorkspaceParam = None,
    action: ActionParam = None,
    entity: EntityParam = None,
    entity_id: EntityIdParam = None,
    request_id: RequestParam = None,
    since: SinceParam = None,
    until: UntilParam = None,
) -> queries.AuditFilter:
    """What the query string asks for."""
    return queries.AuditFilter(
        actor_id=actor_id,
        workspace_id=workspace_id,
        action=action,
        entity=entity,
        entity_id=entity_id,
        request_id=request_id,
        since=since,
        until=until,
    )


@router.get("/api/audit", response_model=wire.AuditPage)
async def list_audit_entries(
    call: Annotated[Call, require(Action.READ, Kind.AUDIT)],
    asked: Annotated[queries.AuditFilter, Depends(asked_for)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Changes that fit all of what is given, newest first: who, what, before, after."""
    page = await call.query(queries.list_entries, asked, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)
