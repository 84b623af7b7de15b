"""Links from note to note: `[[Name]]`, `[[folder/Name#Heading|shown]]`, and Markdown links to files of the vault.

A wiki link means the note whose path ends in what it says: the one at exactly this path, else the one in the fewest
folders, else the first by path. A Markdown link is a path from the folder of the note that it is in, or from the top of
the vault with a `/` before it. What it means is kept as a target: `name.md` of a wiki link, `/folder/name.md` of the
other. Links in code are none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from dataforge.contexts.workspaces.notes.domain.paths import MAX_NOTE_PATH, SUFFIX, endings, path_key

MAX_LINKS = 1_000  # of one note; those behind them are not followed
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*(?:\n(?! {0,3}\1)[^\n]*)*(?:\n {0,3}\1[^\n]*)?", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_WIKI = re.compile(r"\[\[([^\[\]|#^\n]{1,500})(?:[#^][^\[\]|\n]{0,500})?(?:\|[^\[\]\n]{0,500})?\]\]")
_MARKDOWN = re.compile(r"\]\(<?([^()<>\s#?:]{1,1500})(?:#[^()<>\s]{0,500})?>?(?:[ \t]+\"[^\"\n]{0,500}\")?\)")
_OTHER_FILE = re.compile(r"\.(?!md$)[a-z][a-z0-9]{1,4}$")


def targets_of(path: str, body: str) -> list[str]:
    """What the links of a note at this path mean, each once."""
    text = _CODE.sub("", _FENCED.sub("", body))
    found = dict.fromkeys(target for target in _targets(path, text) if len(target) <= MAX_NOTE_PATH + 1)
    return list(found)[:MAX_LINKS]


def _targets(path: str, text: str) -> Iterator[str]:
    for match in _WIKI.finditer(text):
        target = wiki_target(match[1])
        if target is not None:
            yield target
    for match in _MARKDOWN.finditer(text):
        target = _relative(path, unquote(match[1]))
        if target is not None:
            yield target


def wiki_target(text: str) -> str | None:
    """What a wiki link to this text means; None for what can be no note."""
    key = path_key(text.strip().strip("/"))
    if not key or "\0" in key:
        return None
    return key if key.endswith(SUFFIX) else key + SUFFIX


def _relative(path: str, text: str) -> str | None:
    segments = [] if text.startswith("/") else path.split("/")[:-1]
    for segment in text.split("/"):
        if segment == "..":
            if not segments:
                return None
            segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    key = path_key("/".join(segments))
    if not key or "\0" in key or text.endswith("/") or _OTHER_FILE.search(key):
        return None
    return "/" + (key if key.endswith(SUFFIX) else key + SUFFIX)


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
