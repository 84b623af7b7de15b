"""Topics: where the words change, or a speaker says so."""

from dataforge.contexts.tutorials.drafts.extraction.english import ENGLISH
from dataforge.contexts.tutorials.drafts.extraction.languages import Language
from dataforge.contexts.tutorials.drafts.extraction.sentences import sentences_of
from dataforge.contexts.tutorials.drafts.extraction.topics import boundaries_of
from dataforge.contexts.tutorials.drafts.extraction.vocabulary import vocabulary_of
from tests.builders.talks import a_talk

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
    found = boundaries(BREAD * 6 + PLANES * 6, ENGLISH)

    assert len(found) == 1
    assert abs(found[0] - 24) <= 2


def test_a_topic_begins_where_a_speaker_says_so() -> None:
    lines = (*BREAD * 6, "Okay, so let's move on to something else.", *PLANES * 6)

    assert boundaries(lines, ENGLISH) == [24]


def test_an_announcement_after_a_few_seconds_begins_no_topic() -> None:
    assert boundaries((BREAD[0], "Okay, let's move on to the oven.", *BREAD * 6), ENGLISH) == []


def test_the_same_words_all_over_are_one_topic() -> None:
    assert boundaries((BREAD[0],) * 60, ENGLISH) == []


def test_nothing_has_no_boundaries() -> None:
    assert boundaries((), ENGLISH) == []
    assert boundaries((BREAD[0],), ENGLISH) == []
