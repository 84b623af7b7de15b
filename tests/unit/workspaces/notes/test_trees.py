"""Notes of a vault as a tree of folders."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.notes.domain.trees import Folder, Leaf, folder_at, folders_of, tree_of

SPACE = UUID(int=1)
NAMES = st.sampled_from(["a", "A", "b", "straße", "c d"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join).map("{}.md".format), max_size=12)


def leaf(path: str) -> Leaf:
    return Leaf(uuid5(SPACE, path), path, path)


def walked(folder: Folder) -> list[str]:
    return [note.path for note in folder.notes] + [path for item in folder.folders.values() for path in walked(item)]


def test_folders_hold_what_is_below_them_and_differ_in_more_than_capitals() -> None:
    top = tree_of(leaf(path) for path in ("Projects/acme/Kick-off.md", "projects/Plan.md", "Read me.md"))

    assert [(folder.name, folder.count) for folder in top.folders.values()] == [("Projects", 2)]
    assert folders_of(top) == ["Projects", "Projects/acme"]
    found = folder_at(top, "PROJECTS/Acme")
    assert found is not None
    assert [note.name for note in found.notes] == ["Kick-off"]
    assert (folder_at(top, ""), folder_at(top, "projects/none"), top.count) == (top, None, 3)


@given(PATHS)
def test_every_note_is_in_the_tree_once(paths: list[str]) -> None:
    top = tree_of(leaf(path) for path in paths)

    assert sorted(walked(top)) == sorted(paths)
    assert top.count == len(paths)
    assert all(folder_at(top, folder) is not None for folder in folders_of(top))
