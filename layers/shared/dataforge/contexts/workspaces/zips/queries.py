"""Notes of a vault, as plans compare them and exports write them."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.notes.repository import below
from dataforge.contexts.workspaces.tables import notes
from dataforge.contexts.workspaces.zips.domain import EXPORT, IMPORT, PLAN
from dataforge.platform.db.database import Database, row_dict
from dataforge.platform.jobs.tables import jobs

_PAGE = 100
_SHOWN_JOBS = 20


@dataclass(frozen=True, slots=True)
class ExportedNote:
    """A note with its text."""

    path: str
    body: str
    updated_at: datetime


async def list_zip_jobs(connection: AsyncConnection, vault_id: UUID, person: UUID) -> list[dict[str, Any]]:
    """The person's latest exports, plans and imports of a vault, the newest first."""
    shown = (jobs.c.id, jobs.c.kind, jobs.c.status, jobs.c.error_message, jobs.c.output_summary, jobs.c.run_parameters)
    query = select(*shown, jobs.c.created_at, jobs.c.completed_at).where(
        jobs.c.user_id == person,
        jobs.c.kind.in_((PLAN, IMPORT, EXPORT)),
        jobs.c.run_parameters["vault_id"].astext == str(vault_id),
    )
    return [row_dict(row) for row in await connection.execute(query.order_by(jobs.c.id.desc()).limit(_SHOWN_JOBS))]


async def hashes_of(connection: AsyncConnection, vault_id: UUID, folder: str) -> dict[str, str]:
    """Hashes of the texts of all notes below a folder that are not in the trash, by path."""
    query = select(notes.c.path, notes.c.sha256).where(notes.c.vault_id == vault_id, notes.c.deleted_at.is_(None))
    if folder:
        query = query.where(*below(folder))
    return {row.path: row.sha256 for row in await connection.execute(query.order_by(notes.c.path_key))}


def digest_of(hashes: dict[str, str]) -> str:
    """One hash over the paths and texts of notes."""
    digest = hashlib.sha256()
    for path, sha256 in hashes.items():
        digest.update(f"{path}\0{sha256}\n".encode())
    return digest.hexdigest()


async def notes_of(database: Database, vault_id: UUID, folder: str = "") -> AsyncIterator[Sequence[ExportedNote]]:
    """All notes below a folder that are not in the trash, in pages; each once, by its path at the beginning.

    No transaction is open between two pages.
    """
    query = select(notes.c.id, notes.c.path).where(notes.c.vault_id == vault_id, notes.c.deleted_at.is_(None))
    if folder:
        query = query.where(*below(folder))
    async with database.read_only() as connection:
        paths = {row.id: row.path for row in await connection.execute(query.order_by(notes.c.path_key))}
    ids = list(paths)
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        texts = select(notes.c.id, notes.c.body_md, notes.c.updated_at).where(notes.c.id.in_(page))
        async with database.read_only() as connection:
            found = {row.id: row for row in await connection.execute(texts)}
        there = [(paths[key], found[key]) for key in page if key in found]
        yield [ExportedNote(path, row.body_md, row.updated_at) for path, row in there]
