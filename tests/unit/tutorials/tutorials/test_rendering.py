"""Tutorials as documents: readable, the same every time, and nothing that somebody said becomes markup."""

import re
from html.parser import HTMLParser

import webvtt
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.tutorials.tutorials.domain.rendering import clock_time, to_chapters, to_html, to_markdown
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial, TutorialTerm
from dataforge.platform.markdown import render_markdown
from tests.builders.tutorials import a_step, a_tutorial

CUE_TIME = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})")
NASTY = st.sampled_from(
    ["-->", "<script>", "</title>", "&amp;", "\n\n", "\r", "\u2028", "NOTE x", "00:01.000 --> 00:02.000", "# ", "1. "]
) | st.sampled_from(["[a](javascript:x)", "`", "*b*", "<b>", "![i](http://x)", "| a |\n|---|", "---", "WEBVTT", "\x00"])
TEXTS = st.lists(NASTY | st.text(max_size=6), min_size=1, max_size=4).map(lambda parts: "x".join([*parts, ""]))
STEPS = st.lists(st.tuples(TEXTS, st.integers(0, 400_000_000), st.integers(0, 90_000)), max_size=6)


def tutorial_of(title: str, steps: list[tuple[str, int, int]], **changes: object) -> Tutorial:
    made = [a_step(text, start_ms=start, end_ms=start + length) for text, start, length in steps]
    return a_tutorial(title=title, steps=tuple(made), **changes)


def milliseconds(text: str) -> int:
    match = CUE_TIME.fullmatch(text)
    assert match is not None, text
    hours, minutes, seconds, rest = map(int, match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


@given(TEXTS, STEPS)
def test_chapters_are_valid_sorted_and_do_not_overlap(title: str, steps: list[tuple[str, int, int]]) -> None:
    header, *cues = to_chapters(tutorial_of(title, steps)).rstrip("\n").split("\n\n")

    assert header.startswith("WEBVTT ")
    assert "\n" not in header
    assert "-->" not in header
    assert len(cues) == len({start for _, start, _ in steps})
    last = 0
    for cue in cues:
        times, payload = cue.split("\n")  # one line of times, one of text
        start, end = map(milliseconds, times.split(" --> "))
        assert last <= start < end
        assert "-->" not in payload
        assert not re.search(r"[<>\r\u2028\x00]|&(?!(?:amp|lt|gt);)", payload)
        assert payload.strip()
        last = end


@given(TEXTS, STEPS)
def test_readers_of_webvtt_find_every_chapter(title: str, steps: list[tuple[str, int, int]]) -> None:
    found = webvtt.from_string(to_chapters(tutorial_of(title, steps)))

    assert len(found.captions) == len({start for _, start, _ in steps})


def test_a_chapter_ends_where_the_next_one_begins() -> None:
    steps = [("Later", 10_000, 5_000), ("First", 0, 20_000), ("Also first", 0, 1_000)]

    assert to_chapters(tutorial_of("Reset", steps)) == (
        "WEBVTT - Reset\n\n"
        "00:00:00.000 --> 00:00:10.000\n2. First / 3. Also first\n\n"
        "00:00:10.000 --> 00:00:15.000\n1. Later\n"
    )


def test_a_tutorial_reads_as_markdown() -> None:
    assert to_markdown(a_tutorial(content_md="## More\n\n*kept*")) == (
        "# How to reset the router\n\n"
        "What to do when the light is red\\.\n\n"
        "## Before you begin\n\n- The admin password\n\n"
        "## Steps\n\n"
        "1. Unplug the power cable\\. (0:05–0:09)\n"
        "2. Wait for ten seconds\\. (0:10–0:14)\n"
        "3. Plug it in again\\. (0:15–0:24)\n\n"
        "## More\n\n*kept*\n\n"
        "## Glossary\n\n- **Router**: The box with the antennas\\.\n"
    )


class Reader(HTMLParser):
    """Elements and texts of a document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def elements(html: str) -> list[str]:
    return Reader(html).elements


@given(TEXTS, TEXTS)
def test_what_is_said_is_text_in_markdown(title: str, text: str) -> None:
    glossary = (TutorialTerm("t", "e"),)
    plain = a_tutorial(title="t", summary="s", prerequisites=("p",), steps=(a_step("x"),), glossary=glossary)
    said = a_tutorial(
        title=f"t{title}",
        summary="s" + " ".join(text.split()),
        prerequisites=(f"p{text}",),
        steps=(a_step(f"x{text}"),),
        glossary=(TutorialTerm(f"t{title}", f"e{text}"),),
    )

    assert elements(render_markdown(to_markdown(said))) == elements(render_markdown(to_markdown(plain)))


@given(TEXTS, TEXTS)
def test_what_is_said_is_text_in_html(title: str, text: str) -> None:
    plain = a_tutorial(title="t", summary="s", glossary=(TutorialTerm("t", "e"),), steps=(a_step("x"),))
    said = a_tutorial(
        title=title,
        summary="s" + " ".join(text.split()),
        prerequisites=(text,),
        steps=(a_step(text),),
        glossary=(TutorialTerm(title, text),),
        language='en" onload="x',
    )

    assert elements(to_html(said, "")) == elements(to_html(plain, ""))


def test_the_document_has_title_steps_and_rendered_content() -> None:
    html = to_html(a_tutorial(), render_markdown("See <b> and [this](https://example.org)."))

    assert html.startswith('<!doctype html>\n<html lang="en">\n')
    assert "<title>How to reset the router</title>" in html
    assert '<li>Unplug the power cable. <span data-start-ms="5000" data-end-ms="9500">(0:05–0:09)</span></li>' in html
    assert '<a href="https://example.org" rel="nofollow noopener noreferrer">this</a>' in html
    assert "<b>" not in html
    assert "<script" not in html


def test_hours_are_shown_when_there_are_some() -> None:
    assert [clock_time(ms) for ms in (0, 61_999, 3_600_000, 36_061_000)] == ["0:00", "1:01", "1:00:00", "10:01:01"]
