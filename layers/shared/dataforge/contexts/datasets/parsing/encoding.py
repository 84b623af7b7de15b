"""The encoding of a text file: byte order mark, then UTF-8, then a guess over at most 256 KB; and decoding as a
stream.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from charset_normalizer import from_bytes

from dataforge.contexts.datasets.errors import EncodingRefused

SAMPLE = 256 << 10
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A Python codec name, the length of the byte order mark, and how it was found."""

    name: str
    mark: int
    reason: str

    @property
    def is_utf8(self) -> bool:
        """Whether the bytes can be used as they are."""
        return self.name == "utf-8"


def detect_encoding(sample: bytes, declared: str | None = None, *, whole: bool = False) -> Encoding:
    """The encoding of a file that begins with `sample`; `whole` says that the sample is all of it. Raises
    EncodingRefused.
    """
    mark, marked = next(((mark, name) for mark, name in _MARKS if sample.startswith(mark)), (b"", ""))
    if declared:
        name = _codec(declared)
        if marked and marked.startswith(name.removesuffix("-sig")):
            return Encoding(marked, len(mark), "declared")
        return Encoding("utf-8" if name in {"utf-8", "utf-8-sig", "ascii"} else name, 0, "declared")
    if marked:
        return Encoding(marked, len(mark), "byte order mark")
    wide = _wide(sample[:4096])
    if wide:
        return Encoding(wide, 0, "every other byte is zero")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample[:SAMPLE], final=whole and len(sample) <= SAMPLE)
    except UnicodeDecodeError:
        best = from_bytes(sample[:SAMPLE]).best()
        if best is None:
            raise EncodingRefused("The encoding of the file cannot be told; name it.") from None
        return Encoding(_codec(best.encoding), 0, "guessed from the first 256 KB")
    return Encoding("utf-8", 0, "valid UTF-8")


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise EncodingRefused(f"{name!r:.60} is not an encoding.") from error


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
            f"Byte {done + start + 1} of the file is not {encoding.name}: {getattr(error, 'reason', error)}.",
            facts={"byte": done + start + 1},
        ) from error
