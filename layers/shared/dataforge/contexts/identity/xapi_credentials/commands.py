"""Make, change and revoke xAPI credentials."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dataforge.contexts.identity.contract import XapiCredentialChanged
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials.domain import (
    DEFAULT_SCOPES,
    CredentialRevoked,
    check_narrower,
    check_public_key,
    check_scopes,
    fingerprint,
)
from dataforge.contexts.identity.xapi_credentials.queries import credential_missing, credential_row
from dataforge.kernel.access import Action, Kind, role_missing
from dataforge.kernel.rules import RULES, may_any
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateXapiCredential:
    """A key and secret for an LMS or course player."""

    name: str
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    public_pem: str | None = None
    workspace_id: UUID | None = None
    rate_limit: int | None = None
    deduplicate: bool = False


@dataclass(frozen=True, slots=True)
class ChangeXapiCredential:
    """Change some of `name`, `scopes`, `rate_limit` and `deduplicate`, at the revision that was read (`*`: any)."""

    key_id: str
    revision: str
    changes: Mapping[str, Any]


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
    rate_limit: int | None
    deduplicate: bool


async def create_xapi_credential(command: CreateXapiCredential, uow: IdentityUnitOfWork) -> NewXapiCredential:
    """Make a key and a 256-bit secret; only the secret's hash is kept. Raises ValidationFailed, InvalidPublicKey."""
    check_scopes(command.scopes, in_workspace=command.workspace_id is not None)
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
            "rate_limit": command.rate_limit,
            "deduplicate": command.deduplicate,
            "created_by": uow.principal.user_id,
            "created_at": uow.now,
        }
    )
    audited = {"name": command.name, "scopes": list(command.scopes), "deduplicate": command.deduplicate}
    _credential_changed(key_id, "created", uow, None, {**audited, "rate_limit": command.rate_limit})
    return NewXapiCredential(
        key_id, secret, fingerprint(hashed), command.name, command.scopes, command.rate_limit, command.deduplicate
    )


async def change_xapi_credential(command: ChangeXapiCredential, uow: IdentityUnitOfWork) -> dict[str, Any]:
    """Change a credential, and return it; raises NotFound, PreconditionFailed, CredentialRevoked, ValidationFailed.

    The name in the authority of its statements stays: it is part of what derived ids are made of (ADR 3). Who does not
    make credentials, and keeps the workspace of this one, takes scopes away and changes no limit: raises ScopeTooWide
    and Forbidden.
    """
    row = await uow.xapi_credentials.lock(command.key_id)
    if row is None:
        raise credential_missing(command.key_id)
    require_revision(command.revision, row.revision)
    if row.revoked_at is not None:
        message = Text(
            "The credential {key_id} was revoked and stays as it is; make another one.", key_id=command.key_id
        )
        raise CredentialRevoked(message)
    if "scopes" in command.changes:
        check_scopes(command.changes["scopes"], in_workspace=row.workspace_id is not None)
    if not may_any(uow.principal, Action.CREATE, Kind.CREDENTIAL):
        check_narrower(row.scopes, command.changes.get("scopes", ()))
        if command.changes.get("rate_limit", row.rate_limit) != row.rate_limit:
            raise role_missing(RULES[Kind.CREDENTIAL, Action.CREATE].roles, uow.principal.role)
    before = credential_row(row)
    after = credential_row(await uow.xapi_credentials.change(command.key_id, command.changes))
    changed = [name for name in command.changes if before[name] != after[name]]
    audited = ({name: values[name] for name in changed} for values in (before, after))
    _credential_changed(command.key_id, "changed", uow, *audited)
    return after


async def renew_secret(key_id: str, uow: IdentityUnitOfWork) -> NewXapiCredential:
    """Another secret for the same key; the one before works no longer. Raises NotFound, CredentialRevoked."""
    row = await uow.xapi_credentials.lock(key_id)
    if row is None:
        raise credential_missing(key_id)
    if row.revoked_at is not None:
        message = Text("The credential {key_id} was revoked and stays as it is; make another one.", key_id=key_id)
        raise CredentialRevoked(message)
    secret = secrets.token_urlsafe(32)
    hashed = token_hash(secret)
    await uow.xapi_credentials.change(key_id, {"secret_hash": hashed})
    _credential_changed(key_id, "secret_renewed", uow)
    return NewXapiCredential(
        key_id, secret, fingerprint(hashed), row.name, tuple(row.scopes), row.rate_limit, row.deduplicate
    )


@dataclass(frozen=True, slots=True)
class SuspendCredentials:
    """Let the credentials of a workspace wait, or work again."""

    workspace_id: UUID
    suspended: bool


async def suspend_credentials(command: SuspendCredentials, uow: IdentityUnitOfWork) -> None:
    """Suspend those that are not suspended, or the other way round; those that have ended stay as they are."""
    at = uow.now if command.suspended else None
    for key_id in await uow.xapi_credentials.suspend(command.workspace_id, at):
        _credential_changed(key_id, "suspended" if command.suspended else "resumed", uow)


async def revoke_credentials_of(workspace_id: UUID, uow: IdentityUnitOfWork) -> None:
    """End the credentials of a workspace that is no more; those that have ended stay as they are."""
    for key_id in await uow.xapi_credentials.keys_of(workspace_id):
        await uow.xapi_credentials.revoke(key_id, uow.now)
        _credential_changed(key_id, "revoked", uow)


async def revoke_xapi_credential(command: RevokeXapiCredential, uow: IdentityUnitOfWork) -> str:
    """End a credential; revoking it again changes nothing. Raises NotFound."""
    if not await uow.xapi_credentials.revoke(command.key_id, uow.now):
        raise credential_missing(command.key_id)
    _credential_changed(command.key_id, "revoked", uow)
    return command.key_id


def _credential_changed(
    key_id: str,
    action: str,
    uow: IdentityUnitOfWork,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    uow.audit(AuditEntry(action, "xapi_credential", key_id, before=before, after=after))
    uow.publish(XapiCredentialChanged(key_id))
