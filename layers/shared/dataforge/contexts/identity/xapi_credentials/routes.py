"""REST of xAPI credentials."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials import commands, queries, wire
from dataforge.contexts.identity.xapi_credentials.calls import on_credential, publish
from dataforge.contexts.identity.xapi_credentials.domain import DEFAULT_SCOPES
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, changes_of, versioned
from dataforge.kernel.access import Action, Kind
from dataforge.platform.access import MemberRoles
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")


def _with_secret(credential: commands.NewXapiCredential) -> dict[str, object]:
    return {
        "key": credential.key_id,
        "secret": credential.secret,
        "fingerprint": credential.fingerprint,
        "name": credential.name,
        "scopes": list(credential.scopes),
        "rate_limit": credential.rate_limit,
        "deduplicate": credential.deduplicate,
    }


@router.post(
    "/api/xapi-credentials",
    status_code=201,
    response_model=wire.XapiCredentialOut,
    openapi_extra={UNKEYED: True},
)
async def create_xapi_credential(
    body: wire.XapiCredentialIn, call: Annotated[Call, require(Action.CREATE, Kind.CREDENTIAL)]
) -> Response:
    """Make a key and secret for an LMS, perhaps of a workspace; the secret is shown this once."""
    if body.workspace_id is not None:
        await call.platform.get(MemberRoles).require_open(body.workspace_id)
    values = body.model_dump(exclude_none=True)
    values["scopes"] = tuple(values.get("scopes", DEFAULT_SCOPES))
    command = commands.CreateXapiCredential(**values)
    credential = await run(call.unit_of_work(IdentityUnitOfWork), commands.create_xapi_credential, command)
    await publish(call, credential.key_id)
    return json_response(_with_secret(credential), status=201)


@router.get("/api/xapi-credentials", response_model=wire.XapiCredentialList)
async def list_xapi_credentials(
    call: Annotated[Call, require(Action.READ, Kind.CREDENTIAL)],
    workspace_id: Annotated[UUID | None, Query(description="credentials of this workspace")] = None,
) -> Response:
    """Credentials by fingerprint: all for administrators, those of their workspaces for who keeps these."""
    reach = await call.decisions.reach(Action.READ, Kind.CREDENTIAL)
    rows = await call.query(queries.list_xapi_credentials, reach, workspace_id=workspace_id)
    return json_response({"items": rows})


@router.get("/api/xapi-credentials/{key_id}", response_model=wire.XapiCredentialRow, responses=PROBLEMS)
async def get_xapi_credential(
    key_id: str, call: Annotated[Call, on_credential(Action.READ, Kind.CREDENTIAL)]
) -> Response:
    """One credential, by fingerprint."""
    return versioned(await call.query(queries.get_xapi_credential, key_id))


@router.patch("/api/xapi-credentials/{key_id}", response_model=wire.XapiCredentialRow, responses=VERSIONED)
async def change_xapi_credential(
    key_id: str, body: wire.XapiCredentialPatch, call: Annotated[Call, on_credential(Action.CHANGE, Kind.CREDENTIAL)]
) -> Response:
    """Change name, scopes, rate limit or deduplication; needs If-Match. It takes effect within 30 seconds.

    Who keeps the credential's workspace takes scopes away, and changes no rate limit.
    """
    command = commands.ChangeXapiCredential(key_id, call.expected_revision(), changes_of(body))
    answer = await call.execute(IdentityUnitOfWork, commands.change_xapi_credential, command, versioned)
    await publish(call, key_id)
    return answer


@router.post(
    "/api/xapi-credentials/{key_id}/secret", response_model=wire.XapiCredentialOut, openapi_extra={UNKEYED: True}
)
async def renew_secret(key_id: str, call: Annotated[Call, on_credential(Action.CHANGE, Kind.CREDENTIAL)]) -> Response:
    """Give a credential another secret, shown this once; the one before stops working within 30 seconds."""
    credential = await run(call.unit_of_work(IdentityUnitOfWork), commands.renew_secret, key_id)
    await publish(call, key_id)
    return json_response(_with_secret(credential))


@router.delete("/api/xapi-credentials/{key_id}", status_code=204)
async def revoke_xapi_credential(
    key_id: str, call: Annotated[Call, on_credential(Action.DELETE, Kind.CREDENTIAL)]
) -> Response:
    """Revoke a credential, also one of an archived workspace; it stops working within 30 seconds."""
    command = commands.RevokeXapiCredential(key_id)
    await run(call.unit_of_work(IdentityUnitOfWork), commands.revoke_xapi_credential, command)
    await publish(call, key_id)
    return json_response(None, status=204)
