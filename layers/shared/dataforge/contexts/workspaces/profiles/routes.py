"""REST of profiles."""

from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.workspaces.profiles import commands, queries, wire
from dataforge.contexts.workspaces.routing import one_of, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

PROFILES = "/api/user-profiles"
PROFILE = PROFILES + "/{user_id}"


@router.get(PROFILES, response_model=wire.UserProfilePage)
async def list_profiles(
    call: Annotated[Call, require(Action.READ, Kind.PROFILE)], cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Profiles by username: one's own, those of people in a common workspace, and to administrators all."""
    page = await call.query(queries.list_profiles, call.principal, after=call.after(cursor), limit=limit)
    return page_of(call, page, wire.UserProfileOut, limit=limit)


@router.post(PROFILES, status_code=201, response_model=wire.UserProfileOut)
async def create_profile(
    body: wire.UserProfileIn, call: Annotated[Call, require(Action.CREATE, Kind.PROFILE)]
) -> Response:
    """Make a profile for oneself; the first workspace makes one, too."""

    async def read(connection: AsyncConnection, user_id: UUID) -> Response:
        row = await queries.get_profile(connection, user_id, call.principal)
        return one_of(call, row, wire.UserProfileOut, PROFILES, user_id)

    command = commands.CreateProfile(**body.model_dump())
    return await call.execute_and_read(Work, commands.create_profile, command, read)


@router.get(PROFILE, response_model=wire.UserProfileOut)
async def get_profile(user_id: UUID, call: Annotated[Call, require(Action.READ, Kind.PROFILE)]) -> Response:
    """One profile."""
    return one_of(call, await call.query(queries.get_profile, user_id, call.principal), wire.UserProfileOut)


@router.patch(PROFILE, response_model=wire.UserProfileOut)
async def change_profile(
    user_id: UUID, body: wire.UserProfileChangeIn, call: Annotated[Call, require(Action.CHANGE, Kind.PROFILE)]
) -> Response:
    """Change one's own profile; needs If-Match."""

    async def read(connection: AsyncConnection, user_id: UUID) -> Response:
        return one_of(call, await queries.get_profile(connection, user_id, call.principal), wire.UserProfileOut)

    command = commands.ChangeProfile(user_id, call.expected_revision(), body.model_dump(exclude_unset=True))
    return await call.execute_and_read(Work, commands.change_profile, command, read)


@router.delete(PROFILE, status_code=204)
async def delete_profile(user_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.PROFILE)]) -> Response:
    """Delete one's own profile with its resources; refused while one owns workspaces."""
    return await call.execute(Work, commands.delete_profile, user_id, lambda _: json_response(None, status=204))
