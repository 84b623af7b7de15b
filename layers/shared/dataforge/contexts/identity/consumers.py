"""Operator commands and event subscribers of identity; operators reach them by invoking the function `maintenance`."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete

from dataforge.contexts.identity import commands, schemas
from dataforge.contexts.identity.contract import XapiCredentialChanged
from dataforge.contexts.identity.repository import SqlIdentityUnitOfWork
from dataforge.contexts.identity.tables import refresh_tokens
from dataforge.kernel.errors import Conflict, ValidationFailed, Violation
from dataforge.kernel.principal import Role
from dataforge.kernel.validation import plain_message

if TYPE_CHECKING:
    from dataforge.contexts.identity.module import IdentityServices

Model = TypeVar("Model", bound=schemas.In)


def _parse(model: type[Model], payload: Mapping[str, Any]) -> Model:
    try:
        return TypeAdapter(model).validate_python(dict(payload))
    except ValidationError as error:
        violations = [
            Violation("/" + "/".join(map(str, item["loc"])), plain_message(item), item["type"])
            for item in error.errors()
        ]
        places = "; ".join(f"{item.pointer}: {item.message}" for item in violations)
        message = f"Correct the command's arguments. {places}."
        raise ValidationFailed(message, violations=violations) from error


async def create_admin(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make an administrator `{username, email, password?}`; without a password one is made up and shown this once."""
    password = payload.get("password") or secrets.token_urlsafe(18)
    body = _parse(schemas.SignUpIn, {**payload, "password": password})
    await services.token_signer.ensure_key()
    command = commands.SignUp(**body.model_dump(), role=Role.ADMIN)
    async with SqlIdentityUnitOfWork(services.database, clock=services.clock) as uow:
        user_id = await commands.sign_up(command, uow)
        await uow.commit()
    generated = {} if payload.get("password") else {"password": password}
    return {"user_id": str(user_id), "username": body.username, **generated}


async def ensure_admin(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make an administrator `{username, email, password, replace?}` unless there is one of that name; may be repeated.

    With `replace` an existing administrator gets the password, and their sign-ins end: for one that nobody knows.
    """
    body = _parse(schemas.SignUpIn, {key: value for key, value in payload.items() if key != "replace"})
    async with SqlIdentityUnitOfWork(services.database, clock=services.clock) as uow:
        account = await uow.users.account(body.username)
        if account is None:
            await commands.sign_up(commands.SignUp(**body.model_dump(), role=Role.ADMIN), uow)
        elif account.role is not Role.ADMIN:
            message = f"{body.username} is somebody who is not an administrator."
            raise Conflict(message)
        elif payload.get("replace") is True:
            await commands.replace_password(commands.ReplacePassword(account.user_id, body.password), uow)
        await uow.commit()
    return {"username": body.username, "created": account is None}


async def ensure_signing_key(_payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make sure that there is a key to sign tokens with: public half in the database, private half in its secret."""
    return {"kid": await services.token_signer.ensure_key()}


async def create_xapi_credential(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make an xAPI credential `{name, scopes?, public_pem?}`; the secret is shown this once."""
    body = _parse(schemas.XapiCredentialIn, payload)
    scopes = tuple(body.scopes or commands.DEFAULT_SCOPES)
    command = commands.CreateXapiCredential(body.name, scopes, body.public_pem, body.workspace_id)
    async with SqlIdentityUnitOfWork(services.database, clock=services.clock) as uow:
        credential = await commands.create_xapi_credential(command, uow)
        await uow.commit()
    await services.credential_publisher.publish(credential.key_id)
    return {
        "key": credential.key_id,
        "secret": credential.secret,
        "fingerprint": credential.fingerprint,
        "scopes": list(credential.scopes),
    }


async def revoke_xapi_credential(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Revoke an xAPI credential `{key}`."""
    command = commands.RevokeXapiCredential(str(payload.get("key", "")))
    async with SqlIdentityUnitOfWork(services.database, clock=services.clock) as uow:
        key_id = await commands.revoke_xapi_credential(command, uow)
        await uow.commit()
    await services.credential_publisher.publish(key_id)
    return {"key": key_id, "revoked": True}


async def rotate_signing_keys(_payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make a new signing key; tokens of the old one work until they expire."""
    return {"kid": await services.token_signer.rotate()}


async def publish_credential(event: XapiCredentialChanged, services: "IdentityServices") -> None:
    """Publish a changed credential again; publishing twice writes the same object."""
    await services.credential_publisher.publish(event.key_id)


async def forget_expired(services: "IdentityServices") -> dict[str, int]:
    """Delete refresh tokens a month past their end."""
    over = delete(refresh_tokens).where(refresh_tokens.c.expires_at < services.clock.now() - timedelta(days=30))
    async with services.database.transaction() as connection:
        return {"refresh_tokens": (await connection.execute(over)).rowcount}
