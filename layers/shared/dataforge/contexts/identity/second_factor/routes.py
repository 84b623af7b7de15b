"""REST of the second factor; nothing here is kept under an Idempotency-Key, because it is secret."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.identity.second_factor import commands, queries, wire
from dataforge.contexts.identity.second_factor.calls import begin, confirm, remove, replace_codes
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind

router = context_router("identity")
SECRET = {UNKEYED: True}


@router.get("/api/second-factor", response_model=wire.SecondFactorOut)
async def get_second_factor(call: Annotated[Call, require(Action.READ, Kind.SECOND_FACTOR)]) -> Response:
    """Whether one's own sign-ins need a code, and how many recovery codes are left."""
    return json_response(await call.query(queries.get_second_factor, call.user_id))


@router.post("/api/second-factor", response_model=wire.AppSecretOut, openapi_extra=SECRET)
async def begin_second_factor(
    body: wire.BeginIn, call: Annotated[Call, require(Action.CREATE, Kind.SECOND_FACTOR)]
) -> Response:
    """Get a secret for an authenticator app, by the present password; it counts once a code has proved it."""
    result = await begin(call, commands.Proof(call.user_id, body.password))
    if isinstance(result, Rejected):
        return call.problem(result.error)
    return json_response({"secret": result.secret, "uri": result.uri})


@router.post("/api/second-factor/confirm", response_model=wire.RecoveryCodesOut, openapi_extra=SECRET)
async def confirm_second_factor(
    body: wire.CodeIn, call: Annotated[Call, require(Action.CREATE, Kind.SECOND_FACTOR)]
) -> Response:
    """Prove by a code that the app has the secret: sign-ins need a code from now on; gives the recovery codes."""
    codes = await confirm(call, body.code)
    return json_response({"recovery_codes": codes})


@router.post("/api/second-factor/recovery-codes", response_model=wire.RecoveryCodesOut, openapi_extra=SECRET)
async def replace_recovery_codes(
    body: wire.ProofIn, call: Annotated[Call, require(Action.CHANGE, Kind.SECOND_FACTOR)]
) -> Response:
    """Get other recovery codes, by password and code; those of before no longer work."""
    result = await replace_codes(call, commands.Proof(call.user_id, body.password, body.code))
    return call.problem(result.error) if isinstance(result, Rejected) else json_response({"recovery_codes": result})


@router.post("/api/second-factor/remove", status_code=204, openapi_extra=SECRET)
async def remove_second_factor(
    body: wire.ProofIn, call: Annotated[Call, require(Action.DELETE, Kind.SECOND_FACTOR)]
) -> Response:
    """Take one's own second factor away, by password and code (of the app, or a recovery code)."""
    rejected = await remove(call, commands.Proof(call.user_id, body.password, body.code))
    return json_response(None, status=204) if rejected is None else call.problem(rejected.error)


@router.get("/api/second-factor/of/{user_id}", response_model=wire.SecondFactorOut)
async def get_second_factor_of(user_id: UUID, call: Annotated[Call, require(Action.READ, Kind.USER)]) -> Response:
    """Whether a person's sign-ins need a code."""
    return json_response(await call.query(queries.get_second_factor, user_id))


@router.delete("/api/second-factor/of/{user_id}", status_code=204)
async def remove_second_factor_of(user_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.USER)]) -> Response:
    """Take the second factor of somebody away who has lost phone and recovery codes; the person hears of it by mail."""
    return await call.execute(
        IdentityUnitOfWork, commands.remove_second_factor_of, user_id, lambda _: json_response(None, status=204)
    )
