"""Tables of datasets in a statement, and places in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.datasets.statements.domain import (
    Replacement,
    Rewritten,
    offset_to_place,
    place_to_offset,
    references,
)

ID = "01a22e1d-3457-7a7d-a951-82c93f8e1e17"


def named(statement: str) -> list[tuple[str, str, str | None]]:
    return [(found.dataset, found.version, found.sheet) for found in references(statement)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT * FROM grades@main JOIN roster@v2 USING (id)", [("grades", "main", None), ("roster", "v2", None)]),
        ('FROM "Grades 2026"@"spring/term 1"', [("Grades 2026", "spring/term 1", None)]),
        ('FROM "a ""b"" c"@main."Sheet 1"', [('a "b" c', "main", "Sheet 1")]),
        (f"FROM {ID}@main", [(ID, "main", None)]),
        (f'FROM "{ID}"@main.people', [(ID, "main", "people")]),
        ("FROM grades@release/2026-1 -- the release", [("grades", "release/2026-1", None)]),
        ("FROM grades@v2--comment", [("grades", "v2", None)]),
        ("FROM prüfungen@hauptzweig", [("prüfungen", "hauptzweig", None)]),
        ("SELECT grades@main.score FROM grades@main", [("grades", "main", "score"), ("grades", "main", None)]),
        ("SELECT 'a@b', 'it''s c@d', E'\\' e@f', \"g@h\" -- i@j\n /* k@l */ FROM m@n", [("m", "n", None)]),
        ("SELECT $$ a@b $$, $x$ c@d $x$", []),
        ("SELECT @ -5, @(x), 'a'", []),
        ("SELECT 'never ended a@b", [("a", "b", None)]),
        ("", []),
    ],
)
def test_references_are_found_outside_of_texts_and_comments(
    statement: str, expected: list[tuple[str, str, str | None]]
) -> None:
    assert named(statement) == expected


def test_a_place_after_a_longer_name_is_the_one_that_was_sent() -> None:
    sent = 'SELECT\n  a@b.x, nope FROM a@b JOIN "c d"@e USING (nope)'
    first, second, third = references(sent)
    names = [(first, "a@b"), (second, "a@b"), (third, "c d@e")]
    rewritten = Rewritten.of(sent, [Replacement(found.start, found.stop, name) for found, name in names])

    place = offset_to_place(rewritten.text, rewritten.text.rindex("nope"))

    assert rewritten.text == 'SELECT\n  "a@b".x, nope FROM "a@b" JOIN "c d@e" USING (nope)'
    assert rewritten.place_sent(*place) == offset_to_place(sent, sent.rindex("nope"))
    assert rewritten.place_sent(2, 5) == (2, 3)


@given(st.lists(st.sampled_from(["a@b", '"c d"@main', " ", "\n", "x", "'e@f'", ", ", "é"]), max_size=20))
def test_every_place_outside_of_names_is_found_again(parts: list[str]) -> None:
    sent = " ".join(parts)
    found = list(references(sent))
    rewritten = Rewritten.of(sent, [Replacement(one.start, one.stop, f"{one.dataset}@{one.version}") for one in found])
    starts, stops = [0, *(one.stop for one in found)], [*(one.start for one in found), len(sent)]
    pieces = [sent[start:stop] for start, stop in zip(starts, stops, strict=True)]

    assert rewritten.text == "".join(
        piece + (rewritten.replacements[at].identifier if at < len(found) else "") for at, piece in enumerate(pieces)
    )
    at = 0
    for number, piece in enumerate(pieces):
        start = found[number - 1].stop if number else 0
        for offset in range(len(piece)):
            place = offset_to_place(rewritten.text, at + offset)
            assert rewritten.place_sent(*place) == offset_to_place(sent, start + offset)
        at += len(piece) + (len(rewritten.replacements[number].identifier) if number < len(found) else 0)


@given(st.text(st.sampled_from("ab\n"), min_size=1), st.data())
def test_a_place_is_an_offset_and_back(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text) - 1))

    assert place_to_offset(text, *offset_to_place(text, offset)) == offset
