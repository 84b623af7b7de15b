"""REST of notes."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.workspaces.notes import commands, queries, wire
from dataforge.contexts.workspaces.notes.domain.diffs import unified
from dataforge.contexts.workspaces.notes.domain.notes import Base
from dataforge.contexts.workspaces.notes.domain.paths import MAX_NOTE_PATH
from dataforge.contexts.workspaces.routing import in_workspace, one_of, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT, Page

VAULT = "/api/workspaces/{workspace_id}/vaults/{vault_id}"
NOTES = VAULT + "/notes"
NOTE = NOTES + "/{note_id}"
REVISION = NOTE + "/revisions/{revision}"
SEARCH = (
    'words, all of which must be there, `"exact words"` in a row, `-word` for what must not be there; addresses, '
    "versions, paths and the like are found as they are pasted, and the last word as the beginning of a longer one"
)


@router.get("/api/workspaces/{workspace_id}/notes", response_model=wire.FoundNotePage)
async def search_notes(
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.NOTE)],
    search: Annotated[str | None, Query(max_length=2_000, description=SEARCH)] = None,
    vault_id: Annotated[UUID | None, Query(description="only notes of this vault")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=50, description="notes per page")] = 20,
) -> Response:
    """Find notes in all vaults of a workspace; without `search` those changed last."""
    after, complete = call.after(cursor), True
    if search is None:
        page = await call.query(
            queries.list_changed_notes, workspace_id, call.user_id, after=after, limit=limit, vault_id=vault_id
        )
    else:
        found = await call.query(
            queries.search_notes, workspace_id, call.user_id, search, after=after, limit=limit, vault_id=vault_id
        )
        page, complete = found.page, found.complete
    rows = [wire.FoundNoteOut.model_validate(row) for row in page.rows]
    return call.page_response(Page(rows, page.next_key), limit=limit, complete=complete)


@router.get(NOTES, response_model=wire.NotePage)
async def list_notes(
    workspace_id: UUID,
    vault_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.NOTE)],
    folder: Annotated[str | None, Query(max_length=MAX_NOTE_PATH, description="only notes below this folder")] = None,
    trashed: Annotated[bool | None, Query(description="those in the trash instead")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Notes of a vault by path."""
    page = await call.query(
        queries.list_notes,
        workspace_id,
        vault_id,
        call.user_id,
        after=call.after(cursor),
        limit=limit,
        folder=folder,
        trashed=bool(trashed),
    )
    return page_of(call, page, wire.NoteSummaryOut, limit=limit)


@router.post(NOTES, status_code=201, response_model=wire.NoteOut)
async def create_note(
    workspace_id: UUID,
    vault_id: UUID,
    body: wire.NoteIn,
    call: Annotated[Call, in_workspace(Action.CREATE, Kind.NOTE)],
) -> Response:
    """Add a note, for editors; a vault has a limited number."""

    async def read(connection: AsyncConnection, note_id: UUID) -> Response:
        row = await queries.get_note(connection, workspace_id, vault_id, note_id, call.user_id)
        path = ("/api/workspaces", workspace_id, "vaults", vault_id, "notes", note_id)
        return one_of(call, row, wire.NoteOut, *path)

    command = commands.CreateNote(workspace_id, vault_id, body.path, body.body_md)
    return await call.execute_and_read(Work, commands.create_note, command, read)


@router.post(VAULT + "/move-folder", response_model=wire.FolderMoveOut)
async def move_folder(
    workspace_id: UUID,
    vault_id: UUID,
    body: wire.FolderMoveIn,
    call: Annotated[Call, in_workspace(Action.CHANGE, Kind.NOTE)],
) -> Response:
    """Move a folder with all notes below it, for editors; one that is too large is moved in parts."""
    command = commands.MoveFolder(workspace_id, vault_id, body.folder, body.target)
    return await call.execute(Work, commands.move_folder, command, lambda moved: json_response({"moved": moved}))


@router.get(NOTE, response_model=wire.NoteOut)
async def get_note(
    workspace_id: UUID, vault_id: UUID, note_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.NOTE)]
) -> Response:
    """One note, also one in the trash."""
    row = await call.query(queries.get_note, workspace_id, vault_id, note_id, call.user_id)
    return one_of(call, row, wire.NoteOut)


@router.patch(NOTE, response_model=wire.NoteOut)
async def change_note(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    body: wire.NoteChangeIn,
    call: Annotated[Call, in_workspace(Action.CHANGE, Kind.NOTE)],
) -> Response:
    """Write or move a note, for editors; needs If-Match or `base_sha256`.

    A stale one is refused with what the note is now: `current_revision` and `current_sha256`.
    """
    base = _base(call, body.base_sha256)
    command = commands.ChangeNote(
        workspace_id,
        vault_id,
        note_id,
        base,
        body.body_md,
        body.path,
        automatic=body.automatic,
        rewrite_links=body.rewrite_links,
    )
    read = _reader(call, workspace_id, vault_id)
    return await call.execute_and_read(Work, commands.change_note, command, read)


@router.delete(NOTE, status_code=204)
async def trash_note(
    workspace_id: UUID, vault_id: UUID, note_id: UUID, call: Annotated[Call, in_workspace(Action.DELETE, Kind.NOTE)]
) -> Response:
    """Put a note into the trash, for editors; after 30 days there it is deleted for good."""
    command = commands.TrashNote(workspace_id, vault_id, note_id)
    return await call.execute(Work, commands.trash_note, command, lambda _: json_response(None, status=204))


@router.post(NOTE + "/restore", response_model=wire.NoteOut)
async def restore_note(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[Call, in_workspace(Action.DELETE, Kind.NOTE)],
    body: wire.NoteRestoreIn | None = None,
) -> Response:
    """Take a note out of the trash, for editors; name another path where another note has its path meanwhile."""
    command = commands.RestoreNote(workspace_id, vault_id, note_id, None if body is None else body.path)
    read = _reader(call, workspace_id, vault_id)
    return await call.execute_and_read(Work, commands.restore_note, command, read)


@router.delete(VAULT + "/trash/{note_id}", status_code=204)
async def purge_note(
    workspace_id: UUID, vault_id: UUID, note_id: UUID, call: Annotated[Call, in_workspace(Action.PURGE, Kind.NOTE)]
) -> Response:
    """Delete a note that is in the trash for good, with its revisions, for administrators of the workspace."""
    command = commands.PurgeNote(workspace_id, vault_id, note_id)
    return await call.execute(Work, commands.purge_note, command, lambda _: json_response(None, status=204))


@router.get(NOTE + "/links", response_model=wire.NoteLinksOut)
async def list_links(
    workspace_id: UUID, vault_id: UUID, note_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.NOTE)]
) -> Response:
    """What the links of a note mean: `[[Name]]`, and Markdown links to notes."""
    rows = await call.query(queries.list_links, workspace_id, vault_id, note_id, call.user_id)
    return json_response(wire.NoteLinksOut.model_validate({"items": rows}))


@router.get(NOTE + "/backlinks", response_model=wire.NotePage)
async def list_backlinks(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.NOTE)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Notes of the vault that link to a note, by path."""
    given = (workspace_id, vault_id, note_id, call.user_id)
    page = await call.query(queries.list_backlinks, *given, after=call.after(cursor), limit=limit)
    return page_of(call, page, wire.NoteSummaryOut, limit=limit)


@router.get(NOTE + "/revisions", response_model=wire.NoteRevisionPage)
async def list_revisions(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.NOTE)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Revisions of a note, the newest first."""
    given = (workspace_id, vault_id, note_id, call.user_id)
    page = await call.query(queries.list_revisions, *given, after=call.after(cursor), limit=limit)
    return page_of(call, page, wire.NoteRevisionSummaryOut, limit=limit)


@router.get(REVISION, response_model=wire.NoteRevisionOut)
async def get_revision(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    revision: wire.Revision,
    call: Annotated[Call, in_workspace(Action.READ, Kind.NOTE)],
) -> Response:
    """One revision with its text."""
    row = await call.query(queries.get_revision, workspace_id, vault_id, note_id, revision, call.user_id)
    return one_of(call, row, wire.NoteRevisionOut)


@router.get(REVISION + "/diff", response_model=wire.NoteDiffOut)
async def diff_revisions(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    revision: wire.Revision,
    call: Annotated[Call, in_workspace(Action.READ, Kind.NOTE)],
    against: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="another revision; the one before it if left out")
    ] = None,
) -> Response:
    """What differs between the revision before, or another one, and this one, line by line."""
    given = (workspace_id, vault_id, note_id, revision, against, call.user_id)
    before, after, changes = await call.query(queries.diff_revisions, *given)
    names = [f"{row['path']}\trevision {row['revision']}" for row in (before, after)]
    return json_response(
        wire.NoteDiffOut.model_validate(
            {"first": before, "second": after, "hunks": changes, "unified": unified(names[0], names[1], changes)},
            from_attributes=True,
        )
    )


@router.post(REVISION + "/restore", response_model=wire.NoteOut)
async def restore_revision(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    revision: wire.Revision,
    call: Annotated[Call, in_workspace(Action.CHANGE, Kind.NOTE)],
) -> Response:
    """Make an older text the text of the note again, as a new revision, for editors; needs If-Match."""
    base = Base(call.expected_revision())
    command = commands.RestoreRevision(workspace_id, vault_id, note_id, revision, base)
    read = _reader(call, workspace_id, vault_id)
    return await call.execute_and_read(Work, commands.restore_revision, command, read)


def _base(call: Call, sha256: str | None) -> Base:
    revision = call.expected_revision() if sha256 is None or "if-match" in call.request.headers else None
    return Base(revision, sha256)


def _reader(call: Call, workspace_id: UUID, vault_id: UUID) -> Callable[[AsyncConnection, UUID], Awaitable[Response]]:
    async def read(connection: AsyncConnection, note_id: UUID) -> Response:
        return one_of(
            call, await queries.get_note(connection, workspace_id, vault_id, note_id, call.user_id), wire.NoteOut
        )

    return read
