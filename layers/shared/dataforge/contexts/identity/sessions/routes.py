"""REST of one's own sessions."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.identity.sessions import commands, queries, wire
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("identity")


def _ended(_result: None) -> Response:
    return json_response(None, status=204)


@router.get("/api/sessions", response_model=wire.SessionList)
async def list_sessions(call: Annotated[Call, require(Action.READ, Kind.SESSION)]) -> Response:
    """One's own sign-ins that go on."""
    return json_response({"items": await own_sessions(call)})


async def own_sessions(call: Call) -> list[dict[str, object]]:
    """The sign-ins of the person who asks."""
    return await call.query(queries.list_sessions, call.user_id, call.principal.session, call.platform.clock.now())


@router.delete("/api/sessions", status_code=204)
async def end_other_sessions(call: Annotated[Call, require(Action.DELETE, Kind.SESSION)]) -> Response:
    """End every sign-in of one's own but the one that asks."""
    return await call.execute(IdentityUnitOfWork, commands.end_other_sessions, call.user_id, _ended)


@router.delete("/api/sessions/{session_id}", status_code=204)
async def end_session(session_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.SESSION)]) -> Response:
    """End one sign-in of one's own; its access tokens can no longer change anything or use a role."""
    return await call.execute(IdentityUnitOfWork, commands.end_session, session_id, _ended)
