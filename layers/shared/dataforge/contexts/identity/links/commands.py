"""Send and follow mailed links."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dataforge.contexts.identity.accounts.domain import Account
from dataforge.contexts.identity.links.domain import MAILS_AN_HOUR, MailedLink, Purpose, no_longer_valid
from dataforge.contexts.identity.links.tokens import LinkTokens
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to be mailed; its id is that of the event that asked for it, which may come twice."""

    id: UUID
    user_id: UUID
    purpose: Purpose
    email: str
    other_email: str | None = None


async def add_link(link: NewLink, uow: IdentityUnitOfWork, *, tokens: LinkTokens) -> str | None:
    """The token of a link, whose hash is kept and which works from now on.

    None when the person was sent too many within an hour, or when this one was used or replaced.
    """
    sent = await uow.mailed_links.sent_within(link.user_id, link.purpose, timedelta(hours=1), apart_from=link.id)
    if sent >= MAILS_AN_HOUR:
        return None
    token = tokens.of(link.id)
    values = (link.id, link.user_id, link.purpose, link.email, token_hash(token), link.other_email)
    return token if await uow.mailed_links.add(*values) else None


async def find_link(token: str, purpose: Purpose, uow: IdentityUnitOfWork) -> tuple[MailedLink, Account]:
    """A link that works at this moment, and whose it is, without locking anything; raises InvalidLink."""
    link = await uow.mailed_links.find(token_hash(token), purpose)
    return await _checked(link, uow)


async def use_link(token: str, purpose: Purpose, uow: IdentityUnitOfWork) -> tuple[MailedLink, Account]:
    """Follow a link and lock its person: a second time, also at the same moment, raises InvalidLink."""
    link, account = await _checked(await uow.mailed_links.lock(token_hash(token), purpose), uow)
    await uow.mailed_links.mark_used(link.id)
    return link, account


async def _checked(link: MailedLink | None, uow: IdentityUnitOfWork) -> tuple[MailedLink, Account]:
    account = await uow.users.account_by_id(link.user_id) if link is not None else None
    if link is None or account is None or account.suspended:
        raise no_longer_valid()
    link.check_usable(uow.now)
    return link, account


async def forget_expired_links(kept_for: timedelta, uow: IdentityUnitOfWork) -> int:
    """Delete links that ended longer ago than that; returns how many."""
    return await uow.mailed_links.forget_expired(uow.now - kept_for)
