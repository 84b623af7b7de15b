"""Accounts that became one, in what datasets allow whom."""

from typing import TYPE_CHECKING

from dataforge.contexts.datasets.datasets.repository import merge_grants
from dataforge.contexts.identity.contract import AccountsMerged

if TYPE_CHECKING:
    from dataforge.contexts.datasets.services import DatasetsServices


async def follow_merge(event: AccountsMerged, services: "DatasetsServices") -> None:
    """Let grants follow; a second time nothing is left to do."""
    async with services.database.transaction() as connection:
        await merge_grants(connection, merged=event.merged, kept=event.kept)
