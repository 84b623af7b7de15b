"""The write SQL of repos."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.repos.domain import RepoNotFound
from dataforge.contexts.workspaces.rows.repository import OwnedRows, unique
from dataforge.contexts.workspaces.tables import repos
from dataforge.contexts.workspaces.workspaces.domain import name_taken


class Repos(OwnedRows):
    """Repos of workspaces; the workspace is entered before them."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, repos, now)

    async def find(self, repo_id: UUID, workspace_id: UUID) -> dict[str, Any]:
        """The repo of this workspace, locked; raises RepoNotFound."""
        row = await self.lock(repos.c.id == repo_id, repos.c.workspace_id == workspace_id)
        if row is None:
            message = f"There is no repo {repo_id} in this workspace."
            raise RepoNotFound(message)
        return row

    def unique_name(self, name: str) -> Any:  # noqa: ANN401 - a context manager
        """Raises AlreadyExists within it for a name that another repo of the workspace has."""
        return unique({"uq_repos_workspace_id_name_ci": lambda: name_taken("repo", name, "The workspace")})
