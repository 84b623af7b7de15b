"""REST of launches: one's own, and the credential that a player fetches (cmi5 §8.2)."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.identity.contract import SessionCredentials
from dataforge.contexts.learning.launches import commands, queries, wire
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import PlayerSessions
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.errors import NotFound
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run

router = context_router("learning")
_NOT_KEPT = {"Cache-Control": "no-store"}
_TEXTS = {
    commands.FetchError.USED: Text("The authorization token has been returned already, or the launch has expired."),
    commands.FetchError.SECURITY: Text("This is the fetch address of no launch."),
}
Token = Annotated[str, Query(max_length=200, description="what the launch put into the address")]


@router.get("/api/launches", response_model=wire.LaunchPage)
async def list_own_launches(
    call: Annotated[Call, require(Action.READ, Kind.LAUNCH)], cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """One's own launches, newest first."""
    page = await call.query(queries.launches_of_learner, call.user_id, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post("/api/launches/{launch_id}/end", response_model=wire.LaunchProgressOut)
async def end_launch(launch_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.LAUNCH)]) -> Response:
    """End a launch: one's own, or anybody's for whoever may change lessons. Its credential stops within 30 seconds."""
    missing = NotFound(Text("There is no launch {launch_id}.", launch_id=launch_id))
    subject = await call.query(queries.subject_of_launch, launch_id)
    if subject is None:
        raise missing
    learner, workspace_id = subject
    # Whoever may not end it finds no launch, also where they may see the lesson.
    if not await call.can(Action.CHANGE, Resource(Kind.LAUNCH, owner=learner, workspace=workspace_id)):
        raise missing
    handler = partial(commands.end_launch, call.platform.get(PlayerSessions))
    command = commands.EndLaunch(launch_id, None)
    answer = await call.execute_and_read(LearningUnitOfWork, handler, command, _read)
    # Last, when nothing can bring the launch back; the store has closed the session, whatever becomes of this.
    await call.platform.get(SessionCredentials).end(launch_id)
    return answer


@router.post("/api/launches/fetch", response_model=wire.FetchOut, openapi_extra={UNKEYED: True})
async def fetch_credential(request: Request, token: Token) -> Response:
    """The credential of a launch for its player, once; cmi5 wants status 200 for errors, too."""
    call = Call.of_anybody(request)
    handler = partial(commands.fetch_credential, call.platform.get(SessionCredentials))
    return _fetched(await run(call.unit_of_work(LearningUnitOfWork), handler, commands.FetchCredential(token)))


async def _read(connection: AsyncConnection, launch_id: UUID) -> Response:
    return json_response(await queries.get_launch(connection, launch_id))


def _fetched(fetched: commands.Fetched) -> Response:
    if fetched.error is None:
        return json_response({"auth-token": fetched.auth_token}, headers=_NOT_KEPT)
    problem = {"error-code": fetched.error.value, "error-text": _TEXTS[fetched.error]}
    return json_response(problem, headers=_NOT_KEPT)
