"""REST of xAPI credentials."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials import commands, queries, wire
from dataforge.contexts.identity.xapi_credentials.calls import publish
from dataforge.contexts.identity.xapi_credentials.domain import DEFAULT_SCOPES
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, changes_of, versioned
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")


@router.post(
    "/api/xapi-credentials",
    status_code=201,
    response_model=wire.XapiCredentialOut,
    openapi_extra={UNKEYED: True},
)
async def create_xapi_credential(
    body: wire.XapiCredentialIn, call: Annotated[Call, require(Action.CREATE, Kind.CREDENTIAL)]
) -> Response:
    """Make a key and secret for an LMS; the secret is shown this once."""
    values = body.model_dump(exclude_none=True)
    values["scopes"] = tuple(values.get("scopes", DEFAULT_SCOPES))
    command = commands.CreateXapiCredential(**values)
    credential = await run(call.unit_of_work(IdentityUnitOfWork), commands.create_xapi_credential, command)
    await publish(call, credential.key_id)
    body_out = {
        "key": credential.key_id,
        "secret": credential.secret,
        "fingerprint": credential.fingerprint,
        "name": credential.name,
        "scopes": list(credential.scopes),
        "rate_limit": credential.rate_limit,
        "deduplicate": credential.deduplicate,
    }
    return json_response(body_out, status=201)


@router.get("/api/xapi-credentials", response_model=wire.XapiCredentialList)
async def list_xapi_credentials(call: Annotated[Call, require(Action.READ, Kind.CREDENTIAL)]) -> Response:
    """Credentials by fingerprint."""
    return json_response({"items": await call.query(queries.list_xapi_credentials)})


@router.get("/api/xapi-credentials/{key_id}", response_model=wire.XapiCredentialRow, responses=PROBLEMS)
async def get_xapi_credential(key_id: str, call: Annotated[Call, require(Action.READ, Kind.CREDENTIAL)]) -> Response:
    """One credential, by fingerprint."""
    return versioned(await call.query(queries.get_xapi_credential, key_id))


@router.patch("/api/xapi-credentials/{key_id}", response_model=wire.XapiCredentialRow, responses=VERSIONED)
async def change_xapi_credential(
    key_id: str, body: wire.XapiCredentialPatch, call: Annotated[Call, require(Action.CHANGE, Kind.CREDENTIAL)]
) -> Response:
    """Change name, scopes, rate limit or deduplication; needs If-Match. It takes effect within 30 seconds."""
    command = commands.ChangeXapiCredential(key_id, call.expected_revision(), changes_of(body))
    answer = await call.execute(IdentityUnitOfWork, commands.change_xapi_credential, command, versioned)
    await publish(call, key_id)
    return answer


@router.delete("/api/xapi-credentials/{key_id}", status_code=204)
async def revoke_xapi_credential(
    key_id: str, call: Annotated[Call, require(Action.DELETE, Kind.CREDENTIAL)]
) -> Response:
    """Revoke a credential; it stops working within 30 seconds."""
    command = commands.RevokeXapiCredential(key_id)
    await run(call.unit_of_work(IdentityUnitOfWork), commands.revoke_xapi_credential, command)
    await publish(call, key_id)
    return json_response(None, status=204)
