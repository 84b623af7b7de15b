"""Texts and numbers of pictures: what XML can hold, how wide a text is, and coordinates that are finite."""

import math
import re
import unicodedata
from functools import lru_cache

# What XML 1.0 §2.2 has no character for, and surrogates, which UTF-8 cannot write.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Embeddings, overrides and isolates would turn the words around a name; letters keep their own direction without them.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")
_WIDE = frozenset("WF")
_UNSEEN = frozenset(("Mn", "Me", "Cf"))
_NARROW = frozenset("iljtfrI.,:;'|!()[]{} -")
_ELLIPSIS = "…"


def clean(text: str) -> str:
    """The text as a picture can hold it, on one line; characters that XML forbids become U+FFFD."""
    return _SPACES.sub(" ", _DIRECTIONS.sub("", _FORBIDDEN.sub("\ufffd", text))).strip()


def width_of(text: str, size: float) -> float:
    """How wide a text is at most in the usual sans-serif fonts at this size, about: fonts are the reader's."""
    return size * sum(_width_of(character) for character in text)


@lru_cache(maxsize=4096)
def _width_of(character: str) -> float:
    if unicodedata.category(character) in _UNSEEN:
        return 0.0
    if unicodedata.east_asian_width(character) in _WIDE:
        return 1.05
    if character in _NARROW:
        return 0.4
    return 0.78 if character.isupper() or character in "mwMW@%—…" else 0.6


def fitted(text: str, width: float, size: float) -> str:
    """The text, cut with an ellipsis so that it is at most this wide; marks stay with their letters."""
    if width_of(text, size) <= width:
        return text
    room, kept = width - width_of(_ELLIPSIS, size), 0
    for position, character in enumerate(text):
        room -= width_of(character, size)
        if room < 0:
            break
        kept = position + 1
    while 0 < kept < len(text) and (unicodedata.category(text[kept]) in _UNSEEN or text[kept - 1] == "\u200d"):
        kept -= 1
    return text[:kept].rstrip() + _ELLIPSIS


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is Hebrew, Arabic or the like (UAX #9, P2)."""
    found = (unicodedata.bidirectional(character) for character in text)
    return next((kind != "L" for kind in found if kind in ("L", "R", "AL")), False)


def number(value: float) -> str:
    """A coordinate; raises ValueError unless it is finite."""
    if not math.isfinite(value):
        message = f"{value} is no coordinate"
        raise ValueError(message)
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
