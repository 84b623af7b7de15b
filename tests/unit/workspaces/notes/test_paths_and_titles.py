"""Paths of notes, and what notes are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.notes.domain.notes import MAX_TITLE, title_of
from dataforge.contexts.workspaces.notes.domain.paths import (
    endings,
    folder_mistake,
    moved,
    note_path,
    note_path_mistake,
    path_key,
)


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# One\n## Two", "One"),
        ("text\n\n## Two ##\n", "Two"),
        ("One *and* `two`\n===\n", "One and two"),
        ("---\ntitle: x\n# no\n---\n# Yes", "Yes"),
        ("```\n# code\n```\n# After [link](x.md) and [[a|b]]", "After link and b"),
        ("~~~~\n# code\n~~~\n# still code\n~~~~\n# After", "After"),
        ("#no heading\n####### seven\n- a\n---\n", "name"),
        ("# \n#\n", "name"),
        ("# snake_case and __bold__", "snake_case and bold"),
        ("", "name"),
        ("# a\tb\x07c", "a b c"),
        ("# " + "x" * 400, "x" * MAX_TITLE),
    ],
)
def test_a_note_is_called_by_its_first_heading(body: str, title: str) -> None:
    assert title_of("folder/name.md", body) == title


@given(st.text())
def test_every_note_is_called_something(body: str) -> None:
    title = title_of("name.md", body)

    assert 1 <= len(title) <= MAX_TITLE
    assert title.isprintable() or not any(ord(sign) < 32 for sign in title)


@pytest.mark.parametrize("path", ["a", "a/b", "C#", "v1.2", ".hidden", "\u6771\u4eac/\u90fd", "a.MD", "x" * 255])
def test_paths_that_notes_may_have(path: str) -> None:
    assert note_path_mistake(note_path(path)) is None or path == "x" * 255


@given(st.text(max_size=20))
def test_a_path_and_its_key_stay_what_they_are(path: str) -> None:
    once = note_path(path)

    assert note_path(once) == once
    assert path_key(path_key(path)) == path_key(path)


@given(st.lists(st.text("abc\u00df", min_size=1, max_size=4), min_size=1, max_size=4).map("/".join))
def test_a_note_and_a_folder_never_have_one_name(path: str) -> None:
    assert path_key(note_path(path)) not in {path_key(folder) for folder in endings(path)}
    assert folder_mistake(note_path(path)) is not None


@pytest.mark.parametrize(
    ("path", "folder", "target", "result"),
    [
        ("a/b/c.md", "a", "x", "x/b/c.md"),
        ("a/b/c.md", "a/b", "", "c.md"),
        ("Stra\u00dfe/c.md", "strasse", "x/y", "x/y/c.md"),
    ],
)
def test_a_folder_takes_its_notes_along(path: str, folder: str, target: str, result: str) -> None:
    assert moved(path, folder, target) == result
