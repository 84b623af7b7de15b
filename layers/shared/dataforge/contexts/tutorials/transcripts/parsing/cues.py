"""Cues as the files have them, and what the markup in their text says."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dataforge.kernel.text import composed

# `<v.loud Jane Doe>`, `<c.yellow>`, `</c>`, `<00:00:01.000>`, `<lang en-GB>`, `<i>`, `<font color="#fff">`.
_TAG = re.compile(
    r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)?((?:\.[^\s<>.]++)*+)(?:[ \t\n]++([^<>]*+))?>|<((?:\d++:)?\d{1,2}:\d{2}\.\d{3})>"
)
_TAGS = frozenset({"v", "c", "i", "b", "u", "s", "lang", "ruby", "rt", "font", "span", "em", "strong"})
# Positions and styles of SubStation Alpha that survive in SRT: `{\an8}`.
_OVERRIDE = re.compile(r"\{\\[^{}\n]*\}")
_SPACES = re.compile(r"\s+")
# Marks of direction and joiners that nobody sees, and byte order marks within the text.
_UNSEEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Cue:
    """One cue: its lines with their markup, where its times stand in the file, and what precedes it in notes."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    line: int
    identifier: str | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Utterance:
    """Text of one voice, still without a number."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    confidence: float | None = None


def tidy(text: str) -> str:
    """The text in form C with single spaces and without what nobody sees."""
    return _SPACES.sub(" ", composed(_UNSEEN.sub("", text))).strip()


def voices(lines: Sequence[str]) -> Iterator[tuple[str | None, str]]:
    """What each voice of a cue says, in order; the voice is None outside of `<v …>`."""
    voice: str | None = None
    parts: list[str] = []
    text = _OVERRIDE.sub("", "\n".join(lines))
    position = 0
    for tag in _TAG.finditer(text):
        name = (tag[2] or "").lower()
        if tag[5] is None and name not in _TAGS:
            continue  # a person's `a < b > c` or a tag of nobody's: text
        parts.append(text[position : tag.start()])
        position = tag.end()
        if name == "v":
            yield voice, _words(parts)
            voice, parts = (None if tag[1] else tidy(html.unescape(tag[4] or "")) or None), []
        elif name == "rt":
            parts.append(" ")
    parts.append(text[position:])
    yield voice, _words(parts)


def shown_lines(cue: Cue) -> list[tuple[str, str]]:
    """The lines of a cue that people see something in, each with its markup and as they see it."""
    shown = ((line, " ".join(text for _, text in voices([line])).strip()) for line in cue.lines)
    return [(line, text) for line, text in shown if text]


def _words(parts: Sequence[str]) -> str:
    return tidy(html.unescape("".join(parts)))
