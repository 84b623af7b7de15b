"""Links from note to note: `[[Name]]`, `[[folder/Name#Heading|shown]]`, and Markdown links to files of the vault.

A wiki link means the note whose path ends in what it says: the one at exactly this path, else the one in the fewest
folders, else the first by path. A Markdown link is a path from the folder of the note that it is in, or from the top of
the vault with a `/` before it. What it means is kept as a target: `name.md` of a wiki link, `/folder/name.md` of the
other. Links in code are none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import dirname, relpath
from typing import NamedTuple
from urllib.parse import quote, unquote

from dataforge.contexts.workspaces.notes.domain.paths import MAX_NOTE_PATH, SUFFIX, endings, path_key, stem

MAX_LINKS = 1_000  # of one note; those behind them are not followed
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*(?:\n(?! {0,3}\1)[^\n]*)*(?:\n {0,3}\1[^\n]*)?", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_WIKI = re.compile(r"\[\[([^\[\]|#^\n]{1,500})(?:[#^][^\[\]|\n]{0,500})?(?:\|[^\[\]\n]{0,500})?\]\]")
_MARKDOWN = re.compile(r"\]\(<?([^()<>\s#?:]{1,1500})(?:#[^()<>\s]{0,500})?>?(?:[ \t]+\"[^\"\n]{0,500}\")?\)")
_OTHER_FILE = re.compile(r"\.(?!md$)[a-z][a-z0-9]{1,4}$")


class _Link(NamedTuple):
    """A link in a text: where what it says begins and ends, what that is, and what it means."""

    start: int
    end: int
    text: str
    target: str
    wiki: bool


def targets_of(path: str, body: str) -> list[str]:
    """What the links of a note at this path mean, each once."""
    found = dict.fromkeys(link.target for link in _links(path, body) if len(link.target) <= MAX_NOTE_PATH + 1)
    return list(found)[:MAX_LINKS]


def _links(path: str, body: str) -> Iterator[_Link]:
    """The links outside of code, wiki links first."""
    text = _CODE.sub(_blank, _FENCED.sub(_blank, body))
    for match in _WIKI.finditer(text):
        target = wiki_target(match[1])
        if target is not None:
            yield _Link(match.start(1), match.end(1), match[1], target, wiki=True)
    for match in _MARKDOWN.finditer(text):
        file = _file(path, unquote(match[1]))
        if file is not None:
            yield _Link(match.start(1), match.end(1), match[1], "/" + path_key(file), wiki=False)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def relinked(body: str, before: str, after: str, renamed: Mapping[str, str], *, by_name: bool) -> str:
    """The text of a note that was at one path and is at another, with links that mean what they meant.

    `renamed` are new paths by what was meant; a wiki link that said a name says the new name if it means the note by
    itself (`by_name`), else the path.
    """
    parts, done = [], 0
    for link in sorted(_links(before, body)):
        path = renamed.get(link.target)
        if link.wiki:
            said = None if path is None else _wiki_text(link.text, path, by_name=by_name)
        else:
            path = path or (None if link.text.startswith("/") else _file(before, unquote(link.text)))
            said = None if path is None else _markdown_text(link.text, path, after)
        unmoved = link.target not in renamed and before.rpartition("/")[0] == after.rpartition("/")[0]
        if said is not None and not unmoved:
            parts += [body[done : link.start], said]
            done = link.end
    return "".join([*parts, body[done:]])


def _wiki_text(text: str, path: str, *, by_name: bool) -> str:
    said = stem(path) if by_name and "/" not in text else path[: -len(SUFFIX)]
    return said + SUFFIX if text.strip().casefold().endswith(SUFFIX) else said


def _markdown_text(text: str, path: str, place: str) -> str:
    said = "/" + path if text.startswith("/") else relpath(path, dirname(place) or ".")
    return quote(said if text.casefold().endswith(SUFFIX) else said[: -len(SUFFIX)])


def wiki_target(text: str) -> str | None:
    """What a wiki link to this text means; None for what can be no note."""
    key = path_key(text.strip().strip("/"))
    if not key or "\0" in key:
        return None
    return key if key.endswith(SUFFIX) else key + SUFFIX


def _file(path: str, text: str) -> str | None:
    """The path of the note that a Markdown link means, in the note's own spelling; None for what is no note."""
    segments = [] if text.startswith("/") else path.split("/")[:-1]
    for segment in text.split("/"):
        if segment == "..":
            if not segments:
                return None
            segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    file = "/".join(segments)
    if not file or "\0" in file or text.endswith("/") or _OTHER_FILE.search(path_key(file)):
        return None
    return file if path_key(file).endswith(SUFFIX) else file + SUFFIX


def names_of(targets: Iterable[str]) -> list[str]:
    """The file names in which the paths of what these targets can mean end."""
    return list(dict.fromkeys(target.rpartition("/")[2] for target in targets))


class LinkedNote(NamedTuple):
    """A note that a link can mean."""

    key: str
    """As `path_key` gives it."""
    id: object
    path: str


def resolved(targets: Iterable[str], notes: Iterable[LinkedNote]) -> Mapping[str, LinkedNote]:
    """What each target means among these notes; targets that mean none are left out."""
    by_ending: dict[str, LinkedNote] = {}
    for note in sorted(notes, key=lambda note: (note.key.count("/"), note.key)):
        by_ending["/" + note.key] = note
        for ending in endings(note.key):
            by_ending.setdefault(ending, note)
    for note in {note.key: note for note in by_ending.values()}.values():
        by_ending[note.key] = note  # exactly this path
    return {target: by_ending[target] for target in targets if target in by_ending}
