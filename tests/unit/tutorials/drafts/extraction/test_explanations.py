"""Titles, prerequisites, words explained and sections."""

import pytest

from dataforge.contexts.tutorials.drafts.extraction.engine import extract
from tests.builders.talks import a_talk


@pytest.mark.parametrize(
    ("said", "title"),
    [
        (
            "Today I'm going to show you how to sharpen a kitchen knife, so stay with me.",
            "How to sharpen a kitchen knife",
        ),
        ("In this lesson we're going to talk about the parts of a cell.", "Parts of a cell"),
        ("Welcome to the tutorial on version control.", "Version control"),
        ("I'm calling because my printer doesn't print any more.", "Printer doesn't print any more"),
        ("Hi, I can't open my mailbox.", "Can't open my mailbox"),
        ("Heute geht es um die Pflege von Pinseln, und zwar richtig.", "Pflege von Pinseln"),
        ("Ich zeige euch heute, wie man ein Messer schärft.", "Wie man ein Messer schärft"),
        ("Ich habe ein Problem mit meinem Drucker, der druckt nicht.", "Drucker"),
    ],
)
def test_the_purpose_becomes_the_title(said: str, title: str) -> None:
    assert extract(a_talk(f"Ann: {said}"), None).title == title


def test_without_a_purpose_the_title_is_of_frequent_words_and_of_no_names() -> None:
    talk = a_talk(
        *["Priya: The certificate of the gateway has expired.", "Tom: Priya, which certificate of the gateway?"] * 4
    )

    assert extract(talk, "en").title == "Certificate, gateway and expired"


def test_a_title_is_short() -> None:
    said = "Today we're going to talk about " + "very long and winding roads " * 20

    assert len(extract(a_talk(said), "en").title) <= 80


def test_what_one_needs_is_a_prerequisite_and_no_step() -> None:
    draft = extract(
        a_talk(
            "You'll need a screwdriver and a bowl.",
            "Make sure you've got the serial number at hand.",
            "When you need a restore, you are in a hurry.",
            "Then you need to open the lid.",
            "Do you need anything else?",
        ),
        "en",
    )

    assert draft.prerequisites == (
        "You'll need a screwdriver and a bowl.",
        "Make sure you've got the serial number at hand.",
    )
    assert [step.text for step in draft.steps] == ["Open the lid."]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("A gateway is a computer that joins two networks.", "gateway"),
        ("VPN stands for virtual private network.", "VPN"),
        ("The thing on the back that holds it is called a bracket.", "bracket"),
        ("Ein Gateway ist ein Rechner, der zwei Netze verbindet und das immer.", "Gateway"),
        ("Das nennt man Grundierung, damit die Farbe hält und nicht wieder ab geht.", "Grundierung"),
        ("Die TSE ist eine Einheit, die jeden Bon unterschreibt und das nicht vergisst.", "TSE"),
    ],
)
def test_a_word_is_explained_in_the_words_of_the_transcript(said: str, word: str) -> None:
    draft = extract(
        a_talk(f"Ann: Ja, {word}." if " man " in said or " ist " in said else f"Ann: Yes, {word}.", f"Ann: {said}"),
        None,
    )

    assert [(entry.term, entry.explanation, entry.segment) for entry in draft.glossary] == [(word, said, 1)]


@pytest.mark.parametrize(
    "said", ["It is a problem.", "That means we are done.", "The wages are a different matter.", "Is it a gateway?"]
)
def test_talk_explains_no_word(said: str) -> None:
    assert extract(a_talk(said), "en").glossary == ()


def test_the_summary_has_the_purpose_and_the_topics() -> None:
    draft = extract(
        a_talk("Today we're going to talk about bread.", "Bread needs flour.", "Flour and water make bread."), "en"
    )

    assert draft.summary == f"Today we're going to talk about bread. Topics: {draft.sections[0].title}."
