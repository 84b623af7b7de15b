"""What is taken from a zip of notes, and what makes the whole zip be refused.

A zip comes from strangers: what it says of itself is checked before any of it is unpacked. Who made it by hand gets
their mistakes listed entry by entry; what only an attack looks like refuses the whole.
"""

import stat
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, Any

from dataforge.contexts.workspaces.notes.domain.notes import MAX_BODY, body_mistake
from dataforge.contexts.workspaces.notes.domain.paths import SUFFIX, folder_mistake, note_path_mistake, path_key
from dataforge.kernel.errors import BadRequest, invalid
from dataforge.kernel.text import composed
from dataforge.kernel.texts import Text

PLAN, IMPORT, EXPORT = "plan_vault_import", "import_vault", "export_vault"
UPLOAD_PREFIX = "uploads/vaults/"
MEDIA_TYPE = "application/zip"
MAX_ZIP_BYTES = 128 * 1024 * 1024
MAX_ZIP = f"{MAX_ZIP_BYTES // 1024**2} MiB"  # in messages and on pages
MAX_UNPACKED_BYTES = 128 * 1024 * 1024  # of all notes together: reading them for the search takes 2 seconds a MiB
MAX_ENTRIES = 50_000
MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
MAX_RATIO = 200  # of what is large at all: deflate reaches 1,032 for a text of one letter
_LARGE = 16 * 1024 * 1024
MAX_LISTED = 100  # paths that a plan shows of each kind; all are counted
# Folders and files that programs and systems keep beside the notes. Other names may begin with a dot: notes may, too.
_IGNORED_NAMES = frozenset({".obsidian", ".trash", ".git", "__macosx", ".ds_store", "thumbs.db", "desktop.ini"})
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED, _UTF8 = 0x1, 0x800
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _END_64_BYTES, _COMMENT_BYTES = 22, 20, 65_535
_LOCAL_BYTES = 30


class ZipRefused(BadRequest):
    """The file is no zip of notes that is taken; the message says which entry it is, and why."""

    code = "zip_refused"
    title = "The zip is refused"


class ImportMode(StrEnum):
    """What becomes of notes of the folder that the zip does not have: they stay, or go to the trash."""

    MERGE = "merge"
    REPLACE = "replace"


class Change(StrEnum):
    """What an import does with one path."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    TRASHED = "trashed"
    REFUSED = "refused"  # a note that cannot be one
    SKIPPED = "skipped"  # a file that is no note


@dataclass(frozen=True, slots=True)
class ZippedNote:
    """A note of a zip, by the path that it gets; its text is read when it is needed."""

    path: str
    entry: zipfile.ZipInfo


@dataclass(slots=True)
class ZipContents:
    """What a zip has: notes, files that are none, paths that can be none and why, and how many are passed over."""

    notes: list[ZippedNote] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class PathChange:
    """What becomes of one path, and why if it is refused."""

    path: str
    change: Change
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import does with each path."""

    changes: tuple[PathChange, ...]
    ignored: int

    @property
    def counts(self) -> dict[str, int]:
        """How many paths there are of each kind."""
        found = Counter(item.change for item in self.changes)
        return {**{kind.value: found[kind] for kind in Change}, "ignored": self.ignored}

    def described(self) -> dict[str, Any]:
        """What people see: the counts, and the first paths of each kind but what stays as it is."""
        shown: dict[str, list[dict[str, str]]] = {kind.value: [] for kind in Change if kind is not Change.UNCHANGED}
        for item in self.changes:
            listed = shown.get(item.change.value)
            if listed is not None and len(listed) < MAX_LISTED:
                listed.append({"path": item.path, **({"reason": item.reason} if item.reason else {})})
        return {"counts": self.counts, "paths": shown}


def require_folder(folder: str) -> str:
    """The folder that notes come into, composed; empty for the top of the vault. Raises ValidationFailed."""
    folder = composed(folder)
    wrong = folder_mistake(folder) if folder else None
    if wrong is not None:
        raise invalid("/folder", wrong)
    return folder


def open_zip(file: IO[bytes], size: int) -> zipfile.ZipFile:
    """The zip in a file of so many bytes; raises ZipRefused before anything of it is unpacked, or for what is none."""
    _check_directory(file, size)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, OSError) as error:
        message = Text("The file is no zip, or a damaged one.")
        raise ZipRefused(message) from error
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        message = Text(
            "A zip of notes has at most {max_entries:,} files; this one has {count:,}.",
            max_entries=MAX_ENTRIES,
            count=len(entries),
        )
        raise ZipRefused(message)
    for entry in entries:
        _check_entry(entry)
    _check_sizes(entries, size)
    return archive


def _check_directory(file: IO[bytes], size: int) -> None:
    """Raise for a list of files that is too long to be read at all: reading it is what `zipfile` begins with."""
    start = max(0, size - _COMMENT_BYTES - _END_BYTES - _END_64_BYTES)
    file.seek(start)
    tail = file.read(size - start)
    end = tail.rfind(_END)
    if end < 0:
        message = Text("The file is no zip.")
        raise ZipRefused(message)
    # Only files far larger than the limit need the wider form, which would say other numbers than those read here.
    wide = tail.rfind(_END_64, max(0, end - _END_64_BYTES), end) >= 0
    if wide or int.from_bytes(tail[end + 12 : end + 16], "little") > MAX_DIRECTORY_BYTES:
        message = Text("The zip's list of files is too long.")
        raise ZipRefused(message)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if not name:
        message = Text("A file of the zip has no name.")
        raise ZipRefused(message)
    if entry.flag_bits & _ENCRYPTED:
        message = Text("{name} is encrypted.", name=_shown(name))
        raise ZipRefused(message)
    if entry.compress_type not in _METHODS and not entry.is_dir():
        message = Text("{name} is packed in a way that is not read; use the usual one (deflate).", name=_shown(name))
        raise ZipRefused(message)
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        message = Text("{name} is a link or a device, not a file.", name=_shown(name))
        raise ZipRefused(message)
    # Programs of Windows take a backslash for what separates folders.
    segments = name.replace("\\", "/").split("/")
    if segments[0] == "" or segments[0].endswith(":") or (len(segments[0]) > 1 and segments[0][1] == ":"):
        message = Text("{name} is an absolute path.", name=_shown(name))
        raise ZipRefused(message)
    if ".." in segments:
        message = Text("{name} leads out of the zip.", name=_shown(name))
        raise ZipRefused(message)


def _check_sizes(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    notes = sum(entry.file_size for entry in entries if _is_note(entry.filename))
    if notes > MAX_UNPACKED_BYTES or (notes > _LARGE and notes > MAX_RATIO * size):
        message = Text(
            "The notes would have {notes:,} bytes unpacked, which is more than is taken from a zip of {size:,}.",
            notes=notes,
            size=size,
        )
        raise ZipRefused(message)
    # Files that share their packed bytes are how a small zip becomes a large one without a high ratio.
    reached = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < reached:
            message = Text("{filename} lies inside of another file of the zip.", filename=_shown(entry.filename))
            raise ZipRefused(message)
        reached = entry.header_offset + _LOCAL_BYTES + entry.compress_size


def contents_of(archive: zipfile.ZipFile, folder: str = "") -> ZipContents:
    """What of a zip becomes a note, by the paths below `folder`; nothing is unpacked."""
    found = ZipContents()
    named: dict[str, ZippedNote] = {}
    doubled: set[str] = set()
    for entry in archive.infolist():
        name = _name_of(entry)
        if entry.is_dir():
            continue
        if name is None:
            found.refused.append((_shown(entry.filename), Text("has a name that is not UTF-8")))
        elif _is_ignored(name):
            found.ignored += 1
        elif not _is_note(name):
            found.skipped.append(name)
        else:
            path = composed(f"{folder}/{name}" if folder else name)
            wrong = note_path_mistake(path)
            if wrong is None and entry.file_size > MAX_BODY:
                wrong = Text(
                    "has {file_size:,} bytes; a note has at most {max_body:,}",
                    file_size=entry.file_size,
                    max_body=MAX_BODY,
                )
            key = path_key(path)
            if key in named or key in doubled:
                doubled.add(key)
                wrong = Text("is in the zip more than once; names differ in more than capitals")
                if (first := named.pop(key, None)) is not None:
                    found.refused.append((first.path, wrong))
            if wrong is None:
                named[key] = ZippedNote(path, entry)
            else:
                found.refused.append((_shown(path), wrong))
    found.notes = sorted(named.values(), key=lambda note: note.path)
    return found


def _name_of(entry: zipfile.ZipInfo) -> str | None:
    """The name that was meant: many write UTF-8 without saying so, where `zipfile` reads code page 437."""
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        try:
            name = name.encode("cp437").decode()
        except UnicodeError:
            return None
    return name


def _is_note(name: str) -> bool:
    return name.casefold().endswith(SUFFIX)


def _is_ignored(name: str) -> bool:
    """Whether it is such a file, or in such a folder."""
    return any(segment.casefold() in _IGNORED_NAMES for segment in name.split("/"))


def read_note(archive: zipfile.ZipFile, note: ZippedNote) -> tuple[str, None] | tuple[None, str]:
    """The text of a note, every byte of it; or why there is none."""
    try:
        with archive.open(note.entry) as file:
            # One more than it says of itself is never there: `zipfile` stops at what it says.
            data = file.read(MAX_BODY + 1)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        return None, Text("is damaged")
    except Exception as error:
        if type(error).__module__ != "zlib":
            raise
        return None, Text("is damaged")
    try:
        body = data.decode()
    except UnicodeDecodeError:
        return None, Text("is no text in UTF-8")
    wrong = body_mistake(body)
    return (body, None) if wrong is None else (None, wrong)


def read_notes(archive: zipfile.ZipFile, contents: ZipContents) -> Iterator[tuple[ZippedNote, str]]:
    """Notes with their texts, one after the other; what cannot be read is added to what is refused."""
    for note in contents.notes:
        body, wrong = read_note(archive, note)
        if body is None:
            contents.refused.append((note.path, str(wrong)))
        else:
            yield note, body


def plan_changes(
    texts: Mapping[str, str], contents: ZipContents, there: Mapping[str, str], mode: ImportMode
) -> ImportPlan:
    """What an import does: `texts` are hashes of what is in the zip by path, `there` those of the notes by path."""
    by_key = {path_key(path): (path, digest) for path, digest in there.items()}
    changes = []
    for path, digest in texts.items():
        known = by_key.get(path_key(path))
        kind = Change.CREATED if known is None else Change.UNCHANGED if known[1] == digest else Change.CHANGED
        changes.append(PathChange(path if known is None else known[0], kind))
    changes += [PathChange(path, Change.REFUSED, reason) for path, reason in contents.refused]
    changes += [PathChange(path, Change.SKIPPED) for path in contents.skipped]
    if mode is ImportMode.REPLACE:
        # What the zip has and is not read from it is no reason to take away what is there.
        named = {path_key(path) for path in texts} | {path_key(path) for path, _ in contents.refused}
        gone = [path for key, (path, _) in by_key.items() if key not in named and not _is_ignored(path)]
        changes += [PathChange(path, Change.TRASHED) for path in gone]
    return ImportPlan(tuple(sorted(changes, key=lambda item: (item.path, item.change))), contents.ignored)


def file_name_of(vault: str, folder: str) -> str:
    """What an export is called when it is downloaded: ASCII, since a header says it."""
    text = unicodedata.normalize("NFKD", folder.rpartition("/")[2] or vault)
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_ ") else "" for letter in text)
    return f"{kept.strip()[:80] or 'notes'}.zip"


def _shown(name: str) -> str:
    """A name for a message: without characters that cannot be seen, and not without end."""
    return repr("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name[:200]))
