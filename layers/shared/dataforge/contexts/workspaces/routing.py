"""The router that the nouns add their routes to, since one address has one owner (ADR 1), and what answers share."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel
from starlette.responses import Response

from dataforge.contexts.workspaces.workspaces.domain import missing_workspace
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response, replay_if_known
from dataforge.http.etag import etag
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.paging import Page

router = context_router("workspaces")


def in_workspace(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route says of who may call it: `Annotated[Call, in_workspace(Action.CREATE, Kind.REPO)]`.

    The person's role is looked at where the workspace is entered; an answer is repeated only to somebody who still is
    a member.
    """

    async def member_call(workspace_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        if "idempotency-key" in call.request.headers:
            if not await call.can(Action.READ, Resource(Kind.WORKSPACE, workspace=workspace_id)):
                raise missing_workspace(workspace_id)
            await replay_if_known(call.request, call.principal)
        return call

    return Depends(member_call)


def page_of(call: Call, page: Page[dict[str, Any]], model: type[BaseModel], *, limit: int) -> Response:
    """A list answer with these columns only."""
    rows = [model.model_validate(row) for row in page.rows]
    return call.page_response(Page(rows, page.next_key), limit=limit)


def one_of(call: Call, row: Mapping[str, Any], model: type[BaseModel], *made_at: object) -> Response:
    """The answer with one versioned thing: 201 for one that was made at a path, given as for `Call.address`."""
    headers = {"ETag": etag(row["revision"])}
    if made_at:
        path, *segments = made_at
        headers |= {"Location": call.address(str(path), *segments)}
    return json_response(model.model_validate(row), status=201 if made_at else 200, headers=headers)
