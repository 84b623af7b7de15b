"""The write SQL of the refs of repos."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.remotes.domain import MAX_REFS, RepoRef
from dataforge.contexts.workspaces.tables import repo_refs

_INSERT = text(
    "INSERT INTO workspaces.repo_refs (repo_id, name, hash, commit_hash, moved_at) "
    "SELECT :repo_id, ref.name, ref.hash, ref.commit_hash, :moved_at FROM unnest("
    "CAST(:names AS text[]), CAST(:hashes AS text[]), CAST(:commits AS text[])) AS ref (name, hash, commit_hash)"
)
_MOVE = text(
    "INSERT INTO workspaces.repo_refs AS ref (repo_id, name, hash, commit_hash, moved_at) "
    "VALUES (:repo_id, :name, :hash, :commit_hash, :moved_at) ON CONFLICT (repo_id, name) DO UPDATE SET "
    "hash = excluded.hash, commit_hash = excluded.commit_hash, moved_at = excluded.moved_at "
    "WHERE ref.moved_at <= excluded.moved_at"
)


class RepoRefs:
    """Refs of repos that are locked, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(self, repo_id: UUID, refs: Sequence[RepoRef], moved_at: datetime) -> None:
        """Have these refs and no others."""
        await self._connection.execute(delete(repo_refs).where(repo_refs.c.repo_id == repo_id))
        values = {
            "names": [ref.name for ref in refs],
            "hashes": [ref.hash for ref in refs],
            "commits": [ref.commit_hash for ref in refs],
        }
        await self._connection.execute(_INSERT, {"repo_id": repo_id, "moved_at": moved_at, **values})

    async def move(self, repo_id: UUID, ref: RepoRef, moved_at: datetime) -> bool:
        """Have the ref lead there, unless it was moved later; False if it is new and there is no room for it."""
        if not await self._has_room(repo_id, ref.name):
            return False
        values = {"repo_id": repo_id, "name": ref.name, "hash": ref.hash, "commit_hash": ref.commit_hash}
        await self._connection.execute(_MOVE, {**values, "moved_at": moved_at})
        return True

    async def remove(self, repo_id: UUID, name: str, moved_at: datetime) -> None:
        """Forget the ref, unless it was moved later."""
        same = delete(repo_refs).where(repo_refs.c.repo_id == repo_id, repo_refs.c.name == name)
        await self._connection.execute(same.where(repo_refs.c.moved_at <= moved_at))

    async def _has_room(self, repo_id: UUID, name: str) -> bool:
        own = select(repo_refs.c.name).where(repo_refs.c.repo_id == repo_id)
        if await self._connection.scalar(own.where(repo_refs.c.name == name)) is not None:
            return True
        return int(await self._connection.scalar(select(func.count()).select_from(own.subquery())) or 0) < MAX_REFS
