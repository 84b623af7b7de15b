"""Links from note to note: what they mean, and which note that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.notes.domain.links import LinkedNote, names_of, resolved, targets_of
from dataforge.contexts.workspaces.notes.domain.paths import path_key


@pytest.mark.parametrize(
    ("body", "targets"),
    [
        ("[[Kick-off]]", ["kick-off.md"]),
        ("[[Projects/Kick-off|the start]] ![[kick-off.md]]", ["projects/kick-off.md", "kick-off.md"]),
        ("[[a#Heading]] [[b^block]] [[#Here]] [[]]", ["a.md", "b.md"]),
        ("| [[a\\|b]] |", ["a\\.md"]),
        ("[x](other.md) [y](../top.md) [z](/abs/note.md#part)", ["/in/other.md", "/top.md", "/abs/note.md"]),
        ('[x](<other.md>) [y](a%20b.md "Title") [z](plain)', ["/in/other.md", "/in/a b.md", "/in/plain.md"]),
        ("[x](https://example.com/a.md) [m](mailto:a@b.c) [i](picture.png) [o](../../a.md) [f](folder/)", []),
        ("```\n[[in code]]\n```\n[[a]] `[[b]]`\n~~~\n[[c]]", ["a.md"]),
        ("[[a]] [[A.md]] [[Stra\u00dfe]]", ["a.md", "strasse.md"]),
    ],
)
def test_what_links_mean(body: str, targets: list[str]) -> None:
    assert targets_of("In/note.md", body) == targets


def linked(*paths: str) -> list[LinkedNote]:
    return [LinkedNote(path_key(path), path, path) for path in paths]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("a.md", "a.md"),
        ("b.md", "x/b.md"),
        ("x/b.md", "x/b.md"),
        ("y/b.md", "z/y/b.md"),
        ("/x/b.md", "x/b.md"),
        ("/b.md", None),
        ("c.md", None),
        ("deep/a.md", "deep/a.md"),
    ],
)
def test_which_note_a_target_means(target: str, path: str | None) -> None:
    notes = linked("z/y/b.md", "x/b.md", "deep/a.md", "a.md", "very/deep/a.md")

    note = resolved([target], notes).get(target)

    assert (note and note.path) == path


@given(st.text())
def test_any_text_can_be_read_for_links(body: str) -> None:
    targets = targets_of("a/b.md", body)

    assert len(targets) == len(set(targets))
    assert all(target.endswith(".md") for target in targets)
    assert all(name.endswith(".md") for name in names_of(targets))
