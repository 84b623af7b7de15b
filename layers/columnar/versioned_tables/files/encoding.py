"""The encoding of a text file: byte order mark, then UTF-8 if the whole file is, then what its other characters prove
(`charset`); and decoding as a stream.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dataforge.kernel.texts import Text
from versioned_tables.errors import EncodingRefused

SAMPLE = 256 << 10
_ASCII_TEXT = bytes([9, 10, 13, *range(32, 127)])
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


# Python's own notations, which are codecs as well.
_ESCAPES = {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A Python codec name, the length of the byte order mark, how it was found, and what the report says about it.

    `proven` is false for UTF-8 that only the beginning of the file showed.
    """

    name: str
    mark: int
    reason: str
    note: str = ""
    proven: bool = True

    @property
    def is_utf8(self) -> bool:
        """Whether the bytes can be used as they are."""
        return self.name == "utf-8"


def detect_encoding(
    head: bytes, blocks: Callable[[], Iterator[bytes]], declared: str | None = None, *, whole: bool = False
) -> Encoding:
    """The encoding of a file that begins with `head`; `whole` says that the head is all of it, and `blocks` reads it
    again. Raises EncodingRefused.

    UTF-8 is taken on the word of the head. Whoever meets other bytes further on asks `reconsidered`.
    """
    mark, marked = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", ""))
    if declared:
        name = _codec(declared)
        if marked and marked.startswith(name.removesuffix("-sig")):
            return Encoding(marked, len(mark), "declared")
        return Encoding("utf-8" if name in {"utf-8", "utf-8-sig", "ascii"} else name, 0, "declared")
    if marked:
        return Encoding(marked, len(mark), Text("byte order mark"))
    wide = _wide(head[:4096]) or _wide_text(head[:SAMPLE])
    if wide:
        return Encoding(
            wide,
            0,
            Text("every other byte is zero"),
            Text("There is no byte order mark; it was read as {wide}.", wide=wide),
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head[:SAMPLE], final=whole and len(head) <= SAMPLE)
    except UnicodeDecodeError:
        return reconsidered(blocks)
    return Encoding("utf-8", 0, Text("valid UTF-8"), proven=False)


def reconsidered(blocks: Callable[[], Iterator[bytes]]) -> Encoding:
    """The encoding of a file that is not all UTF-8, by all of its text. Raises EncodingRefused.

    A file that is UTF-8 but for a few bytes stays so: its reader names the first of them.
    """
    from versioned_tables.files.charset import judge, survey

    found = survey(blocks())
    if found.is_utf8_with_errors:
        return Encoding("utf-8", 0, Text("UTF-8, with {strays} bytes that are not", strays=found.strays))
    judgement = judge(found)
    return Encoding(judgement.name, 0, Text("judged by the text of the whole file"), judgement.note)


def _codec(name: str) -> str:
    try:
        found = codecs.lookup(name).name
        b"a".decode(found, "ignore")
    except (LookupError, ValueError) as error:
        raise EncodingRefused(Text("{name!r:.60} is not an encoding of text.", name=name)) from error
    if found in _ESCAPES:
        raise EncodingRefused(Text("{name!r:.60} is not an encoding of text.", name=name))
    return found


def _wide(sample: bytes) -> str:
    """UTF-16 or UTF-32 without a mark, when most characters are ASCII."""
    if len(sample) < 4 or b"\x00" not in sample:
        return ""
    zeros = [sample[at::4].count(0) * 4 / max(1, len(sample)) for at in range(4)]
    for pattern, name in (
        ((0, 1, 1, 1), "utf-32-le"),
        ((1, 1, 1, 0), "utf-32-be"),
        ((0, 1, 0, 1), "utf-16-le"),
        ((1, 0, 1, 0), "utf-16-be"),
    ):
        if all((zero > 0.7) == bool(want) for zero, want in zip(zeros, pattern, strict=True)):
            return name
    return ""


def _wide_text(sample: bytes) -> str:
    """UTF-16 without a mark whose text is hardly ASCII: it has NUL bytes, many others that no ASCII text has, and only
    one byte order makes line ends and delimiters of it.
    """
    if b"\x00" not in sample or len(sample.translate(None, _ASCII_TEXT)) * 5 < len(sample):
        return ""
    scores: dict[str, int] = {}
    for name in ("utf-16-le", "utf-16-be"):
        try:
            text = codecs.getincrementaldecoder(name)().decode(sample[: len(sample) // 2 * 2])
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and all(char.isprintable() or char in "\t\r\n\u3000\xa0" for char in text[:20_000]):
            scores[name] = sum(text.count(char) for char in "\n,;\t ")
    best = max(scores, key=lambda name: scores[name], default="")
    return best if best and scores[best] > 0 else ""


def as_utf8(blocks: Iterator[bytes], encoding: Encoding) -> Iterator[bytes]:
    """The same text in UTF-8, without the mark. Raises EncodingRefused naming the byte of the file that does not
    decode.
    """
    skip = encoding.mark
    if encoding.is_utf8:
        for block in blocks:
            yield block[skip:] if skip else block
            skip = 0
        return
    decoder = codecs.getincrementaldecoder(encoding.name)()
    done = 0
    for block in blocks:
        part = block[skip:]
        skip = 0
        yield _decoded(decoder, part, done, encoding, final=False)
        done += len(block)
    yield _decoded(decoder, b"", done, encoding, final=True)


def _decoded(decoder: codecs.IncrementalDecoder, part: bytes, done: int, encoding: Encoding, *, final: bool) -> bytes:
    try:
        return decoder.decode(part, final).encode("utf-8")
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        raise EncodingRefused(
            Text(
                "Byte {done} of the file is not {name}: {error}.",
                done=done + start + 1,
                name=encoding.name,
                error=getattr(error, "reason", error),
            ),
            facts={"byte": done + start + 1},
        ) from error
