"""Confirm addresses, and stop a change of one."""

from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import Account
from dataforge.contexts.identity.contract import EmailChangeRequested, EmailConfirmationRequested, EmailConfirmed
from dataforge.contexts.identity.links.commands import NewLink, add_link, use_link
from dataforge.contexts.identity.links.domain import Purpose, no_longer_valid
from dataforge.contexts.identity.links.tokens import LinkTokens
from dataforge.contexts.identity.merges.commands import absorb_imported
from dataforge.contexts.identity.sign_in.domain import TryLimits, too_many_tries
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.errors import Conflict
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget
from dataforge.kernel.unit_of_work import AuditEntry


class NothingToConfirm(Conflict):
    """The account's address is confirmed and no other one waits for it."""

    code = "nothing_to_confirm"
    title = "The e-mail address is confirmed already"


@dataclass(frozen=True, slots=True)
class LinkMail:
    """To whom a link about an address goes, and who the account's person is."""

    user_id: UUID
    email: str
    name: str
    token: str = field(repr=False)


async def request_confirmation(user_id: UUID, uow: IdentityUnitOfWork, *, limits: TryLimits) -> None:
    """Have the link mailed again; raises NothingToConfirm, TooManyRequests."""
    wait = await uow.throttle.spend([Budget("confirm_email", (str(user_id),), limits.reset)])
    if wait is not None:
        raise too_many_tries(Text("requests for a mail"), wait)
    account = await uow.users.account_by_id(user_id)
    wanted = None if account is None else _waiting_for_proof(account)
    if wanted is None:
        message = Text("Your e-mail address is confirmed and no other one waits for it.")
        raise NothingToConfirm(message)
    uow.publish(EmailConfirmationRequested(user_id, wanted))


def _waiting_for_proof(account: Account) -> str | None:
    return account.new_email or (None if account.email_confirmed else account.email)


async def open_confirmation(
    event: EmailConfirmationRequested, uow: IdentityUnitOfWork, *, tokens: LinkTokens
) -> LinkMail | None:
    """The mail to an address that is to be proved; none when that is no longer so."""
    account = await uow.users.account_by_id(event.user_id)
    if account is None or account.suspended or _waiting_for_proof(account) != event.email:
        return None
    link = NewLink(event.event_id, account.user_id, Purpose.CONFIRM_EMAIL, event.email)
    token = await add_link(link, uow, tokens=tokens)
    return None if token is None else LinkMail(account.user_id, event.email, account.display_name, token)


async def open_warning(event: EmailChangeRequested, uow: IdentityUnitOfWork, *, tokens: LinkTokens) -> LinkMail | None:
    """The mail to the address that is to be replaced."""
    account = await uow.users.account_by_id(event.user_id)
    if account is None or account.suspended:
        return None
    link = NewLink(event.event_id, account.user_id, Purpose.STOP_EMAIL_CHANGE, event.email, event.new_email)
    token = await add_link(link, uow, tokens=tokens)
    return None if token is None else LinkMail(account.user_id, event.email, account.display_name, token)


async def confirm_email(token: str, uow: IdentityUnitOfWork) -> str:
    """Count the address as proved and, where it is to replace another one, let it; returns it.

    Raises InvalidLink, DuplicateEmail when somebody else has proved the address meanwhile.
    """
    link, account = await use_link(token, Purpose.CONFIRM_EMAIL, uow)
    changes: dict[str, object] = {"updated_at": uow.now}
    if not account.email_confirmed:
        # Only the first time: statements are matched by the address from that moment on.
        changes["email_confirmed_at"] = uow.now
    if link.email == account.new_email:
        # Links to reset the password went to the address that is left.
        await uow.mailed_links.void(account.user_id, [Purpose.RESET_PASSWORD, Purpose.CONFIRM_EMAIL])
        changes |= {"email": link.email, "email_vouched": False, "email_confirmed_at": uow.now, "new_email": None}
    elif link.email != account.email:
        raise no_longer_valid()
    changes |= await absorb_imported(account, link.email, uow)
    await uow.users.update(account.user_id, changes)
    before, after = {"email": account.email}, {"email": link.email}
    uow.audit(AuditEntry("email_confirmed", "user", str(account.user_id), before=before, after=after))
    uow.publish(EmailConfirmed(account.user_id, link.email))
    return link.email


async def stop_email_change(token: str, uow: IdentityUnitOfWork) -> str:
    """Keep the address that the link was mailed to, or give it back, and end sign-ins, tokens and links to providers.

    Whoever stops a change says that somebody else has been in the account. The second factor stays, since somebody who
    reads the mail of the account need not be its person. Returns the address; raises InvalidLink.
    """
    link, account = await use_link(token, Purpose.STOP_EMAIL_CHANGE, uow)
    if link.other_email not in (account.new_email, account.email):
        raise no_longer_valid()
    await uow.mailed_links.void(account.user_id, [Purpose.CONFIRM_EMAIL, Purpose.RESET_PASSWORD])
    kept: dict[str, object] = {"new_email": None, "updated_at": uow.now}
    if link.email != account.email or not account.email_confirmed:
        kept |= {"email": link.email, "email_vouched": False, "email_confirmed_at": uow.now}
    await uow.users.update(account.user_id, kept)
    await uow.refresh_tokens.revoke_user(account.user_id)
    await uow.personal_tokens.revoke_all(account.user_id)
    await uow.linked_identities.remove_all(account.user_id)
    before, after = {"email": account.email}, {"email": link.email}
    uow.audit(AuditEntry("email_change_stopped", "user", str(account.user_id), before=before, after=after))
    return link.email
