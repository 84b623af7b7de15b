"""Where the members of a JSON text stand, so that what is wrong at a pointer can be shown beside its line."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from json import JSONDecoder

_SPACE = re.compile(r"[ \t\r\n]*")
_DEEPEST = 64  # levels; targets have about ten, and pointers grow with each
_DECODER = JSONDecoder()
_WORD = re.compile(r"[^\s,:\[\]{}\"]+")


class Lines:
    """The lines of a JSON text that has been parsed, by JSON pointer (RFC 6901)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = _starts_of(text)
        self._ends = [match.end() for match in re.finditer("\n", text)]

    def line_of(self, pointer: str) -> int:
        """The line, counted from 1, of what the pointer names, or of the nearest thing around it that is there."""
        while pointer and pointer not in self._starts:
            pointer = pointer.rpartition("/")[0]
        start = self._starts.get(pointer, 0)
        return 1 + bisect_right(self._ends, start)

    def text_of(self, line: int) -> str:
        """The text of a line without the spaces around it."""
        lines = self._text.split("\n")
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def _starts_of(text: str) -> Mapping[str, int]:
    """Where each value begins; for members of objects, where their name does.

    Of a text that is no JSON, or is nested deeper than any target, it finds what comes before.
    """
    starts: dict[str, int] = {}
    stack: list[tuple[str, int | None]] = []  # pointers of what is open; the index in a list, None in an object
    place, key = 0, None
    while (place := _SPACE.match(text, place).end()) < len(text):  # type: ignore[union-attr]  # matches the empty text
        sign = text[place]
        if sign in ",:":
            place += 1
            if sign == "," and stack and stack[-1][1] is not None:
                stack[-1] = (stack[-1][0], stack[-1][1] + 1)
            continue
        if sign in "]}":
            if stack:
                stack.pop()
            place += 1
            continue
        inside = stack[-1] if stack else None
        if inside is not None and inside[1] is None and key is None:
            if sign != '"':
                break
            name, end = _string(text, place)
            key = inside[0] + "/" + name.replace("~", "~0").replace("/", "~1")
            starts[key] = place
            place = end
            continue
        pointer = "" if inside is None else key if key is not None else f"{inside[0]}/{inside[1]}"
        key = None
        starts.setdefault(pointer, place)
        if sign in "[{":
            if len(stack) == _DEEPEST:
                break
            stack.append((pointer, 0 if sign == "[" else None))
            place += 1
        elif sign == '"':
            place = _string(text, place)[1]
        else:
            word = _WORD.match(text, place)
            if word is None:
                break
            place = word.end()
    return starts


def _string(text: str, place: int) -> tuple[str, int]:
    try:
        found, end = _DECODER.raw_decode(text, place)
    except ValueError:
        return "", len(text)
    return str(found), end
