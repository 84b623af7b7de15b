"""The write SQL of notes, of their revisions and of what they are found by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.notes.domain.links import targets_of
from dataforge.contexts.workspaces.notes.domain.notes import (
    AUTOSAVED_FOR,
    MAX_REVISIONS,
    Note,
    body_sha256,
    missing_note,
    path_taken,
    title_of,
)
from dataforge.contexts.workspaces.notes.domain.paths import path_key
from dataforge.contexts.workspaces.notes.domain.search import ReadText, search_fields
from dataforge.contexts.workspaces.tables import note_links, note_revisions, notes
from dataforge.contexts.workspaces.vaults.domain import Vault
from dataforge.platform.db.versioned_rows import Refusals, explained

_NOTE = (notes.c.id, notes.c.path, notes.c.title, notes.c.sha256, notes.c.revision, notes.c.deleted_at)
_REFUSALS: Refusals = {"uq_notes_vault_id_path_key": lambda row: path_taken(row["path"])}
_PRUNED_EVERY = 20  # revisions


@dataclass(frozen=True, slots=True)
class NoteText:
    """What a note says, and where it is; the text has been read for the search."""

    path: str
    body: str
    read: ReadText

    def columns(self, vault: Vault) -> dict[str, Any]:
        """The columns that follow from it."""
        title = title_of(self.path, self.body)
        fields = search_fields(vault.workspace.id, self.path, title, self.read)
        return {
            "path": self.path,
            "path_key": path_key(self.path),
            "title": title,
            "body_md": self.body,
            "sha256": body_sha256(self.body),
            "search_title": fields.title,
            "search_text": fields.text,
            "search_words": cast(fields.words, TSVECTOR),
        }


class Notes:
    """Notes of vaults; the vault is entered before them."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def count(self, vault: Vault) -> int:
        """How many there are, those in the trash included."""
        query = select(func.count()).select_from(notes).where(notes.c.vault_id == vault.id)
        return int(await self._connection.scalar(query) or 0)

    async def enter(self, note_id: UUID, vault: Vault) -> Note:
        """The note, changed by nobody else until the end of the transaction; raises NoteNotFound."""
        query = select(*_NOTE).where(notes.c.id == note_id, notes.c.vault_id == vault.id)
        row = (await self._connection.execute(query.with_for_update(key_share=True))).one_or_none()
        if row is None:
            raise missing_note(note_id)
        return Note(*row)

    async def enter_at(self, path: str, vault: Vault) -> Note | None:
        """The note at a path, as `enter` gives it; None without one."""
        query = select(*_NOTE).where(
            notes.c.vault_id == vault.id, notes.c.path_key == path_key(path), notes.c.deleted_at.is_(None)
        )
        row = (await self._connection.execute(query.with_for_update(key_share=True))).one_or_none()
        return None if row is None else Note(*row)

    async def enter_folder(self, folder: str, vault: Vault, limit: int) -> Sequence[Note]:
        """At most so many of the notes below a folder, as `enter` gives them."""
        query = (
            select(*_NOTE)
            .where(notes.c.vault_id == vault.id, notes.c.deleted_at.is_(None), *below(folder))
            .order_by(notes.c.id)
            .limit(limit)
        )
        return [Note(*row) for row in await self._connection.execute(query.with_for_update(key_share=True))]

    async def enter_linking(self, note: Note, targets: Sequence[str], vault: Vault, limit: int) -> Sequence[Note]:
        """At most so many of the other notes whose links mean one of the targets, as `enter` gives them."""
        linking = select(note_links.c.note_id).where(note_links.c.target.in_(targets))
        query = (
            select(*_NOTE)
            .where(notes.c.vault_id == vault.id, notes.c.deleted_at.is_(None), notes.c.id != note.id)
            .where(notes.c.id.in_(linking))
            .order_by(notes.c.id)
            .limit(limit)
        )
        return [Note(*row) for row in await self._connection.execute(query.with_for_update(key_share=True))]

    async def body(self, note: Note) -> str:
        """The text of a note."""
        return str(await self._connection.scalar(select(notes.c.body_md).where(notes.c.id == note.id)))

    async def size(self, entered: Sequence[Note]) -> int:
        """How many bytes the texts of notes have together."""
        ids = [note.id for note in entered]
        query = select(func.coalesce(func.sum(func.octet_length(notes.c.body_md)), 0)).where(notes.c.id.in_(ids))
        return int(await self._connection.scalar(query) or 0)

    async def revision_body(self, note: Note, revision: int) -> str | None:
        """The text of an older revision; None where there is none."""
        query = select(note_revisions.c.body_md).where(
            note_revisions.c.note_id == note.id, note_revisions.c.revision == revision
        )
        body: str | None = await self._connection.scalar(query)
        return body

    async def add(self, note_id: UUID, vault: Vault, text: NoteText, author: UUID) -> None:
        """Insert a note with its first revision; raises AlreadyExists for a path that is taken."""
        values = text.columns(vault)
        row = {**values, "id": note_id, "workspace_id": vault.workspace.id, "vault_id": vault.id, "updated_by": author}
        async with explained("note", notes.name, refusals=_REFUSALS, row=values):
            await self._connection.execute(insert(notes).values(**row, created_at=self._now, updated_at=self._now))
        await self._add_revision(note_id, 1, values, author, automatic=False)
        await self._link(note_id, text)

    async def save(self, note: Note, vault: Vault, text: NoteText, author: UUID, *, automatic: bool = False) -> int:
        """Write a text or another path as a new revision and return its number; raises AlreadyExists for the path.

        What is saved automatically replaces what was saved automatically just before, by the same person: of a text
        that is being written one revision in ten minutes stays.
        """
        values, revision = text.columns(vault), note.revision + 1
        if automatic:
            await self._drop_autosaved(note, author)
        await self._update(note, {**values, "updated_by": author})
        await self._add_revision(note.id, revision, values, author, automatic=automatic)
        await self._link(note.id, text)
        if revision % _PRUNED_EVERY == 0:
            await self._prune(note)
        return revision

    async def trash(self, note: Note, author: UUID) -> None:
        """Put it into the trash, where no search finds it."""
        await self._update(note, {"deleted_at": self._now, "updated_by": author, "search_words": cast("", TSVECTOR)})

    async def restore(self, note: Note, vault: Vault, text: NoteText, author: UUID) -> None:
        """Take it out of the trash, to the path of the text; raises AlreadyExists."""
        values = text.columns(vault)
        await self._update(note, {**values, "deleted_at": None, "updated_by": author})
        if note.path != text.path:
            await self._add_revision(note.id, note.revision + 1, values, author, automatic=False)
            await self._link(note.id, text)

    async def purge(self, note: Note) -> None:
        """Delete it for good, with its revisions."""
        await self._connection.execute(delete(notes).where(notes.c.id == note.id))

    async def purge_trashed(self, before: datetime, limit: int) -> int:
        """Delete for good at most so many notes that were put into the trash before that instant; how many."""
        old = select(notes.c.id).where(notes.c.deleted_at < before).limit(limit).with_for_update(skip_locked=True)
        return (await self._connection.execute(delete(notes).where(notes.c.id.in_(old)))).rowcount

    async def _update(self, note: Note, values: dict[str, Any]) -> None:
        statement = update(notes).where(notes.c.id == note.id)
        row = {"path": note.path, **values}
        async with explained("note", notes.name, refusals=_REFUSALS, row=row):
            await self._connection.execute(
                statement.values(**values, revision=notes.c.revision + 1, updated_at=self._now)
            )

    async def _add_revision(
        self, note_id: UUID, revision: int, values: dict[str, Any], author: UUID, *, automatic: bool
    ) -> None:
        kept = {name: values[name] for name in ("path", "body_md", "sha256")}
        row = {"note_id": note_id, "revision": revision, "author_id": author, "automatic": automatic, **kept}
        await self._connection.execute(insert(note_revisions).values(**row, created_at=self._now))

    async def _link(self, note_id: UUID, text: NoteText) -> None:
        """Keep what the links in the text mean."""
        links, targets = note_links.c, set(targets_of(text.path, text.body))
        kept = set(await self._connection.scalars(select(links.target).where(links.note_id == note_id)))
        if kept - targets:
            gone = delete(note_links).where(links.note_id == note_id, links.target.in_(kept - targets))
            await self._connection.execute(gone)
        if targets - kept:
            rows = [{"note_id": note_id, "target": target} for target in sorted(targets - kept)]
            await self._connection.execute(insert(note_links).values(rows))

    async def _drop_autosaved(self, note: Note, author: UUID) -> None:
        revisions = note_revisions.c
        query = select(revisions.revision, revisions.automatic, revisions.author_id, revisions.created_at)
        query = query.where(revisions.note_id == note.id).order_by(revisions.revision.desc()).limit(2)
        rows = (await self._connection.execute(query)).all()
        if len(rows) == 1 or not rows[0].automatic or rows[0].author_id != author:
            return
        if rows[1].created_at > self._now - AUTOSAVED_FOR:
            await self._connection.execute(
                delete(note_revisions).where(revisions.note_id == note.id, revisions.revision == rows[0].revision)
            )

    async def _prune(self, note: Note) -> None:
        revisions = note_revisions.c
        newest = select(revisions.revision).where(revisions.note_id == note.id).order_by(revisions.revision.desc())
        oldest = newest.offset(MAX_REVISIONS - 1).limit(1).scalar_subquery()
        await self._connection.execute(
            delete(note_revisions).where(revisions.note_id == note.id, revisions.revision < oldest)
        )


def below(folder: str) -> tuple[Any, Any]:
    """The conditions of notes below a folder, which the index of paths is read by."""
    key = path_key(folder)
    return notes.c.path_key >= f"{key}/", notes.c.path_key < f"{key}0"  # 0 follows /
