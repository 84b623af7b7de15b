"""Sign-up, profiles, roles, suspension."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import AlreadyErased, DuplicateEmail, LastAdmin
from dataforge.contexts.identity.contract import EmailChangeRequested, EmailConfirmationRequested
from dataforge.contexts.identity.passwords.commands import ReplacePassword, replace_password
from dataforge.contexts.identity.passwords.domain import check_password
from dataforge.contexts.identity.passwords.hashing import hash_password
from dataforge.contexts.identity.sign_in.domain import TryLimits, too_many_tries
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import Conflict, NotFound
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


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
    vouched: bool = False
    """Whether the organisation says that the address is the person's: it makes the account itself."""


@dataclass(frozen=True, slots=True)
class EnsureAdmin:
    """Make an administrator unless there is one of that name, who with `replace_password` gets the password."""

    account: SignUp
    replace_password: bool = False


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """Change a person's profile, role or suspension; `expected` is the revision the caller read."""

    user_id: UUID
    expected: str
    changes: dict[str, Any]


async def sign_up(command: SignUp, uow: IdentityUnitOfWork) -> UUID:
    """Create the account and have its address confirmed by mail; until then it is a claim that keeps nobody from it.

    Raises CommonPassword, DuplicateUsername, DuplicateEmail or DuplicateAvatar.
    """
    user_id, name = uuid7(), command.display_name or command.username
    words = (command.username, command.email, *command.email.split("@"), *name.split())
    await asyncio.to_thread(check_password, command.password, words)
    if await uow.users.is_taken(command.email):
        message = Text("An account with this e-mail address exists; sign in instead.")
        raise DuplicateEmail(message)
    password_hash = await asyncio.to_thread(hash_password, command.password)
    await uow.users.add(
        {
            "id": user_id,
            "username": command.username,
            "email": command.email.lower(),
            "email_vouched": command.vouched,
            "avatar": command.avatar or f"learner-{secrets.token_hex(6)}",
            "display_name": name,
            "password_hash": password_hash,
            "role": command.role.value,
            "time_zone": command.time_zone,
            "locale": command.locale,
            "created_at": uow.now,
            "updated_at": uow.now,
        }
    )
    uow.audit(AuditEntry("signed_up", "user", str(user_id), after={"role": command.role.value}))
    uow.publish(EmailConfirmationRequested(user_id, command.email.lower()))
    return user_id


async def admit_sign_up(address: str, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Spend one of the address's sign-ups, whatever comes of it; raises TooManyRequests."""
    await _spend(Budget("sign_up", (caller_of(address),), limits.sign_up), "sign-ups", uow)


async def _spend(budget: Budget, what: str, uow: IdentityUnitOfWork) -> None:
    wait = await uow.throttle.spend([budget])
    if wait is not None:
        raise too_many_tries(what, wait)


async def ensure_admin(command: EnsureAdmin, uow: IdentityUnitOfWork) -> bool:
    """Whether the account is new; may be repeated. Raises Conflict when the name is somebody else's."""
    wanted = command.account
    account = await uow.users.account(wanted.username)
    if account is None:
        await sign_up(wanted, uow)
    elif account.role is not Role.ADMIN:
        message = Text("{username} is somebody who is not an administrator.", username=wanted.username)
        raise Conflict(message)
    elif command.replace_password:
        await replace_password(ReplacePassword(account.user_id, wanted.password), uow)
    return account is None


async def change_user(command: ChangeUser, uow: IdentityUnitOfWork) -> UUID:
    """Apply changes under the row lock; raises NotFound, AlreadyErased, PreconditionFailed or LastAdmin."""
    # Administrators are locked first and by everyone in one order, so that two demotions do not wait for each other.
    decides_admins = not {"role", "suspended"}.isdisjoint(command.changes)
    admins = await uow.users.active_admins() if decides_admins else None
    user = await uow.users.lock(command.user_id)
    if user is None:
        message = Text("There is no user {user_id}.", user_id=command.user_id)
        raise NotFound(message)
    if user["erased_at"] is not None:
        message = Text("This person is erased; the account stays as it is.")
        raise AlreadyErased(message)
    require_revision(command.expected, user["revision"], Text("The user"))
    changes = dict(command.changes)
    if "suspended" in changes:
        changes["suspended_at"] = uow.now if changes.pop("suspended") else None
    demoted = changes.get("role", user["role"]) != Role.ADMIN or changes.get("suspended_at") is not None
    was_admin = user["role"] == Role.ADMIN and user["suspended_at"] is None
    if was_admin and demoted and admins is not None and admins <= 1:
        message = Text("This is the last active administrator; make another one first.")
        raise LastAdmin(message)
    if changes.get("suspended_at") is not None:
        await uow.refresh_tokens.revoke_user(command.user_id)
        await uow.personal_tokens.revoke_all(command.user_id)
    if "email" in changes:
        changes |= await _wanted_email(user, changes.pop("email"), uow)
    before = {key: user[key] for key in changes}
    await uow.users.update(command.user_id, {**changes, "updated_at": uow.now})
    uow.audit(AuditEntry("changed", "user", str(command.user_id), before=before, after=changes))
    return command.user_id


async def _wanted_email(user: Mapping[str, Any], email: str, uow: IdentityUnitOfWork) -> dict[str, object]:
    # The account keeps its address until the new one is confirmed: else a typing error, or a borrowed sign-in, takes
    # the account away from its owner.
    if email == user["email"]:
        return {"new_email": None}
    if await uow.users.is_taken(email):
        message = Text("An account with this e-mail address exists.")
        raise DuplicateEmail(message)
    uow.publish(EmailConfirmationRequested(user["id"], email))
    if user["email_confirmed_at"] is not None:
        uow.publish(EmailChangeRequested(user["id"], user["email"], email))
    return {"new_email": email}
