"""Make and revoke xAPI credentials."""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.identity.contract import XAPI_SCOPES, XapiCredentialChanged
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials.domain import DEFAULT_SCOPES, check_public_key, fingerprint
from dataforge.kernel.errors import NotFound, ValidationFailed, Violation
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class CreateXapiCredential:
    """A key and secret for an LMS or course player."""

    name: str
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    public_pem: str | None = None
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RevokeXapiCredential:
    """End a credential."""

    key_id: str


@dataclass(frozen=True, slots=True)
class NewXapiCredential:
    """The only time the secret is known."""

    key_id: str
    secret: str = field(repr=False)
    fingerprint: str
    name: str
    scopes: tuple[str, ...]


async def create_xapi_credential(command: CreateXapiCredential, uow: IdentityUnitOfWork) -> NewXapiCredential:
    """Make a key and a 256-bit secret; only the secret's hash is kept. Raises ValidationFailed, InvalidPublicKey."""
    unknown = sorted(set(command.scopes) - XAPI_SCOPES)
    if unknown or not command.scopes:
        allowed = ", ".join(sorted(XAPI_SCOPES))
        message = f"Scopes must be one or more of: {allowed}."
        raise ValidationFailed(message, violations=[Violation("/scopes", message, "scope")])
    if command.public_pem is not None:
        check_public_key(command.public_pem)
    key_id, secret = f"lrs_{secrets.token_hex(10)}", secrets.token_urlsafe(32)
    hashed = token_hash(secret)
    authority = {
        "objectType": "Agent",
        "name": command.name,
        "account": {"homePage": "https://dataforge.example/xapi-credentials", "name": key_id},
    }
    await uow.xapi_credentials.add(
        {
            "key_id": key_id,
            "name": command.name,
            "secret_hash": hashed,
            "public_pem": command.public_pem,
            "workspace_id": command.workspace_id,
            "scopes": list(command.scopes),
            "authority": authority,
            "created_by": uow.principal.user_id,
            "created_at": uow.now,
        }
    )
    _credential_changed(key_id, "created", uow, {"name": command.name, "scopes": list(command.scopes)})
    return NewXapiCredential(key_id, secret, fingerprint(hashed), command.name, command.scopes)


async def revoke_xapi_credential(command: RevokeXapiCredential, uow: IdentityUnitOfWork) -> str:
    """End a credential; revoking it again changes nothing. Raises NotFound."""
    if not await uow.xapi_credentials.revoke(command.key_id, uow.now):
        message = f"There is no xAPI credential {command.key_id}."
        raise NotFound(message)
    _credential_changed(command.key_id, "revoked", uow, None)
    return command.key_id


def _credential_changed(key_id: str, action: str, uow: IdentityUnitOfWork, after: dict[str, object] | None) -> None:
    uow.audit(AuditEntry(action, "xapi_credential", key_id, after=after))
    uow.publish(XapiCredentialChanged(key_id))
