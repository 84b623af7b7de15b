"""Cutting CSV bytes at record ends, exactly, without reading fields.

Whether a byte lies inside quotes is the parity of the quotes before it; parity is a monoid, so ranges can be counted
apart and folded. That holds for quoting as RFC 4180 has it. `stray_quote` proves per buffer that it does; a buffer
that breaks it is read record by record by the careful reader (`repair`), from there on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataforge.kernel.texts import Text
from versioned_tables.errors import ImportRefused

MOST_RECORD_BYTES = 32 << 20
_SHOWN = 40
_LF, _CR = 10, 13

_SLICE = 1 << 17
_ONE, _TOP, _ALL = np.uint64(1), np.uint64(63), np.uint64(0xFFFFFFFFFFFFFFFF)

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the fields of a text file are told apart; `quote` and `escape` may be empty. `newline` is LF, or CR for
    files that have only CR.

    `escape` counts before a quote or itself inside of quotes. `spaced` says that spaces after a delimiter are no part
    of the field. Files that need either are `loose`: they are read record by record and rewritten as RFC 4180 has it.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    newline: str = "\n"
    spaced: bool = False

    @property
    def loose(self) -> bool:
        """Whether only the careful reader understands it."""
        return bool(self.escape) or self.spaced

    @property
    def strict(self) -> Dialect:
        """What `rewrite` writes."""
        return Dialect(self.delimiter, self.quote) if self.loose else self


def quote_positions(data: Bytes, dialect: Dialect) -> npt.NDArray[np.int64]:
    """Places of the quotes that count, escaped ones left out."""
    if not dialect.quote:
        return np.empty(0, dtype=np.int64)
    found = np.flatnonzero(data == ord(dialect.quote))
    if dialect.escape and len(found):
        escapes = 0
        at = found - 1
        run = np.zeros(len(found), dtype=np.int64)
        live = at >= 0
        while live.any():
            live &= np.where(at >= 0, data[np.maximum(at, 0)] == ord(dialect.escape), False)  # noqa: FBT003
            run += live
            at = at - 1
            escapes += 1
            if escapes > 64:
                break
        found = found[run % 2 == 0]
    return found


def last_record_end(data: bytes, dialect: Dialect, *, final: bool, inside: bool = False) -> int:
    """Bytes up to and with the last record end of a buffer; 0 when no record ends in it. `inside` says that the buffer
    begins inside quotes.

    A CR that ends the buffer may be half of CRLF, so where CR ends records that is no place to cut.
    """
    if final:
        return len(data)
    view = np.frombuffer(data, dtype=np.uint8)
    newline = dialect.newline.encode()
    quote = dialect.quote.encode()
    whole = len(data) - (newline == b"\r" and data.endswith(b"\r"))
    if not quote or quote not in data:
        return 0 if inside else data.rfind(newline, 0, whole) + 1
    if dialect.escape:
        quotes = quote_positions(view, dialect)
        inside ^= len(quotes) % 2 == 1
    else:
        quotes = None
        inside ^= int(np.count_nonzero(view == quote[0])) % 2 == 1
    end = whole
    while True:
        at = data.rfind(newline, 0, end)
        if at < 0:
            return 0
        between = data.count(quote, at + 1, end) if quotes is None else int(((quotes > at) & (quotes < end)).sum())
        inside ^= between % 2 == 1
        if not inside:
            return at + 1
        end = at


def stray_quote(data: bytes, dialect: Dialect) -> int:
    """The place of the first quote that RFC 4180 does not allow in a buffer that begins with a record; -1 when there
    is none.

    An opening quote follows a delimiter or a record end (or is the second of a doubled one); a closing one precedes
    them.
    """
    if not dialect.quote or dialect.quote.encode() not in data:
        return -1
    quotes, borders = _marks(data, dialect)
    inside = _parity(quotes)
    after_border, before_border = borders << _ONE, borders >> _ONE
    after_border[1:] |= borders[:-1] >> _TOP
    before_border[:-1] |= borders[1:] << _TOP
    after_border[0] |= _ONE
    before_border[(len(data) - 1) // 64] |= _ONE << np.uint64((len(data) - 1) % 64)
    # An opening quote wants a border before it, a closing one behind it: one of the two by where the quote stands.
    before_border ^= (before_border ^ after_border) & inside
    wrong = quotes & ~before_border
    found = np.flatnonzero(wrong)
    if len(found):
        word = int(wrong[found[0]])
        return int(found[0]) * 64 + (word & -word).bit_length() - 1
    if inside[-1] >> _TOP:
        last = int(np.flatnonzero(quotes)[-1])
        return last * 64 + int(quotes[last]).bit_length() - 1
    return -1


def count_byte(data: bytes, byte: str) -> int:
    """How often a byte is there; `bytes.count` takes four times as long where it is there once a line."""
    view = np.frombuffer(data, dtype=np.uint8)
    return sum(
        int(np.count_nonzero(view[start : start + _SLICE] == ord(byte))) for start in range(0, len(view), _SLICE)
    )


def _marks(data: bytes, dialect: Dialect) -> tuple[Words, Words]:
    """A bit per byte, 64 to a word: the quotes that count, and the bytes that may stand before or after a field."""
    view = np.frombuffer(data, dtype=np.uint8)
    quotes, borders = (np.zeros((len(data) + 63) // 64 * 8, dtype=np.uint8) for _ in range(2))
    ends = [byte for byte in (_LF, _CR) if byte == _LF or b"\r" in data]
    for start in range(0, len(view), _SLICE):
        part = view[start : start + _SLICE]
        quote = part == ord(dialect.quote)
        border = part == ord(dialect.delimiter)
        for byte in ends:
            border |= part == byte
        place = slice(start // 8, start // 8 + (len(part) + 7) // 8)
        quotes[place], borders[place] = np.packbits(quote, bitorder="little"), np.packbits(border, bitorder="little")
    borders |= quotes
    if dialect.escape:
        counted = np.zeros(len(view), dtype=bool)
        counted[quote_positions(view, dialect)] = True
        quotes[: (len(view) + 7) // 8] = np.packbits(counted, bitorder="little")
    return quotes.view("<u8"), borders.view("<u8")


def _parity(quotes: Words) -> Words:
    """Per bit whether the number of quotes up to and with it is odd."""
    odd = quotes.copy()
    shifted = np.empty_like(odd)
    for step in (1, 2, 4, 8, 16, 32):
        np.left_shift(odd, np.uint64(step), out=shifted)
        odd ^= shifted
    carried = np.logical_xor.accumulate((odd >> _TOP).astype(bool))
    odd[1:] ^= np.where(carried[:-1], _ALL, np.uint64(0))
    return odd


def record_starts(data: bytes, dialect: Dialect, *, blank: bool) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the records of a buffer begin, and on which of its lines (from 0); `blank` counts empty lines as records.

    For buffers that `stray_quote` lets pass.
    """
    view = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(view == ord(dialect.newline))
    quotes = quote_positions(view, dialect)
    outside = np.flatnonzero(np.searchsorted(quotes, ends) % 2 == 0)
    starts = np.concatenate(([0], ends[outside] + 1))
    lines = np.concatenate(([0], outside + 1))
    kept = starts < len(data)
    if not blank:
        first = view[np.minimum(starts, len(data) - 1)]
        kept &= (first != _LF) & (first != _CR)
    return starts[kept], lines[kept]


@dataclass(frozen=True, slots=True)
class Record:
    """One record read by the careful reader: its fields, and where it ends in the buffer (-1: it goes on after the
    buffer).
    """

    fields: list[tuple[str, bool]]
    end: int


class UnclosedQuote(ImportRefused):
    """A quoted field goes on to the end of the file; `rest` is what stands behind its opening quote."""

    def __init__(self, rest: str) -> None:
        super().__init__(f"The quoted field that begins with {rest[:_SHOWN]!r} is never closed.")
        self.rest = rest

    def located(self, text: Iterable[bytes]) -> ImportRefused:
        """The same with the line of the quote, which the whole `text` of the file tells."""
        newline = "\n" if "\n" in self.rest else "\r"
        line = 1 + sum(block.count(newline.encode()) for block in text) - self.rest.count(newline)
        begins = self.rest[:_SHOWN].partition(newline)[0].rstrip("\r")
        message = Text(
            "The quoted field that begins in line {line} with {begins!r} is never closed.", line=line, begins=begins
        )
        return ImportRefused(message, facts={"line": line})


def read_record(text: str, start: int, dialect: Dialect, *, final: bool) -> Record:
    """The record at `start`, quotes being special only at the start of a field; text after a closing quote is kept as
    it is.

    Fields are (text, was quoted) pairs.
    """
    fields: list[tuple[str, bool]] = []
    at, size = start, len(text)
    quote, delimiter = dialect.quote, dialect.delimiter
    field_end = re.compile(f"[{re.escape(delimiter)}\r\n]")
    while True:
        if dialect.spaced:
            while text.startswith(" ", at) and delimiter != " ":
                at += 1
        quoted = bool(quote) and text.startswith(quote, at)
        value = ""
        if quoted:
            opened = at + 1
            value, at = _quoted(text, opened, dialect)
            if at < 0:
                if not final:
                    return Record(fields, -1)
                raise UnclosedQuote(text[opened:])
        end = field_end.search(text, at)
        stop = end.start() if end else size
        if stop == size and not final:
            return Record(fields, -1)
        after = text[at:stop]
        fields.append((value + (after.rstrip(" ") if quoted and dialect.spaced else after), quoted))
        if stop < size and text[stop] == delimiter:
            at = stop + 1
            continue
        if text.startswith("\r\n", stop):
            return Record(fields, stop + 2)
        if text.startswith("\r", stop) and stop + 1 == size and not final:
            return Record(fields, -1)
        return Record(fields, min(size, stop + 1))


def _quoted(text: str, at: int, dialect: Dialect) -> tuple[str, int]:
    """The text of a field after its opening quote, and the place after the closing one; -1 when that does not come."""
    quote, escape = dialect.quote, dialect.escape
    value: list[str] = []
    while True:
        close = text.find(quote, at)
        escaped = text.find(escape, at, close if close >= 0 else len(text)) if escape else -1
        if escaped >= 0:
            following = text[escaped + 1 : escaped + 2]
            special = following in {quote, escape}
            value.append(text[at:escaped] + (following if special else escape))
            at = escaped + 1 + special
            continue
        if close < 0:
            return "", -1
        value.append(text[at:close])
        at = close + 1
        if not text.startswith(quote, at):
            return "".join(value), at
        value.append(quote)
        at += 1


def rewrite(fields: list[tuple[str, bool]], dialect: Dialect) -> str:
    """A record as RFC 4180 writes it, so that the fast reader can read it with all others."""
    specials = (dialect.delimiter, dialect.quote, "\r", "\n")
    cells = [
        dialect.quote + text.replace(dialect.quote, dialect.quote * 2) + dialect.quote
        if quoted or any(s in text for s in specials)
        else text
        for text, quoted in fields
    ]
    return dialect.delimiter.join(cells) + "\n"


def repair(data: bytes, dialect: Dialect, *, final: bool) -> tuple[bytes, int, int]:
    """Rewrite a buffer that breaks RFC 4180 record by record.

    Returns the rewritten bytes, how many bytes of the buffer they stand for, and the number of records that were
    changed.
    """
    text = data.decode("utf-8", "surrogateescape")
    parts: list[str] = []
    at = changed = 0
    while at < len(text):
        record = read_record(text, at, dialect, final=final)
        if record.end < 0:
            break
        raw = text[at : record.end]
        if dialect.loose:
            parts.append(rewrite(record.fields, dialect))
        elif dialect.quote in raw:
            written = rewrite(record.fields, dialect)
            changed += written.rstrip("\r\n") != raw.rstrip("\r\n")
            parts.append(written)
        else:
            parts.append(raw)
        at = record.end
    return "".join(parts).encode("utf-8", "surrogateescape"), len(text[:at].encode("utf-8", "surrogateescape")), changed
