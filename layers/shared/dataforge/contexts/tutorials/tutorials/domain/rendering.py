"""A tutorial as a document: Markdown, HTML, and WebVTT chapters. Pure: the same tutorial gives the same bytes.

What people said or wrote as plain text never becomes markup; `content_md` is Markdown that an editor wrote, and arrives
here rendered where it is to be HTML.
"""

import re
from collections.abc import Iterator
from html import escape
from itertools import pairwise

from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial, TutorialStep

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&=:$^@])")  # ASCII punctuation may always be escaped (CommonMark 2.4)
_SPACES = re.compile(r"\s+")


def clock_time(milliseconds: int) -> str:
    """Minutes and seconds of a recording as people read them: 4:07, or 1:04:07."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def to_markdown(tutorial: Tutorial) -> str:
    """The tutorial as CommonMark; each step ends with the time of the recording that it cites."""
    parts = [f"# {_plain_markdown(tutorial.title)}"]
    if tutorial.summary:
        parts += [_plain_markdown(paragraph) for paragraph in _paragraphs(tutorial.summary)]
    if tutorial.prerequisites:
        parts += ["## Before you begin", "\n".join(f"- {_plain_markdown(text)}" for text in tutorial.prerequisites)]
    if tutorial.steps:
        steps = (
            f"{number}. {_plain_markdown(step.text)} ({clock_time(step.start_ms)}–{clock_time(step.end_ms)})"
            for number, step in enumerate(tutorial.steps, 1)
        )
        parts += ["## Steps", "\n".join(steps)]
    if tutorial.content_md.strip():
        parts += [tutorial.content_md.strip()]
    if tutorial.glossary:
        terms = [
            f"- **{_plain_markdown(entry.term)}**: {_plain_markdown(entry.explanation)}" for entry in tutorial.glossary
        ]
        parts += ["## Glossary", "\n".join(terms)]
    return "\n\n".join(parts) + "\n"


def to_html(tutorial: Tutorial, content: str) -> str:
    """The tutorial as a whole HTML document without scripts or styles; `content` is its Markdown as safe HTML."""
    language = f' lang="{escape(tutorial.language)}"' if tutorial.language else ""
    title = escape(tutorial.title)
    return (
        f'<!doctype html>\n<html{language}>\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"{''.join(_html_parts(tutorial, content))}</main>\n</body>\n</html>\n"
    )


def _html_parts(tutorial: Tutorial, content: str) -> Iterator[str]:
    yield from (f"<p>{escape(paragraph)}</p>\n" for paragraph in _paragraphs(tutorial.summary))
    if tutorial.prerequisites:
        items = "".join(f"<li>{escape(text)}</li>\n" for text in tutorial.prerequisites)
        yield f"<h2>Before you begin</h2>\n<ul>\n{items}</ul>\n"
    if tutorial.steps:
        items = "".join(f"<li>{escape(step.text)} {_html_times(step)}</li>\n" for step in tutorial.steps)
        yield f"<h2>Steps</h2>\n<ol>\n{items}</ol>\n"
    if content:
        yield f"<section>\n{content}</section>\n"
    if tutorial.glossary:
        items = "".join(
            f"<dt>{escape(item.term)}</dt>\n<dd>{escape(item.explanation)}</dd>\n" for item in tutorial.glossary
        )
        yield f"<h2>Glossary</h2>\n<dl>\n{items}</dl>\n"


def _html_times(step: TutorialStep) -> str:
    return (
        f'<span data-start-ms="{step.start_ms}" data-end-ms="{step.end_ms}">'
        f"({clock_time(step.start_ms)}–{clock_time(step.end_ms)})</span>"
    )


def to_chapters(tutorial: Tutorial) -> str:
    """The steps as chapters of the recording (WebVTT §1.4): in order of time, none overlapping another.

    A chapter lasts from where its step begins to where its citation ends or the next chapter begins. Steps that begin
    at the same time share one; numbers are those of the tutorial's order.
    """
    cues: dict[int, tuple[int, list[str]]] = {}
    for number, step in enumerate(tutorial.steps, 1):
        end, titles = cues.get(step.start_ms, (0, []))
        title = f"{number}. {_cue_text(step.text)}"
        cues[step.start_ms] = max(end, step.end_ms, step.start_ms + 1), [*titles, title]
    starts = sorted(cues)
    limits = dict(pairwise(starts))
    blocks = [f"WEBVTT - {_cue_text(tutorial.title)}"]
    for start in starts:
        end, titles = cues[start]
        end = min(end, limits.get(start, end))
        blocks.append(f"{_cue_time(start)} --> {_cue_time(end)}\n{' / '.join(titles)}")
    return "\n\n".join(blocks) + "\n"


def _cue_text(text: str) -> str:
    """One line of a cue's payload: without markup, and without the arrow, which begins a cue."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\x00", "\ufffd")
    return _SPACES.sub(" ", escaped).strip()


def _cue_time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"


def _plain_markdown(text: str) -> str:
    """Text on one line that no Markdown reader takes for markup."""
    return _MARKDOWN.sub(r"\\\1", _SPACES.sub(" ", text).strip())


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]
