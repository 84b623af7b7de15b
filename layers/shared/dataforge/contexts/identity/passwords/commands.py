"""Set, change and reset passwords."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import Account, DuplicateEmail
from dataforge.contexts.identity.contract import (
    EmailConfirmed,
    PasswordChanged,
    PasswordResetRequested,
    require_active_person,
)
from dataforge.contexts.identity.links.commands import NewLink, add_link, find_link, use_link
from dataforge.contexts.identity.links.domain import LIFETIMES, Purpose, no_longer_valid
from dataforge.contexts.identity.links.tokens import LinkTokens
from dataforge.contexts.identity.merges.commands import absorb_imported
from dataforge.contexts.identity.passwords.domain import WrongPassword, check_password
from dataforge.contexts.identity.passwords.hashing import hash_password, verify_password
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.sign_in.domain import TryLimits, too_many_tries
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class RequestReset:
    """Somebody has forgotten the password of this account; `address` is where the request comes from."""

    email: str
    address: str


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Set a password by the link that was mailed."""

    token: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Set another password while signed in."""

    user_id: UUID
    current: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReplacePassword:
    """Give a person another password; an operator's way out, who has said that nobody knows the old one."""

    user_id: UUID
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResetMail:
    """To whom the link goes; the account `is_new` to its person if it never had a password."""

    user_id: UUID
    email: str
    name: str
    is_new: bool
    expires_at: datetime
    token: str = field(repr=False)


async def request_reset(command: RequestReset, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Ask for the mail; raises TooManyRequests.

    Nobody is looked up here: the answer, and the time it takes, are the same whether anybody has the address.
    """
    email, caller = command.email.lower(), caller_of(command.address)
    budgets = [Budget("reset", (caller,), limits.reset), Budget("reset_email", (email,), limits.reset)]
    wait = await uow.throttle.spend(budgets)
    if wait is not None:
        raise too_many_tries(Text("requests for a password mail"), wait)
    uow.publish(PasswordResetRequested(email))


async def request_reset_of(user_id: UUID, uow: IdentityUnitOfWork) -> None:
    """Have the mail sent to somebody, on an administrator's word; raises NotFound, PersonSuspended."""
    account = await uow.users.account_by_id(user_id)
    if account is None:
        message = Text("There is no user {user_id}.", user_id=user_id)
        raise NotFound(message)
    require_active_person(user_id, "path:user_id", suspended=account.suspended)
    uow.publish(PasswordResetRequested(account.email.lower()))
    uow.audit(AuditEntry("password_reset_requested", "user", str(user_id)))


async def open_reset(event: PasswordResetRequested, uow: IdentityUnitOfWork, *, tokens: LinkTokens) -> ResetMail | None:
    """The mail that a request leads to: none for an address that nobody has, a suspended account, or too many mails."""
    account = await uow.users.account_by_email(event.email)
    if account is None or account.suspended:
        return None
    link = NewLink(event.event_id, account.user_id, Purpose.RESET_PASSWORD, account.email)
    token = await add_link(link, uow, tokens=tokens)
    if token is None:
        return None
    until = uow.now + LIFETIMES[Purpose.RESET_PASSWORD]
    return ResetMail(account.user_id, account.email, account.display_name, account.password_hash is None, until, token)


async def reset_password(command: ResetPassword, uow: IdentityUnitOfWork) -> UUID:
    """Set the password of the account that the link was mailed to, and end its sign-ins.

    An account that an import made is claimed by this: whoever reads its mail is its person. Raises InvalidLink,
    CommonPassword.
    """
    # Hashing is dear, so that it is done for nothing but a link that works, and while neither the account is locked nor
    # a connection kept.
    _, account = await find_link(command.token, Purpose.RESET_PASSWORD, uow)
    password_hash = await uow.apart(_checked_hash(command.password, account))
    link, account = await use_link(command.token, Purpose.RESET_PASSWORD, uow)
    if link.email != account.email or (link.purpose is Purpose.CLAIM_ACCOUNT and account.claimed):
        raise no_longer_valid()
    await uow.mailed_links.void(account.user_id, Purpose.RESET_PASSWORD.served_by)
    await _store(account.user_id, password_hash, uow)
    await uow.refresh_tokens.revoke_user(account.user_id)
    if not account.email_confirmed:
        # Whoever signed up with the address need not have been its owner: what they set up must not stay with them.
        await uow.personal_tokens.revoke_all(account.user_id)
        await uow.linked_identities.remove_all(account.user_id)
        if not account.email_vouched:
            # Where the organisation knows whose account it is, reading its mail is no way round the factor.
            await uow.second_factors.remove(account.user_id)
        await _confirm(account, uow)
        uow.publish(EmailConfirmed(account.user_id, account.email))
    uow.audit(AuditEntry("password_reset", "user", str(account.user_id)))
    return account.user_id


async def _confirm(account: Account, uow: IdentityUnitOfWork) -> None:
    try:
        merged = await absorb_imported(account, account.email, uow)
        await uow.users.update(account.user_id, {**merged, "email_confirmed_at": uow.now})
    except DuplicateEmail as error:
        # Somebody else has proved since the mail that the address is theirs.
        raise no_longer_valid() from error


async def admit_change(command: ChangePassword, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Take a try before the present password is looked at; raises TooManyRequests."""
    wait = await uow.throttle.take(_change_budgets(command, limits))
    if wait is not None:
        raise too_many_tries(Text("wrong passwords"), wait)


def _change_budgets(command: ChangePassword, limits: TryLimits) -> list[Budget]:
    return [Budget("change_password", (str(command.user_id),), limits.sign_in_name)]


async def change_password(command: ChangePassword, uow: IdentityUnitOfWork, *, limits: TryLimits) -> Rejected | None:
    """Set another password and end every sign-in but the one it is done in; a wrong present one stays counted.

    Raises CommonPassword.
    """
    account = await uow.users.account_by_id(command.user_id)
    known = account.password_hash if account else None
    matches = await uow.apart(asyncio.to_thread(verify_password, known, command.current))
    if account is None or not matches:
        await uow.throttle.close(_change_budgets(command, limits), failed=True)
        return Rejected(WrongPassword(Text("The present password is wrong.")))
    password_hash = await uow.apart(_checked_hash(command.password, account))
    await uow.throttle.close(_change_budgets(command, limits), failed=False)
    account = await uow.users.lock_account(command.user_id)
    if account is None or account.password_hash != known:
        return Rejected(WrongPassword(Text("The password was changed meanwhile.")))
    await _store(command.user_id, password_hash, uow)
    await uow.refresh_tokens.revoke_user(command.user_id, apart_from=uow.principal.session)
    uow.audit(AuditEntry("password_changed", "user", str(command.user_id)))
    return None


async def replace_password(command: ReplacePassword, uow: IdentityUnitOfWork) -> None:
    """Store the new password and end every sign-in of the person."""
    await uow.users.lock(command.user_id)
    await _store(command.user_id, await asyncio.to_thread(hash_password, command.password), uow)
    await uow.refresh_tokens.revoke_user(command.user_id)
    uow.audit(AuditEntry("password_replaced", "user", str(command.user_id)))


async def replace_password_by_name(password: str, uow: IdentityUnitOfWork, *, username: str) -> None:
    """`replace_password` for whoever has this username or e-mail address; raises NotFound."""
    account = await uow.users.account(username)
    if account is None:
        message = Text("There is no user {username!r}.", username=username)
        raise NotFound(message)
    await replace_password(ReplacePassword(account.user_id, password), uow)


async def _checked_hash(password: str, account: Account) -> str:
    await asyncio.to_thread(check_password, password, account.words)
    return await asyncio.to_thread(hash_password, password)


async def _store(user_id: UUID, password_hash: str, uow: IdentityUnitOfWork) -> None:
    await uow.users.update(user_id, {"password_hash": password_hash, "updated_at": uow.now})
    # Whoever awaits a code has proved the password of before.
    await uow.sign_in_challenges.void(user_id)
    uow.publish(PasswordChanged(user_id))
