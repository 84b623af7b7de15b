"""Notes of a vault: the tree, one note read or written, its revisions, and the trash.

While somebody writes, a script saves the text every few seconds with the revision that it was read at, and is answered
with JSON; without scripts a button saves it. A text that another one has overtaken is never thrown away: the page that
answers shows both.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.workspaces.members.queries import names_of_people
from dataforge.contexts.workspaces.notes import commands, queries, wire
from dataforge.contexts.workspaces.notes.domain.diffs import DiffLine, LineKind, diff_lines, hunks
from dataforge.contexts.workspaces.notes.domain.notes import Base, without_front_matter
from dataforge.contexts.workspaces.notes.domain.paths import MAX_NOTE_PATH, endings, path_key, stem
from dataforge.contexts.workspaces.notes.domain.trees import Folder, Leaf, folder_at, folders_of, path_meant, tree_of
from dataforge.contexts.workspaces.page_calls import (
    ROWS,
    WORKSPACE,
    WORKSPACES,
    WorkspacePageCall,
    cleaned,
    in_workspace_page,
    router,
)
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.vaults.queries import get_vault
from dataforge.http.addresses import own_address
from dataforge.http.call import json_response
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, NotFound, PreconditionFailed
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

VAULT = WORKSPACE + "/vaults/{vault_id}"
NOTES = VAULT + "/notes"
NOTE = NOTES + "/{note_id}"
REVISIONS = NOTE + "/revisions"
_WHOLE = 1_000  # notes of a vault that is shown with all of its folders; of a larger one one folder at a time
_RENDERED = 200_000  # characters; a longer text is shown as it was written
_DIFF_ROWS = 1_000
_NEW: Mapping[str, str] = {"path": ""}


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """A vault as one of its pages shows it; `reason` says why nothing can be changed, empty where it can."""

    row: Mapping[str, Any]
    reason: str

    @property
    def id(self) -> UUID:
        """The vault's id."""
        return UUID(str(self.row["id"]))


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One row of two texts beside each other; a side without a line is None."""

    first: DiffLine | None
    second: DiffLine | None


async def _place(call: WorkspacePageCall, vault_id: UUID) -> VaultPlace:
    row = await call.query(get_vault, call.workspace.id, vault_id, call.user_id)
    reason = ""
    if row["is_locked"]:
        names = await call.query(names_of_people, [row["locked_by"]] if row["locked_by"] else [])
        by = names.get(row["locked_by"], "somebody")
        reason = f"{by} has locked the vault: its notes can be read, and not changed until it is unlocked."
    elif call.workspace.archived_at is not None:
        reason = "The workspace is archived: its notes can be read, and not changed."
    elif not call.may("change", "note"):
        reason = "You are a viewer of this workspace: you can read its notes, and not change them."
    return VaultPlace(row, reason)


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
    text = f"{moved:,} note{' is' if moved == 1 else 's are'} in {body.target or 'the top of the vault'} now."
    return call.go_on("success", text, WORKSPACES, workspace_id, "vaults", vault_id)


async def _vault(
    call: WorkspacePageCall,
    vault_id: UUID,
    given: Mapping[str, str] = _NEW,
    refusal: Refusal = ACCEPTED,
    *,
    folder: str = "",
) -> Response:
    place = await _place(call, vault_id)
    top = await _tree(call, vault_id)
    shown = folder_at(top, folder)
    if shown is None:
        message = f"The vault has no folder {folder!r}."
        raise NotFound(message)
    return call.page(
        "workspaces/vault.html",
        refusal=refusal,
        vault=place.row,
        reason=place.reason,
        tree=shown,
        whole=shown.count <= _WHOLE,
        above=_above(folder),
        folders=folders_of(top),
        given={"path": f"{folder}/" if folder else "", "folder": folder, "target": "", **given},
    )


async def _tree(call: WorkspacePageCall, vault_id: UUID) -> Folder:
    rows = await call.query(queries.list_paths, call.workspace.id, vault_id, call.user_id)
    return tree_of(Leaf(row["id"], row["path"], row["title"]) for row in rows)


def _above(folder: str) -> list[tuple[str, str]]:
    """Path and name of a folder and those that it is in, from the top."""
    found = [(path, path.rpartition("/")[2]) for path in _beginnings(folder)]
    return found if folder else []


def _beginnings(folder: str) -> list[str]:
    names = folder.split("/")
    return ["/".join(names[: count + 1]) for count in range(len(names))]


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
    place = await _place(call, vault_id)
    note = await _row(call, vault_id, note_id)
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
    text, automatic = _text(call.form), call.form.get("automatic") == "yes"
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
    return call.go_on("success", "The note is saved.", *_segments(call, vault_id, note_id))


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
    place = await _place(call, vault_id)
    note = await _row(call, vault_id, note_id)
    shown = {**note, "revision": call.form.get("revision", ""), "body_md": _text(call.form)}
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
        await call.carry_out(
            commands.change_note, commands.ChangeNote(workspace_id, vault_id, note_id, base, path=path)
        )
    except (ValidationError, DataForgeError) as error:
        return await _note(call, vault_id, note_id, given["path"], refusal_of(error, given))
    return call.go_on("success", f"The note is at {path} now.", *_segments(call, vault_id, note_id))


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
    return call.go_on("success", "The note is in the trash for 30 days.", *_segments(call, vault_id))


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
    return call.go_on("success", "The note is back.", *_segments(call, vault_id, note_id))


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
    return call.go_on("success", "The note is gone for good.", *_segments(call, vault_id), "trash")


@router.get(REVISIONS)
async def revisions_page(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)],
    cursor: Cursor = None,
) -> Response:
    """Revisions of a note, the newest first."""
    note = await _row(call, vault_id, note_id)
    given = (workspace_id, vault_id, note_id, call.user_id)
    page = await call.query(queries.list_revisions, *given, after=call.after(cursor), limit=ROWS)
    return call.page(
        "workspaces/revisions.html",
        vault=(await _place(call, vault_id)).row,
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
    revision: int,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)],
) -> Response:
    """What a revision has changed, and its text."""
    return await _revision(call, vault_id, note_id, revision)


@router.post(REVISIONS + "/{revision}/restore")
async def restore_revision(
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    revision: int,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.NOTE)],
) -> Response:
    """Make an older text the text of the note again."""
    base = Base(call.form.get("revision", ""))
    command = commands.RestoreRevision(workspace_id, vault_id, note_id, revision, base)
    try:
        await call.carry_out(commands.restore_revision, command)
    except DataForgeError as error:
        return await _revision(call, vault_id, note_id, revision, refusal_of(error))
    text = f"The note has the text of revision {revision} again, as a new revision."
    return call.go_on("success", text, *_segments(call, vault_id, note_id))


def _segments(call: WorkspacePageCall, vault_id: UUID, note_id: UUID | None = None) -> tuple[Any, ...]:
    """The address of a vault, or of a note in it."""
    below = () if note_id is None else ("notes", note_id)
    return WORKSPACES, call.workspace.id, "vaults", vault_id, *below


def _text(form: Mapping[str, str]) -> str:
    # Browsers end the lines of a form with CR LF, whatever was in the text.
    return form.get("body_md", "").replace("\r\n", "\n")


async def _row(call: WorkspacePageCall, vault_id: UUID, note_id: UUID) -> dict[str, Any]:
    return await call.query(queries.get_note, call.workspace.id, vault_id, note_id, call.user_id)


async def _note(
    call: WorkspacePageCall, vault_id: UUID, note_id: UUID, path: str | None = None, refusal: Refusal = ACCEPTED
) -> Response:
    place = await _place(call, vault_id)
    note = await _row(call, vault_id, note_id)
    names = await call.query(names_of_people, [note["updated_by"]])
    return call.page(
        "workspaces/note.html",
        refusal=refusal,
        vault=place.row,
        reason=place.reason,
        note=note,
        name=stem(note["path"]),
        above=_above(note["path"].rpartition("/")[0]),
        author=names.get(note["updated_by"], "somebody"),
        html=await _rendered(call, vault_id, note["body_md"]),
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
        html=await _rendered(call, place.id, note["body_md"]),
    )


async def _refused_text(
    call: WorkspacePageCall, vault_id: UUID, note_id: UUID, text: str, refusal: Refusal
) -> Response:
    """The editor again, with what could not be saved in it."""
    note = await _row(call, vault_id, note_id)
    shown = {**note, "body_md": text, "revision": call.form.get("revision", "")}
    return await _editor(call, await _place(call, vault_id), shown, refusal, unsaved=True)


async def _conflict(call: WorkspacePageCall, vault_id: UUID, note_id: UUID, text: str, refusal: Refusal) -> Response:
    note = await _row(call, vault_id, note_id)
    names = await call.query(names_of_people, [note["updated_by"]])
    rows = side_by_side(note["body_md"], text)
    own = note["updated_by"] == call.user_id
    return call.page(
        "workspaces/note_conflict.html",
        refusal=refusal,
        vault=(await _place(call, vault_id)).row,
        note=note,
        name=stem(note["path"]),
        author="You, in another window," if own else names.get(note["updated_by"], "Somebody"),
        text=text,
        rows=rows[:_DIFF_ROWS],
        more=len(rows) > _DIFF_ROWS,
    )


async def _trash(
    call: WorkspacePageCall,
    vault_id: UUID,
    refusal: Refusal = ACCEPTED,
    *,
    cursor: str | None = None,
    wanted: tuple[UUID, str] | None = None,
) -> Response:
    place, given = await _place(call, vault_id), (call.workspace.id, vault_id, call.user_id)
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
    place, note = await _place(call, vault_id), await _row(call, vault_id, note_id)
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


def side_by_side(first: str, second: str) -> list[SideBySide]:
    """Rows of what differs between two texts, with some equal lines around it."""
    return [row for hunk in hunks(diff_lines(first, second)) for row in paired(hunk.lines)]


def paired(lines: tuple[DiffLine, ...] | list[DiffLine]) -> list[SideBySide]:
    """Lines beside each other: each that was removed beside one that was added in its place."""
    rows: list[SideBySide] = []
    removed: list[DiffLine] = []
    for line in lines:
        if line.kind is LineKind.REMOVED:
            removed.append(line)
        elif line.kind is LineKind.ADDED:
            rows.append(SideBySide(removed.pop(0) if removed else None, line))
        else:
            rows += [SideBySide(gone, None) for gone in removed]
            removed = []
            rows.append(SideBySide(line, line))
    return rows + [SideBySide(gone, None) for gone in removed]


async def _rendered(call: WorkspacePageCall, vault_id: UUID, text: str) -> Any:  # noqa: ANN401 - markupsafe's type
    """The text as HTML for a page; None for one that is shown as it was written, since it is too long."""
    from markupsafe import Markup

    from dataforge.platform.markdown import notes_linked, render_markdown

    if len(text) > _RENDERED:
        return None
    body = without_front_matter(text)
    found = await _linked(call, vault_id, notes_linked(body))

    def address_of(target: str) -> str | None:
        note_id = found.get(target)
        return None if note_id is None else own_address(call.request.scope, *_segments(call, vault_id, note_id))

    return Markup(render_markdown(body, notes=address_of, lower=1))  # noqa: S704 - `render_markdown` escapes what is no structure


async def _linked(call: WorkspacePageCall, vault_id: UUID, targets: list[str]) -> dict[str, UUID]:
    if not targets:
        return {}
    rows = await call.query(queries.list_paths, call.workspace.id, vault_id, call.user_id)
    places: dict[str, UUID] = {}
    for row in sorted(rows, key=lambda row: (row["path"].count("/"), row["path"])):
        for ending in endings(path_key(row["path"])):
            places.setdefault(ending, row["id"])
    return {target: places[path_meant(target)] for target in targets if path_meant(target) in places}
