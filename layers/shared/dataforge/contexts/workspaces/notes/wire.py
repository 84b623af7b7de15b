"""Wire models of notes."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dataforge.contexts.workspaces.notes.domain.diffs import LineKind
from dataforge.contexts.workspaces.notes.domain.notes import MAX_BODY, body_mistake
from dataforge.contexts.workspaces.notes.domain.paths import (
    MAX_NOTE_PATH,
    folder_mistake,
    note_path,
    note_path_mistake,
)
from dataforge.contexts.workspaces.wire_types import Composed, refusing
from dataforge.http.wire import PartialUpdate, RequestModel

NotePath = Annotated[
    str,
    Composed,
    Field(
        min_length=1,
        max_length=MAX_NOTE_PATH,
        examples=["projects/acme/kick-off.md"],
        description="folders and a name; `.md` is added where it is missing",
    ),
    AfterValidator(note_path),
    AfterValidator(refusing(note_path_mistake)),
]
FolderPath = Annotated[
    str,
    Composed,
    Field(min_length=1, max_length=MAX_NOTE_PATH, examples=["projects/acme"]),
    AfterValidator(refusing(folder_mistake)),
]
Revision = Annotated[int, Path(ge=1, le=2**31 - 1)]
# Spaces at the beginning and the end of a text are part of it.
NoteBody = Annotated[
    str,
    StringConstraints(strip_whitespace=False),
    Field(max_length=MAX_BODY, description=f"Markdown of at most {MAX_BODY:,} bytes", examples=["# Kick-off\n"]),
    AfterValidator(refusing(body_mistake)),
]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="of the text that was read, as `sha256` gives it")]


class NoteIn(RequestModel):
    """A new note."""

    path: NotePath
    body_md: NoteBody = ""


class NoteChangeIn(PartialUpdate):
    """What editors change; `base_sha256` stands in for If-Match."""

    path: NotePath | None = None
    body_md: NoteBody | None = None
    base_sha256: Sha256 | None = None
    automatic: bool = Field(
        default=False,
        description="saved while somebody writes: of the revisions that are, one in ten minutes stays",
    )
    rewrite_links: bool = Field(
        default=False,
        description="links to a note that moves are written anew in the notes that have them, and its own",
    )


class NoteRestoreIn(RequestModel):
    """Where a note is restored to, if not to where it was."""

    path: NotePath | None = None


class FolderMoveIn(RequestModel):
    """A folder and where it is to be; an empty target is the top of the vault."""

    folder: FolderPath
    target: Annotated[str, Composed, Field(max_length=MAX_NOTE_PATH, examples=["archive/acme"])]


class FolderMoveOut(BaseModel):
    """How many notes were moved."""

    moved: int


class NoteSummaryOut(BaseModel):
    """A note without its text; its title is the first heading of the text, or its name."""

    id: UUID
    vault_id: UUID
    path: str
    title: str
    sha256: str
    byte_count: int
    revision: int
    updated_by: UUID
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class NoteOut(NoteSummaryOut):
    """A note."""

    body_md: str


class NotePage(BaseModel):
    """A page of notes."""

    items: list[NoteSummaryOut]
    limit: int
    next_cursor: str | None
    next: str | None


class NoteLinkOut(BaseModel):
    """What a link means: the end of a path, or a path with `/` before it; without a note nothing has it."""

    target: str
    note_id: UUID | None
    path: str | None


class NoteLinksOut(BaseModel):
    """The links of a note, each once."""

    items: list[NoteLinkOut]


class HighlightOut(BaseModel):
    """Where a word is that was looked for: from `start` up to, but not including, `end`, in code points."""

    start: int
    end: int

    @model_validator(mode="before")
    @classmethod
    def _of_pair(cls, value: Any) -> Any:  # noqa: ANN401 - what is shown, or JSON
        return {"start": value[0], "end": value[1]} if isinstance(value, tuple) else value


class ExcerptOut(BaseModel):
    """Some of a text: the line in which most of the words are."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    highlights: list[HighlightOut]


class FoundNoteOut(NoteSummaryOut):
    """A note that was found; `in_title` where all that was looked for is in its title and path."""

    in_title: bool
    title_highlights: list[HighlightOut]
    excerpt: ExcerptOut | None


class FoundNotePage(BaseModel):
    """A page of notes that were found.

    It is not `complete` where more notes match than are ranked: then those changed last are among them.
    """

    items: list[FoundNoteOut]
    limit: int
    complete: bool
    next_cursor: str | None
    next: str | None


class NoteRevisionSummaryOut(BaseModel):
    """A revision without its text."""

    note_id: UUID
    revision: int
    path: str
    sha256: str
    byte_count: int
    author_id: UUID
    automatic: bool
    created_at: datetime


class NoteRevisionOut(NoteRevisionSummaryOut):
    """A revision."""

    body_md: str


class NoteRevisionPage(BaseModel):
    """A page of revisions."""

    items: list[NoteRevisionSummaryOut]
    limit: int
    next_cursor: str | None
    next: str | None


class DiffLineOut(BaseModel):
    """A line with its end."""

    kind: LineKind
    text: str


class HunkOut(BaseModel):
    """Changes close to each other, with equal lines around them."""

    first_line: int
    second_line: int
    lines: list[DiffLineOut]


class NoteDiffOut(BaseModel):
    """What differs between two revisions; `unified` is the same as `patch` reads it."""

    first: NoteRevisionSummaryOut
    second: NoteRevisionSummaryOut
    hunks: list[HunkOut]
    unified: str
