"""DBML as tokens; every pattern moves forward, so that the time is that of the length."""

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import NamedTuple

from dataforge.contexts.schemas.sources.domain.source import Source
from dataforge.kernel.texts import Text

_PARTS = re.compile(
    r"(?P<space>[ \t\r\f\v\u00a0\ufeff]+|//[^\n]*|/\*.*?(?:\*/|\Z))|(?P<line>\n)"
    r"|(?P<long>'''(?:[^'\\]|\\.|'(?!''))*(?:'''|\Z))|(?P<text>'(?:[^'\\\n]|\\.|'')*(?:'|(?=\n)|\Z))"
    r"|(?P<code>`[^`]*(?:`|\Z))"
    r'|(?P<name>"(?:[^"\\]|\\.|"")*(?:"|\Z))'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w]))|(?P<word>[\w$]+)|(?P<color>\#[0-9a-fA-F]+)|(?P<sign><>|.)",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


class Lexeme(NamedTuple):
    """A token: `value` is what it says, `offset` where it begins in bytes. Kinds: those of the pattern, and `end`."""

    kind: str
    value: str
    offset: int

    def says(self, *words: str) -> bool:
        """Whether it is one of these words or signs, in whatever case."""
        return self.kind in ("word", "sign") and self.value.lower() in words


def lexemes(source: Source) -> Iterator[Lexeme]:
    """The tokens of a text, lines included and comments not; what is not closed becomes a problem."""
    text = source.data.decode()
    offset = 0
    for part in _PARTS.finditer(text):
        kind, found = part.lastgroup or "sign", part.group()
        at, offset = offset, offset + (len(found) if found.isascii() else len(found.encode()))
        if kind == "space":
            if "\n" in found:
                yield Lexeme("line", "\n", at)
            continue
        yield Lexeme(kind, _value(kind, found, at, source), at)
    yield Lexeme("end", "", offset)


def _value(kind: str, found: str, at: int, source: Source) -> str:
    fence = {"long": "'''", "text": "'", "code": "`", "name": '"'}.get(kind)
    if fence is None:
        return found
    if len(found) < 2 * len(fence) or not found.endswith(fence):
        source.refuse(at, Text("what begins with {fence} is not closed", fence=fence), "syntax")
        return found[len(fence) :]
    inner = found[len(fence) : -len(fence)]
    if kind == "code":
        return inner
    if kind == "long":
        inner = dedent(inner).strip("\n")
    # Quotes that are doubled, as in SQL, are no part of the language and yet written by many.
    return re.sub(rf"\\(.)|{fence * 2}", lambda part: _plain(part, fence), inner, flags=re.DOTALL)


def _plain(part: re.Match[str], fence: str) -> str:
    return fence if part[1] is None else _ESCAPES.get(part[1], part[1])
