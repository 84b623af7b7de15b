"""Look-ups that commands and queries share."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.domain.refs import commit_missing, is_commit_id, ref_missing
from dataforge.contexts.datasets.tables import commits, refs


async def resolve_version(connection: AsyncConnection, dataset_id: UUID, version: str) -> str:
    """The commit id of a branch, a tag or a commit id; raises RefNotFound or CommitNotFound."""
    if is_commit_id(version):
        known = select(commits.c.commit_id).where(commits.c.dataset_id == dataset_id, commits.c.commit_id == version)
        if await connection.scalar(known) is None:
            raise commit_missing(version)
        return version
    found = await connection.scalar(
        select(refs.c.commit_id).where(refs.c.dataset_id == dataset_id, refs.c.name == version)
    )
    if found is None:
        raise ref_missing(version)
    return str(found)
