"""The row values of a JSON file as bytes, cut exactly and in bounded memory: lines, a document, or values in a row.

What can be a table: objects one a line (JSON lines), objects that follow each other however they are laid out, an array
of objects, and an object that wraps such an array under a name like `data`. A single object is a table of one row.
Structure is found over whole blocks at once (strings masked out, depth summed up), so a large document costs little
more than its lines would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import orjson

from dataforge.kernel.texts import Text
from versioned_tables.errors import ImportRefused
from versioned_tables.files.splitting import MOST_RECORD_BYTES

Layout = Literal["lines", "array", "wrapped", "values"]
# Names under which services put the rows of an answer.
WRAPPERS = ("data", "rows", "records", "results", "result", "items", "values", "value", "features", "entries", "list")
_SPACE = " \t\r\n"
_FIRST_LINES = 64 << 10
_BLANK = b" \t\r\n"
_VALUE_STARTS = '{["-0123456789tfn'
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_NAMED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_MOST_TAIL = 8 << 20
_ARRAY = Text("The file is a JSON array; its elements are the rows.")
_VALUES = Text("The file is JSON objects that follow each other; each is a row.")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Document:
    """How the values lie in the file, the bytes before the first one in a wrapper, and what the report says."""

    layout: Layout
    opening: bytes = b""
    note: str = ""


def json_document(head: str, *, hinted: bool, whole: bool) -> Document | None:
    """What the beginning of a file is as JSON; None when it is no JSON. `hinted` says that its name or the caller
    calls it JSON, `whole` that the head is all of it.
    """
    start = len(head) - len(head.lstrip(_SPACE))
    if start == len(head):
        return Document("lines") if hinted else None
    if head[start] not in (_VALUE_STARTS if hinted else "{["):
        return None
    try:
        value, end = _DECODER.raw_decode(head, start)
    except RecursionError:
        return Document("array" if head[start] == "[" else "values")
    except ValueError as error:
        return _unfinished(head, start, getattr(error, "pos", start), hinted=hinted, whole=whole)
    return _begun(value, head, start, end, hinted=hinted, whole=whole)


def _begun(value: object, head: str, start: int, end: int, *, hinted: bool, whole: bool) -> Document | None:
    """A file that begins with a whole value: what follows tells what it is."""
    following = head[end:].lstrip(" \t\r")
    ends = not following.strip(_SPACE)
    if isinstance(value, list):
        # A line of CSV may begin like an array, too.
        in_lines = following[:1] == "\n" and (hinted or following.lstrip(_SPACE)[:1] in {"[", "{"})
        # With an object in it, or by its name, it is JSON whose end is wrong: refused where it is read.
        meant = (hinted and following[:1] != ",") or (bool(value) and isinstance(value[0], dict))
        if in_lines and not ends:
            return Document("lines")
        return Document("array", note=_ARRAY) if ends or meant else None
    if following and following[0] not in "\n{":
        # Objects with commas between them are no CSV of the pieces between those commas.
        apart = following[0] == "," and following[1:].lstrip(" \t\r")[:1] in {"\n", ""}
        meant = apart or (hinted and following[0] != ",")
        return Document("values") if isinstance(value, dict) and value and meant else None
    if not isinstance(value, dict) or (following[:1] == "\n" and "\n" not in head[start:end] and not ends):
        return Document("lines")
    return _single(head, start, value) if ends and whole else Document("values", note=_VALUES)


def _unfinished(head: str, start: int, stop: int, *, hinted: bool, whole: bool) -> Document | None:
    """A head that ends inside its first value, or is broken there."""
    cut = not whole and stop > len(head) - 4096
    if head[start] == "[":
        begun = stop > start + 1 + len(head[start + 1 :]) - len(head[start + 1 :].lstrip(_SPACE))
        return Document("array", note=_ARRAY) if cut or begun else None
    if head[start] != "{":
        return None
    if not (cut or hinted or re.match(r'\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})', head[start:])):
        return None
    line = head[start:].partition("\n")[0]
    if not cut:
        # A broken line among lines is a bad row; a broken document is refused where its values are read.
        return Document("lines" if line.rstrip().endswith("}") or hinted else "values")
    wrapped = _wrapper(head, start)
    return wrapped or Document("values", note=_VALUES)


def _single(head: str, start: int, value: dict[str, object]) -> Document:
    """One object and nothing else: a wrapper of rows, or a row."""
    arrays = [name for name, member in value.items() if _is_rows(member)]
    if len(arrays) == 1 and (len(value) == 1 or arrays[0].lower() in WRAPPERS):
        found = _wrapper(head, start, arrays[0])
        if found is not None:
            return found
    return Document("values", note=Text("The file is one JSON object; it is a table of one row."))


def _is_rows(member: object) -> bool:
    return isinstance(member, list) and bool(member) and all(isinstance(item, dict) for item in member)


def _wrapper(head: str, start: int, wanted: str = "") -> Document | None:
    """The wrapper whose rows begin in the head: under `wanted`, or under the first usual name."""
    at = start + 1
    while match := _NAMED.match(head, at):
        name, value_at = match.group(1), match.end()
        is_array = re.compile(r"\[\s*\{").match(head, value_at) is not None
        if is_array and (name == wanted or (not wanted and name.lower() in WRAPPERS)):
            opening = head[: value_at + 1].encode()
            note = Text("The rows are the elements of {name!r}; other members of the object are left out.", name=name)
            return Document("wrapped", opening, note)
        try:
            _, at = _DECODER.raw_decode(head, value_at)
        except (ValueError, RecursionError):
            return None
        at = len(head) - len(head[at:].lstrip(_SPACE))
        if head[at : at + 1] != ",":
            return None
        at += 1
    return None


def json_values(blocks: Iterator[bytes], document: Document) -> Iterator[tuple[int, bytes]]:
    """(line of the file, bytes) of every value, in order. Raises ImportRefused where a document breaks."""
    if document.layout == "lines":
        return _lines(blocks)
    return _Splitter(document).values(blocks)


def _lines(blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    carry = b""
    number = 0
    for block in blocks:
        *lines, carry = (carry + block).split(b"\n")
        if len(carry) > MOST_RECORD_BYTES:
            raise ImportRefused(
                Text(
                    "Line {number} is longer than {most_record_bytes} MB.",
                    number=number + len(lines) + 1,
                    most_record_bytes=MOST_RECORD_BYTES >> 20,
                )
            )
        for line in lines:
            number += 1
            if line.strip():
                yield number, line
    if carry.strip():
        yield number + 1, carry


def whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks that end with a line; first a small one, from which the shape of the others is learned.

    Raises ImportRefused for a line that is too long.
    """
    carry, number, least = b"", 1, 0
    for block in blocks:
        data = carry + block
        cut = (data.find(b"\n", _FIRST_LINES) if least == 0 else data.rfind(b"\n")) + 1
        while cut > least:
            yield data[:cut]
            number += data.count(b"\n", 0, cut)
            data, least = data[cut:], 1
            cut = data.rfind(b"\n") + 1
        carry = data
        if len(carry) > MOST_RECORD_BYTES:
            raise ImportRefused(
                Text(
                    "Line {number} is longer than {most_record_bytes} MB.",
                    number=number,
                    most_record_bytes=MOST_RECORD_BYTES >> 20,
                )
            )
    if carry:
        yield carry


class _Splitter:
    """Cuts the elements of an array, or values that follow each other, out of a stream of blocks."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._base = {"array": 1, "wrapped": 1, "values": 0}[document.layout]
        self._depth = 0
        self._inside = False
        self._line = 1
        self._count = 0
        self._ended = False

    def values(self, blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
        carry = tail = b""
        opening = len(self._document.opening)
        seen = 0  # bytes of the carry whose structure is known
        for block in blocks:
            data = carry + block
            if opening:
                if len(data) < opening:
                    carry = data
                    continue
                # The bracket that begins the rows is read again as the start of an array.
                self._line += data.count(b"\n", 0, opening - 1)
                data, opening = data[opening - 1 :], 0
            if self._ended:
                tail = self._rest(tail + block)
                continue
            ends, seen = self._ends(data, seen)
            at = 0
            for end, closing in ends:
                yield from self._value(data[at:end], closing=closing)
                at = end if self._base == 0 else end + 1
                if closing and self._base:
                    self._ended = True
                    tail = self._rest(data[at:])
                    data, seen = b"", at
                    break
            carry, seen = data[at:], seen - at
            if len(carry) > MOST_RECORD_BYTES and not self._ended:
                raise ImportRefused(
                    Text(
                        "The value at line {line} is longer than {most_record_bytes} MB.",
                        line=self._line,
                        most_record_bytes=MOST_RECORD_BYTES >> 20,
                    )
                )
        yield from self._finish(carry, tail)

    def _ends(self, data: bytes, seen: int) -> tuple[list[tuple[int, bool]], int]:
        """Places after (values) or at (elements) which a value ends, and how far the structure was read."""
        part = data[seen:]
        if (len(part) - len(part.rstrip(b"\\"))) % 2:
            part = part[:-1]  # the character that this backslash escapes comes with the next block
        stop = seen + len(part)
        if b"\\" in part:
            part = _ESCAPE.sub(b"__", part)
        view = np.frombuffer(part, dtype=np.uint8)
        quotes = view == ord('"')
        inside = (np.cumsum(quotes, dtype=np.int64) + self._inside) % 2 == 1
        places = np.flatnonzero(~inside & _STRUCTURE[view])
        kinds = view[places]
        steps = _STEP[kinds]
        depths = self._depth + np.cumsum(steps, dtype=np.int64)
        if len(part):
            self._inside = bool(inside[-1])
        self._depth = int(depths[-1]) if len(depths) else self._depth
        closing = (steps < 0) & (depths == 0)
        between = (kinds == ord(",")) & (depths == self._base) if self._base else np.zeros(len(kinds), dtype=bool)
        shift = 0 if self._base else 1
        found = [(seen + int(places[at]) + shift, bool(closing[at])) for at in np.flatnonzero(closing | between)]
        return found, stop

    def _value(self, raw: bytes, *, closing: bool) -> Iterator[tuple[int, bytes]]:
        if self._count == 0 and self._base:
            raw = raw.replace(b"[", b" ", 1)
        value = raw.strip(_BLANK)
        line = self._line + raw.count(b"\n", 0, len(raw) - len(raw.lstrip(_BLANK)))
        self._line += raw.count(b"\n")
        if not value and self._base:
            if not (closing and self._count == 0):
                raise ImportRefused(Text("Line {line} is not JSON: a value is missing beside a comma.", line=line))
            return
        self._count += 1
        if value:
            yield line, value

    def _rest(self, tail: bytes) -> bytes:
        if self._document.layout == "array" and tail.strip(_BLANK):
            raise ImportRefused(
                Text("Line {line} is not JSON: text follows the closing bracket of the array.", line=self._line)
            )
        if len(tail) > _MOST_TAIL:
            raise ImportRefused(Text("More than 8 MB follow the rows of the JSON document."))
        return tail

    def _finish(self, carry: bytes, tail: bytes) -> Iterator[tuple[int, bytes]]:
        if self._base == 0:
            if carry.strip(_BLANK):
                yield from self._value(carry, closing=True)
            return
        if not self._ended:
            line = self._line + carry.count(b"\n")
            raise ImportRefused(
                Text(
                    "The JSON document ends at line {line}, before its closing bracket; the file is truncated.",
                    line=line,
                )
            )
        if self._document.layout == "wrapped":
            try:
                orjson.loads(self._document.opening + b"]" + tail)
            except orjson.JSONDecodeError as error:
                raise ImportRefused(
                    Text("Line {line} is not JSON: what follows the rows does not end the object.", line=self._line)
                ) from error


_STRUCTURE = np.zeros(256, dtype=bool)
_STRUCTURE[[ord(char) for char in "{}[],"]] = True
_STEP = np.zeros(256, dtype=np.int64)
for _char, _step in (("{", 1), ("[", 1), ("}", -1), ("]", -1)):
    _STEP[ord(_char)] = _step
