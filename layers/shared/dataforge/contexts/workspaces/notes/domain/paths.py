"""Paths of notes: folders and a file name that ends in `.md`.

No folder ends in `.md`, so a note and a folder never want one name, whatever else is in the vault.
"""

import re
import unicodedata
from collections.abc import Iterator

from dataforge.contexts.workspaces.names import name_mistake
from dataforge.kernel.errors import invalid
from dataforge.kernel.text import composed
from dataforge.kernel.texts import Text

MAX_NOTE_PATH, MAX_DEPTH = 500, 20
SUFFIX = ".md"
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def note_path(text: str) -> str:
    """The path that somebody means: composed, and with the suffix that every note has."""
    path = composed(text)
    return path if path.casefold().endswith(SUFFIX) else path + SUFFIX


def note_path_mistake(path: str) -> str | None:
    """What is wrong with the path of a note, as `note_path` gives it; None for a good one."""
    folder, _, name = path.rpartition("/")
    if len(path) > MAX_NOTE_PATH:
        return Text("must have at most {max_note_path} characters", max_note_path=MAX_NOTE_PATH)
    if not name[: -len(SUFFIX)].strip():
        return Text("must end in the name of a note")
    return _segment_mistake(name) or (folder_mistake(folder) if "/" in path else None)


def folder_mistake(folder: str) -> str | None:
    """What is wrong with a folder's path; None for a good one. The top of the vault is no folder."""
    segments = folder.split("/")
    if len(folder) > MAX_NOTE_PATH:
        return Text("must have at most {max_note_path} characters", max_note_path=MAX_NOTE_PATH)
    if len(segments) >= MAX_DEPTH:
        return Text("must lead through fewer than {max_depth} folders", max_depth=MAX_DEPTH)
    for segment in segments:
        wrong = _segment_mistake(segment)
        if wrong is not None:
            return wrong
        if segment.casefold().endswith(SUFFIX):
            return Text("must not lead through a folder that ends in {suffix}, as only notes do", suffix=SUFFIX)
    return None


def require_note_path(path: str, pointer: str = "/path") -> str:
    """The path that a note gets; raises ValidationFailed for one that it cannot have."""
    path = note_path(path)
    wrong = note_path_mistake(path)
    if wrong is not None:
        raise invalid(pointer, wrong)
    return path


def require_folder_move(folder: str, target: str) -> tuple[str, str]:
    """Both paths, composed; raises ValidationFailed for a folder that is to be inside itself, and for no paths."""
    folder, target = composed(folder), composed(target)
    for pointer, path in (("/folder", folder), ("/target", target)):
        wrong = folder_mistake(path) if path or pointer == "/folder" else None
        if wrong is not None:
            raise invalid(pointer, wrong)
    if path_key(target).startswith(path_key(folder) + "/"):
        raise invalid("/target", Text("must not be inside the folder that is moved"))
    return folder, target


def _segment_mistake(segment: str) -> str | None:
    if segment in ("", ".", ".."):
        return Text("must be names with / between them, not beginning or ending with one, and without . and ..")
    if _RESERVED.fullmatch(segment):
        return Text("must not hold the name {segment}, which Windows keeps for itself", segment=segment)
    wrong = name_mistake(segment)
    return None if wrong is None else Text("each name in it {wrong}", wrong=wrong)


def path_key(path: str) -> str:
    """What two paths have in common that a file system without capitals takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def stem(path: str) -> str:
    """The name of a note without folders and suffix."""
    return path.rpartition("/")[2][: -len(SUFFIX)]


def moved(path: str, folder: str, target: str) -> str:
    """The path of a note of one folder after the folder was moved; `target` is its new path, empty for the top."""
    # By number of folders: two spellings of one name differ in more than capitals, and in length.
    rest = "/".join(path.split("/")[folder.count("/") + 1 :])
    return f"{target}/{rest}" if target else rest


def endings(path: str) -> Iterator[str]:
    """The path, then without its first folder, and so on, down to the file name."""
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path
