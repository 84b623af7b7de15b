"""Lines of an object in the bucket, plain or packed with gzip, in bounded memory."""

import zlib
from collections.abc import Iterable, Iterator

from dataforge.contexts.lrs.imports.domain import MAX_LINE_BYTES, ImportUnreadable, Line
from dataforge.kernel.texts import Text

_MAGIC = b"\x1f\x8b"
_PIECE = 256 * 1024


def read_lines(blocks: Iterable[bytes]) -> Iterator[Line]:
    """The lines that are not empty; one that is too long is cut, which makes it a bad one.

    Raises ImportUnreadable for gzip that is broken or ends early.
    """
    number, rest, skipping = 0, bytearray(), False
    for block in _unpacked(blocks):
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            rest += block[start:end]
            start, number = end + 1, number + 1
            if rest.strip() and not skipping:
                yield Line(number, bytes(rest.strip()))
            rest, skipping = bytearray(), False
        if not skipping:
            rest += block[start:]
        if len(rest) > MAX_LINE_BYTES:
            yield Line(number + 1, bytes(rest))
            rest, skipping = bytearray(), True
    if rest.strip():
        yield Line(number + 1, bytes(rest.strip()))


def _unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    found = iter(blocks)
    first = next(found, b"")
    while len(first) < len(_MAGIC) and (block := next(found, b"")):
        first += block
    if not first.startswith(_MAGIC):
        yield first
        yield from found
        return
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for block in _chained(first, found):
            data, full = block, False
            while data or full:
                if unpacker.eof:  # a file may be several members one after the other (RFC 1952 §2.2)
                    unpacker = zlib.decompressobj(wbits=31)
                piece = unpacker.decompress(data, _PIECE)
                yield piece
                full = len(piece) == _PIECE and not unpacker.eof
                data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        if not unpacker.eof:
            message = Text("The file is packed with gzip and ends early.")
            raise ImportUnreadable(message)
    except zlib.error as error:
        message = Text("The file begins like gzip and cannot be unpacked.")
        raise ImportUnreadable(message) from error


def _chained(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others
