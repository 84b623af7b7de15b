"""Topics: where the words change, or a speaker says so."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dataforge.contexts.tutorials.drafts.extraction.english import ENGLISH
from dataforge.contexts.tutorials.drafts.extraction.languages import Language
from dataforge.contexts.tutorials.drafts.extraction.sentences import sentences_of
from dataforge.contexts.tutorials.drafts.extraction.topics import boundaries_of
from dataforge.contexts.tutorials.drafts.extraction.vocabulary import vocabulary_of
from dataforge.contexts.tutorials.transcripts.domain import Segment
from tests.builders.talks import a_talk, numbered

BREAD = (
    "The dough for the bread needs flour, water and yeast.",
    "Knead the dough until the flour has taken up all the water.",
    "Yeast makes the dough rise, so the bread becomes light.",
    "A warm oven bakes the bread evenly and the crust gets brown.",
)
PLANES = (
    "The wings of the plane carry it through the air.",
    "A pilot moves the rudder to turn the plane left or right.",
    "Air flows faster above the wings than below the wings.",
    "The engine of the plane pushes air backwards for the pilot.",
)


def boundaries(lines: tuple[str, ...], language: Language) -> list[int]:
    segments = a_talk(*lines)
    return boundaries_of(segments, sentences_of(segments, language), vocabulary_of(segments, language), language)


def test_a_topic_ends_where_the_words_change() -> None:
    assert boundaries(BREAD * 10 + PLANES * 10, ENGLISH) == [40]


def test_an_opener_moves_a_boundary_to_itself() -> None:
    lines = (*BREAD * 10, "A light one.", "Well, the wings of the plane.", *PLANES * 10)

    assert boundaries(lines, ENGLISH) == [41]


def test_a_topic_begins_where_a_speaker_says_so() -> None:
    lines = (*BREAD * 6, "Okay, so let's move on to something else.", *PLANES * 6)

    assert boundaries(lines, ENGLISH) == [24]


def test_an_announcement_after_a_few_seconds_begins_no_topic() -> None:
    assert boundaries((BREAD[0], "Okay, let's move on to the oven.", *BREAD * 6), ENGLISH) == []


def test_the_same_words_all_over_are_one_topic() -> None:
    assert boundaries((BREAD[0],) * 60, ENGLISH) == []


def test_who_announces_topics_all_the_time_announces_none() -> None:
    lines = ["Okay, let's move on to the oven.", *BREAD] * 12

    assert len(boundaries(tuple(lines), ENGLISH)) <= 3


def test_an_hour_of_talk_has_topics_of_minutes() -> None:
    segments = numbered(a_talk(*BREAD * 10, *PLANES * 10), 11)
    sentences = sentences_of(segments, ENGLISH)

    starts = [0, *boundaries_of(segments, sentences, vocabulary_of(segments, ENGLISH), ENGLISH), len(segments)]

    assert 15 <= len(starts) <= 35
    assert starts == sorted(set(starts))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(BREAD + PLANES + ("", "So.", "?")), st.integers(0, 400_000)), max_size=40))
def test_boundaries_rise_and_are_segments_whatever_was_said(said: list[tuple[str, int]]) -> None:
    at, segments = 0, []
    for index, (text, pause) in enumerate(said):
        segments.append(Segment(index, at, at + 500, text, None))
        at += pause
    sentences = sentences_of(segments, ENGLISH)

    found = boundaries_of(segments, sentences, vocabulary_of(segments, ENGLISH), ENGLISH)

    assert found == sorted(set(found))
    assert all(0 < boundary < len(segments) for boundary in found)


def test_nothing_has_no_boundaries() -> None:
    assert boundaries((), ENGLISH) == []
    assert boundaries((BREAD[0],), ENGLISH) == []
