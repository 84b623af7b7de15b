"""Accounts that became one, in cohorts and launches."""

from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.learning.cohorts.repository import merge_members

if TYPE_CHECKING:
    from dataforge.contexts.learning.module import LearningServices


async def follow_merge(event: AccountsMerged, services: "LearningServices") -> None:
    """Let memberships and launches follow; a second time nothing is left to do."""
    async with services.database.transaction() as connection:
        await merge_members(connection, merged=event.merged, kept=event.kept)
