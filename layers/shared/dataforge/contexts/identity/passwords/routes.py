"""REST of passwords."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from dataforge.contexts.identity.passwords import commands, wire
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.caller import client_address
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")


@router.put("/api/passwords/mine", status_code=204)
async def change_password(
    body: wire.PasswordIn, call: Annotated[Call, require(Action.CHANGE, Kind.PASSWORD)]
) -> Response:
    """Change one's own password; every other sign-in ends."""
    command = commands.ChangePassword(call.user_id, body.current_password, body.password)
    rejected = await change(call, command)
    return json_response(None, status=204) if rejected is None else call.problem(rejected.error)


async def change(call: Call, command: commands.ChangePassword) -> Rejected | None:
    """Two transactions: the try must be counted for others before the password is looked at."""
    limits = call.services(IdentityServices).try_limits
    await run(call.unit_of_work(IdentityUnitOfWork), partial(commands.admit_change, limits=limits), command)
    return await run(call.unit_of_work(IdentityUnitOfWork), partial(commands.change_password, limits=limits), command)


@router.post("/api/passwords/resets", status_code=202)
async def request_reset(body: wire.ResetRequestIn, request: Request) -> Response:
    """Have a link mailed that sets another password; the answer is the same whether anybody has the address."""
    call = Call.of_anybody(request)
    limits = call.services(IdentityServices).try_limits
    command = commands.RequestReset(body.email, client_address(request))
    await run(call.unit_of_work(IdentityUnitOfWork), partial(commands.request_reset, limits=limits), command)
    return json_response(None, status=202)


@router.post("/api/passwords/resets/complete", status_code=204)
async def reset_password(body: wire.ResetIn, request: Request) -> Response:
    """Set the password by the token of the mailed link, which works once and for half an hour; ends every sign-in."""
    call = Call.of_anybody(request)
    command = commands.ResetPassword(body.token, body.password)
    await run(call.unit_of_work(IdentityUnitOfWork), commands.reset_password, command)
    return json_response(None, status=204)


@router.post("/api/passwords/of/{user_id}/reset", status_code=202)
async def request_reset_of(user_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.USER)]) -> Response:
    """Have a person mailed the link that sets another password; an account that an import made is claimed by it."""
    return await call.execute(
        IdentityUnitOfWork, commands.request_reset_of, user_id, lambda _: json_response(None, status=202)
    )
