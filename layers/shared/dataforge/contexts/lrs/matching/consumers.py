"""Accounts that became one, in what statements are matched to."""

from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.lrs.matching.repository import merge_people

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices


async def follow_merge(event: AccountsMerged, services: "LrsServices") -> None:
    """Let statements, progress and identifiers follow; a second time nothing is left to do."""
    async with services.database.transaction() as connection:
        await merge_people(connection, merged=event.merged, kept=event.kept)
