"""Accounts that became one, in workspaces."""

from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.workspaces.members.repository import merge_members

if TYPE_CHECKING:
    from dataforge.contexts.workspaces.module import WorkspacesServices


async def follow_merge(event: AccountsMerged, services: "WorkspacesServices") -> None:
    """Let memberships follow; a second time nothing is left to do."""
    async with services.database.transaction() as connection:
        await merge_members(connection, merged=event.merged, kept=event.kept)
