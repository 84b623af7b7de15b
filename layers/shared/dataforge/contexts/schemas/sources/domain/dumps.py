"""Takes out of a dump what is for psql and not for the server: its commands and the rows below COPY … FROM stdin.

Everything that is taken out becomes spaces, so that all places stay.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from dataforge.contexts.schemas.sources.domain.source import Source
from dataforge.kernel.texts import Text

_PARTS = re.compile(
    rb"(?P<line>--[^\n]*)|(?P<block>/\*)"
    rb"|(?P<text>\b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)|'(?:[^']|'')*(?:'|\Z))"
    rb'|(?P<name>"[^"]*(?:"|\Z))|(?P<dollar>\$(?:[A-Za-z_\x80-\xff][A-Za-z_0-9\x80-\xff]*)?\$)'
    rb"|(?P<word>[A-Za-z_\x80-\xff][A-Za-z_0-9$\x80-\xff]*)|(?P<end>;)|(?P<command>^[ \t]*\\[^\n]*)",
    re.DOTALL | re.MULTILINE,
)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_HARMLESS = frozenset(b"restrict unrestrict connect c encoding set unset echo pset timing x q".split())
_END_OF_ROWS = re.compile(rb"^\\\.[ \t\r]*$", re.MULTILINE)


def without_psql(source: Source) -> bytes:
    """The text with psql's parts blanked; commands that would do something become problems."""
    data = source.data
    if b"\\" not in data:
        return data
    kept, copied = [], 0
    for start, end in _blanks(source):
        kept += [data[copied:start], re.sub(rb"[^\n]", b" ", data[start:end])]
        copied = end
    return b"".join([*kept, data[copied:]])


def _blanks(source: Source) -> Iterator[tuple[int, int]]:
    data, position = source.data, 0
    words: list[bytes] = []
    while (part := _PARTS.search(data, position)) is not None:
        position = part.end()
        kind = part.lastgroup
        if kind == "block":
            position = _end_of_comment(data, position)
        elif kind == "dollar":
            closed = data.find(part.group(), position)
            position = len(data) if closed < 0 else closed + len(part.group())
        elif kind == "word":
            words.append(part.group().lower())
        elif kind == "command":
            command = part.group().strip()[1:].split(None, 1)
            if not command or command[0] not in _HARMLESS:
                source.refuse(part.start(), Text("commands of psql are not run"), "psql")
            yield part.span()
        elif kind == "end":
            if words[:1] == [b"copy"] and (b"from", b"stdin") in pairwise(words):
                last = _END_OF_ROWS.search(data, position)
                until = len(data) if last is None else last.end()
                yield position, until
                position = until
            words = []


def _end_of_comment(data: bytes, position: int) -> int:
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(data, position)) is not None:
        depth += 1 if edge.group() == b"/*" else -1
        position = edge.end()
    return len(data) if depth else position
