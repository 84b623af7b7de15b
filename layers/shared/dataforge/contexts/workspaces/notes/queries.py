"""Notes of vaults, their revisions, what differs between two, and the search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.notes.domain.diffs import Hunk, diff_lines, hunks
from dataforge.contexts.workspaces.notes.domain.links import LinkedNote, names_of, resolved
from dataforge.contexts.workspaces.notes.domain.lookups import Lookup, excerpt, highlighted, lookup
from dataforge.contexts.workspaces.notes.domain.notes import NoteNotFound, missing_note
from dataforge.contexts.workspaces.notes.domain.paths import endings, path_key
from dataforge.contexts.workspaces.notes.repository import below
from dataforge.contexts.workspaces.tables import note_links, note_revisions, notes, vaults
from dataforge.contexts.workspaces.vaults.domain import VaultNotFound
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.paging import Page
from dataforge.kernel.texts import Text
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
# So many of a search's notes are ranked, those changed last, and those found by title or path; so many are looked
# through for rows of exact words. Where more than MATCHED match, every few notes do, and those changed last are tried
# one by one, at most TRIED.
RANKED, READ_THROUGH, MATCHED, MATCHED_TITLES, TRIED = 200, 500, 10_000, 2_000, 10_000
_AT_ONCE = 250
_SHOWN = 30_000  # characters of a text in which the words are looked for
_FROM_INDEX = text(
    "WITH hits AS MATERIALIZED (SELECT id, updated_at FROM workspaces.notes WHERE search_words @@ "
    "CAST(:wanted AS tsquery) AND workspace_id = :workspace_id AND (CAST(:vault_id AS uuid) IS NULL OR "
    "vault_id = :vault_id) AND deleted_at IS NULL LIMIT :most) "
    "SELECT id, updated_at, (SELECT count(*) FROM hits) AS matched FROM hits "
    "ORDER BY updated_at DESC, id DESC LIMIT :limit"
)
_FROM_LAST_CHANGED = text(
    "SELECT id FROM (SELECT id, search_words FROM workspaces.notes WHERE workspace_id = :workspace_id "
    "AND (CAST(:vault_id AS uuid) IS NULL OR vault_id = :vault_id) AND deleted_at IS NULL "
    "ORDER BY updated_at DESC, id DESC LIMIT :tried) newest WHERE search_words @@ CAST(:wanted AS tsquery) LIMIT :limit"
)
_ESTIMATE = text("EXPLAIN (FORMAT JSON) SELECT FROM workspaces.notes WHERE search_words @@ CAST(:wanted AS tsquery)")
# The closer the words and the more often, the larger; roughly, so that of notes as close the newest come first.
_RANK = text(
    "SELECT id, search_words @@ CAST(:title AS tsquery) AS in_title, updated_at, "
    "CAST(least(floor(10 * sqrt(ts_rank_cd(search_words, CAST(:ranking AS tsquery)))), 20) AS int) AS closeness "
    "FROM workspaces.notes WHERE id = ANY(:ids)"
)
_EXACTLY = text(
    "SELECT id FROM workspaces.notes WHERE id = ANY(:ids) "
    "AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:phrases AS text[])) phrase "
    "WHERE strpos(search_text, phrase) = 0 AND strpos(search_title, phrase) = 0) "
    "AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:excluded AS text[])) phrase "
    "WHERE strpos(search_text, phrase) > 0 OR strpos(search_title, phrase) > 0)"
)
_PLAN = text("SELECT set_config(name, 'off', true) FROM unnest(CAST(:settings AS text[])) name")
_REVISION = [column for column in note_revisions.c if column.name != "body_md"]


async def seen_vault(connection: AsyncConnection, workspace_id: UUID, vault_id: UUID, person: UUID) -> None:
    """Raise WorkspaceNotFound or VaultNotFound unless the person sees the vault."""
    await seen_workspace(connection, workspace_id, person)
    query = select(vaults.c.id).where(vaults.c.id == vault_id, vaults.c.workspace_id == workspace_id)
    if await connection.scalar(query) is None:
        message = Text("There is no vault {vault_id} in this workspace.", vault_id=vault_id)
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
    return await _by_path(connection, query, after=after, limit=limit)


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


async def list_changed_notes(
    connection: AsyncConnection,
    workspace_id: UUID,
    person: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    vault_id: UUID | None = None,
) -> Page[dict[str, Any]]:
    """Notes of a workspace, the last changed first; raises WorkspaceNotFound, VaultNotFound."""
    await _seen(connection, workspace_id, vault_id, person)
    query = select(*_LISTED).where(notes.c.workspace_id == workspace_id, notes.c.deleted_at.is_(None))
    if vault_id is not None:
        query = query.where(notes.c.vault_id == vault_id)
    if after is not None:
        query = query.where(
            tuple_(notes.c.updated_at, notes.c.id) < tuple_(datetime.fromisoformat(after[0]), UUID(after[1]))
        )
    query = query.order_by(notes.c.updated_at.desc(), notes.c.id.desc()).limit(limit + 1)
    rows = [row_dict(row) for row in await connection.execute(query)]
    page = rows[:limit]
    last = (page[-1]["updated_at"].isoformat(), str(page[-1]["id"])) if len(rows) > limit else None
    plain = {"in_title": False, "title_highlights": (), "excerpt": None}
    return Page([{**row, **plain} for row in page], last)


@dataclass(frozen=True, slots=True)
class FoundNotes:
    """A page of what a search found; `complete` unless more notes match than are ranked."""

    page: Page[dict[str, Any]]
    complete: bool


async def search_notes(
    connection: AsyncConnection,
    workspace_id: UUID,
    person: UUID,
    search: str,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    vault_id: UUID | None = None,
) -> FoundNotes:
    """Notes of a workspace in which all that is looked for is (`domain/lookups.py`).

    First those with all of it in title and path, then those in which the words are closest and most often, then those
    changed last. Raises WorkspaceNotFound, VaultNotFound.
    """
    await _seen(connection, workspace_id, vault_id, person)
    wanted = lookup(search)
    if not wanted.terms:
        return FoundNotes(Page([]), complete=True)
    ids, complete = await _candidates(connection, wanted, workspace_id, vault_id)
    title = wanted.tsquery(workspace_id, title=True)
    values = {"ids": ids, "ranking": wanted.ranking(workspace_id), "title": title}
    keys = sorted(
        ((row.in_title, row.closeness, row.updated_at, row.id) for row in await connection.execute(_RANK, values)),
        reverse=True,
    )
    if after is not None:
        position = (bool(after[0]), int(after[1]), datetime.fromisoformat(after[2]), UUID(after[3]))
        keys = [key for key in keys if key < position]
    page = keys[:limit]
    rows = await _shown(connection, page, wanted)
    last = None
    if len(keys) > limit:
        in_title, closeness, updated_at, note_id = page[-1]
        last = (in_title, closeness, updated_at.isoformat(), str(note_id))
    return FoundNotes(Page(rows, last), complete)


async def _candidates(
    connection: AsyncConnection, wanted: Lookup, workspace_id: UUID, vault_id: UUID | None
) -> tuple[list[UUID], bool]:
    """The notes that are ranked, and whether they are all that match."""
    given: dict[str, Any] = {"workspace_id": workspace_id, "vault_id": vault_id}
    exactly = bool(wanted.phrases or wanted.excluded_phrases)
    limit = READ_THROUGH if exactly else RANKED
    # The planner knows neither how much of a tsvector lies outside its row nor how words of a workspace are spread.
    await connection.execute(_PLAN, {"settings": ["enable_seqscan", "jit"]})
    query = wanted.tsquery(workspace_id, title=True)
    values = {**given, "wanted": query, "limit": limit, "most": MATCHED_TITLES}
    titled = (await connection.execute(_FROM_INDEX, values)).all()
    values |= {"wanted": wanted.tsquery(workspace_id), "most": MATCHED, "tried": TRIED}
    ids, complete = await _of_text(connection, values)
    # Where as many titles match, those of the notes changed last are enough.
    named = [] if titled and titled[0].matched == MATCHED_TITLES else [row.id for row in titled]
    ids = list(dict.fromkeys([*named, *ids]))
    return (await _exactly(connection, wanted, ids) if exactly else ids), complete


async def _of_text(connection: AsyncConnection, values: dict[str, Any]) -> tuple[list[UUID], bool]:
    estimate: Any = await connection.scalar(_ESTIMATE, {"wanted": values["wanted"]})
    if estimate[0]["Plan"]["Plan Rows"] > 2 * MATCHED:  # of a common word the index alone would take longest
        ids = (await connection.scalars(_FROM_LAST_CHANGED, values)).all()
        if len(ids) == values["limit"]:
            return list(ids), False
    rows = (await connection.execute(_FROM_INDEX, values)).all()
    if not rows or rows[0].matched < MATCHED:
        return [row.id for row in rows], len(rows) < values["limit"]
    ids = (await connection.scalars(_FROM_LAST_CHANGED, values)).all()
    return (list(ids) if len(ids) == values["limit"] else [row.id for row in rows]), False


async def _exactly(connection: AsyncConnection, wanted: Lookup, ids: list[UUID]) -> list[UUID]:
    """Of these notes the first ones in which the rows of words are, and what is excluded is not."""
    kept: list[UUID] = []
    for begin in range(0, len(ids), _AT_ONCE):
        values = {"phrases": list(wanted.phrases), "excluded": list(wanted.excluded_phrases)}
        tried = {**values, "ids": ids[begin : begin + _AT_ONCE]}
        kept += (await connection.scalars(_EXACTLY, tried)).all()
        if len(kept) >= RANKED:
            break
    return kept


async def _shown(
    connection: AsyncConnection, keys: Sequence[tuple[bool, int, datetime, UUID]], wanted: Lookup
) -> list[dict[str, Any]]:
    query = select(*_LISTED, func.left(notes.c.body_md, _SHOWN).label("begin"))
    rows = {
        row.id: row_dict(row) for row in await connection.execute(query.where(notes.c.id.in_([key[3] for key in keys])))
    }
    return [
        {
            **rows[note_id],
            "in_title": in_title,
            "title_highlights": highlighted(rows[note_id]["title"], wanted).highlights,
            "excerpt": excerpt(rows[note_id]["begin"], wanted),
        }
        for in_title, _, _, note_id in keys
        if note_id in rows
    ]


async def _seen(connection: AsyncConnection, workspace_id: UUID, vault_id: UUID | None, person: UUID) -> None:
    if vault_id is None:
        await seen_workspace(connection, workspace_id, person)
    else:
        await seen_vault(connection, workspace_id, vault_id, person)


async def list_backlinks(
    connection: AsyncConnection,
    workspace_id: UUID,
    vault_id: UUID,
    note_id: UUID,
    person: UUID,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Notes of the vault that link to a note, by path; raises what `get_note` does."""
    path = await seen_note(connection, workspace_id, vault_id, note_id, person)
    key = path_key(path)
    meant = resolved(["/" + key, *endings(key)], await _linked(connection, vault_id, [key]))
    targets = [target for target, note in meant.items() if note.id == note_id]
    query = select(*_LISTED, notes.c.path_key).where(
        notes.c.vault_id == vault_id,
        notes.c.deleted_at.is_(None),
        notes.c.id != note_id,
        notes.c.id.in_(select(note_links.c.note_id).where(note_links.c.target.in_(targets))),
    )
    return await _by_path(connection, query, after=after, limit=limit)


async def list_links(
    connection: AsyncConnection, workspace_id: UUID, vault_id: UUID, note_id: UUID, person: UUID
) -> list[dict[str, Any]]:
    """What the links of a note mean, with the notes that are there; raises what `get_note` does."""
    await seen_note(connection, workspace_id, vault_id, note_id, person)
    query = select(note_links.c.target).where(note_links.c.note_id == note_id).order_by(note_links.c.target)
    targets = (await connection.scalars(query)).all()
    meant = await resolve_links(connection, vault_id, targets)
    rows = [(target, meant.get(target)) for target in targets]
    return [{"target": target, "note_id": note and note.id, "path": note and note.path} for target, note in rows]


async def resolve_links(
    connection: AsyncConnection, vault_id: UUID, targets: Sequence[str]
) -> Mapping[str, LinkedNote]:
    """The notes of a vault that targets mean (`domain/links.py`); those without are left out."""
    return resolved(targets, await _linked(connection, vault_id, targets))


async def _linked(connection: AsyncConnection, vault_id: UUID, targets: Sequence[str]) -> list[LinkedNote]:
    name = func.reverse(func.split_part(func.reverse(notes.c.path_key), "/", 1))
    query = select(notes.c.path_key, notes.c.id, notes.c.path).where(
        notes.c.vault_id == vault_id, notes.c.deleted_at.is_(None), name.in_(names_of(targets))
    )
    return [LinkedNote(*row) for row in await connection.execute(query)]


async def _by_path(
    connection: AsyncConnection, query: Select[Any], *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    if after is not None:
        query = query.where(tuple_(notes.c.path_key, notes.c.id) > tuple_(after[0], UUID(after[1])))
    query = query.order_by(notes.c.path_key, notes.c.id).limit(limit + 1)
    rows = [row_dict(row) for row in await connection.execute(query)]
    page = rows[:limit]
    return Page(page, (page[-1]["path_key"], str(page[-1]["id"])) if len(rows) > limit else None)


async def _revision(connection: AsyncConnection, note_id: UUID, revision: int) -> dict[str, Any]:
    query: Select[Any] = select(
        *_REVISION, note_revisions.c.body_md, func.octet_length(note_revisions.c.body_md).label("byte_count")
    ).where(note_revisions.c.note_id == note_id, note_revisions.c.revision == revision)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = Text("This note has no revision {revision}.", revision=revision)
        raise NoteNotFound(message)
    return row_dict(row)
