"""Notes of a vault: the tree, and one note read or written.

While somebody writes, a script saves the text every few seconds with the revision that it was read at, and is answered
with JSON; without scripts a button saves it. A text that another one has overtaken is never thrown away: the page that
answers shows both.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.workspaces.members.queries import names_of_people
from dataforge.contexts.workspaces.notes import commands, queries, wire
from dataforge.contexts.workspaces.notes.domain.notes import Base
from dataforge.contexts.workspaces.notes.domain.paths import MAX_NOTE_PATH, stem
from dataforge.contexts.workspaces.notes.domain.trees import Folder, Leaf, folder_at, folders_of, tree_of
from dataforge.contexts.workspaces.notes.pages.base import (
    NOTE,
    NOTES,
    VAULT,
    VaultPlace,
    folders_above,
    place_of,
    rendered,
    row_of,
    segments,
    side_by_side,
    text_of,
)
from dataforge.contexts.workspaces.page_calls import WORKSPACES, WorkspacePageCall, cleaned, in_workspace_page, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.http.call import json_response
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, NotFound, PreconditionFailed
from dataforge.kernel.texts import Text
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

_WHOLE = 1_000  # notes of a vault that is shown with all of its folders; of a larger one one folder at a time
_DIFF_ROWS = 1_000
_BACKLINKS = 50
_NEW: Mapping[str, str] = {"path": ""}


@router.get(VAULT)
async def vault_page(
    vault_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)],
    folder: Annotated[str, Query(max_length=MAX_NOTE_PATH)] = "",
) -> Response:
    """The notes of a vault in their folders."""
    return await _vault(call, vault_id, folder=folder)


@router.post(NOTES)
async def create_note(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CREATE, Kind.NOTE)]
) -> Response:
    """Add an empty note, and go on to write it."""
    given = cleaned(call.form, "path")
    try:
        body = wire.NoteIn.model_validate(given)
        made = await call.carry_out(commands.create_note, commands.CreateNote(workspace_id, vault_id, body.path))
    except (ValidationError, DataForgeError) as error:
        return await _vault(call, vault_id, given, refusal_of(error, given))
    return call.see_other(WORKSPACES, workspace_id, "vaults", vault_id, "notes", made, "edit")


@router.post(VAULT + "/move-folder")
async def move_folder(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.NOTE)]
) -> Response:
    """Give a folder another path, with all that is in it."""
    given = cleaned(call.form, "folder", "target")
    try:
        body = wire.FolderMoveIn.model_validate(given)
        command = commands.MoveFolder(workspace_id, vault_id, body.folder, body.target)
        moved = await call.carry_out(commands.move_folder, command)
    except (ValidationError, DataForgeError) as error:
        return await _vault(call, vault_id, given, refusal_of(error, given))
    text = Text.counted(
        "{count:,} note is in {folder} now.",
        "{count:,} notes are in {folder} now.",
        count=moved,
        folder=body.target or Text("the top of the vault"),
    )
    return call.go_on("success", text, WORKSPACES, workspace_id, "vaults", vault_id)


async def _vault(
    call: WorkspacePageCall,
    vault_id: UUID,
    given: Mapping[str, str] = _NEW,
    refusal: Refusal = ACCEPTED,
    *,
    folder: str = "",
) -> Response:
    place = await place_of(call, vault_id)
    top = await _tree(call, vault_id)
    shown = folder_at(top, folder)
    if shown is None:
        message = Text("The vault has no folder {folder!r}.", folder=folder)
        raise NotFound(message)
    return call.page(
        "workspaces/vault.html",
        refusal=refusal,
        vault=place.row,
        reason=place.reason,
        tree=shown,
        whole=shown.count <= _WHOLE,
        above=folders_above(folder),
        folders=folders_of(top),
        given={"path": f"{folder}/" if folder else "", "folder": folder, "target": "", **given},
    )


async def _tree(call: WorkspacePageCall, vault_id: UUID) -> Folder:
    rows = await call.query(queries.list_paths, call.workspace.id, vault_id, call.user_id)
    return tree_of(Leaf(row["id"], row["path"], row["title"]) for row in rows)


@router.get(NOTE)
async def note_page(
    vault_id: UUID, note_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)]
) -> Response:
    """One note, to be read."""
    return await _note(call, vault_id, note_id)


@router.get(NOTE + "/edit")
async def edit_page(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)],
) -> Response:
    """One note, to be written; where that cannot be, the page to read it says why."""
    place = await place_of(call, vault_id)
    note = await row_of(call, vault_id, note_id)
    if place.reason or note["deleted_at"]:
        return call.see_other(WORKSPACES, workspace_id, "vaults", vault_id, "notes", note_id)
    return await _editor(call, place, note)


@router.post(NOTE + "/edit")
async def save_note(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.NOTE)],
) -> Response:
    """Save the text, if nobody has changed it since it was read."""
    text, automatic = text_of(call.form), call.form.get("automatic") == "yes"
    base = Base(call.form.get("revision", ""))
    command = commands.ChangeNote(workspace_id, vault_id, note_id, base, body_md=text, automatic=automatic)
    try:
        saved = await call.carry_out(_saving(call.user_id), command)
    except DataForgeError as error:
        if automatic:
            refused = {"detail": error.detail, "conflict": isinstance(error, PreconditionFailed)}
            return json_response(refused, status=error.status)
        if isinstance(error, PreconditionFailed):
            return await _conflict(call, vault_id, note_id, text, refusal_of(error))
        return await _refused_text(call, vault_id, note_id, text, refusal_of(error, ("body_md",)))
    if automatic:
        return json_response({"revision": saved["revision"]})
    return call.go_on("success", Text("The note is saved."), *segments(call, vault_id, note_id))


def _saving(
    person: UUID,
) -> Callable[[commands.ChangeNote, WorkspacesUnitOfWork], Awaitable[dict[str, Any]]]:
    async def save(command: commands.ChangeNote, uow: WorkspacesUnitOfWork) -> dict[str, Any]:
        # Read before anybody else can write: a later revision is none that the browser has seen.
        await commands.change_note(command, uow)
        given = (command.workspace_id, command.vault_id, command.note_id, person)
        return await queries.get_note(uow.connection, *given)

    return save


@router.post(NOTE + "/preview")
async def preview_note(
    vault_id: UUID, note_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.NOTE)]
) -> Response:
    """Show what a text looks like that is not saved."""
    place = await place_of(call, vault_id)
    note = await row_of(call, vault_id, note_id)
    shown = {**note, "revision": call.form.get("revision", ""), "body_md": text_of(call.form)}
    return await _editor(call, place, shown, unsaved=True)


@router.post(NOTE + "/move")
async def move_note(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.NOTE)],
) -> Response:
    """Give it another path."""
    given = cleaned(call.form, "path")
    try:
        path = wire.NoteChangeIn.model_validate(given).path
        base = Base(call.form.get("revision", ""))
        rewrite = call.form.get("rewrite_links") == "yes"
        command = commands.ChangeNote(workspace_id, vault_id, note_id, base, path=path, rewrite_links=rewrite)
        await call.carry_out(commands.change_note, command)
    except (ValidationError, DataForgeError) as error:
        return await _note(call, vault_id, note_id, given["path"], refusal_of(error, given))
    return call.go_on("success", Text("The note is at {path} now.", path=path), *segments(call, vault_id, note_id))


@router.post(NOTE + "/trash")
async def trash_note(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.DELETE, Kind.NOTE)],
) -> Response:
    """Put it into the trash."""
    try:
        await call.carry_out(commands.trash_note, commands.TrashNote(workspace_id, vault_id, note_id))
    except DataForgeError as error:
        return await _note(call, vault_id, note_id, refusal=refusal_of(error))
    return call.go_on("success", Text("The note is in the trash for 30 days."), *segments(call, vault_id))


async def _note(
    call: WorkspacePageCall, vault_id: UUID, note_id: UUID, path: str | None = None, refusal: Refusal = ACCEPTED
) -> Response:
    place = await place_of(call, vault_id)
    note = await row_of(call, vault_id, note_id)
    names = await call.query(names_of_people, [note["updated_by"]])
    given = (call.workspace.id, vault_id, note_id, call.user_id)
    backlinks = await call.query(queries.list_backlinks, *given, after=None, limit=_BACKLINKS)
    return call.page(
        "workspaces/note.html",
        refusal=refusal,
        backlinks=backlinks.rows,
        more_backlinks=backlinks.next_key is not None,
        vault=place.row,
        reason=place.reason,
        note=note,
        name=stem(note["path"]),
        above=folders_above(note["path"].rpartition("/")[0]),
        author=names.get(note["updated_by"], "somebody"),
        html=await rendered(call, vault_id, note["body_md"]),
        path=note["path"] if path is None else path,
    )


async def _editor(
    call: WorkspacePageCall,
    place: VaultPlace,
    note: Mapping[str, Any],
    refusal: Refusal = ACCEPTED,
    *,
    unsaved: bool = False,
) -> Response:
    return call.page(
        "workspaces/note_editor.html",
        unsaved=unsaved,
        refusal=refusal,
        vault=place.row,
        note=note,
        name=stem(note["path"]),
        html=await rendered(call, place.id, note["body_md"]),
    )


async def _refused_text(
    call: WorkspacePageCall, vault_id: UUID, note_id: UUID, text: str, refusal: Refusal
) -> Response:
    """The editor again, with what could not be saved in it."""
    note = await row_of(call, vault_id, note_id)
    shown = {**note, "body_md": text, "revision": call.form.get("revision", "")}
    return await _editor(call, await place_of(call, vault_id), shown, refusal, unsaved=True)


async def _conflict(call: WorkspacePageCall, vault_id: UUID, note_id: UUID, text: str, refusal: Refusal) -> Response:
    note = await row_of(call, vault_id, note_id)
    names = await call.query(names_of_people, [note["updated_by"]])
    rows = side_by_side(note["body_md"], text)
    own = note["updated_by"] == call.user_id
    return call.page(
        "workspaces/note_conflict.html",
        refusal=refusal,
        vault=(await place_of(call, vault_id)).row,
        note=note,
        name=stem(note["path"]),
        author=Text("You, in another window,") if own else names.get(note["updated_by"], "Somebody"),
        text=text,
        rows=rows[:_DIFF_ROWS],
        more=len(rows) > _DIFF_ROWS,
    )
