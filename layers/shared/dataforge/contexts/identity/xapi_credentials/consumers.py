"""Operator commands and event subscribers of xAPI credentials."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataforge.contexts.identity.contract import XapiCredentialChanged
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials import commands
from dataforge.contexts.identity.xapi_credentials.domain import DEFAULT_SCOPES
from dataforge.contexts.identity.xapi_credentials.wire import XapiCredentialIn
from dataforge.events.commands import parse_arguments
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


async def create_xapi_credential(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make an xAPI credential of the members of `XapiCredentialIn`; the secret is shown this once."""
    body = parse_arguments(XapiCredentialIn, payload)
    scopes = tuple(body.scopes or DEFAULT_SCOPES)
    command = commands.CreateXapiCredential(
        body.name, scopes, body.public_pem, body.workspace_id, body.rate_limit, body.deduplicate
    )
    credential = await run(services.unit_of_work(IdentityUnitOfWork), commands.create_xapi_credential, command)
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
    key_id = await run(services.unit_of_work(IdentityUnitOfWork), commands.revoke_xapi_credential, command)
    await services.credential_publisher.publish(key_id)
    return {"key": key_id, "revoked": True}


async def publish_credential(event: XapiCredentialChanged, services: "IdentityServices") -> None:
    """Publish a changed credential again; publishing twice writes the same object."""
    await services.credential_publisher.publish(event.key_id)
