"""REST of one's own personal access tokens."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.identity.tokens import commands, queries, wire
from dataforge.contexts.identity.tokens.calls import calendar_address
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")


@router.post("/api/tokens", status_code=201, response_model=wire.NewTokenOut, openapi_extra={UNKEYED: True})
async def create_token(body: wire.TokenIn, call: Annotated[Call, require(Action.CREATE, Kind.TOKEN)]) -> Response:
    """Make a personal access token; it is shown this once.

    It works wherever an access token does, as a bearer token or as the password of HTTP Basic with any name.
    """
    command = commands.CreateToken(call.user_id, body.name, tuple(body.scopes), body.days)
    made = await run(call.unit_of_work(IdentityUnitOfWork), commands.create_token, command)
    shown = {"id": made.id, "name": made.name, "scopes": list(made.scopes), "created_at": made.created_at}
    rest = {"expires_at": made.expires_at, "token": made.secret, "address": calendar_address(call, made)}
    return json_response(shown | rest, status=201, headers={"Cache-Control": "no-store"})


@router.get("/api/tokens", response_model=wire.TokenList)
async def list_tokens(call: Annotated[Call, require(Action.READ, Kind.TOKEN)]) -> Response:
    """One's own tokens that are good."""
    items = await call.query(queries.list_tokens, call.user_id, call.platform.clock.now())
    return json_response({"items": items})


@router.delete("/api/tokens/{token_id}", status_code=204)
async def revoke_token(token_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.TOKEN)]) -> Response:
    """Revoke one of one's own tokens; it stops working at once."""
    command = commands.RevokeToken(call.user_id, token_id)
    return await call.execute(
        IdentityUnitOfWork, commands.revoke_token, command, lambda _: json_response(None, status=204)
    )
