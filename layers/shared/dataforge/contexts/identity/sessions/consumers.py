"""Maintenance of sessions."""

from datetime import timedelta
from typing import TYPE_CHECKING

from dataforge.contexts.identity.sessions.commands import forget_expired
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.module import IdentityServices


async def maintain(services: "IdentityServices") -> dict[str, int]:
    """Delete refresh tokens a month past their end."""
    return {"refresh_tokens": await run(services.unit_of_work(IdentityUnitOfWork), forget_expired, timedelta(days=30))}
