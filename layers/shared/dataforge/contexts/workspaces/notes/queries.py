"""Notes of vaults, their revisions, and what differs between two."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.notes.domain.diffs import Hunk, diff_lines, hunks
from dataforge.contexts.workspaces.notes.domain.notes import NoteNotFound, missing_note
from dataforge.contexts.workspaces.notes.repository import below
from dataforge.contexts.workspaces.tables import note_revisions, notes, vaults
from dataforge.contexts.workspaces.vaults.domain import VaultNotFound
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

_LISTED = [
    notes.c.id,
    notes.c.vault_id,
    notes.c.path,
    notes.c.title,
    notes.c.sha256,
    notes.c.revision,
    notes.c.updated_by,
    notes.c.created_at,
    notes.c.updated_at,
    notes.c.deleted_at,
    func.octet_length(notes.c.body_md).label("byte_count"),
]
_REVISION = [column for column in note_revisions.c if column.name != "body_md"]


async def seen_vault(connection: AsyncConnection, workspace_id: UUID, vault_id: UUID, person: UUID) -> None:
    """Raise WorkspaceNotFound or VaultNotFound unless the person sees the vault."""
    await seen_workspace(connection, workspace_id, person)
    query = select(vaults.c.id).where(vaults.c.id == vault_id, vaults.c.workspace_id == workspace_id)
    if await connection.scalar(query) is None:
        message = f"There is no vault {vault_id} in this workspace."
        raise VaultNotFound(message)


async def list_notes(
    connection: AsyncConnection,
    workspace_id: UUID,
    vault_id: UUID,
    person: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    folder: str | None = None,
    trashed: bool = False,
) -> Page[dict[str, Any]]:
    """Notes of a vault by path, without their texts; `folder` leaves those below it.

    Raises WorkspaceNotFound, VaultNotFound.
    """
    await seen_vault(connection, workspace_id, vault_id, person)
    deleted = notes.c.deleted_at.is_not(None) if trashed else notes.c.deleted_at.is_(None)
    query = select(*_LISTED, notes.c.path_key).where(notes.c.vault_id == vault_id, deleted)
    if folder:
        query = query.where(*below(folder))
    if after is not None:
        query = query.where(tuple_(notes.c.path_key, notes.c.id) > tuple_(after[0], UUID(after[1])))
    query = query.order_by(notes.c.path_key, notes.c.id).limit(limit + 1)
    rows = [row_dict(row) for row in await connection.execute(query)]
    page = rows[:limit]
    return Page(page, (page[-1]["path_key"], str(page[-1]["id"])) if len(rows) > limit else None)


async def list_paths(
    connection: AsyncConnection, workspace_id: UUID, vault_id: UUID, person: UUID
) -> list[dict[str, Any]]:
    """Id, path and title of all notes of a vault by path; raises WorkspaceNotFound, VaultNotFound."""
    await seen_vault(connection, workspace_id, vault_id, person)
    query = select(notes.c.id, notes.c.path, notes.c.title).where(
        notes.c.vault_id == vault_id, notes.c.deleted_at.is_(None)
    )
    return [row_dict(row) for row in await connection.execute(query.order_by(notes.c.path_key, notes.c.id))]


async def get_note(
    connection: AsyncConnection, workspace_id: UUID, vault_id: UUID, note_id: UUID, person: UUID
) -> dict[str, Any]:
    """One note with its text, also one in the trash; raises WorkspaceNotFound, VaultNotFound, NoteNotFound."""
    await seen_vault(connection, workspace_id, vault_id, person)
    query = select(*_LISTED, notes.c.body_md).where(notes.c.id == note_id, notes.c.vault_id == vault_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise missing_note(note_id)
    return row_dict(row)


async def list_revisions(
    connection: AsyncConnection,
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    person: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Revisions of a note, the newest first, without their texts; raises what `get_note` does."""
    await seen_note(connection, workspace_id, vault_id, note_id, person)
    size = func.octet_length(note_revisions.c.body_md).label("byte_count")
    query = select(*_REVISION, size).where(note_revisions.c.note_id == note_id)
    if after is not None:
        query = query.where(note_revisions.c.revision < after[0])
    query = query.order_by(note_revisions.c.revision.desc()).limit(limit + 1)
    rows = [row_dict(row) for row in await connection.execute(query)]
    page = rows[:limit]
    return Page(page, (page[-1]["revision"],) if len(rows) > limit else None)


async def get_revision(
    connection: AsyncConnection, workspace_id: UUID, vault_id: UUID, note_id: UUID, revision: int, person: UUID
) -> dict[str, Any]:
    """One revision with its text; raises what `get_note` does."""
    await seen_note(connection, workspace_id, vault_id, note_id, person)
    return await _revision(connection, note_id, revision)


async def diff_revisions(
    connection: AsyncConnection,
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    revision: int,
    against: int | None,
    person: UUID,
) -> tuple[dict[str, Any], dict[str, Any], list[Hunk]]:
    """Another revision, this one, and what differs between their texts; raises what `get_note` does.

    Without another one it is the one before; the first revision has none, and is compared with itself.
    """
    await seen_note(connection, workspace_id, vault_id, note_id, person)
    after = await _revision(connection, note_id, revision)
    if against is None:
        earlier = note_revisions.c.note_id == note_id, note_revisions.c.revision < revision
        against = await connection.scalar(select(func.max(note_revisions.c.revision)).where(*earlier)) or revision
    before = await _revision(connection, note_id, against)
    return before, after, list(hunks(diff_lines(before["body_md"], after["body_md"])))


async def seen_note(
    connection: AsyncConnection, workspace_id: UUID, vault_id: UUID, note_id: UUID, person: UUID
) -> str:
    """The path of a note that the person sees; raises what `get_note` does."""
    await seen_vault(connection, workspace_id, vault_id, person)
    query = select(notes.c.path).where(notes.c.id == note_id, notes.c.vault_id == vault_id)
    path: str | None = await connection.scalar(query)
    if path is None:
        raise missing_note(note_id)
    return path


async def _revision(connection: AsyncConnection, note_id: UUID, revision: int) -> dict[str, Any]:
    query: Select[Any] = select(
        *_REVISION, note_revisions.c.body_md, func.octet_length(note_revisions.c.body_md).label("byte_count")
    ).where(note_revisions.c.note_id == note_id, note_revisions.c.revision == revision)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = f"This note has no revision {revision}."
        raise NoteNotFound(message)
    return row_dict(row)
