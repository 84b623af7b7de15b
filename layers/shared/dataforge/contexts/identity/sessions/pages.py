"""Where one is signed in, and the way to end that."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.identity.sessions import commands, queries
from dataforge.contexts.identity.sessions.domain import SessionUnknown
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("identity")
PAGE = "/ui/account/sessions"


@router.get(PAGE)
async def sessions_page(call: Annotated[PageCall, require_page(Action.READ, Kind.SESSION)]) -> Response:
    """The sign-ins that go on."""
    now = call.platform.clock.now()
    sessions = await call.query(queries.list_sessions, call.user_id, call.principal.session, now)
    return call.page("identity/sessions.html", sessions=sessions)


@router.post(f"{PAGE}/end-others")
async def end_others(call: Annotated[PageCall, require_page(Action.DELETE, Kind.SESSION)]) -> Response:
    """End every sign-in but this one."""
    await run(call.unit_of_work(IdentityUnitOfWork), commands.end_other_sessions, call.user_id)
    return call.go_on("success", Text("You are signed in here only."), PAGE)


@router.post(f"{PAGE}/{{session_id}}/end")
async def end_session(
    session_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.SESSION)]
) -> Response:
    """End one sign-in; one that has ended meanwhile is what was wanted."""
    try:
        await run(call.unit_of_work(IdentityUnitOfWork), commands.end_session, session_id)
    except SessionUnknown:
        return call.go_on("info", Text("That sign-in had ended."), PAGE)
    return call.go_on("success", Text("The sign-in is ended."), PAGE)
