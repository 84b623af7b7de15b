"""Verification of a dataset, from its refs to its bytes."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.commits.versions import Versions
from dataforge.contexts.datasets.datasets.domain import DatasetNotFound
from dataforge.contexts.datasets.tables import commit_tables, commits, refs
from dataforge.kernel.texts import Text
from versioned_tables.errors import CorruptStorage
from versioned_tables.hashing.commits import TableContent, commit_id, tree_hash
from versioned_tables.maintain.maintenance import verify
from versioned_tables.schema.columns import TableSchema


@dataclass(frozen=True, slots=True)
class Broken:
    """The first hash that does not hold: which ref and commit lead there, what it is, and why."""

    ref: str
    commit_id: str
    sheet: str | None
    thing: str
    identity: str
    reason: str


async def find_broken(versions: Versions, dataset_id: UUID) -> dict[str, Any]:
    """Walk from every ref to every byte: `{dataset_id, refs, commits, tables, broken}`; `broken` None means whole.

    Commit ids and content hashes are computed anew, manifests are decoded, rows are hashed, objects are read.
    """
    # Its own caches, so that nothing is believed because it was right once.
    fresh = Versions(versions.database, versions.objects)
    counts = {"refs": 0, "commits": 0, "tables": 0}
    seen_commits, seen_tables = set[str](), set[str]()
    broken: Broken | None = None
    async with versions.database.read_only() as connection:
        query = select(refs).where(refs.c.dataset_id == dataset_id).order_by(refs.c.name)
        found = (await connection.execute(query)).all()
        if not found:
            message = Text("There is no dataset {dataset_id}.", dataset_id=dataset_id)
            raise DatasetNotFound(message)
        for ref in found:
            counts["refs"] += 1
            waiting = [ref.commit_id]
            while waiting and broken is None:
                one = waiting.pop()
                if one in seen_commits:
                    continue
                seen_commits.add(one)
                counts["commits"] += 1
                broken, parents = await _verify_commit(
                    fresh, connection, dataset_id, ref.name, one, seen_tables, counts
                )
                waiting.extend(parents)
            if broken is not None:
                break
    return {"dataset_id": str(dataset_id), **counts, "broken": None if broken is None else asdict(broken)}


async def _verify_commit(
    versions: Versions,
    connection: AsyncConnection,
    dataset_id: UUID,
    ref: str,
    identity: str,
    seen: set[str],
    counts: dict[str, int],
) -> tuple[Broken | None, list[str]]:
    query = select(commits).where(commits.c.dataset_id == dataset_id, commits.c.commit_id == identity)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return Broken(ref, identity, None, "commit", identity, "the commit is missing"), []
    mine = (commit_tables.c.dataset_id == dataset_id, commit_tables.c.commit_id == identity)
    tables = (await connection.execute(select(commit_tables).where(*mine))).all()
    content = {
        table.sheet: TableContent(TableSchema.from_json(table.definition), table.row_count, table.leaves_sha256)
        for table in tables
    }
    if tree_hash(content) != row.content_hash:
        return Broken(ref, identity, None, "content hash", row.content_hash, "its tables have another hash"), []
    parents = [parent for parent in (row.parent_commit_id, row.merge_parent_id) if parent is not None]
    expected = commit_id(
        row.content_hash, parents=parents, author=row.author, message=row.message, authored_at=row.authored_at
    )
    if expected != identity:
        return Broken(ref, identity, None, "commit", identity, "its content, parents or words have another hash"), []
    for table in tables:
        if table.manifest_id in seen:
            continue
        seen.add(table.manifest_id)
        counts["tables"] += 1
        broken = await _verify_table(versions, connection, dataset_id, ref, identity, table)
        if broken is not None:
            return broken, []
    return None, parents


async def _verify_table(
    versions: Versions,
    connection: AsyncConnection,
    dataset_id: UUID,
    ref: str,
    commit: str,
    table: Any,  # noqa: ANN401 - a SQLAlchemy row
) -> Broken | None:
    try:
        known = await versions.manifests(connection, dataset_id, [table.manifest_id])
    except (CorruptStorage, KeyError) as error:
        return Broken(ref, commit, table.sheet, "manifest", table.manifest_id, str(error))
    manifest = known[table.manifest_id][1]
    if manifest.digest != table.leaves_sha256:
        reason = Text("its leaves have another hash than the commit says")
        return Broken(ref, commit, table.sheet, "manifest", table.manifest_id, reason)
    problems = await asyncio.to_thread(verify, versions.store(dataset_id), manifest)
    if problems:
        first = problems[0]
        return Broken(ref, commit, table.sheet, first.thing, first.identity, first.reason)
    return None
