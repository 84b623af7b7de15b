"""Invitations: sent, sent again, revoked, accepted with an account or with a new one."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import Account, AccountSuspended
from dataforge.contexts.identity.contract import AccountInvitationSent, EmailConfirmed, require_active_person
from dataforge.contexts.identity.invitations.domain import AlreadyRegistered, Invitation, SignInToAccept, role_after
from dataforge.contexts.identity.links.domain import Purpose
from dataforge.contexts.identity.merges.commands import absorb_imported
from dataforge.contexts.identity.passwords.domain import check_password
from dataforge.contexts.identity.passwords.hashing import hash_password
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import NotFound
from dataforge.kernel.ids import uuid7
from dataforge.kernel.invitations import GOOD_FOR, InvitationNotFound, link_hash, unknown_link
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry

# The token of the link in an invitation's mail of that number: made again for the mail, so that it is kept nowhere.
TokenMaker = Callable[[UUID, int], str]


@dataclass(frozen=True, slots=True)
class Invite:
    """An address, and what its person is to be."""

    email: str
    role: Role


@dataclass(frozen=True, slots=True)
class AcceptWithNewAccount:
    """What somebody without an account needs to have one, and the token of the link that they were mailed."""

    token: str = field(repr=False)
    username: str
    password: str = field(repr=False)
    display_name: str | None = None
    time_zone: str = "UTC"
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Who has accepted, and the role they have now: the one before where the invitation offered no more."""

    user_id: UUID
    role: Role
    offered: Role


async def invite(command: Invite, uow: IdentityUnitOfWork, *, token: TokenMaker) -> UUID:
    """Store the invitation and have it mailed.

    Raises AlreadyRegistered, PersonSuspended, AlreadyInvited.
    """
    account = await uow.users.account_by_email(command.email)
    if account is not None and (account.email_confirmed or account.email_vouched):
        require_active_person(account.user_id, "/email", suspended=account.suspended)
        if account.email_confirmed:
            message = Text(
                "{email} is the address of {username}; change the role of that account.",
                email=command.email,
                username=account.username,
            )
            raise AlreadyRegistered(message, facts={"user_id": str(account.user_id)})
    await uow.invitations.revoke_expired(command.email)
    invitation = Invitation(
        id=uuid7(),
        email=command.email,
        role=command.role,
        sendings=1,
        sent_at=uow.now,
        expires_at=uow.now + GOOD_FOR,
    )
    hashed = link_hash(token(invitation.id, invitation.sendings))
    await uow.invitations.add(invitation, token_hash=hashed, invited_by=uow.principal.user_id)
    uow.publish(AccountInvitationSent(invitation.id, invitation.sendings))
    _audit(uow, "invited", invitation)
    return invitation.id


async def send_again(invitation_id: UUID, uow: IdentityUnitOfWork, *, token: TokenMaker) -> UUID:
    """Mail another link, good for a week again, in the name of who asks; the one before stops working.

    Raises InvitationNotFound, InvitationClosed, TooManyRequests.
    """
    invitation = await _found(invitation_id, uow)
    invitation.require_resendable(uow.now)
    again = replace(invitation, sendings=invitation.sendings + 1, sent_at=uow.now, expires_at=uow.now + GOOD_FOR)
    hashed = link_hash(token(again.id, again.sendings))
    await uow.invitations.sent_again(again, token_hash=hashed, invited_by=uow.principal.user_id)
    uow.publish(AccountInvitationSent(again.id, again.sendings))
    _audit(uow, "sent_again", again)
    return again.id


async def revoke_invitation(invitation_id: UUID, uow: IdentityUnitOfWork) -> None:
    """Let the link work no longer; raises InvitationNotFound, InvitationClosed."""
    invitation = await _found(invitation_id, uow)
    invitation.require_open()
    await uow.invitations.revoked(invitation.id)
    _audit(uow, "revoked", invitation)


async def accept_invitation(token: str, uow: IdentityUnitOfWork) -> Accepted:
    """Give the signed-in person the role; of two who accept at once one does.

    The link came to the address, so that it proves the address as a confirmation does. Raises InvitationNotFound,
    InvitationForSomebodyElse, InvitationClosed, InvitationExpired.
    """
    invitation = await _locked(token, uow)
    user_id = uow.principal.user_id
    account = None if user_id is None else await uow.users.lock_account(user_id)
    if account is None:
        message = Text("There is no user {user_id}.", user_id=user_id)
        raise NotFound(message)
    invitation.require_acceptable(account.email, uow.now)
    return await _let_in(invitation, account, {}, uow)


async def accept_with_new_account(command: AcceptWithNewAccount, uow: IdentityUnitOfWork) -> Accepted:
    """Make the account of the invited address with the offered role; one that an import made becomes the person's.

    Raises InvitationNotFound, InvitationClosed, InvitationExpired, SignInToAccept, AccountSuspended, CommonPassword,
    DuplicateUsername, DuplicateEmail.
    """
    # Hashing is dear, so that it is done for nothing but a link that works, and not while anything is locked.
    found = await uow.invitations.find_by_token(link_hash(command.token))
    if found is None:
        raise unknown_link()
    found.require_usable(uow.now)
    name = command.display_name or command.username
    words = (command.username, found.email, *found.email.split("@"), *name.split())
    await asyncio.to_thread(check_password, command.password, words)
    password_hash = await asyncio.to_thread(hash_password, command.password)
    invitation = await _locked(command.token, uow)
    invitation.require_usable(uow.now)
    values = {
        "username": command.username,
        "password_hash": password_hash,
        "time_zone": command.time_zone,
        "locale": command.locale,
        **({"display_name": command.display_name} if command.display_name else {}),
    }
    account = await _unclaimed(invitation, uow)
    if account is not None:
        await uow.mailed_links.void(account.user_id, Purpose.RESET_PASSWORD.served_by)
        return await _let_in(invitation, account, values, uow)
    user_id = uuid7()
    await uow.users.add(
        {
            "id": user_id,
            "email": invitation.email,
            "avatar": f"learner-{secrets.token_hex(6)}",
            "role": invitation.role.value,
            "email_confirmed_at": uow.now,
            "created_at": uow.now,
            "updated_at": uow.now,
            **values,
            "display_name": name,
        }
    )
    await _close(invitation, user_id, uow, before=None, after=invitation.role)
    uow.publish(EmailConfirmed(user_id, invitation.email))
    return Accepted(user_id, invitation.role, invitation.role)


async def _unclaimed(invitation: Invitation, uow: IdentityUnitOfWork) -> Account | None:
    """The account that an import made for the address and nobody has taken over, locked; None without an account."""
    known = await uow.users.account_by_email(invitation.email)
    account = None if known is None else await uow.users.lock_account(known.user_id)
    if account is None or not (account.email_confirmed or account.email_vouched):
        # Nobody's, or only claimed: whoever has typed the address at sign-up does not keep its person out.
        return None
    if account.suspended:
        message = Text("The account of this address is suspended; ask an administrator.")
        raise AccountSuspended(message)
    if account.claimed or account.email != invitation.email:
        message = Text("There is an account with this address. Sign in with it, then open the link of the mail again.")
        raise SignInToAccept(message)
    return account


async def _let_in(
    invitation: Invitation, account: Account, values: Mapping[str, object], uow: IdentityUnitOfWork
) -> Accepted:
    role = role_after(account.role, invitation.role)
    changes: dict[str, object] = {**values, "role": role.value, "updated_at": uow.now}
    if not account.email_confirmed:
        merged = await absorb_imported(account, account.email, uow)
        role = role_after(role, Role(str(merged.get("role", role))))
        changes |= {**merged, "role": role.value, "email_confirmed_at": uow.now}
        uow.publish(EmailConfirmed(account.user_id, account.email))
    await uow.users.update(account.user_id, changes)
    await _close(invitation, account.user_id, uow, before=account.role, after=role)
    return Accepted(account.user_id, role, invitation.role)


async def _locked(token: str, uow: IdentityUnitOfWork) -> Invitation:
    invitation = await uow.invitations.lock_by_token(link_hash(token))
    if invitation is None:
        raise unknown_link()
    invitation.require_open()
    invitation.require_backed()
    return invitation


async def _found(invitation_id: UUID, uow: IdentityUnitOfWork) -> Invitation:
    invitation = await uow.invitations.lock(invitation_id)
    if invitation is None:
        message = Text("There is no invitation {invitation_id}.", invitation_id=invitation_id)
        raise InvitationNotFound(message)
    return invitation


async def _close(
    invitation: Invitation, user_id: UUID, uow: IdentityUnitOfWork, *, before: Role | None, after: Role
) -> None:
    await uow.invitations.accepted(invitation.id, user_id)
    _audit(uow, "accepted", invitation)
    given = None if before is None else {"role": before.value}
    uow.audit(AuditEntry("invitation_accepted", "user", str(user_id), before=given, after={"role": after.value}))


def _audit(uow: IdentityUnitOfWork, action: str, invitation: Invitation) -> None:
    after = {"email": invitation.email, "role": invitation.role.value}
    uow.audit(AuditEntry(action, "invitation", str(invitation.id), after=after))
