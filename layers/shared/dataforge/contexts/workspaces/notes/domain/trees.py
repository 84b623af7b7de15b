"""Notes of a vault as a tree of folders."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.workspaces.notes.domain.paths import path_key, stem


@dataclass(frozen=True, slots=True)
class Leaf:
    """A note in its folder."""

    id: UUID
    path: str
    title: str

    @property
    def name(self) -> str:
        """The name without folders and suffix."""
        return stem(self.path)


@dataclass(slots=True)
class Folder:
    """A folder: what is in it, folders first, each by name; `count` is of the notes in it and below."""

    path: str = ""
    folders: "dict[str, Folder]" = field(default_factory=dict)
    notes: list[Leaf] = field(default_factory=list)
    count: int = 0

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


def tree_of(notes: Iterable[Leaf]) -> Folder:
    """The top of a vault with these notes, given by path; folders that differ in capitals are one."""
    top = Folder()
    for note in notes:
        folder, path = top, ""
        folder.count += 1
        for name in note.path.split("/")[:-1]:
            path = f"{path}/{name}" if path else name
            folder = folder.folders.setdefault(path_key(name), Folder(path))
            folder.count += 1
        folder.notes.append(note)
    return top


def folder_at(top: Folder, path: str) -> Folder | None:
    """The folder at a path; None where there is none."""
    folder: Folder | None = top
    for name in path.split("/") if path else ():
        folder = None if folder is None else folder.folders.get(path_key(name))
    return folder


def folders_of(top: Folder) -> list[str]:
    """The paths of all folders."""
    found: list[str] = []
    for folder in top.folders.values():
        found += [folder.path, *folders_of(folder)]
    return found
