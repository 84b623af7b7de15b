"""Have links mailed by which people take over the accounts that were made for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from dataforge.contexts.identity.contract import AccountClaimRequested
from dataforge.contexts.identity.links.commands import NewLink, add_link
from dataforge.contexts.identity.links.domain import LIFETIMES, Purpose
from dataforge.contexts.identity.links.tokens import LinkTokens
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class ClaimsRequested:
    """How many of the people are mailed a link, and why the others are not."""

    mailed: int
    claimed: int
    suspended: int
    unknown: int


@dataclass(frozen=True, slots=True)
class ClaimMail:
    """To whom the link goes, and until when it works."""

    user_id: UUID
    email: str
    name: str
    expires_at: datetime
    token: str = field(repr=False)


async def request_claims(user_ids: Sequence[UUID], uow: IdentityUnitOfWork) -> ClaimsRequested:
    """Have the links mailed; people who have claimed their accounts, and suspended ones, are passed over."""
    wanted = dict.fromkeys(user_ids)
    states = await uow.users.claim_states(wanted)
    chosen = [user_id for user_id in wanted if states.get(user_id) == "unclaimed"]
    for user_id in chosen:
        uow.publish(AccountClaimRequested(user_id))
        uow.audit(AuditEntry("claim_requested", "user", str(user_id)))
    found = list(states.values())
    return ClaimsRequested(len(chosen), found.count("claimed"), found.count("suspended"), len(wanted) - len(states))


async def open_claim(event: AccountClaimRequested, uow: IdentityUnitOfWork, *, tokens: LinkTokens) -> ClaimMail | None:
    """The mail with the link; none for an account that is suspended or somebody's by now, or after too many mails."""
    account = await uow.users.account_by_id(event.user_id)
    if account is None or account.suspended or account.claimed:
        return None
    link = NewLink(event.event_id, account.user_id, Purpose.CLAIM_ACCOUNT, account.email)
    token = await add_link(link, uow, tokens=tokens)
    if token is None:
        return None
    until = uow.now + LIFETIMES[Purpose.CLAIM_ACCOUNT]
    return ClaimMail(account.user_id, account.email, account.display_name, until, token)
