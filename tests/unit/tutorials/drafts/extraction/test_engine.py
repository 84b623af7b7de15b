"""Drafts of whole transcripts: cited, in order, the same every time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataforge.contexts.tutorials.drafts.extraction.engine import ENGINE, ENGINE_VERSION, ExtractiveEngine, extract
from dataforge.contexts.tutorials.transcripts.domain import Segment
from tests.builders.talks import a_talk, numbered

CALL = a_talk(
    "Agent: Good morning, this is the service desk, how can I help?",
    "Caller: I'm calling because my printer doesn't print any more. I clicked on everything.",
    "Agent: Okay. Before we start, you'll need a dry cloth.",
    "Caller: I've got one.",
    "Agent: Could you please open the cover on the left?",
    "Caller: Open the cover, okay. Tell me what to do now.",
    "Agent: Then take out the paper roll, um, and clean the sensor with the cloth.",
    "Caller: Done.",
    "Agent: Let's try something. Press the red button.",
    "Caller: It's grey.",
    "Agent: Sorry, forget that, that was wrong.",
    "Agent: Now put the roll back and close the cover. The sensor is a small lens that looks for paper.",
    "Caller: The sensor. And how?",
    "Agent: You have to close the cover with both thumbs.",
    "Caller: Great, it prints. Thank you!",
    "Agent: To recap: open the cover, take out the roll and clean the sensor.",
    "Caller: Thanks, bye.",
)
ANRUF = a_talk(
    "Hotline: Guten Morgen, hier ist die Hotline, was kann ich für Sie tun?",
    "Kundin: Mein Drucker druckt nicht mehr, und ich habe schon überall geklickt.",
    "Hotline: Gut, dann öffnen Sie bitte den Deckel auf der linken Seite.",
    "Kundin: Den Deckel, ja, der ist offen.",
    "Hotline: Können Sie jetzt die Rolle herausnehmen?",
    "Kundin: Die ist draußen.",
    "Hotline: Danach schließen Sie den Deckel wieder, und zwar mit beiden Daumen.",
)


def test_a_call_becomes_steps_of_the_expert() -> None:
    draft = extract(CALL, None)

    assert draft.expert == "Agent"
    assert draft.title == "Printer doesn't print any more"
    assert [(step.text, step.segment_from, step.segment_to) for step in draft.steps] == [
        ("Open the cover on the left.", 4, 4),
        ("Take out the paper roll, and clean the sensor with the cloth.", 6, 6),
        ("Put the roll back and close the cover.", 11, 11),
        ("Close the cover with both thumbs.", 13, 13),
    ]
    assert draft.prerequisites == ("Before we start, you'll need a dry cloth.",)
    assert [(entry.term, entry.segment) for entry in draft.glossary] == [("sensor", 11)]
    assert (draft.engine, draft.engine_version) == (ENGINE, ENGINE_VERSION)


def test_a_german_call_is_recognised_by_its_words() -> None:
    draft = extract(ANRUF, None)

    assert draft.expert == "Hotline"
    assert [step.text for step in draft.steps] == [
        "Öffnen Sie den Deckel auf der linken Seite.",
        "Nehmen Sie die Rolle heraus.",
        "Schließen Sie den Deckel wieder, und zwar mit beiden Daumen.",
    ]


def test_what_is_said_again_is_one_step() -> None:
    draft = extract(a_talk("Ann: Restart the router.", "Bob: Sorry?", "Ann: Restart the router, please."), "en")

    assert [(step.text, step.segment_from) for step in draft.steps] == [("Restart the router.", 0)]


def test_a_step_that_the_next_sentence_continues_is_one() -> None:
    draft = extract(a_talk("Ann: Press the power button.", "Ann: Hold it for ten seconds."), "en")

    assert [(step.text, step.segment_from, step.segment_to) for step in draft.steps] == [
        ("Press the power button. Hold it for ten seconds.", 0, 1)
    ]


def test_a_reason_is_not_cited() -> None:
    draft = extract(a_talk("Please switch the computer off", "because it must cool down for a while."), "en")

    assert [(step.segment_from, step.segment_to) for step in draft.steps] == [(0, 0)]


def test_captions_without_punctuation_have_steps() -> None:
    draft = extract(
        a_talk("okay so first you need to open the settings", "and then click on network now go to proxy"), None
    )

    assert [step.text for step in draft.steps] == ["Open the settings.", "Click on network.", "Go to proxy."]


@pytest.mark.parametrize("code", ["fr", "xx-YY", "", None])
def test_an_unknown_language_has_sections_and_a_title(code: str | None) -> None:
    talk = a_talk("Ouvrez la fenêtre du navigateur.", "Cliquez sur le bouton.", "Merci beaucoup.")

    draft = extract(talk, code)

    assert draft.steps == ()
    assert draft.title
    assert [(section.segment_from, section.segment_to) for section in draft.sections] == [(0, 2)]


def test_nothing_said_is_an_empty_draft() -> None:
    draft = extract([], None)

    assert (draft.title, draft.summary, draft.sections, draft.steps, draft.expert) == ("", "", (), (), None)


def test_twenty_thousand_segments_are_drafted() -> None:
    draft = extract(numbered(CALL, 20_000 // len(CALL) + 1), None)

    assert draft.expert == "Agent"
    assert draft.sections[-1].segment_to >= 20_000


@pytest.mark.parametrize("part", ["a", "A-", "a.", "1", ",", "語", "/a", "du ", "if you ", "klicken Sie "])
@pytest.mark.parametrize("code", ["en", "de"])
def test_the_same_thing_ten_thousand_times_is_drafted(part: str, code: str) -> None:
    draft = extract(a_talk(part * 10_000, "Open the door."), code)

    assert [(section.segment_from, section.segment_to) for section in draft.sections] == [(0, 1)]


async def test_the_engine_says_who_it_is_and_gives_the_same_every_time() -> None:
    engine = ExtractiveEngine()

    drafts = [await engine.draft(CALL, "en-GB") for _ in range(2)]

    assert repr(drafts[0]) == repr(drafts[1])
    assert (engine.name, engine.version) == (drafts[0].engine, drafts[0].engine_version)


PARTS = st.sampled_from(
    [
        "Open the door.",
        "klicken Sie auf",
        "Could you",
        "restart it?",
        "um",
        "then",
        "Dann",
        "öffnen Sie das Fenster.",
        "語。",
    ]
) | st.sampled_from(
    ["forget that", "to recap", "VPN is a tunnel.", "ja", "…", "https://a.b/c.", "\u00ad", "Let's move on.", "3.5"]
)
TALKS = st.lists(
    st.tuples(st.sampled_from(["A", "B", None]), st.lists(PARTS, min_size=1, max_size=6), st.integers(0, 5000)),
    max_size=25,
)


@settings(max_examples=60)
@given(TALKS, st.sampled_from([None, "en", "de", "fr"]))
def test_steps_cite_segments_in_order_and_their_time(
    lines: list[tuple[str | None, list[str], int]], code: str | None
) -> None:
    segments = []
    at = 0
    for index, (speaker, parts, length) in enumerate(lines):
        segments.append(Segment(index, at, at + length, " ".join(parts), speaker))
        at += length // 2  # captions may overlap

    draft = extract(segments, code)

    assert draft == extract(segments, code)
    assert [step.segment_from for step in draft.steps] == sorted(step.segment_from for step in draft.steps)
    for step in draft.steps:
        cited = segments[step.segment_from : step.segment_to + 1]
        assert cited
        assert step.text.strip()
        assert step.start_ms == min(segment.start_ms for segment in cited)
        assert step.end_ms == max(segment.end_ms for segment in cited)
    edges = [(section.segment_from, section.segment_to) for section in draft.sections]
    assert [start for start, _ in edges] == [0, *(end + 1 for _, end in edges[:-1])] if segments else edges == []
    assert not edges or edges[-1][1] == len(segments) - 1
    assert all(section.title for section in draft.sections)
    assert all(0 <= entry.segment < len(segments) for entry in draft.glossary)
    assert draft.expert in {None, *(segment.speaker for segment in segments)}
