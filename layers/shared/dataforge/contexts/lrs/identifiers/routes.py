"""REST of linked identifiers, for administrators."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.identifiers import commands, queries, wire
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, no_content
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

router = context_router("lrs")

IDENTIFIERS = "/api/agent-identifiers"


@router.get(IDENTIFIERS, response_model=wire.IdentifierPage)
async def list_identifiers(
    call: Annotated[Call, require(Action.READ, Kind.IDENTIFIER)],
    user_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Identifiers that are linked to people, newest first."""
    page = await call.query(queries.list_identifiers, user_id, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post(IDENTIFIERS, status_code=201, response_model=wire.IdentifierOut, responses=PROBLEMS)
async def link_identifier(
    body: wire.IdentifierIn, call: Annotated[Call, require(Action.CREATE, Kind.IDENTIFIER)]
) -> Response:
    """Link an identifier to a person; statements that came before follow within some minutes, completions too."""
    command = commands.LinkIdentifier(body.user_id, body.agent, call.services(LrsServices).home_pages)
    return await call.execute(
        LrsUnitOfWork, commands.link_identifier, command, lambda row: json_response(row, status=201)
    )


@router.delete(IDENTIFIERS + "/{identifier_id}", status_code=204, responses=PROBLEMS)
async def unlink_identifier(
    identifier_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.IDENTIFIER)]
) -> Response:
    """Unlink an identifier; its statements lose the person within some minutes."""
    command = commands.UnlinkIdentifier(identifier_id)
    return await call.execute(LrsUnitOfWork, commands.unlink_identifier, command, no_content)
