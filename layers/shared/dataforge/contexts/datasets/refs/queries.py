"""Branches and tags."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.refs.domain import ref_missing
from dataforge.contexts.datasets.tables import datasets, refs
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict


async def list_refs(
    connection: AsyncConnection, dataset_id: UUID, *, kind: str | None, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Branches and tags by name."""
    query = _refs().where(refs.c.dataset_id == dataset_id).order_by(refs.c.name).limit(limit + 1)
    if kind is not None:
        query = query.where(refs.c.kind == kind)
    if after is not None:
        query = query.where(refs.c.name > after[0])
    rows = [row_dict(row) for row in await connection.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, (rows[-1]["name"],) if more else None)


def _refs() -> Any:  # noqa: ANN401 - a SELECT to be completed
    return select(
        refs.c.name,
        refs.c.kind,
        refs.c.commit_id,
        refs.c.protected,
        refs.c.required_approvals,
        (refs.c.name == datasets.c.default_branch).label("is_default"),
        refs.c.created_by,
        refs.c.created_at,
        refs.c.updated_at,
    ).join(datasets, datasets.c.id == refs.c.dataset_id)


async def names_of_refs(connection: AsyncConnection, dataset_id: UUID, limit: int) -> list[str]:
    """Names of branches and tags, those that were moved last."""
    query = select(refs.c.name).where(refs.c.dataset_id == dataset_id).order_by(refs.c.updated_at.desc()).limit(limit)
    return list((await connection.execute(query)).scalars())


async def get_ref(connection: AsyncConnection, dataset_id: UUID, name: str) -> dict[str, Any]:
    """One branch or tag; raises RefNotFound."""
    query = _refs().where(refs.c.dataset_id == dataset_id, refs.c.name == name)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise ref_missing(name)
    return row_dict(row)


async def require_ref(connection: AsyncConnection, dataset_id: UUID, name: str) -> str:
    """The commit a branch or tag is at; raises RefNotFound, also for a commit id."""
    query = select(refs.c.commit_id).where(refs.c.dataset_id == dataset_id, refs.c.name == name)
    found = await connection.scalar(query)
    if found is None:
        raise ref_missing(name)
    return str(found)
