"""What pages of notes share: the vault, links between notes, the text as HTML, and texts beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.workspaces.members.queries import names_of_people
from dataforge.contexts.workspaces.notes import queries
from dataforge.contexts.workspaces.notes.domain.diffs import DiffLine, LineKind, diff_lines, hunks
from dataforge.contexts.workspaces.notes.domain.links import MAX_LINKS, wiki_target
from dataforge.contexts.workspaces.notes.domain.notes import without_front_matter
from dataforge.contexts.workspaces.page_calls import WORKSPACE, WORKSPACES, WorkspacePageCall
from dataforge.contexts.workspaces.vaults.queries import get_vault
from dataforge.http.addresses import own_address
from dataforge.kernel.texts import Text

VAULT = WORKSPACE + "/vaults/{vault_id}"
NOTES = VAULT + "/notes"
NOTE = NOTES + "/{note_id}"
_RENDERED = 200_000  # characters; a longer text is shown as it was written


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


async def place_of(call: WorkspacePageCall, vault_id: UUID) -> VaultPlace:
    """The vault, and why its notes cannot be changed; raises VaultNotFound."""
    row = await call.query(get_vault, call.workspace.id, vault_id, call.user_id)
    reason = ""
    if row["is_locked"]:
        names = await call.query(names_of_people, [row["locked_by"]] if row["locked_by"] else [])
        by = names.get(row["locked_by"], "somebody")
        reason = Text("{by} has locked the vault: its notes can be read, and not changed until it is unlocked.", by=by)
    elif call.workspace.archived_at is not None:
        reason = Text("The workspace is archived: its notes can be read, and not changed.")
    elif not call.may("change", "note"):
        reason = Text("You are a viewer of this workspace: you can read its notes, and not change them.")
    return VaultPlace(row, reason)


def folders_above(folder: str) -> list[tuple[str, str]]:
    """Path and name of a folder and those that it is in, from the top."""
    found = [(path, path.rpartition("/")[2]) for path in _beginnings(folder)]
    return found if folder else []


def _beginnings(folder: str) -> list[str]:
    names = folder.split("/")
    return ["/".join(names[: count + 1]) for count in range(len(names))]


def segments(call: WorkspacePageCall, vault_id: UUID, note_id: UUID | None = None) -> tuple[Any, ...]:
    """The address of a vault, or of a note in it."""
    below = () if note_id is None else ("notes", note_id)
    return WORKSPACES, call.workspace.id, "vaults", vault_id, *below


def text_of(form: Mapping[str, str]) -> str:
    """The text of a note in a form."""
    # Browsers end the lines of a form with CR LF, whatever was in the text.
    return form.get("body_md", "").replace("\r\n", "\n")


async def row_of(call: WorkspacePageCall, vault_id: UUID, note_id: UUID) -> dict[str, Any]:
    """The note with its text; raises NoteNotFound."""
    return await call.query(queries.get_note, call.workspace.id, vault_id, note_id, call.user_id)


def side_by_side(first: str, second: str) -> list[SideBySide]:
    """Rows of what differs between two texts, with some equal lines around it."""
    return [row for hunk in hunks(diff_lines(first, second)) for row in paired(hunk.lines)]


def paired(lines: Sequence[DiffLine]) -> list[SideBySide]:
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


async def rendered(call: WorkspacePageCall, vault_id: UUID, text: str) -> Any:  # noqa: ANN401 - markupsafe's type
    """The text as HTML for a page; None for one that is shown as it was written, since it is too long."""
    from markupsafe import Markup

    from dataforge.platform.markdown import notes_linked, render_markdown

    if len(text) > _RENDERED:
        return None
    body = without_front_matter(text)
    found = await _linked(call, vault_id, notes_linked(body))

    def address_of(target: str) -> str | None:
        note_id = found.get(target)
        return None if note_id is None else own_address(call.request.scope, *segments(call, vault_id, note_id))

    return Markup(render_markdown(body, notes=address_of, lower=1))  # noqa: S704 - `render_markdown` escapes what is no structure


async def _linked(call: WorkspacePageCall, vault_id: UUID, said: list[str]) -> dict[str, UUID]:
    """The notes that links mean, by what they say."""
    targets = {text: target for text in said[:MAX_LINKS] if (target := wiki_target(text)) is not None}
    if not targets:
        return {}
    meant = await call.query(queries.resolve_links, vault_id, list(targets.values()))
    return {text: UUID(str(meant[target].id)) for text, target in targets.items() if target in meant}
