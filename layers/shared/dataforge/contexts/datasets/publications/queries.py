"""Publications as people see them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.commits.domain import commit_missing
from dataforge.contexts.datasets.publications.domain import (
    MOST_COMMITS,
    PublicationState,
    publication_missing,
    state_of,
)
from dataforge.contexts.datasets.tables import commits, datasets, publications, refs
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

_HEAD = func.coalesce(publications.c.commit_id, refs.c.commit_id).label("head_commit_id")
_OF_REF = and_(refs.c.dataset_id == publications.c.dataset_id, refs.c.name == publications.c.ref_name)
_SHOWN = select(publications, _HEAD, refs.c.updated_at.label("moved_at")).outerjoin(refs, _OF_REF)


def _shown(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a SQLAlchemy row
    values = row_dict(row)
    values["state"] = state_of(values)
    moved_at = values.pop("moved_at")
    values["behind_since"] = moved_at if values["state"] is PublicationState.BEHIND else None
    values["snapshot_id"] = None if values["snapshot_id"] is None else str(values["snapshot_id"])
    return values


async def get_publication(connection: AsyncConnection, dataset_id: UUID, publication_id: UUID) -> dict[str, Any]:
    """A publication of a dataset; raises PublicationNotFound."""
    mine = _SHOWN.where(publications.c.dataset_id == dataset_id, publications.c.id == publication_id)
    row = (await connection.execute(mine)).one_or_none()
    if row is None:
        raise publication_missing(publication_id)
    return _shown(row)


async def list_publications(
    connection: AsyncConnection, dataset_id: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Publications, newest first."""
    query = _SHOWN.where(publications.c.dataset_id == dataset_id).order_by(publications.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(publications.c.id < UUID(after[0]))
    rows = [_shown(row) for row in await connection.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, (str(rows[-1]["id"]),) if more else None)


async def dataset_deleted(connection: AsyncConnection, dataset_id: UUID) -> bool:
    """Whether the dataset has been put away."""
    return await connection.scalar(select(datasets.c.deleted_at).where(datasets.c.id == dataset_id)) is not None


async def commits_to_publish(
    connection: AsyncConnection, dataset_id: UUID, published: str | None, head: str
) -> tuple[list[str], bool]:
    """Commits to publish one after the other, oldest first, and whether some before them are passed over.

    Those that the branch was at one after the other: first parents. Without a published one among the newest it is
    the head alone.
    """
    if published == head:
        return [], False
    found: list[str] = []
    commit_id: str | None = head
    while commit_id is not None and commit_id != published and published is not None and len(found) < MOST_COMMITS:
        found.append(commit_id)
        parent = select(commits.c.parent_commit_id).where(
            commits.c.dataset_id == dataset_id, commits.c.commit_id == commit_id
        )
        row = (await connection.execute(parent)).one_or_none()
        if row is None:
            raise commit_missing(commit_id)
        commit_id = row.parent_commit_id
    if published is not None and commit_id == published:
        return found[::-1], False
    return [head], published is not None


async def known_commits(connection: AsyncConnection, dataset_id: UUID, commit_ids: Collection[str]) -> set[str]:
    """Those of some commits that the dataset still has."""
    mine = select(commits.c.commit_id).where(commits.c.dataset_id == dataset_id, commits.c.commit_id.in_(commit_ids))
    return set((await connection.scalars(mine)).all())
