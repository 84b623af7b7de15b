"""REST of sign-in, refresh and sign-out."""

from functools import partial

from fastapi import Request
from starlette.responses import Response

from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions import commands as sessions
from dataforge.contexts.identity.sessions.domain import Session
from dataforge.contexts.identity.sign_in import commands, wire
from dataforge.contexts.identity.sign_in.calls import try_answer, try_sign_in
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.call import Call, json_response
from dataforge.http.caller import client_address, device_name
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")


async def _session_response(call: Call, result: Session | sessions.Rejected) -> Response:
    if isinstance(result, sessions.Rejected):
        return call.problem(result.error)
    return json_response(await call.services(IdentityServices).token_signer.issue(result))


@router.post("/api/auth/login", response_model=wire.TokenOut)
async def sign_in(body: wire.LoginIn, request: Request) -> Response:
    """Exchange username (or e-mail address) and password for tokens; whoever has a second factor needs a code, too.

    Without the code the answer is `second_factor_required`, with a `challenge` to send the code with.
    """
    call = Call.of_anybody(request)
    command = commands.SignIn(body.username, body.password, client_address(request), device_name(request), body.code)
    return await _session_response(call, await try_sign_in(call, command))


@router.post("/api/auth/second-factor", response_model=wire.TokenOut)
async def answer_challenge(body: wire.ChallengeAnswerIn, request: Request) -> Response:
    """Exchange the challenge of a sign-in whose password was right, and a code, for tokens."""
    call = Call.of_anybody(request)
    command = commands.AnswerChallenge(body.challenge, body.code, client_address(request), device_name(request))
    return await _session_response(call, await try_answer(call, command))


@router.post("/api/auth/refresh", response_model=wire.TokenOut)
async def refresh(body: wire.RefreshIn, request: Request) -> Response:
    """Exchange a refresh token for a new pair; each works once."""
    call = Call.of_anybody(request)
    limits = call.services(IdentityServices).try_limits
    command = sessions.Refresh(body.refresh_token, client_address(request))
    await run(call.unit_of_work(IdentityUnitOfWork), partial(sessions.admit_refresh, limits=limits), command)
    # What can fail of issuing fails before the token is spent: its repetition would look like a theft.
    await call.services(IdentityServices).token_signer.check_ready()
    result = await run(call.unit_of_work(IdentityUnitOfWork), partial(sessions.refresh, limits=limits), command)
    return await _session_response(call, result)


@router.post("/api/auth/logout", status_code=204)
async def sign_out(body: wire.RefreshIn, request: Request) -> Response:
    """End the sign-in a refresh token belongs to; its access tokens can no longer change anything or use a role."""
    call = Call.of_anybody(request)
    await run(call.unit_of_work(IdentityUnitOfWork), sessions.sign_out, sessions.SignOut(body.refresh_token))
    return json_response(None, status=204)
