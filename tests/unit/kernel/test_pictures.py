"""Texts that XML can hold and a picture has room for."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.pictures import clean, fitted, is_right_to_left, width_of

ANYTHING = st.text(st.characters(codec=None))


@given(ANYTHING)
def test_whatever_a_name_is_it_can_be_written_as_xml(name: str) -> None:
    element = ET.Element("text")
    element.text = clean(name)

    assert ET.fromstring(ET.tostring(element)).text in (clean(name), None)


def test_what_xml_forbids_is_seen_to_be_missing() -> None:
    assert clean("a\x00b\x0bc\ud800d￾e") == "a�b�c�d�e"


def test_controls_of_direction_go_and_white_space_is_one_space() -> None:
    assert clean(" Ada\u202e\n\tLovelace\u2066 ") == "Ada Lovelace"


@given(ANYTHING, st.floats(0, 400), st.floats(6, 20))
def test_a_text_is_cut_to_its_room(text: str, room: float, size: float) -> None:
    cut = fitted(text, room, size)

    assert cut == text or cut.endswith("…")
    assert width_of(cut, size) <= max(room, width_of("…", size)) + 1e-6
    assert cut == text or text.startswith(cut[:-1])


def test_a_mark_stays_with_its_letter() -> None:
    assert fitted("e\u0301e\u0301e\u0301e\u0301", width_of("ee…", 10), 10) == "e\u0301e\u0301…"
    assert fitted("👩\u200d🔬👩\u200d🔬", width_of("👩…", 10) + 1, 10).startswith("…")


@pytest.mark.parametrize(
    ("text", "right_to_left"), [("שלום", True), ("محمد", True), ("12 محمد", True), ("Ada שלום", False), ("123", False)]
)
def test_the_first_letter_tells_the_direction(text: str, right_to_left: bool) -> None:
    assert is_right_to_left(text) is right_to_left
