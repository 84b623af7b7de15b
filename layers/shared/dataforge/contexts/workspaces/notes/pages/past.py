"""Revisions of a note beside each other, and the trash of a vault."""

from typing import Annotated
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.workspaces.members.queries import names_of_people
from dataforge.contexts.workspaces.notes import commands, queries, wire
from dataforge.contexts.workspaces.notes.domain.notes import Base
from dataforge.contexts.workspaces.notes.domain.paths import stem
from dataforge.contexts.workspaces.notes.pages.base import NOTE, VAULT, paired, place_of, row_of, segments
from dataforge.contexts.workspaces.page_calls import ROWS, WorkspacePageCall, cleaned, in_workspace_page, router
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

REVISIONS = NOTE + "/revisions"


@router.get(VAULT + "/trash")
async def trash_page(
    vault_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)],
    cursor: Cursor = None,
) -> Response:
    """Notes in the trash by path."""
    return await _trash(call, vault_id, cursor=cursor)


@router.post(NOTE + "/restore")
async def restore_note(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.DELETE, Kind.NOTE)],
) -> Response:
    """Take it out of the trash, to another path if one is given."""
    given = {name: value for name, value in cleaned(call.form, "path").items() if value}
    try:
        path = wire.NoteRestoreIn.model_validate(given).path
        await call.carry_out(commands.restore_note, commands.RestoreNote(workspace_id, vault_id, note_id, path))
    except (ValidationError, DataForgeError) as error:
        return await _trash(call, vault_id, refusal_of(error), wanted=(note_id, given.get("path", "")))
    return call.go_on("success", Text("The note is back."), *segments(call, vault_id, note_id))


@router.post(NOTE + "/purge")
async def purge_note(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.PURGE, Kind.NOTE)],
) -> Response:
    """Delete it for good."""
    try:
        await call.carry_out(commands.purge_note, commands.PurgeNote(workspace_id, vault_id, note_id))
    except DataForgeError as error:
        return await _trash(call, vault_id, refusal_of(error))
    return call.go_on("success", Text("The note is gone for good."), *segments(call, vault_id), "trash")


@router.get(REVISIONS)
async def revisions_page(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)],
    cursor: Cursor = None,
) -> Response:
    """Revisions of a note, the newest first."""
    note = await row_of(call, vault_id, note_id)
    given = (workspace_id, vault_id, note_id, call.user_id)
    page = await call.query(queries.list_revisions, *given, after=call.after(cursor), limit=ROWS)
    return call.page(
        "workspaces/revisions.html",
        vault=(await place_of(call, vault_id)).row,
        note=note,
        name=stem(note["path"]),
        revisions=page.rows,
        names=await call.query(names_of_people, {row["author_id"] for row in page.rows}),
        first=cursor is None,
        following=call.following(page.next_key),
    )


@router.get(REVISIONS + "/{revision}")
async def revision_page(
    vault_id: UUID,
    note_id: UUID,
    revision: wire.Revision,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)],
) -> Response:
    """What a revision has changed, and its text."""
    return await _revision(call, vault_id, note_id, revision)


@router.post(REVISIONS + "/{revision}/restore")
async def restore_revision(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    revision: wire.Revision,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.NOTE)],
) -> Response:
    """Make an older text the text of the note again."""
    base = Base(call.form.get("revision", ""))
    command = commands.RestoreRevision(workspace_id, vault_id, note_id, revision, base)
    try:
        await call.carry_out(commands.restore_revision, command)
    except DataForgeError as error:
        return await _revision(call, vault_id, note_id, revision, refusal_of(error))
    text = Text("The note has the text of revision {revision} again, as a new revision.", revision=revision)
    return call.go_on("success", text, *segments(call, vault_id, note_id))


async def _trash(
    call: WorkspacePageCall,
    vault_id: UUID,
    refusal: Refusal = ACCEPTED,
    *,
    cursor: str | None = None,
    wanted: tuple[UUID, str] | None = None,
) -> Response:
    place, given = await place_of(call, vault_id), (call.workspace.id, vault_id, call.user_id)
    page = await call.query(queries.list_notes, *given, after=call.after(cursor), limit=ROWS, trashed=True)
    return call.page(
        "workspaces/trash.html",
        refusal=refusal,
        vault=place.row,
        reason=place.reason,
        notes=page.rows,
        names=await call.query(names_of_people, {row["updated_by"] for row in page.rows}),
        wanted=wanted,
        first=cursor is None,
        following=call.following(page.next_key) if refusal is ACCEPTED else None,
    )


async def _revision(
    call: WorkspacePageCall, vault_id: UUID, note_id: UUID, revision: int, refusal: Refusal = ACCEPTED
) -> Response:
    place, note = await place_of(call, vault_id), await row_of(call, vault_id, note_id)
    given = (call.workspace.id, vault_id, note_id)
    row = await call.query(queries.get_revision, *given, revision, call.user_id)
    diffed = (*given, revision, None, call.user_id)
    before, _, found = await call.query(queries.diff_revisions, *diffed)
    changed = [paired(hunk.lines) for hunk in found]
    names = await call.query(names_of_people, [row["author_id"]])
    return call.page(
        "workspaces/revision.html",
        refusal=refusal,
        vault=place.row,
        reason=place.reason,
        note=note,
        name=stem(note["path"]),
        row=row,
        earlier=None if before["revision"] == revision else before,
        author=names.get(row["author_id"], "somebody"),
        changed=changed,
    )
