"""Tables that a statement names as `dataset@version`, and the statement as the engine takes it.

DuckDB has no such names, so each becomes one quoted identifier. A place that the engine then reports is one in another
text: `Rewritten` tells where it is in the text that was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

QUOTED = r'"(?:[^"]|"")+"'


def _comment(depth: int) -> str:
    """One that has others in it, to a depth. What never ends goes on to the end, so that no text is read twice."""
    inner = f"|{_comment(depth - 1)}" if depth else ""
    return rf"/\*(?>[^*/]+|\*(?!/){inner}|/(?!\*))*+(?:\*/|\Z)"


BLANK = rf"--[^\n\r]*|{_comment(4)}"
# With escapes, between dollars, and bytes.
OPAQUE = r"[eExXbB]'(?:\\.|''|[^'\\])*'|(?P<tag>\$(?:[^\W\d]\w*)?\$)(?>.*?(?:(?P=tag)|\Z))"
# What names nothing: texts (also with escapes, and between dollars) and comments; then references; then anything else,
# word by word, so that none begins in the middle of one.
_TOKEN = re.compile(
    rf"""
    (?P<text>{OPAQUE}|'(?:''|[^'])*'|{BLANK})
    |(?P<dataset>{QUOTED}|[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}|[^\W\d][\w$]*)
        @(?P<version>{QUOTED}|\w+(?:[-/]\w+)*)(?:\.(?P<sheet>{QUOTED}|[^\W\d][\w$]*))?
    |{QUOTED}|[\w$]+|.
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A table of a dataset in a statement, from `start` to `stop` without its sheet and `sheet_stop` with it.

    `sheet` is what comes after a point: the sheet of a version, or a column of the only one.
    """

    start: int
    stop: int
    dataset: str
    version: str
    sheet: str | None
    sheet_stop: int


def references(statement: str) -> Iterator[Reference]:
    """The tables that a statement names, in its order, repeated ones too."""
    for token in _TOKEN.finditer(statement):
        dataset = token["dataset"]
        if dataset is not None:
            sheet = None if token["sheet"] is None else _name(token["sheet"])
            yield Reference(
                token.start(), token.end("version"), _name(dataset), _name(token["version"]), sheet, token.end()
            )


def _name(written: str) -> str:
    return written[1:-1].replace('""', '"') if written.startswith('"') else written


@dataclass(frozen=True, slots=True)
class Replacement:
    """From `start` to `stop` of a statement stands the table that is registered as `name`, after its `schema`."""

    start: int
    stop: int
    name: str
    schema: str = ""

    @property
    def identifier(self) -> str:
        """The name in quotes, after its schema."""
        escaped = self.name.replace('"', '""')
        return f'{self.schema}"{escaped}"'


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A statement with other names, and where its places were before."""

    text: str
    sent: str
    replacements: Sequence[Replacement]

    @classmethod
    def of(cls, statement: str, replacements: Sequence[Replacement]) -> Rewritten:
        """The statement with these places (in order, apart from each other) replaced."""
        parts, end = list[str](), 0
        for item in replacements:
            parts += [statement[end : item.start], item.identifier]
            end = item.stop
        return cls("".join([*parts, statement[end:]]), statement, replacements)

    def place_sent(self, line: int, column: int) -> tuple[int, int]:
        """Where a place of `text` is in the statement that was sent; both count from 1. Inside of a name: its begin."""
        at = place_to_offset(self.text, line, column)
        shift = 0  # by how much the text is longer up to here
        for item in self.replacements:
            start = item.start + shift
            if at < start:
                break
            if at < start + len(item.identifier):
                at = start
                break
            shift += len(item.identifier) - (item.stop - item.start)
        return offset_to_place(self.sent, at - shift)


def place_to_offset(text: str, line: int, column: int) -> int:
    """Characters before a line and column, which count from 1."""
    return sum(len(row) + 1 for row in text.split("\n")[: line - 1]) + column - 1


def offset_to_place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, counted from 1, of a character."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
