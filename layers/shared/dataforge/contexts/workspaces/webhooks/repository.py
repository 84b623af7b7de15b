"""The write SQL of webhooks."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.tables import repo_deliveries, repos, workspaces


@dataclass(frozen=True, slots=True)
class HookedRepo:
    """A repo that a delivery may be about, in a workspace that is not deleted; `sealed` is its secret."""

    id: UUID
    workspace_id: UUID
    remote_url: str | None
    sealed: bytes | None


class Webhooks:
    """Webhooks of repos, inside one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def find(self, repo_id: UUID) -> HookedRepo | None:
        """The repo, not locked."""
        query = (
            select(repos.c.id, repos.c.workspace_id, repos.c.remote_url, repos.c.webhook_secret)
            .join(workspaces, workspaces.c.id == repos.c.workspace_id)
            .where(repos.c.id == repo_id, workspaces.c.deleted_at.is_(None))
        )
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else HookedRepo(row.id, row.workspace_id, row.remote_url, row.webhook_secret)

    async def is_new(self, repo_id: UUID, delivery_id: str) -> bool:
        """Remember the delivery; False for one that is remembered."""
        values = {"repo_id": repo_id, "delivery_id": delivery_id, "received_at": self._now}
        statement = insert(repo_deliveries).values(values).on_conflict_do_nothing()
        return await self._connection.scalar(statement.returning(repo_deliveries.c.delivery_id)) is not None

    async def forget(self, before: datetime) -> int:
        """Forget deliveries that came before that; how many."""
        old = delete(repo_deliveries).where(repo_deliveries.c.received_at < before)
        return (await self._connection.execute(old)).rowcount
