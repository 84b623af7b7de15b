"""Commits and their history."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.commits.domain import commit_missing, is_commit_id
from dataforge.contexts.datasets.refs.domain import ref_missing
from dataforge.contexts.datasets.tables import commit_tables, commits, refs
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict


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


# Everything a commit reaches, newest generation first. A page costs what it shows plus the rows before it; the walk
# carries the generation, so that a parent never comes before its child.
_HISTORY = text(
    """
    WITH RECURSIVE walk AS (
        SELECT commit_id, parent_commit_id, merge_parent_id, generation
        FROM datasets.commits WHERE dataset_id = :dataset_id AND commit_id = :start
        UNION
        SELECT c.commit_id, c.parent_commit_id, c.merge_parent_id, c.generation
        FROM walk JOIN datasets.commits c
          ON c.dataset_id = :dataset_id AND c.commit_id IN (walk.parent_commit_id, walk.merge_parent_id)
    )
    SELECT commit_id, generation FROM walk
    WHERE CAST(:generation AS integer) IS NULL
       OR (generation, commit_id) < (CAST(:generation AS integer), CAST(:after AS char(64)))
    ORDER BY generation DESC, commit_id DESC LIMIT :limit
    """
)
_MERGE_BASE = text(
    """
    WITH RECURSIVE one AS (
        SELECT commit_id, parent_commit_id, merge_parent_id, generation
        FROM datasets.commits WHERE dataset_id = :dataset_id AND commit_id = :one
        UNION
        SELECT c.commit_id, c.parent_commit_id, c.merge_parent_id, c.generation
        FROM one JOIN datasets.commits c
          ON c.dataset_id = :dataset_id AND c.commit_id IN (one.parent_commit_id, one.merge_parent_id)
    ), other AS (
        SELECT commit_id, parent_commit_id, merge_parent_id, generation
        FROM datasets.commits WHERE dataset_id = :dataset_id AND commit_id = :other
        UNION
        SELECT c.commit_id, c.parent_commit_id, c.merge_parent_id, c.generation
        FROM other JOIN datasets.commits c
          ON c.dataset_id = :dataset_id AND c.commit_id IN (other.parent_commit_id, other.merge_parent_id)
    )
    SELECT commit_id FROM one JOIN other USING (commit_id, generation) ORDER BY generation DESC, commit_id LIMIT 1
    """
)
_TOTALS = (
    select(
        commit_tables.c.dataset_id,
        commit_tables.c.commit_id,
        func.count().label("table_count"),
        func.sum(commit_tables.c.row_count).label("row_count"),
        func.sum(commit_tables.c.size_bytes).label("size_bytes"),
    )
    .group_by(commit_tables.c.dataset_id, commit_tables.c.commit_id)
    .subquery()
)


async def find_version(connection: AsyncConnection, dataset_id: UUID, version: str) -> tuple[str, str | None]:
    """The commit id of a branch, tag or commit id, and the name if it was one; raises RefNotFound, CommitNotFound."""
    commit_id = await resolve_version(connection, dataset_id, version)
    return commit_id, None if commit_id == version else version


async def get_commit(connection: AsyncConnection, dataset_id: UUID, commit_id: str) -> dict[str, Any]:
    """One commit with its tables; raises CommitNotFound."""
    query = select(commits).where(commits.c.dataset_id == dataset_id, commits.c.commit_id == commit_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise commit_missing(commit_id)
    tables = await commit_tables_of(connection, dataset_id, commit_id)
    return {
        "commit_id": row.commit_id,
        "content_hash": row.content_hash,
        "parent_commit_id": row.parent_commit_id,
        "merge_parent_id": row.merge_parent_id,
        "message": row.message,
        "author": row.author,
        "author_id": row.author_id,
        "authored_at": row.authored_at,
        "created_at": row.committed_at,
        "tables": [
            {
                "sheet_name": table["sheet"],
                "row_count": table["row_count"],
                "size_bytes": table["size_bytes"],
                "column_count": len(table["definition"]["columns"]),
                "changes": table["changes"],
            }
            for table in tables
        ],
    }


async def commit_tables_of(connection: AsyncConnection, dataset_id: UUID, commit_id: str) -> list[dict[str, Any]]:
    """The tables of a commit in their order."""
    query = (
        select(commit_tables)
        .where(commit_tables.c.dataset_id == dataset_id, commit_tables.c.commit_id == commit_id)
        .order_by(commit_tables.c.position, commit_tables.c.sheet)
    )
    return [row_dict(row) for row in await connection.execute(query)]


async def history(
    connection: AsyncConnection, dataset_id: UUID, start: str, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Commits that `start` reaches, newest first; every commit comes before its parents. `is_head`: a ref is there."""
    values = {
        "dataset_id": dataset_id,
        "start": start,
        "generation": None if after is None else after[0],
        "after": None if after is None else after[1],
        "limit": limit + 1,
    }
    walked = (await connection.execute(_HISTORY, values)).all()
    ids = [row.commit_id for row in walked[:limit]]
    if not ids:
        return Page([])
    last = walked[limit - 1] if len(walked) > limit else None
    query = (
        select(commits, _TOTALS.c.table_count, _TOTALS.c.row_count.label("rows"))
        .outerjoin(
            _TOTALS,
            and_(_TOTALS.c.dataset_id == commits.c.dataset_id, _TOTALS.c.commit_id == commits.c.commit_id),
        )
        .where(commits.c.dataset_id == dataset_id, commits.c.commit_id.in_(ids))
    )
    heads = await _heads(connection, dataset_id, ids)
    found = {row.commit_id: row for row in await connection.execute(query)}
    rows = [_history_row(found[commit_id], heads.get(commit_id, [])) for commit_id in ids]
    return Page(rows, None if last is None else (last.generation, last.commit_id, start))


async def _heads(connection: AsyncConnection, dataset_id: UUID, ids: Sequence[str]) -> dict[str, list[str]]:
    query = select(refs.c.commit_id, refs.c.name).where(refs.c.dataset_id == dataset_id, refs.c.commit_id.in_(ids))
    heads: dict[str, list[str]] = {}
    for row in await connection.execute(query.order_by(refs.c.name)):
        heads.setdefault(row.commit_id, []).append(row.name)
    return heads


def _history_row(row: Any, heads: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - a SQLAlchemy row
    return {
        "commit_id": row.commit_id,
        "parent_commit_id": row.parent_commit_id,
        "merge_parent_id": row.merge_parent_id,
        "content_hash": row.content_hash,
        "message": row.message,
        "author": row.author,
        "author_id": row.author_id,
        "created_at": row.committed_at,
        "generation": row.generation,
        "table_count": row.table_count or 0,
        "row_count": int(row.rows or 0),
        "is_head": bool(heads),
        "refs": list(heads),
    }


async def first_parents(
    connection: AsyncConnection, dataset_id: UUID, start: str, sheet: str, *, limit: int
) -> list[dict[str, Any]]:
    """Commits along first parents from `start`, newest first, with the manifest of one sheet, if they have it."""
    line = (
        select(commits.c.commit_id, commits.c.parent_commit_id, literal(1).label("step"))
        .where(commits.c.dataset_id == dataset_id, commits.c.commit_id == start)
        .cte("line", recursive=True)
    )
    line = line.union_all(
        select(commits.c.commit_id, commits.c.parent_commit_id, line.c.step + 1).where(
            commits.c.dataset_id == dataset_id, commits.c.commit_id == line.c.parent_commit_id, line.c.step < limit
        )
    )
    query = (
        select(commits, commit_tables.c.manifest_id, commit_tables.c.leaves_sha256)
        .join(line, line.c.commit_id == commits.c.commit_id)
        .outerjoin(
            commit_tables,
            and_(
                commit_tables.c.dataset_id == commits.c.dataset_id,
                commit_tables.c.commit_id == commits.c.commit_id,
                commit_tables.c.sheet == sheet,
            ),
        )
        .where(commits.c.dataset_id == dataset_id)
        .order_by(line.c.step)
    )
    return [row_dict(row) for row in await connection.execute(query)]


async def merge_base(connection: AsyncConnection, dataset_id: UUID, one: str, other: str) -> str | None:
    """The newest commit that both reach; None when their histories never met."""
    values = {"dataset_id": dataset_id, "one": one, "other": other}
    found = await connection.scalar(_MERGE_BASE, values)
    return None if found is None else str(found)


async def overview(connection: AsyncConnection, dataset_id: UUID) -> dict[str, Any]:
    """Counts of a dataset: branches, tags, commits, and when the last commit was made."""
    query = select(
        func.count().filter(refs.c.kind == "branch").label("branches"),
        func.count().filter(refs.c.kind == "tag").label("tags"),
    ).where(refs.c.dataset_id == dataset_id)
    counts = row_dict((await connection.execute(query)).one())
    made = select(func.count().label("commits"), func.max(commits.c.committed_at).label("last_commit_at")).where(
        commits.c.dataset_id == dataset_id
    )
    return {**counts, **row_dict((await connection.execute(made)).one())}
