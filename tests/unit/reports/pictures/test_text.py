"""Texts that XML can hold and a picture has room for."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.reports.pictures.text import (
    amount,
    clean,
    count,
    duration,
    fitted,
    instant,
    is_right_to_left,
    percent,
    width_of,
)

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


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 0, "–"), (0, 9, "0%"), (9, 9, "100%"), (1, 3, "33%"), (1, 1000, "<1%"), (999, 1000, ">99%"), (1, 200, "<1%")],
)
def test_only_none_is_0_and_only_all_is_100_percent(part: int, whole: int, words: str) -> None:
    assert percent(part, whole) == words


def test_numbers_in_words() -> None:
    assert (amount(1234567), amount(0.5, 2)) == ("1,234,567", "0.50")
    assert (count(1, "class", "classes"), count(0, "learner"), count(1200, "class", "classes")) == (
        "1 class",
        "0 learners",
        "1,200 classes",
    )
    assert instant(datetime(2026, 3, 1, 9, 5, tzinfo=UTC)) == "1 Mar 2026, 09:05 UTC"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=119), "119 seconds"),
        (timedelta(seconds=120), "2 minutes"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(days=90), "90 days"),
    ],
)
def test_a_duration_is_in_a_unit_that_people_use(span: timedelta, words: str) -> None:
    assert duration(span) == words
