"""Sentences of transcripts, however captions cut them."""

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.tutorials.drafts.extraction.english import ENGLISH
from dataforge.contexts.tutorials.drafts.extraction.german import GERMAN
from dataforge.contexts.tutorials.drafts.extraction.languages import UNKNOWN, Language
from dataforge.contexts.tutorials.drafts.extraction.sentences import sentences_of
from dataforge.contexts.tutorials.transcripts.domain import Segment
from tests.builders.talks import a_talk


def texts(segments: list[Segment], language: Language = ENGLISH) -> list[tuple[str, int, int]]:
    return [(item.text, item.segment_from, item.segment_to) for item in sentences_of(segments, language)]


def test_a_sentence_that_runs_over_captions_is_one() -> None:
    talk = a_talk("Ann: Open the file called", "Ann: notes.txt and read it. Then", "Ann: close it.")

    assert texts(talk) == [("Open the file called notes.txt and read it.", 0, 1), ("Then close it.", 1, 2)]


def test_somebody_who_only_listens_interrupts_no_sentence() -> None:
    talk = a_talk("Ann: Now open the", "Bob: Mhm, okay.", "Ann: settings menu.")

    assert texts(talk) == [("Now open the settings menu.", 0, 2), ("okay.", 1, 1)]


def test_another_speaker_ends_a_sentence() -> None:
    talk = a_talk("Ann: Now open the", "Bob: Which one do you mean?", "Ann: The last one.")

    assert [text for text, _, _ in texts(talk)] == ["Now open the", "Which one do you mean?", "The last one."]


def test_full_stops_of_abbreviations_numbers_and_file_names_end_nothing() -> None:
    assert [text for text, _, _ in texts(a_talk("Use e.g. version 3.11 of a.py or ask Dr. Who. It works."))] == [
        "Use e.g. version 3.11 of a.py or ask Dr. Who.",
        "It works.",
    ]
    assert [text for text, _, _ in texts(a_talk("Am 3. Mai z. B. gehen Sie los. Das war es."), GERMAN)] == [
        "Am 3. Mai z. B. gehen Sie los.",
        "Das war es.",
    ]


def test_fillers_and_stutters_go_and_addresses_stay() -> None:
    talk = a_talk("Um, open the the page, you know, at https://example.org/um/uh?x=1, uh, now.")

    assert texts(talk) == [("open the page at https://example.org/um/uh?x=1, now.", 0, 0)]


def test_without_punctuation_cue_words_and_pauses_end_sentences() -> None:
    talk = a_talk("so this is the printer you need to open the cover", "and take out the roll then close it again")

    assert [text for text, _, _ in texts(talk)] == [
        "so this is the printer",
        "you need to open the cover and take out the roll",
        "then close it again",
    ]
    paused = a_talk("this is one of the printers", "paper comes from below here", pause_ms=900)
    assert len(texts(paused)) == 2


def test_scripts_without_spaces_have_sentences() -> None:
    assert [text for text, _, _ in texts(a_talk("設定を開きます。保存します。"), UNKNOWN)] == [
        "設定を開きます。",
        "保存します。",
    ]


WORDS = st.sampled_from(
    ["open", "the", "Router.", "um", "then", "Sie", "klicken?", "a.b/c", "…", "é", "3.", "okay", "語。", "-", '"']
)
LINES = st.lists(st.tuples(st.sampled_from(["A", "B", None]), st.lists(WORDS, min_size=1, max_size=9)), max_size=12)


@given(LINES, st.sampled_from([ENGLISH, GERMAN, UNKNOWN]))
def test_sentences_are_in_order_within_the_transcript_and_by_their_speaker(
    lines: list[tuple[str | None, list[str]]], language: Language
) -> None:
    segments = [
        Segment(at, at * 1000, at * 1000 + 900, " ".join(words), speaker) for at, (speaker, words) in enumerate(lines)
    ]

    sentences = sentences_of(segments, language)

    assert [item.segment_from for item in sentences] == sorted(item.segment_from for item in sentences)
    for item in sentences:
        assert item.text.strip()
        assert 0 <= item.segment_from <= item.segment_to < len(segments)
        assert {segments[item.segment_from].speaker, segments[item.segment_to].speaker} == {item.speaker}
        assert list(item.borders) == sorted(item.borders)
