"""The note: how large it may be, what it is called, and when a change of it is refused."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from dataforge.contexts.workspaces.notes.domain.paths import stem
from dataforge.kernel.errors import (
    AlreadyExists,
    Conflict,
    InvalidTransition,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Violation,
    invalid,
)
from dataforge.kernel.texts import Text

MAX_NOTES = 20_000  # of one vault, those in the trash included
MAX_BODY = 1024 * 1024  # bytes of UTF-8
MAX_READ_AGAIN = 8 * 1024 * 1024  # bytes of notes that one change reads again for the search: 2 seconds a MiB
MAX_TITLE = 255
MAX_REVISIONS = 500  # of one note; the oldest go
TRASHED_FOR = timedelta(days=30)  # how long a note stays in the trash before maintenance deletes it for good
AUTOSAVED_FOR = timedelta(minutes=10)  # how long what is saved automatically replaces what was saved before


class NoteNotFound(NotFound):
    """The vault has no such note, or no such revision of it."""

    code = "note_not_found"
    title = "There is no such note"


class NoteLimitExceeded(Conflict):
    """The vault has as many notes as one may have, those in the trash included."""

    code = "note_limit_exceeded"
    title = "Too many notes"


class LinkLimitExceeded(Conflict):
    """More notes link to this one than are rewritten at once: move it without."""

    code = "link_limit_exceeded"
    title = "Too many notes link to this one"


class FolderLimitExceeded(Conflict):
    """The folder has more notes below it than are moved at once: move the folders in it."""

    code = "folder_limit_exceeded"
    title = "Too many notes in the folder"


class NoteTrashed(InvalidTransition):
    """The note is in the trash: restore it before you change it."""

    code = "note_trashed"
    title = "The note is in the trash"


class NoteNotTrashed(InvalidTransition):
    """Only a note that is in the trash can be restored or deleted for good."""

    code = "note_not_trashed"
    title = "The note is not in the trash"


@dataclass(frozen=True, slots=True)
class Note:
    """A note without its text, as it is while a transaction holds it."""

    id: UUID
    path: str
    title: str
    sha256: str
    revision: int
    deleted_at: datetime | None

    def require_live(self) -> None:
        """Raise NoteTrashed for one in the trash."""
        if self.deleted_at is not None:
            message = Text("This note is in the trash; restore it first.")
            raise NoteTrashed(message)

    def require_trashed(self) -> None:
        """Raise NoteNotTrashed for one that is not in the trash."""
        if self.deleted_at is None:
            message = Text("This note is not in the trash.")
            raise NoteNotTrashed(message)

    def require_base(self, base: "Base") -> None:
        """Raise PreconditionFailed, with what the note is now, unless the caller has read what it is."""
        if base.revision in ("*", str(self.revision)) or base.sha256 == self.sha256:
            return
        tag = f'"{self.revision}"'
        message = Text("The note has been changed since you read it; read it again, and bring both texts together.")
        facts = {"current": tag, "current_revision": self.revision, "current_sha256": self.sha256}
        raise PreconditionFailed(message, facts=facts, headers={"ETag": tag})


@dataclass(frozen=True, slots=True)
class Base:
    """What the caller has read: a revision (`*` for any), or the hash of a text; one is enough."""

    revision: str | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        """Raise PreconditionRequired where neither is given."""
        if self.revision is None and self.sha256 is None:
            message = Text(
                "Send the ETag you read in an If-Match header, or the hash of the text you read in base_sha256."
            )
            raise PreconditionRequired(message)


def body_sha256(body: str) -> str:
    """The SHA-256 of the text's UTF-8, in hexadecimal."""
    return hashlib.sha256(body.encode()).hexdigest()


def body_mistake(body: str) -> str | None:
    """What is wrong with the text of a note; None for a good one."""
    if "\0" in body:
        return Text("must not contain the character U+0000")
    try:
        size = len(body.encode())
    except UnicodeEncodeError:
        return Text("must not contain halves of surrogate pairs")
    return (
        None
        if size <= MAX_BODY
        else Text("must have at most {max_body:,} bytes, and has {size:,}", max_body=MAX_BODY, size=size)
    )


def require_body(body: str) -> None:
    """Raise ValidationFailed for what can be no note's text."""
    wrong = body_mistake(body)
    if wrong is not None:
        raise invalid("/body_md", wrong)


def require_note_room(notes: int) -> None:
    """Raise NoteLimitExceeded for a vault with as many notes as it may have."""
    if notes >= MAX_NOTES:
        message = Text(
            "A vault has at most {max_notes:,} notes, those in the trash included; delete some for good first.",
            max_notes=MAX_NOTES,
        )
        raise NoteLimitExceeded(message, facts={"limit": MAX_NOTES})


def require_folder_size(notes: int, limit: int, size: int) -> None:
    """Raise FolderLimitExceeded for a folder with more notes, or more bytes of text, than are moved at once."""
    if notes > limit:
        message = Text("At most {limit:,} notes are moved at once; move the folders in this one instead.", limit=limit)
        raise FolderLimitExceeded(message, facts={"limit": limit})
    if size > MAX_READ_AGAIN:
        message = Text(
            "At most {max_read_again:,} bytes of notes are moved at once; move the folders in this one instead.",
            max_read_again=MAX_READ_AGAIN,
        )
        raise FolderLimitExceeded(message, facts={"limit_bytes": MAX_READ_AGAIN})


def require_few_links(notes: int, limit: int, size: int) -> None:
    """Raise LinkLimitExceeded for a note that more notes, or more bytes of text, link to than are rewritten at once."""
    if notes > limit:
        message = Text("More than {limit:,} notes link to this one; move it without rewriting them.", limit=limit)
        raise LinkLimitExceeded(message, facts={"limit": limit})
    if size > MAX_READ_AGAIN:
        message = Text(
            "The notes that link to this one have more than {max_read_again:,} bytes; move it without them.",
            max_read_again=MAX_READ_AGAIN,
        )
        raise LinkLimitExceeded(message, facts={"limit_bytes": MAX_READ_AGAIN})


def path_taken(path: str) -> AlreadyExists:
    """The refusal of a path that another note has, whatever its capitals."""
    message = Text("The vault already has a note at {path!r}; paths differ in more than capitals.", path=path)
    return AlreadyExists(message, violations=[Violation("/path", Text("is taken"), "unique")])


def missing_note(note_id: UUID) -> NoteNotFound:
    """The refusal of a note that the vault does not have."""
    return NoteNotFound(Text("There is no note {note_id} in this vault.", note_id=note_id))


_LINE, _HEADINGS_TRIED = 1_000, 20  # of a longer line the beginning counts: patterns never see more
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")
_MARKUP = (
    (re.compile(r"!?\[\[[^\]|]*\|([^\]]*)\]\]"), r"\1"),
    (re.compile(r"!?\[\[([^\]]*)\]\]"), r"\1"),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"`+|\*+|~~|(?<!\w)_+|_+(?!\w)"), ""),
    (re.compile(r"[\s\x00-\x1f\x7f]+"), " "),
)


def title_of(path: str, body: str) -> str:
    """The first heading of the text (CommonMark §4.2, §4.3), without markup; the name of the note where it has none."""
    for heading in islice(_headings(body), _HEADINGS_TRIED):
        title = heading
        for pattern, kept in _MARKUP:
            title = pattern.sub(kept, title)
        if title.strip():
            return title.strip()[:MAX_TITLE]
    return stem(path)[:MAX_TITLE]


def _headings(body: str) -> Iterator[str]:
    fence, before = "", ""
    for whole_line in without_front_matter(body).splitlines():
        line = whole_line[:_LINE]
        opened = _FENCE.match(line)
        if fence:
            closes = opened is not None and opened[1].startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if closes else fence
            continue
        if opened is not None:
            fence, before = opened[1], ""
            continue
        heading = _HEADING.match(line)
        if heading is not None:
            yield heading[1]
        elif before and _UNDERLINE.match(line):
            yield before
        # What can be underlined is text, not a list, a quotation, a table or code.
        before = line.strip() if re.match(r" {0,3}[^\s>|*+\-#\d]", line) else ""


def without_front_matter(body: str) -> str:
    """The text after the properties that Obsidian keeps between two lines of dashes at the beginning."""
    matter = re.match(r"---[ \t]*\r?\n(?:.*\n)*?---[ \t]*(?:\r?\n|$)", body)
    return body if matter is None else body[matter.end() :]
