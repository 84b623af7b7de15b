"""Begin, continue and end sessions."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import Account, AccountSuspended
from dataforge.contexts.identity.sessions.domain import (
    InvalidRefreshToken,
    RefreshToken,
    RefreshTokenReused,
    RefreshTokenRotated,
    Session,
    SessionUnknown,
    token_hash,
)
from dataforge.contexts.identity.sign_in.domain import TryLimits, too_many_tries
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.kernel.unit_of_work import AuditEntry

REFRESH_DAYS = 30
DEVICE_MAX = 200  # characters


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
class Rejected:
    """A sign-in that failed: what was counted or revoked is kept, and the caller gets the error."""

    error: DataForgeError


async def admit_refresh(command: Refresh, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try of the address; raises TooManyRequests."""
    wait = await uow.throttle.take(_refresh_budgets(command, limits))
    if wait is not None:
        raise too_many_tries("refreshes", wait)


def _refresh_budgets(command: Refresh, limits: TryLimits) -> list[Budget]:
    return [Budget("refresh", (caller_of(command.address),), limits.refresh)]


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
    await uow.refresh_tokens.note_use(known.id)
    return Session(account.user_id, account.username, account.role, known.family, command.refresh_token)


async def _rotate(command: Refresh, uow: IdentityUnitOfWork) -> Session | Rejected:
    usable = await _usable(command, uow)
    if isinstance(usable, Rejected):
        return usable
    known, account = usable
    await uow.refresh_tokens.mark_used(known.id)
    return await _continue(account, known.family, known.began_at, known.device, uow)


async def _usable(command: Refresh, uow: IdentityUnitOfWork) -> tuple[RefreshToken, Account] | Rejected:
    known = await uow.refresh_tokens.lock(token_hash(command.refresh_token))
    if known is None:
        return Rejected(InvalidRefreshToken(Text("This refresh token is not known. Sign in again.")))
    try:
        known.check_usable(uow.now)
    except RefreshTokenReused as error:
        await uow.refresh_tokens.revoke_family(known.family)
        uow.audit(AuditEntry("refresh_token_reused", "user", str(known.user_id)))
        return Rejected(error)
    except (InvalidRefreshToken, RefreshTokenRotated) as error:
        return Rejected(error)
    account = await uow.users.account_by_id(known.user_id)
    if account is None or account.suspended:
        await uow.refresh_tokens.revoke_family(known.family)
        return Rejected(AccountSuspended(Text("This account is suspended; ask an administrator.")))
    return known, account


async def sign_out(command: SignOut, uow: IdentityUnitOfWork) -> None:
    """Revoke the family of the token; an unknown token is nothing to end and no error."""
    known = await uow.refresh_tokens.lock(token_hash(command.refresh_token))
    if known is not None:
        await uow.refresh_tokens.revoke_family(known.family)


async def end_session(family: UUID, uow: IdentityUnitOfWork) -> None:
    """End one sign-in of the person who asks; raises SessionUnknown when it has ended already or is not theirs."""
    if uow.principal.user_id is None or not await uow.refresh_tokens.revoke_session(uow.principal.user_id, family):
        message = Text("You have no sign-in {family} that goes on.", family=family)
        raise SessionUnknown(message)
    uow.audit(AuditEntry("session_ended", "user", str(uow.principal.user_id), after={"session": str(family)}))


async def end_other_sessions(user_id: UUID, uow: IdentityUnitOfWork) -> None:
    """End every sign-in of a person but the one that asks."""
    await uow.refresh_tokens.revoke_user(user_id, apart_from=uow.principal.session)
    uow.audit(AuditEntry("other_sessions_ended", "user", str(user_id)))


async def begin_session(account: Account, device: str, uow: IdentityUnitOfWork) -> Session:
    """Begin a sign-in on a device, which is named as its browser or program names itself."""
    return await _continue(account, uuid7(), uow.now, device[:DEVICE_MAX] or None, uow)


async def _continue(
    account: Account, family: UUID, began_at: datetime | None, device: str | None, uow: IdentityUnitOfWork
) -> Session:
    token = secrets.token_urlsafe(32)
    expires_at = uow.now + timedelta(days=REFRESH_DAYS)
    await uow.refresh_tokens.add(
        account.user_id, family, token_hash(token), expires_at, began_at=began_at, device=device
    )
    return Session(account.user_id, account.username, account.role, family, token)


async def forget_expired(kept_for: timedelta, uow: IdentityUnitOfWork) -> int:
    """Delete refresh tokens that ended longer ago than that; returns how many."""
    return await uow.refresh_tokens.forget_expired(uow.now - kept_for)
