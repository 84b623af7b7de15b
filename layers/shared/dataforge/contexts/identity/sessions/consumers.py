"""Maintenance of sessions and links."""

from datetime import timedelta
from typing import TYPE_CHECKING

from dataforge.contexts.identity.links.commands import forget_expired_links
from dataforge.contexts.identity.sessions.commands import forget_expired
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


async def maintain(services: "IdentityServices") -> dict[str, int]:
    """Delete refresh tokens and mailed links a month past their end."""
    kept_for = timedelta(days=30)
    return {
        "refresh_tokens": await run(services.unit_of_work(IdentityUnitOfWork), forget_expired, kept_for),
        "mailed_links": await run(services.unit_of_work(IdentityUnitOfWork), forget_expired_links, kept_for),
    }
