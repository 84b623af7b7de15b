"""What identity does: sign-up, sign-in, refresh, sign-out, roles, xAPI credentials."""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from dataforge.contexts.identity.contract import XAPI_SCOPES, XapiCredentialChanged
from dataforge.contexts.identity.domain import (
    Account,
    AccountSuspended,
    InvalidCredentials,
    InvalidPublicKey,
    InvalidRefreshToken,
    LastAdmin,
    LoginThrottled,
    RefreshToken,
    RefreshTokenReused,
    Session,
    TryLimits,
    fingerprint,
    token_hash,
)
from dataforge.contexts.identity.passwords import hash_password, verify_password
from dataforge.contexts.identity.ports import IdentityUnitOfWork
from dataforge.kernel.errors import (
    DataForgeError,
    NotFound,
    PreconditionFailed,
    TooManyRequests,
    ValidationFailed,
    Violation,
)
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.kernel.unit_of_work import AuditEntry

REFRESH_DAYS = 30
DEFAULT_SCOPES = ("statements/write", "statements/read/mine", "state", "define", "profile")


@dataclass(frozen=True, slots=True)
class SignUp:
    """A new person; `avatar` is the pseudonym that statements carry instead of the name."""

    username: str
    email: str
    password: str = field(repr=False)
    avatar: str | None = None
    display_name: str | None = None
    time_zone: str = "UTC"
    locale: str = "en"
    role: Role = Role.LEARNER


@dataclass(frozen=True, slots=True)
class SignIn:
    """Username or e-mail address, password, and where the attempt comes from."""

    username: str
    password: str = field(repr=False)
    address: str = ""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Exchange a refresh token for a new pair; `address` is where the request comes from."""

    refresh_token: str = field(repr=False)
    address: str = ""


@dataclass(frozen=True, slots=True)
class SignOut:
    """End the sign-in a refresh token belongs to."""

    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReplacePassword:
    """Give a person another password; an operator's way out, who has said that nobody knows the old one."""

    user_id: UUID
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """Change a person's profile, role or suspension; `expected` is the revision the caller read."""

    user_id: UUID
    expected: str
    changes: dict[str, Any]


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
class Rejected:
    """A sign-in that failed: what was counted or revoked is kept, and the caller gets the error."""

    error: DataForgeError


@dataclass(frozen=True, slots=True)
class NewXapiCredential:
    """The only time the secret is known."""

    key_id: str
    secret: str = field(repr=False)
    fingerprint: str
    name: str
    scopes: tuple[str, ...]


async def sign_up(command: SignUp, uow: IdentityUnitOfWork) -> UUID:
    """Create the account; raises DuplicateUsername, DuplicateEmail or DuplicateAvatar."""
    user_id = uuid7()
    password_hash = await asyncio.to_thread(hash_password, command.password)
    await uow.users.add(
        {
            "id": user_id,
            "username": command.username,
            "email": command.email.lower(),
            "avatar": command.avatar or f"learner-{secrets.token_hex(6)}",
            "display_name": command.display_name or command.username,
            "password_hash": password_hash,
            "role": command.role.value,
            "time_zone": command.time_zone,
            "locale": command.locale,
            "created_at": uow.now,
            "updated_at": uow.now,
        }
    )
    uow.audit(AuditEntry("signed_up", "user", str(user_id), after={"role": command.role.value}))
    return user_id


def _sign_in_budgets(command: SignIn, limits: TryLimits) -> list[Budget]:
    # Under the name as it was given: one count for a person's name and e-mail address would tell that they belong
    # together, and looking the person up is work that an empty budget is to save.
    caller = caller_of(command.address)
    return [
        Budget("sign_in", (caller,), limits.sign_in),
        Budget("sign_in_name", (caller, command.username.lower()), limits.sign_in_name),
    ]


async def admit_sign_in(command: SignIn, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try before the password is hashed, which is the dear part; raises LoginThrottled."""
    wait = await uow.throttle.take(_sign_in_budgets(command, limits))
    if wait is not None:
        message = f"Too many sign-ins from your address failed. Try again in {_seconds(wait)}."
        raise LoginThrottled(message, headers={"Retry-After": str(wait)})


async def sign_in(command: SignIn, uow: IdentityUnitOfWork, *, limits: TryLimits) -> Session | Rejected:
    """Check the password of a sign-in that was admitted; one that fails stays counted against its address only."""
    account = await uow.users.account(command.username)
    matches = await asyncio.to_thread(verify_password, account.password_hash if account else None, command.password)
    budgets = _sign_in_budgets(command, limits)
    if account is None or not matches:
        await uow.throttle.close(budgets, failed=True)
        return Rejected(InvalidCredentials("The username or the password is wrong."))
    await uow.throttle.close(budgets, failed=False)
    if account.suspended:
        return Rejected(AccountSuspended("This account is suspended; ask an administrator."))
    family = uuid7()
    token = await _issue_refresh_token(account.user_id, family, uow)
    return Session(account.user_id, account.username, account.role, family, token)


async def admit_sign_up(address: str, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Spend one of the address's sign-ups, whatever comes of it; raises TooManyRequests."""
    await _spend(Budget("sign_up", (caller_of(address),), limits.sign_up), "sign-ups", uow)


async def admit_refresh(command: Refresh, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try of the address; raises TooManyRequests."""
    wait = await uow.throttle.take(_refresh_budgets(command, limits))
    if wait is not None:
        raise _too_many("refreshes", wait)


def _refresh_budgets(command: Refresh, limits: TryLimits) -> list[Budget]:
    return [Budget("refresh", (caller_of(command.address),), limits.refresh)]


async def _spend(budget: Budget, what: str, uow: IdentityUnitOfWork) -> None:
    wait = await uow.throttle.spend([budget])
    if wait is not None:
        raise _too_many(what, wait)


def _too_many(what: str, wait: int) -> TooManyRequests:
    message = f"Too many {what} came from your address. Try again in {_seconds(wait)}."
    return TooManyRequests(message, headers={"Retry-After": str(wait)})


def _seconds(wait: int) -> str:
    return "1 second" if wait == 1 else f"{wait} seconds"


async def refresh(command: Refresh, uow: IdentityUnitOfWork, *, limits: TryLimits) -> Session | Rejected:
    """Rotate a refresh token whose try was admitted; one that was used before revokes its family (RFC 9700 §4.14.2)."""
    result = await _rotate(command, uow)
    await uow.throttle.close(_refresh_budgets(command, limits), failed=isinstance(result, Rejected))
    return result


async def continue_sign_in(command: Refresh, uow: IdentityUnitOfWork, *, limits: TryLimits) -> Session | Rejected:
    """Go on with a sign-in whose refresh token is in a cookie of pages: checked as in `refresh`, and kept.

    It is not rotated: two tabs renew at once, and the second would look like a theft (ADR 17).
    """
    usable = await _usable(command, uow)
    await uow.throttle.close(_refresh_budgets(command, limits), failed=isinstance(usable, Rejected))
    if isinstance(usable, Rejected):
        return usable
    known, account = usable
    return Session(account.user_id, account.username, account.role, known.family, command.refresh_token)


async def _rotate(command: Refresh, uow: IdentityUnitOfWork) -> Session | Rejected:
    usable = await _usable(command, uow)
    if isinstance(usable, Rejected):
        return usable
    known, account = usable
    await uow.refresh_tokens.mark_used(known.id)
    token = await _issue_refresh_token(account.user_id, known.family, uow)
    return Session(account.user_id, account.username, account.role, known.family, token)


async def _usable(command: Refresh, uow: IdentityUnitOfWork) -> tuple[RefreshToken, Account] | Rejected:
    known = await uow.refresh_tokens.lock(token_hash(command.refresh_token))
    if known is None:
        return Rejected(InvalidRefreshToken("This refresh token is not known. Sign in again."))
    try:
        known.check_usable(uow.now)
    except RefreshTokenReused as error:
        await uow.refresh_tokens.revoke_family(known.family)
        uow.audit(AuditEntry("refresh_token_reused", "user", str(known.user_id)))
        return Rejected(error)
    except InvalidRefreshToken as error:
        return Rejected(error)
    account = await uow.users.account_by_id(known.user_id)
    if account is None or account.suspended:
        await uow.refresh_tokens.revoke_family(known.family)
        return Rejected(AccountSuspended("This account is suspended; ask an administrator."))
    return known, account


async def sign_out(command: SignOut, uow: IdentityUnitOfWork) -> None:
    """Revoke the family of the token; an unknown token is nothing to end and no error."""
    known = await uow.refresh_tokens.lock(token_hash(command.refresh_token))
    if known is not None:
        await uow.refresh_tokens.revoke_family(known.family)


async def replace_password(command: ReplacePassword, uow: IdentityUnitOfWork) -> None:
    """Store the new password and end every sign-in of the person."""
    await uow.users.lock(command.user_id)
    password_hash = await asyncio.to_thread(hash_password, command.password)
    await uow.users.update(command.user_id, {"password_hash": password_hash, "updated_at": uow.now})
    await uow.refresh_tokens.revoke_user(command.user_id)
    uow.audit(AuditEntry("password_replaced", "user", str(command.user_id)))


async def change_user(command: ChangeUser, uow: IdentityUnitOfWork) -> UUID:
    """Apply changes under the row lock; raises NotFound, PreconditionFailed or LastAdmin."""
    # Administrators are locked first and by everyone in one order, so that two demotions do not wait for each other.
    decides_admins = not {"role", "suspended"}.isdisjoint(command.changes)
    admins = await uow.users.active_admins() if decides_admins else None
    user = await uow.users.lock(command.user_id)
    if user is None:
        message = f"There is no user {command.user_id}."
        raise NotFound(message)
    if command.expected not in ("*", str(user["revision"])):
        message = "The user has been changed since you read it; read it again and repeat your change."
        raise PreconditionFailed(message)
    changes = dict(command.changes)
    if "suspended" in changes:
        changes["suspended_at"] = uow.now if changes.pop("suspended") else None
    demoted = changes.get("role", user["role"]) != Role.ADMIN or changes.get("suspended_at") is not None
    was_admin = user["role"] == Role.ADMIN and user["suspended_at"] is None
    if was_admin and demoted and admins is not None and admins <= 1:
        message = "This is the last active administrator; make another one first."
        raise LastAdmin(message)
    if changes.get("suspended_at") is not None:
        await uow.refresh_tokens.revoke_user(command.user_id)
    before = {key: user[key] for key in changes}
    await uow.users.update(command.user_id, {**changes, "updated_at": uow.now})
    uow.audit(AuditEntry("changed", "user", str(command.user_id), before=before, after=changes))
    return command.user_id


async def create_xapi_credential(command: CreateXapiCredential, uow: IdentityUnitOfWork) -> NewXapiCredential:
    """Make a key and a 256-bit secret; only the secret's hash is kept. Raises ValidationFailed, InvalidPublicKey."""
    unknown = sorted(set(command.scopes) - XAPI_SCOPES)
    if unknown or not command.scopes:
        allowed = ", ".join(sorted(XAPI_SCOPES))
        message = f"Scopes must be one or more of: {allowed}."
        raise ValidationFailed(message, violations=[Violation("/scopes", message, "scope")])
    if command.public_pem is not None:
        _check_public_key(command.public_pem)
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
    if not await uow.xapi_credentials.revoke(command.key_id):
        message = f"There is no xAPI credential {command.key_id}."
        raise NotFound(message)
    _credential_changed(command.key_id, "revoked", uow, None)
    return command.key_id


def _credential_changed(key_id: str, action: str, uow: IdentityUnitOfWork, after: dict[str, object] | None) -> None:
    uow.audit(AuditEntry(action, "xapi_credential", key_id, after=after))
    uow.publish(XapiCredentialChanged(key_id))


async def _issue_refresh_token(user_id: UUID, family: UUID, uow: IdentityUnitOfWork) -> str:
    token = secrets.token_urlsafe(32)
    expires_at = uow.now + timedelta(days=REFRESH_DAYS)
    await uow.refresh_tokens.add(user_id, family, token_hash(token), expires_at)
    return token


def _check_public_key(pem: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        message = "public_pem must be a PEM block `BEGIN PUBLIC KEY` with an RSA key."
        raise InvalidPublicKey(message, violations=[Violation("/public_pem", message, "public_key")]) from error
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        message = "public_pem must hold an RSA key of at least 2048 bits."
        raise InvalidPublicKey(message, violations=[Violation("/public_pem", message, "public_key")])
