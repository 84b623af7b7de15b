"""The public keys for whoever checks our tokens."""

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from dataforge.contexts.identity.services import IdentityServices
from dataforge.http.app import context_router
from dataforge.http.call import json_response, platform_of

router = context_router("identity")


class KeySetOut(BaseModel):
    """A JWK Set (RFC 7517 §5)."""

    keys: list[dict[str, str]]


@router.get("/.well-known/jwks.json", response_model=KeySetOut)
async def jwks(request: Request) -> Response:
    """The public keys access tokens are signed with (RFC 7517)."""
    keys = await platform_of(request).get(IdentityServices).public_keys.jwks()
    return json_response(keys, headers={"Cache-Control": "public, max-age=300"})
