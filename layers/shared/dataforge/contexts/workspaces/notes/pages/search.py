"""The search over the notes of a workspace, or of one vault: what was looked for is marked where it was found."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.workspaces.notes import queries
from dataforge.contexts.workspaces.page_calls import WORKSPACE, WorkspacePageCall, in_workspace_page, router
from dataforge.contexts.workspaces.vaults.queries import list_vaults
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.web.calls import ChosenId

SEARCH = WORKSPACE + "/notes"
_ROWS = 20


@router.get(SEARCH)
async def search_page(
    workspace_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.NOTE)],
    search: Annotated[str, Query(max_length=2_000)] = "",
    vault: ChosenId = None,
    cursor: Cursor = None,
) -> Response:
    """Notes that a search finds, or those that were changed last."""
    given, after, complete = (workspace_id, call.user_id), call.after(cursor), True
    if search.strip():
        found = await call.query(queries.search_notes, *given, search, after=after, limit=_ROWS, vault_id=vault)
        page, complete = found.page, found.complete
    else:
        page = await call.query(queries.list_changed_notes, *given, after=after, limit=_ROWS, vault_id=vault)
    vaults = await call.query(list_vaults, *given, after=None, limit=MAX_LIMIT)
    return call.page(
        "workspaces/note_search.html",
        notes=[_shown(row) for row in page.rows],
        complete=complete,
        vaults={row["id"]: row["name"] for row in vaults.rows},
        chosen={"search": search, "vault": "" if vault is None else str(vault)},
        first=cursor is None,
        following=call.following(page.next_key),
    )


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    excerpt = row["excerpt"]
    return {
        **row,
        "title_parts": marked(row["title"], row["title_highlights"]),
        "excerpt_parts": marked(excerpt.text, excerpt.highlights) if excerpt else [],
    }


def marked(text: str, highlights: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """A text in parts, each with whether it is to be marked; highlights are in order and apart."""
    parts: list[tuple[str, bool]] = []
    place = 0
    for start, end in highlights:
        parts += [(text[place:start], False), (text[start:end], True)]
        place = end
    return [part for part in (*parts, (text[place:], False)) if part[0]]
