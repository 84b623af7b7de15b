"""What is stored of a note, for the search to find it by.

Every key of `search_words` begins with four characters of its workspace, so that the index is as fast in a small
workspace beside large ones as it would be alone. Keys of titles and paths are there a second time with `^` before them.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.workspaces.notes.domain.paths import SUFFIX
from dataforge.contexts.workspaces.notes.domain.words import readings

TITLE = "^"
_VECTOR_BYTES = 600_000  # PostgreSQL takes 1 MiB; of a note with more different words the first ones are found
_POSITIONS, _LAST_POSITION, _BODY_FROM = 50, 16_383, 20


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
    places: dict[str, list[int]] = {}
    keys: dict[str, None] = {}
    parts, place = [], 0
    for reading in readings(text):
        parts.append(reading.stream)
        for word in reading.words:
            place += 1
            known = places.get(word)
            if known is None:
                places[word] = [place]
            elif len(known) < _POSITIONS:
                known.append(place)
        for key in reading.keys:
            keys[key] = None
    return ReadText(places, keys, f" {' '.join(parts)} ")


def search_fields(workspace_id: UUID, path: str, title: str, body: ReadText) -> SearchFields:
    """What is stored of a note; path and title count as its title."""
    head, owner = read_text(f"{title} {path[: -len(SUFFIX)]}"), workspace_key(workspace_id)
    return SearchFields(head.stream, body.stream, " ".join(_vector(owner, head, body)))


def _vector(owner: str, head: ReadText, body: ReadText) -> Iterator[str]:
    left = _VECTOR_BYTES
    for key, places in _entries(head, body):
        left -= len(key.encode()) + len(owner) + 4 + len(places)  # a position is two bytes, and as many or more here
        if left < 0:
            return
        yield f"{quoted(owner + key)}:{places}" if places else quoted(owner + key)


def _entries(head: ReadText, body: ReadText) -> Iterator[tuple[str, str]]:
    for key, places in head.places.items():
        titled = ",".join(f"{min(place, _LAST_POSITION)}A" for place in places)
        yield key, f"{titled},{_placed(body.places[key])}" if key in body.places else titled
    for key in (*head.places, *head.keys):
        yield TITLE + key, ""
    for key in head.keys:
        if key not in head.places and key not in body.places:
            yield key, ""
    for key, places in body.places.items():
        if key not in head.places:
            yield key, _placed(places)
    for key in body.keys:
        if key not in head.keys and key not in head.places and key not in body.places:
            yield key, ""


def _placed(places: list[int]) -> str:
    return ",".join([str(min(place + _BODY_FROM, _LAST_POSITION)) for place in places])


def quoted(key: str) -> str:
    """A key as tsvector and tsquery read it, whatever signs are in it."""
    escaped = key.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
