"""What is stored of a note for the search, and what a search asks for.

Every key of `search_words` begins with four characters of its workspace, so that the index is as fast in a small
workspace beside large ones as it would be alone. Keys of titles and paths are there a second time with `^` before them.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.workspaces.notes.domain.paths import SUFFIX
from dataforge.contexts.workspaces.notes.domain.words import pieces, stream

MAX_SEARCH = 500  # characters
MAX_TERMS = 40  # words of a search; those after them are not asked for
TITLE = "^"
_VECTOR_BYTES = 600_000  # PostgreSQL takes 1 MiB; of a note with more different words the first ones are found
_POSITIONS, _LAST_POSITION, _BODY_FROM = 50, 16_383, 20
_PREFIX_LETTERS = 2


@dataclass(slots=True)
class ReadText:
    """The words of a text with the places where they stand, its other keys, and the stream of its words."""

    places: dict[str, list[int]] = field(default_factory=dict)
    keys: dict[str, None] = field(default_factory=dict)
    stream: str = ""


@dataclass(frozen=True, slots=True)
class SearchFields:
    """The columns that a search reads; `words` is a tsvector as PostgreSQL reads it."""

    title: str
    text: str
    words: str


def workspace_key(workspace_id: UUID) -> str:
    """What the keys of a workspace begin with; where two have the same, rows are told apart by their workspace."""
    return base64.urlsafe_b64encode(workspace_id.bytes[-3:]).decode()


def read_text(text: str) -> ReadText:
    """Read a text for the search."""
    result, found, place = ReadText(), [piece for _, piece in pieces(text)], 0
    for piece in found:
        for word in piece.words:
            place += 1
            places = result.places.setdefault(word.text, [])
            if len(places) < _POSITIONS:
                places.append(min(place, _LAST_POSITION))
        if len(piece.runs) > 1 or len(piece.runs[0].words) > 1:
            result.keys.update(dict.fromkeys(piece.pairs))
            result.keys.update(dict.fromkeys(piece.joined))
        result.keys.update(dict.fromkeys(piece.numbers))
        for run in piece.runs:
            result.keys.update(dict.fromkeys(key for key in (run.suffixed, run.leading, run.umlauts) if key))
    result.stream = stream(found)
    return result


def search_fields(workspace_id: UUID, path: str, title: str, body: ReadText) -> SearchFields:
    """What is stored of a note; path and title count as its title."""
    head, owner = read_text(f"{title} {path[: -len(SUFFIX)]}"), workspace_key(workspace_id)
    return SearchFields(head.stream, body.stream, " ".join(_vector(owner, head, body)))


def _vector(owner: str, head: ReadText, body: ReadText) -> Iterator[str]:
    left = _VECTOR_BYTES
    for key, places in _entries(head, body):
        size = len(key.encode()) + len(owner) + 4 + 2 * len(places)
        if size > left:
            return
        left -= size
        yield f"{quoted(owner + key)}{':' if places else ''}{','.join(places)}"


def _entries(head: ReadText, body: ReadText) -> Iterator[tuple[str, list[str]]]:
    for key, places in head.places.items():
        further = [str(min(place + _BODY_FROM, _LAST_POSITION)) for place in body.places.get(key, ())]
        yield key, [f"{place}A" for place in places] + further
    for key in (*head.places, *head.keys):
        yield TITLE + key, []
    for key in head.keys:
        yield key, []
    for key, body_places in body.places.items():
        if key not in head.places:
            yield key, [str(min(place + _BODY_FROM, _LAST_POSITION)) for place in body_places]
    for key in body.keys:
        if key not in head.keys and key not in head.places and key not in body.places:
            yield key, []


def quoted(key: str) -> str:
    """A key as tsvector and tsquery read it, whatever signs are in it."""
    escaped = key.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
