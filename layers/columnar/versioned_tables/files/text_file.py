"""A delimited text file, opened: what it is, and its records as buffers that begin and end with a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from dataforge.kernel.texts import Text
from versioned_tables.errors import ImportRefused
from versioned_tables.files.dialect import DELIMITERS, detect_dialect
from versioned_tables.files.encoding import SAMPLE, Encoding, as_utf8, detect_encoding
from versioned_tables.files.heading import LOOKED_AT, Heading, find_heading, header_names, left_out
from versioned_tables.files.options import ImportOptions
from versioned_tables.files.splitting import (
    MOST_RECORD_BYTES,
    Dialect,
    UnclosedQuote,
    last_record_end,
    read_record,
    record_starts,
    repair,
    stray_quote,
)

MOST_COLUMNS = 16_384
# What is decoded of the head before anything is known; only a first record that is longer costs more.
_SNIFFED = 4 * SAMPLE

_SEPARATOR = re.compile(r'"?sep=(\\t|[^\r\n"])"?[;,\t]*\r?\n', re.IGNORECASE)

Blocks = Callable[[], Iterator[bytes]]
Samples = Callable[[], Sequence[bytes]]


@dataclass(slots=True)
class TextFile:
    """Name, encoding, dialect and columns of a text file; `buffers` may be called again and again.

    `skipped` counts the bytes (in UTF-8) above the first row, `lines_before` their lines; `heading` says why there is a
    header or none.
    """

    blocks: Blocks
    encoding: Encoding
    source: Dialect
    names: list[str]
    header: bool
    notes: list[str] = field(default_factory=list)
    repaired: int = 0
    first_repair: int | None = None
    heading: str = ""
    skipped: int = 0
    lines_before: int = 0
    comment: bytes = b""

    @property
    def dialect(self) -> Dialect:
        """The dialect of the buffers."""
        return self.source.strict

    def buffers(self, *, careful: bool = False) -> Iterator[bytes]:
        """UTF-8 buffers of whole records without the header. Raises ImportRefused on a record without end.

        Cut by quote parity alone; whoever parses a buffer proves with `stray_quote` that this was right, and if it was
        not, starts over with `careful`: then every buffer is checked here and repaired where RFC 4180 does not hold.
        """
        self.repaired, self.first_repair = 0, None
        try:
            for data in self._loosely() if self.source.loose else self._aligned(careful=careful):
                found = self._without_comments(data) if self.comment else data
                if found:
                    yield found
        except UnclosedQuote as error:
            raise error.located(as_utf8(self.blocks(), self.encoding)) from error

    def _aligned(self, *, careful: bool) -> Iterator[bytes]:
        carry = b""
        number = 0
        for block in self._rows():
            end = self._end(carry, block)
            if end and not careful:
                # The common case copies once: the rest of the block before, and the block up to its last record.
                yield b"".join((carry, memoryview(block)[:end]))
                carry = block[end:]
                number += 1
                continue
            data = carry + block
            cut = len(carry) + end if end else last_record_end(data, self.dialect, final=False)
            if not cut or (careful and stray_quote(data[:cut], self.dialect) >= 0):
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

    def _rows(self) -> Iterator[bytes]:
        """The text below the heading."""
        left = self.skipped
        for block in as_utf8(self.blocks(), self.encoding):
            if left < len(block):
                yield block[left:] if left else block
            left = max(0, left - len(block))

    def _without_comments(self, data: bytes) -> bytes:
        """Records that begin with the comment mark become empty lines, which are no rows of several columns."""
        if self.comment not in data:
            return data
        starts, _ = record_starts(data, self.dialect, blank=True)
        instead = self.dialect.newline.encode() if len(self.names) > 1 else b""
        return b"".join(
            instead if data.startswith(self.comment, start) else data[start:end]
            for start, end in pairwise([*starts.tolist(), len(data)])
        )

    def _loosely(self) -> Iterator[bytes]:
        """Buffers rewritten as RFC 4180 has it."""
        carry = b""
        for number, block in enumerate(self._rows()):
            data = carry + block
            fixed, cut, _ = repair(data, self.source, final=False)
            if not cut and len(data) > MOST_RECORD_BYTES:
                raise ImportRefused(_endless(number))
            yield fixed
            carry = data[cut:]
        yield repair(carry, self.source, final=True)[0]

    def _end(self, carry: bytes, block: bytes) -> int:
        """Bytes of the block up to its last record end, 0 when that is not known without the bytes before it."""
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


_EMPTY = Text("The file is empty: it has neither a header nor rows.")


def _endless(number: int) -> str:
    return Text(
        "A record is longer than {most_record_bytes} MB (in buffer {number}). A quoted field is "
        "probably never closed, or the delimiter or quote character is another one.",
        most_record_bytes=MOST_RECORD_BYTES >> 20,
        number=number + 1,
    )


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
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise ImportRefused(_EMPTY)
    encoding = encoding or detect_encoding(head, blocks, options.encoding, whole=whole)
    text = decoded_head(head[:_SNIFFED], encoding)
    delimiter = options.delimiter or ("\t" if name.lower().endswith((".tsv", ".tab")) else None)
    others = partial(_texts, samples) if encoding.is_utf8 else list
    comment_chars, said = _marks_above(text, options)
    body = text[comment_chars:]
    if whole and not body.strip():
        raise ImportRefused(_EMPTY)
    if said.delimiter and options.delimiter is None:
        delimiter = said.delimiter
    dialect = detect_dialect(body[: SAMPLE // 2], others, delimiter=delimiter, quote=options.quote)
    complete = whole and len(head) <= _SNIFFED
    try:
        records, heading = _heading(body, dialect, options, final=complete)
    except UnclosedQuote as error:
        raise error.located([text.encode("utf-8", "surrogateescape")]) from error
    at = comment_chars + records[heading.skipped][1]
    first = read_record(text, at, dialect, final=complete)
    if first.end < 0 and len(head) > _SNIFFED:
        text = decoded_head(head, encoding)
        first = read_record(text, at, dialect, final=whole)
    if first.end < 0:
        raise ImportRefused(Text("The first record is longer than 1 MB; this does not look like a table."))
    cells = [cell for cell, _ in first.fields]
    if len(cells) > MOST_COLUMNS:
        raise ImportRefused(
            Text(
                "The file has {count} columns; at most {most_columns} can be imported.",
                count=len(cells),
                most_columns=MOST_COLUMNS,
            )
        )
    names, notes = (
        header_names(cells) if heading.header else ([f"column_{number}" for number in range(1, len(cells) + 1)], [])
    )
    start = first.end if heading.header else at
    loose = (
        Text("Quotes inside of quotes follow a backslash.") if dialect.escape else "",
        Text("Spaces after the delimiter are no part of the values.") if dialect.spaced else "",
    )
    notes = [*filter(None, (encoding.note, said.note, *loose)), *_skipped_note(body, records, heading), *notes]
    return TextFile(
        blocks,
        encoding,
        dialect,
        names,
        heading.header,
        notes,
        heading=heading.reason,
        skipped=len(text[:start].encode("utf-8", "surrogateescape")),
        lines_before=text[:start].count(dialect.newline),
        comment=(options.comment or "").encode(),
    )


@dataclass(frozen=True, slots=True)
class _Marks:
    """What the lines above a table say: a delimiter (`sep=;`), and a note for the report."""

    delimiter: str = ""
    note: str = ""


def _marks_above(text: str, options: ImportOptions) -> tuple[int, _Marks]:
    """Characters of `sep=` and comment lines above everything else, and what they say."""
    if options.skip_lines is not None:
        return 0, _Marks()
    separator = _SEPARATOR.match(text)
    if separator:
        delimiter = separator.group(1).replace("\\t", "\t")
        return separator.end(), _Marks(
            delimiter, Text("The line sep= names the delimiter {delimiter!r}; it was left out.", delimiter=delimiter)
        )
    comment = options.comment or "#"
    at = number = 0
    while text.startswith(comment, at):
        end = min((place for char in "\r\n" if (place := text.find(char, at)) >= 0), default=-1)
        if end < 0:
            return 0, _Marks()
        at = end + (2 if text.startswith("\r\n", end) else 1)
        number += 1
    if not number or (options.comment is None and number == 1 and _is_header(text, at)):
        return 0, _Marks()
    lines = "1 line that begins" if number == 1 else f"{number} lines that begin"
    return at, _Marks(
        "", Text("{lines} with {comment!r} above the table: left out as comments.", lines=lines, comment=comment)
    )


def _is_header(text: str, end: int) -> bool:
    """Whether the only line that begins with a number sign is a header that does: it has as many delimiters as the
    line below.
    """
    below = text[end:].partition("\n")[0]
    return any(0 < text.count(mark, 0, end) == below.count(mark) for mark in DELIMITERS[:4])


def _heading(
    body: str, dialect: Dialect, options: ImportOptions, *, final: bool
) -> tuple[list[tuple[list[str], int]], Heading]:
    """The first records, each with its place in the text, and the heading that they make."""
    records: list[tuple[list[str], int]] = []
    at = 0
    while at < len(body) and len(records) < LOOKED_AT + (options.skip_lines or 0):
        record = read_record(body, at, dialect, final=final)
        if record.end < 0:
            break
        records.append(([cell for cell, _ in record.fields], at))
        at = record.end
    rows = [[cell.strip() for cell in cells] for cells, _ in records]
    heading = find_heading(rows, header=options.header, skip=options.skip_lines)
    if heading.skipped >= len(records):
        if heading.skipped:
            raise ImportRefused(
                Text(
                    "The file has {count} lines and {skipped} were to be skipped.",
                    count=len(records),
                    skipped=heading.skipped,
                )
            )
        records.append(([], 0))
    return records, heading


def _skipped_note(body: str, records: list[tuple[list[str], int]], heading: Heading) -> list[str]:
    titles = [body[records[at][1] : records[at + 1][1]].strip() for at in range(heading.skipped)]
    shown = ", ".join(repr(title[:60]) for title in titles if title)
    return [left_out(heading.skipped, "line", shown)] if shown else []


def _texts(samples: Samples) -> list[str]:
    return [sample.decode("utf-8", "replace").partition("\n")[2] for sample in samples()]


def decoded_head(head: bytes, encoding: Encoding) -> str:
    """The sample as text; a character cut off at its end is left out."""
    part = head[encoding.mark :]
    errors = "replace" if encoding.is_utf8 else "ignore"
    return part[: len(part) // 4 * 4 if encoding.name.startswith("utf-32") else len(part)].decode(encoding.name, errors)
