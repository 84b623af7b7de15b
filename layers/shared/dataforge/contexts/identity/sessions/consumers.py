"""Maintenance of sessions, links and tokens."""

from datetime import timedelta
from typing import TYPE_CHECKING

from dataforge.contexts.identity.links.commands import forget_expired_links
from dataforge.contexts.identity.merges.commands import repeat_merges
from dataforge.contexts.identity.second_factor.commands import forget_expired_challenges
from dataforge.contexts.identity.sessions.commands import forget_expired
from dataforge.contexts.identity.tokens.commands import forget_ended_tokens, warn_of_expiry
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


async def maintain(services: "IdentityServices") -> dict[str, int]:
    """Delete tokens and links a month past their end and sign-ins that await a code; warn of tokens that end soon."""
    kept_for = timedelta(days=30)
    return {
        "merges": await run(services.unit_of_work(IdentityUnitOfWork), repeat_merges, None),
        "refresh_tokens": await run(services.unit_of_work(IdentityUnitOfWork), forget_expired, kept_for),
        "personal_tokens": await run(services.unit_of_work(IdentityUnitOfWork), forget_ended_tokens, kept_for),
        "expiry_warnings": await run(services.unit_of_work(IdentityUnitOfWork), warn_of_expiry, None),
        "mailed_links": await run(services.unit_of_work(IdentityUnitOfWork), forget_expired_links, kept_for),
        "challenges": await run(services.unit_of_work(IdentityUnitOfWork), forget_expired_challenges, None),
    }
