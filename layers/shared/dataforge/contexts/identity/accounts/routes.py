"""REST of accounts."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.identity.accounts import commands, queries, wire
from dataforge.contexts.identity.accounts.domain import AccountState
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.caller import client_address
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.http.wire import RequestModel
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.kernel.principal import Role
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")


def _user_response(user: dict[str, Any], *, status: int = 200) -> Response:
    body = wire.UserOut.model_validate(user).model_dump(mode="json")
    return json_response(body, status=status, headers={"ETag": etag(user["revision"])})


@router.post("/api/signup", status_code=201, response_model=wire.UserOut)
async def sign_up(body: wire.SignUpIn, request: Request) -> Response:
    """Create an account with the role learner."""
    call = Call.of_anybody(request)
    admit = partial(commands.admit_sign_up, limits=call.services(IdentityServices).try_limits)
    await run(call.unit_of_work(IdentityUnitOfWork), admit, client_address(request))

    async def read(connection: AsyncConnection, user_id: UUID) -> Response:
        return _user_response(await queries.get_user(connection, user_id), status=201)

    return await call.execute_and_read(IdentityUnitOfWork, commands.sign_up, commands.SignUp(**body.model_dump()), read)


@router.get("/api/users/me", response_model=wire.UserOut)
async def get_me(call: Annotated[Call, require(Action.READ, Kind.ACCOUNT)]) -> Response:
    """The signed-in person."""
    return _user_response(await call.query(queries.get_user, call.user_id))


@router.patch("/api/users/me", response_model=wire.UserOut)
async def change_me(body: wire.ProfileIn, call: Annotated[Call, require(Action.CHANGE, Kind.ACCOUNT)]) -> Response:
    """Change one's own profile; needs If-Match."""
    return await _change(call, call.user_id, body)


@router.get("/api/users", response_model=wire.UserPage)
async def list_users(
    call: Annotated[Call, require(Action.READ, Kind.USER)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    role: Role | None = None,
    search: Annotated[str | None, Query(max_length=100)] = None,
    state: AccountState | None = None,
) -> Response:
    """People in order of their username; `unclaimed` are accounts that imports made and nobody uses yet."""
    after = call.after(cursor)
    page = await call.query(queries.list_users, after=after, limit=limit, role=role, search=search, state=state)
    return call.page_response(page, limit=limit)


@router.get("/api/users/{user_id}", response_model=wire.UserOut)
async def get_user(user_id: UUID, call: Annotated[Call, require(Action.READ, Kind.USER)]) -> Response:
    """One person."""
    return _user_response(await call.query(queries.get_user, user_id))


@router.patch("/api/users/{user_id}", response_model=wire.UserOut)
async def change_user(
    user_id: UUID, body: wire.UserChangeIn, call: Annotated[Call, require(Action.CHANGE, Kind.USER)]
) -> Response:
    """Change a person's role or suspend them; needs If-Match."""
    return await _change(call, user_id, body)


async def _change(call: Call, user_id: UUID, body: RequestModel) -> Response:
    changes = body.model_dump(exclude_unset=True)
    command = commands.ChangeUser(user_id, call.expected_revision(), changes)
    return await call.execute_and_read(IdentityUnitOfWork, commands.change_user, command, _read_user)


async def _read_user(connection: AsyncConnection, user_id: UUID) -> Response:
    return _user_response(await queries.get_user(connection, user_id))
