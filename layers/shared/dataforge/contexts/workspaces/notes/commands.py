"""Notes: written, moved, put into the trash and taken out, deleted for good."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.workspaces.notes.domain.links import relinked
from dataforge.contexts.workspaces.notes.domain.notes import (
    Base,
    Note,
    NoteNotFound,
    body_mistake,
    body_sha256,
    require_body,
    require_few_links,
    require_folder_size,
    require_note_room,
)
from dataforge.contexts.workspaces.notes.domain.paths import (
    SUFFIX,
    endings,
    moved,
    path_key,
    require_folder_move,
    require_note_path,
    stem,
)
from dataforge.contexts.workspaces.notes.domain.search import read_text
from dataforge.contexts.workspaces.notes.queries import resolve_links
from dataforge.contexts.workspaces.notes.repository import NoteText
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.vaults.domain import Vault
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry

MAX_MOVED = 1_000  # notes of a folder that is moved
MAX_REWRITTEN = 200  # notes that link to one that is moved


@dataclass(frozen=True, slots=True)
class CreateNote:
    """A note in a vault."""

    workspace_id: UUID
    vault_id: UUID
    path: str
    body_md: str = ""


@dataclass(frozen=True, slots=True)
class ChangeNote:
    """Another text or path of a note; `base` is what the caller has read.

    With `rewrite_links` links to a note that moves lead to where it is then, and so do its own.
    """

    workspace_id: UUID
    vault_id: UUID
    note_id: UUID
    base: Base
    body_md: str | None = None
    path: str | None = None
    automatic: bool = False
    rewrite_links: bool = False


@dataclass(frozen=True, slots=True)
class MoveFolder:
    """A folder that is to be at another path; empty is the top of the vault."""

    workspace_id: UUID
    vault_id: UUID
    folder: str
    target: str


@dataclass(frozen=True, slots=True)
class TrashNote:
    """A note that is to be in the trash."""

    workspace_id: UUID
    vault_id: UUID
    note_id: UUID


@dataclass(frozen=True, slots=True)
class RestoreNote:
    """A note out of the trash, to where it was or to another path."""

    workspace_id: UUID
    vault_id: UUID
    note_id: UUID
    path: str | None = None


@dataclass(frozen=True, slots=True)
class PurgeNote:
    """A note in the trash that is to be gone for good."""

    workspace_id: UUID
    vault_id: UUID
    note_id: UUID


@dataclass(frozen=True, slots=True)
class RestoreRevision:
    """An older text of a note that is to be its text again."""

    workspace_id: UUID
    vault_id: UUID
    note_id: UUID
    revision: int
    base: Base


class WriteOutcome(StrEnum):
    """What became of a note that was to be written."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # there was one, and it was not to be replaced


@dataclass(slots=True)
class WritableVault:
    """A vault that nobody else writes in until the transaction ends, and who writes."""

    vault: Vault
    author: UUID
    notes: int


async def open_vault(workspace_id: UUID, vault_id: UUID, uow: WorkspacesUnitOfWork) -> WritableVault:
    """Enter a vault to write many notes, for editors.

    Raises WorkspaceNotFound, WorkspaceRoleMissing, WorkspaceArchived, VaultNotFound, VaultLocked.
    """
    # Entered alone, so that two who count at once do not both find the last room.
    vault = await _enter(uow, workspace_id, vault_id, Action.CREATE, alone=True)
    return WritableVault(vault, uow.person, await uow.notes.count(vault))


async def write_note(
    uow: WorkspacesUnitOfWork, opened: WritableVault, path: str, body: str, *, replace: bool = True
) -> tuple[UUID, WriteOutcome]:
    """Write a text at a path of a vault that was opened: a new note, or a new revision of the one that is there.

    Returns the note's id; writes no audit entry. Raises ValidationFailed for a path or text that can be none and
    NoteLimitExceeded; the transaction can go on after either.
    """
    path = require_note_path(path)
    require_body(body)
    note = await uow.notes.enter_at(path, opened.vault)
    if note is None:
        require_note_room(opened.notes)
        note_id = uuid7()
        await uow.notes.add(note_id, opened.vault, NoteText(path, body, read_text(body)), opened.author)
        opened.notes += 1
        return note_id, WriteOutcome.CREATED
    if not replace:
        return note.id, WriteOutcome.KEPT
    if body_sha256(body) == note.sha256:
        return note.id, WriteOutcome.UNCHANGED
    await uow.notes.save(note, opened.vault, NoteText(note.path, body, read_text(body)), opened.author)
    return note.id, WriteOutcome.CHANGED


async def create_note(command: CreateNote, uow: WorkspacesUnitOfWork) -> UUID:
    """Create it, for editors.

    Raises AlreadyExists for a path that is taken, ValidationFailed, NoteLimitExceeded, VaultLocked, WorkspaceArchived.
    """
    text = _text(command.path, command.body_md)
    opened = await open_vault(command.workspace_id, command.vault_id, uow)
    require_note_room(opened.notes)
    note_id = uuid7()
    await uow.notes.add(note_id, opened.vault, text, opened.author)
    _audit(uow, "created", opened.vault, note_id, path=text.path)
    return note_id


async def change_note(command: ChangeNote, uow: WorkspacesUnitOfWork) -> UUID:
    """Write another text or path, for editors; what is so already makes no revision, whatever its base was.

    Raises NoteNotFound, NoteTrashed, PreconditionFailed, AlreadyExists, LinkLimitExceeded, ValidationFailed,
    VaultLocked.
    """
    path = None if command.path is None else require_note_path(command.path)
    read = None if command.body_md is None else _text("", command.body_md).read
    # Two notes that want each other's path, or link to each other, would wait for each other: one moves at a time.
    vault = await _enter(uow, command.workspace_id, command.vault_id, Action.CHANGE, alone=path is not None)
    note = await uow.notes.enter(command.note_id, vault)
    note.require_live()
    same_body = command.body_md is None or body_sha256(command.body_md) == note.sha256
    if same_body and path in (None, note.path):
        return note.id
    note.require_base(command.base)
    body = await uow.notes.body(note) if command.body_md is None else command.body_md
    moves = path is not None and path != note.path
    meant = await _meaning(uow, vault, note) if moves and command.rewrite_links else []
    if path is not None and meant:
        body = relinked(body, note.path, path, dict.fromkeys(meant, path), by_name=False)
        read = None
    text = NoteText(path or note.path, body, read or read_text(body))
    await uow.notes.save(note, vault, text, uow.person, automatic=command.automatic)
    if path is not None and meant:
        await _rewrite_links(uow, vault, note, meant, path)
    if moves:
        _audit(uow, "moved", vault, note.id, before=note.path, path=text.path)
    return note.id


async def _meaning(uow: WorkspacesUnitOfWork, vault: Vault, note: Note) -> list[str]:
    """What links that mean the note say."""
    key = path_key(note.path)
    meant = await resolve_links(uow.connection, vault.id, ["/" + key, *endings(key)])
    return [target for target, linked in meant.items() if linked.id == note.id]


async def _rewrite_links(uow: WorkspacesUnitOfWork, vault: Vault, note: Note, meant: list[str], path: str) -> None:
    name = path_key(stem(path) + SUFFIX)
    by_name = (await resolve_links(uow.connection, vault.id, [name]))[name].id == note.id
    linking = await uow.notes.enter_linking(note, meant, vault, MAX_REWRITTEN + 1)
    require_few_links(len(linking), MAX_REWRITTEN, await uow.notes.size(linking))
    renamed = dict.fromkeys(meant, path)
    for source in linking:
        body = relinked(await uow.notes.body(source), source.path, source.path, renamed, by_name=by_name)
        if body_sha256(body) != source.sha256 and body_mistake(body) is None:
            await uow.notes.save(source, vault, NoteText(source.path, body, read_text(body)), uow.person)


async def move_folder(command: MoveFolder, uow: WorkspacesUnitOfWork) -> int:
    """Move all notes below a folder, for editors, and return how many; all are moved, or none.

    Raises NoteNotFound for a folder without notes, FolderLimitExceeded, AlreadyExists, ValidationFailed, VaultLocked.
    """
    folder, target = require_folder_move(command.folder, command.target)
    vault = await _enter(uow, command.workspace_id, command.vault_id, Action.CHANGE, alone=True)
    below = await uow.notes.enter_folder(folder, vault, MAX_MOVED + 1)
    if not below:
        message = Text("The vault has no notes below {folder!r}.", folder=folder)
        raise NoteNotFound(message)
    require_folder_size(len(below), MAX_MOVED, await uow.notes.size(below))
    for note in below:
        body = await uow.notes.body(note)
        path = require_note_path(moved(note.path, folder, target), "/target")
        await uow.notes.save(note, vault, NoteText(path, body, read_text(body)), uow.person)
    entry = AuditEntry("moved", "folder", folder, after={"path": target}, workspace_id=vault.workspace.id)
    uow.audit(entry)
    return len(below)


async def trash_note(command: TrashNote, uow: WorkspacesUnitOfWork) -> UUID:
    """Put it into the trash, for editors; raises NoteNotFound, NoteTrashed, VaultLocked, WorkspaceArchived."""
    vault = await _enter(uow, command.workspace_id, command.vault_id, Action.DELETE)
    note = await uow.notes.enter(command.note_id, vault)
    note.require_live()
    await uow.notes.trash(note, uow.person)
    _audit(uow, "trashed", vault, note.id, path=note.path)
    return note.id


async def restore_note(command: RestoreNote, uow: WorkspacesUnitOfWork) -> UUID:
    """Take it out of the trash, for editors.

    Raises NoteNotFound, NoteNotTrashed, VaultLocked, WorkspaceArchived, and AlreadyExists where another note has its
    path meanwhile: name another one then.
    """
    path = None if command.path is None else require_note_path(command.path)
    vault = await _enter(uow, command.workspace_id, command.vault_id, Action.DELETE, alone=True)
    note = await uow.notes.enter(command.note_id, vault)
    note.require_trashed()
    body = await uow.notes.body(note)
    text = NoteText(path or note.path, body, read_text(body))
    await uow.notes.restore(note, vault, text, uow.person)
    _audit(uow, "restored", vault, note.id, path=text.path)
    return note.id


async def purge_note(command: PurgeNote, uow: WorkspacesUnitOfWork) -> None:
    """Delete a note in the trash for good, for administrators; raises NoteNotFound, NoteNotTrashed, VaultLocked."""
    vault = await _enter(uow, command.workspace_id, command.vault_id, Action.PURGE)
    note = await uow.notes.enter(command.note_id, vault)
    note.require_trashed()
    await uow.notes.purge(note)
    _audit(uow, "purged", vault, note.id, path=note.path)


async def restore_revision(command: RestoreRevision, uow: WorkspacesUnitOfWork) -> UUID:
    """Make an older text the text of the note again, as a new revision at its present path, for editors.

    Raises NoteNotFound, NoteTrashed, PreconditionFailed, VaultLocked, WorkspaceArchived.
    """
    vault = await _enter(uow, command.workspace_id, command.vault_id, Action.CHANGE)
    note = await uow.notes.enter(command.note_id, vault)
    note.require_live()
    note.require_base(command.base)
    body = await uow.notes.revision_body(note, command.revision)
    if body is None:
        message = Text("This note has no revision {revision}.", revision=command.revision)
        raise NoteNotFound(message)
    if body_sha256(body) != note.sha256:
        await uow.notes.save(note, vault, NoteText(note.path, body, read_text(body)), uow.person)
    return note.id


async def _enter(
    uow: WorkspacesUnitOfWork, workspace_id: UUID, vault_id: UUID, action: Action, *, alone: bool = False
) -> Vault:
    workspace = await uow.workspaces.enter(workspace_id, uow.person)
    vault = await uow.vaults.enter(vault_id, workspace, alone=alone)
    vault.require_unlocked(action, Kind.NOTE)
    return vault


def _text(path: str, body: str) -> NoteText:
    """What is to be stored, read before anything is locked."""
    require_body(body)
    return NoteText(require_note_path(path) if path else "", body, read_text(body))


def _audit(
    uow: WorkspacesUnitOfWork, action: str, vault: Vault, note_id: UUID, *, path: str, before: str | None = None
) -> None:
    was = None if before is None else {"path": before}
    uow.audit(AuditEntry(action, "note", str(note_id), was, {"path": path}, workspace_id=vault.workspace.id))
