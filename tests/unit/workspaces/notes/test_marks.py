"""What a search has found, marked in a text."""

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.notes.pages.search import marked


def test_a_text_is_cut_where_marks_begin_and_end() -> None:
    assert marked("one two", [(4, 7)]) == [("one ", False), ("two", True)]
    assert marked("one", []) == [("one", False)]
    assert marked("ab", [(0, 1), (1, 2)]) == [("a", True), ("b", True)]


@given(st.text(max_size=20), st.lists(st.integers(0, 20), max_size=8, unique=True).map(sorted))
def test_no_character_is_lost(text: str, places: list[int]) -> None:
    pairs = list(zip(places[::2], places[1::2], strict=False))

    assert "".join(part for part, _ in marked(text, pairs)) == text
