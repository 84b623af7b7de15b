"""A delimited text file, opened: what it is, and its records as buffers that begin and end with a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from dataforge.contexts.datasets.errors import ImportRefused
from dataforge.contexts.datasets.model.imports import ImportOptions
from dataforge.contexts.datasets.parsing.dialect import detect_dialect, has_header, header_names, sample_rows
from dataforge.contexts.datasets.parsing.encoding import SAMPLE, Encoding, as_utf8, detect_encoding
from dataforge.contexts.datasets.parsing.splitting import (
    MOST_RECORD_BYTES,
    Dialect,
    last_record_end,
    read_record,
    repair,
    stray_quote,
)

MOST_COLUMNS = 16_384
# What is decoded of the head before anything is known; only a first record that is longer costs more.
_SNIFFED = 4 * SAMPLE

Blocks = Callable[[], Iterator[bytes]]
Samples = Callable[[], Sequence[bytes]]


@dataclass(slots=True)
class TextFile:
    """Name, encoding, dialect and columns of a text file; `buffers` may be called again and again."""

    blocks: Blocks
    encoding: Encoding
    dialect: Dialect
    names: list[str]
    header: bool
    notes: list[str] = field(default_factory=list)
    careful: bool = False
    repaired: int = 0
    first_repair: int | None = None
    lines_before: int = 0

    def buffers(self) -> Iterator[bytes]:
        """UTF-8 buffers of whole records without the header. Raises ImportRefused on a record without end.

        Cut by quote parity alone until `careful` is set; whoever parses a buffer proves with `stray_quote` that this
        was right, and if it was not, sets `careful` and starts over: then every buffer is checked here and repaired
        where RFC 4180 does not hold.
        """
        self.repaired, self.first_repair = 0, None
        first = self.header
        for data in self._aligned():
            body = data
            if first:
                body = data[_record_bytes(data, self.dialect) :]
                first = False
            if body:
                yield body

    def _aligned(self) -> Iterator[bytes]:
        carry = b""
        number = 0
        for block in as_utf8(self.blocks(), self.encoding):
            end = self._end(carry, block)
            if end and not self.careful:
                # The common case copies once: the rest of the block before, and the block up to its last record.
                yield b"".join((carry, memoryview(block)[:end]))
                carry = block[end:]
                number += 1
                continue
            data = carry + block
            cut = len(carry) + end if end else last_record_end(data, self.dialect, final=False)
            if not cut or (self.careful and stray_quote(data[:cut], self.dialect) >= 0):
                fixed, cut = self._repaired(data, number, final=False)
                if not cut and len(data) > MOST_RECORD_BYTES:
                    raise ImportRefused(_endless(number))
                if cut:
                    yield fixed
            else:
                yield data[:cut]
            number += cut > 0
            carry = data[cut:]
        if carry:
            if len(carry) > MOST_RECORD_BYTES and not last_record_end(carry, self.dialect, final=False):
                raise ImportRefused(_endless(number))
            yield self._repaired(carry, number, final=True)[0] if stray_quote(carry, self.dialect) >= 0 else carry

    def _end(self, carry: bytes, block: bytes) -> int:
        """Bytes of the block up to its last record end, 0 when that cannot be told without the bytes before it."""
        if self.dialect.escape:
            return 0
        quote = self.dialect.quote.encode()
        inside = bool(quote) and carry.count(quote) % 2 == 1
        return last_record_end(block, self.dialect, final=False, inside=inside)

    def _repaired(self, data: bytes, number: int, *, final: bool) -> tuple[bytes, int]:
        fixed, consumed, changed = repair(data, self.dialect, final=final)
        if changed:
            self.repaired += changed
            self.first_repair = number if self.first_repair is None else self.first_repair
        return fixed, consumed


def _endless(number: int) -> str:
    return (
        f"A record is longer than {MOST_RECORD_BYTES >> 20} MB (in buffer {number + 1}). "
        "A quoted field is probably never closed, "
        "or the delimiter or quote character is another one."
    )


def _record_bytes(data: bytes, dialect: Dialect) -> int:
    """Bytes of the first record."""
    for size in (64 << 10, 4 << 20, len(data)):
        text = data[:size].decode("utf-8", "surrogateescape")
        record = read_record(text, 0, dialect, final=size >= len(data))
        if record.end >= 0:
            return len(text[: record.end].encode("utf-8", "surrogateescape"))
    return len(data)


def open_text(
    blocks: Blocks, options: ImportOptions, *, name: str, samples: Samples = tuple, encoding: Encoding | None = None
) -> TextFile:
    """Find encoding (unless it is known), dialect and header. `samples` gives further places of the file (middle,
    tail). Raises ImportRefused.
    """
    head = b""
    whole = True
    for block in blocks():
        head += block
        if len(head) > _SNIFFED:
            whole = False
            break
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ImportRefused("The file is empty: it has neither a header nor rows.")
    encoding = encoding or detect_encoding(head, blocks, options.encoding, whole=whole)
    text = decoded_head(head[:_SNIFFED], encoding)
    delimiter = options.delimiter or ("\t" if name.lower().endswith((".tsv", ".tab")) else None)
    others = partial(_texts, samples) if encoding.is_utf8 else list
    dialect = detect_dialect(text[: SAMPLE // 2], others, delimiter=delimiter, quote=options.quote)
    first = read_record(text, 0, dialect, final=whole and len(head) <= _SNIFFED)
    if first.end < 0 and len(head) > _SNIFFED:
        first = read_record(decoded_head(head, encoding), 0, dialect, final=whole)
    if first.end < 0:
        raise ImportRefused("The first record is longer than 1 MB; this does not look like a table.")
    rows = sample_rows(text[: SAMPLE // 2], dialect)
    header = has_header(rows) if options.header is None else options.header
    cells = [cell for cell, _ in first.fields]
    if len(cells) > MOST_COLUMNS:
        raise ImportRefused(f"The file has {len(cells)} columns; at most {MOST_COLUMNS} can be imported.")
    names, notes = header_names(cells) if header else ([f"column_{at}" for at in range(1, len(cells) + 1)], [])
    notes = [encoding.note, *notes] if encoding.note else notes
    lines = text[: first.end].count(dialect.newline) if header else 0
    return TextFile(blocks, encoding, dialect, names, header, notes, lines_before=lines)


def _texts(samples: Samples) -> list[str]:
    return [sample.decode("utf-8", "replace").partition("\n")[2] for sample in samples()]


def decoded_head(head: bytes, encoding: Encoding) -> str:
    """The sample as text; a character cut off at its end is left out."""
    part = head[encoding.mark :]
    errors = "replace" if encoding.is_utf8 else "ignore"
    return part[: len(part) // 4 * 4 if encoding.name.startswith("utf-32") else len(part)].decode(encoding.name, errors)
