"""The write SQL of repos."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.repos.domain import HIDDEN, RepoNotFound
from dataforge.contexts.workspaces.tables import repos
from dataforge.contexts.workspaces.workspaces.domain import name_taken
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import VersionedRows


class Repos(VersionedRows):
    """Repos of workspaces; the workspace is entered before them."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        refusals = {"uq_repos_workspace_id_name_ci": lambda row: name_taken("repo", row["name"], Text("The workspace"))}
        super().__init__(connection, repos, "repo", now, hidden=HIDDEN, refusals=refusals)

    async def of_workspace(self, repo_id: UUID, workspace_id: UUID) -> dict[str, Any]:
        """The repo of this workspace, locked; raises RepoNotFound."""
        row = await self.find(repos.c.id == repo_id, repos.c.workspace_id == workspace_id)
        if row is None:
            message = Text("There is no repo {repo_id} in this workspace.", repo_id=repo_id)
            raise RepoNotFound(message)
        return row
