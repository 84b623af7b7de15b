"""The expert is who instructs, not who talks most."""

from dataforge.contexts.tutorials.drafts.extraction.engine import extract
from dataforge.contexts.tutorials.drafts.extraction.speakers import shows_alone
from tests.builders.talks import a_talk


def test_the_expert_is_who_instructs_even_if_others_talk_more() -> None:
    talk = a_talk(
        "Bob: Well, I came home and I saw that the light was off and then my son said that it had been off all day.",
        "Ann: Could you press the button on the left?",
        "Bob: I press it, and it is warm, and there was a noise as well when my son was here, a kind of humming.",
        "Ann: Then unplug the cable.",
    )

    assert extract(talk, "en").expert == "Ann"


def test_nobody_is_the_expert_where_nobody_is_named() -> None:
    assert extract(a_talk("Open the lid.", "Close the lid."), "en").expert is None


def test_one_speaker_is_the_expert() -> None:
    assert extract(a_talk("Ann: Nothing to say."), "en").expert == "Ann"


def test_who_says_nearly_all_shows_what_to_do() -> None:
    lecture = a_talk("Ann: " + "word " * 90, "Bob: " + "word " * 10)

    assert shows_alone(lecture, "Ann")
    assert not shows_alone(lecture, "Bob")
    assert shows_alone(a_talk("word word"), None)
