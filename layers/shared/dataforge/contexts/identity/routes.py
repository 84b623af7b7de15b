"""REST of identity."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from dataforge.contexts.identity import commands, queries, schemas
from dataforge.contexts.identity.domain import Session
from dataforge.contexts.identity.module import IdentityServices
from dataforge.contexts.identity.repository import SqlIdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import AdminCall, AnyoneCall
from dataforge.http.call import Call, json_response, platform_of
from dataforge.http.caller import client_address
from dataforge.http.etag import etag
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.kernel.principal import SYSTEM, Role
from dataforge.platform.observability import logger

router = context_router("identity")


def _services(request: Request) -> IdentityServices:
    return platform_of(request).get(IdentityServices)


def _public_call(request: Request) -> Call:
    # Sign-up and sign-in happen before there is a principal.
    return Call(request, SYSTEM)


def _user_response(user: dict[str, Any], *, status: int = 200) -> Response:
    body = schemas.UserOut.model_validate(user).model_dump(mode="json")
    return json_response(body, status=status, headers={"ETag": etag(user["revision"])})


async def _session_response(call: Call, result: Session | commands.Rejected) -> Response:
    if isinstance(result, commands.Rejected):
        return call.problem(result.error)
    return json_response(await _services(call.request).token_signer.issue(result))


@router.post("/api/signup", status_code=201, response_model=schemas.UserOut)
async def sign_up(body: schemas.SignUpIn, request: Request) -> Response:
    """Create an account with the role learner."""
    call = _public_call(request)
    admit = partial(commands.admit_sign_up, limits=_services(request).try_limits)
    await call.run(SqlIdentityUnitOfWork, admit, client_address(request))
    user_id = await call.run(SqlIdentityUnitOfWork, commands.sign_up, commands.SignUp(**body.model_dump()))
    return _user_response(await call.query(queries.get_user, user_id), status=201)


@router.post("/api/auth/login", response_model=schemas.TokenOut)
async def sign_in(body: schemas.LoginIn, request: Request) -> Response:
    """Exchange username (or e-mail address) and password for tokens."""
    call = _public_call(request)
    limits = _services(request).try_limits
    command = commands.SignIn(body.username, body.password, client_address(request))
    # Two transactions: the try must be counted for others before the password is looked at.
    await call.run(SqlIdentityUnitOfWork, partial(commands.admit_sign_in, limits=limits), command)
    result = await call.run(SqlIdentityUnitOfWork, partial(commands.sign_in, limits=limits), command)
    return await _session_response(call, result)


@router.post("/api/auth/refresh", response_model=schemas.TokenOut)
async def refresh(body: schemas.RefreshIn, request: Request) -> Response:
    """Exchange a refresh token for a new pair; each works once."""
    call = _public_call(request)
    limits = _services(request).try_limits
    command = commands.Refresh(body.refresh_token, client_address(request))
    await call.run(SqlIdentityUnitOfWork, partial(commands.admit_refresh, limits=limits), command)
    # What can fail of issuing fails before the token is spent: its repetition would look like a theft.
    await _services(request).token_signer.check_ready()
    result = await call.run(SqlIdentityUnitOfWork, partial(commands.refresh, limits=limits), command)
    return await _session_response(call, result)


@router.post("/api/auth/logout", status_code=204)
async def sign_out(body: schemas.RefreshIn, request: Request) -> Response:
    """End the sign-in a refresh token belongs to; its access tokens can no longer change anything or use a role."""
    call = _public_call(request)
    await call.run(SqlIdentityUnitOfWork, commands.sign_out, commands.SignOut(body.refresh_token))
    return json_response(None, status=204)


@router.get("/.well-known/jwks.json")
async def jwks(request: Request) -> Response:
    """The public keys access tokens are signed with (RFC 7517)."""
    keys = await _services(request).authenticator.jwks()
    return json_response(keys, headers={"Cache-Control": "public, max-age=300"})


@router.get("/api/users/me", response_model=schemas.UserOut)
async def get_me(call: AnyoneCall) -> Response:
    """The signed-in person."""
    return _user_response(await call.query(queries.get_user, call.user_id))


@router.patch("/api/users/me", response_model=schemas.UserOut)
async def change_me(body: schemas.ProfileIn, call: AnyoneCall) -> Response:
    """Change one's own profile; needs If-Match."""
    return await _change(call, call.user_id, body)


@router.get("/api/users", response_model=schemas.UserPage)
async def list_users(
    call: AdminCall,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    role: Role | None = None,
    search: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """People in order of their username."""
    page = await call.query(queries.list_users, after=call.after(cursor), limit=limit, role=role, search=search)
    return call.page_response(page, limit=limit)


@router.get("/api/users/{user_id}", response_model=schemas.UserOut)
async def get_user(user_id: UUID, call: AdminCall) -> Response:
    """One person."""
    return _user_response(await call.query(queries.get_user, user_id))


@router.patch("/api/users/{user_id}", response_model=schemas.UserOut)
async def change_user(user_id: UUID, body: schemas.UserChangeIn, call: AdminCall) -> Response:
    """Change a person's role or suspend them; needs If-Match."""
    return await _change(call, user_id, body)


async def _change(call: Call, user_id: UUID, body: schemas.In) -> Response:
    changes = body.model_dump(exclude_unset=True)
    command = commands.ChangeUser(user_id, call.expected_revision(), changes)
    await call.run(SqlIdentityUnitOfWork, commands.change_user, command)
    return _user_response(await call.query(queries.get_user, user_id))


@router.post(
    "/api/xapi-credentials",
    status_code=201,
    response_model=schemas.XapiCredentialOut,
    openapi_extra={UNKEYED: True},
)
async def create_xapi_credential(body: schemas.XapiCredentialIn, call: AdminCall) -> Response:
    """Make a key and secret for an LMS; the secret is shown this once."""
    values = body.model_dump(exclude_none=True)
    values["scopes"] = tuple(values.get("scopes", commands.DEFAULT_SCOPES))
    command = commands.CreateXapiCredential(**values)
    credential = await call.run(SqlIdentityUnitOfWork, commands.create_xapi_credential, command)
    await _publish(call, credential.key_id)
    body_out = {
        "key": credential.key_id,
        "secret": credential.secret,
        "fingerprint": credential.fingerprint,
        "name": credential.name,
        "scopes": list(credential.scopes),
    }
    return json_response(body_out, status=201)


@router.get("/api/xapi-credentials", response_model=schemas.XapiCredentialList)
async def list_xapi_credentials(call: AdminCall) -> Response:
    """Credentials by fingerprint."""
    return json_response({"items": await call.query(queries.list_xapi_credentials)})


@router.delete("/api/xapi-credentials/{key_id}", status_code=204)
async def revoke_xapi_credential(key_id: str, call: AdminCall) -> Response:
    """Revoke a credential; it stops working within 30 seconds."""
    command = commands.RevokeXapiCredential(key_id)
    await call.run(SqlIdentityUnitOfWork, commands.revoke_xapi_credential, command)
    await _publish(call, key_id)
    return json_response(None, status=204)


async def _publish(call: Call, key_id: str) -> None:
    # At once where possible; if this fails the outbox event written with the change does it again within a minute.
    try:
        await _services(call.request).credential_publisher.publish(key_id)
    except Exception:  # noqa: BLE001 - see above: the change itself is durable
        logger.warning("credential not published yet, the outbox will do it", exc_info=True, key_id=key_id)
