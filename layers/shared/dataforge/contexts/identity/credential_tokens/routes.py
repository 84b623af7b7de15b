"""The token endpoint (RFC 6749 §3.2)."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from dataforge.contexts.identity.credential_tokens import wire
from dataforge.contexts.identity.credential_tokens.commands import issue_token
from dataforge.contexts.identity.credential_tokens.domain import FORM, TokenRefused, read_request
from dataforge.contexts.identity.services import IdentityServices
from dataforge.http.app import context_router
from dataforge.http.call import json_response, platform_of
from dataforge.http.openapi import UNKEYED

router = context_router("identity")

_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_REFUSED: dict[int | str, dict[str, Any]] = {400: {"model": wire.TokenRefusalOut}, 401: {"model": wire.TokenRefusalOut}}
_BODY = {"required": True, "content": {FORM: {"schema": wire.TokenForm.model_json_schema()}}}


@router.post(
    "/oauth/token",
    response_model=wire.CredentialTokenOut,
    responses=_REFUSED,
    openapi_extra={UNKEYED: True, "requestBody": _BODY},
)
async def give_token(request: Request) -> Response:
    """Give an xAPI credential an access token for `/xapi` (client credentials, RFC 6749 §4.4)."""
    headers = request.headers
    try:
        asked = read_request(headers.get("content-type", ""), await request.body(), headers.get("authorization", ""))
        answer = await issue_token(asked, platform_of(request).get(IdentityServices))
    except TokenRefused as refused:
        return _refusal(refused)
    return json_response(answer, headers=_NOT_KEPT)


def _refusal(refused: TokenRefused) -> Response:
    body, headers = {"error": refused.error, "error_description": refused.description}, dict(_NOT_KEPT)
    if refused.error != "invalid_client":
        return json_response(body, status=400, headers=headers)
    return json_response(body, status=401, headers=headers | {"WWW-Authenticate": 'Basic realm="dataforge-xapi"'})
