"""CSV as spreadsheets write it: the one reader of rosters and learner lists.

Beyond RFC 4180: a byte order mark, any line ending, commas, semicolons, tabs or bars between the fields, and a first
line `sep=;` that says which. Tables of datasets are read by the table engine, which needs Arrow and guesses types.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING

from dataforge.kernel.text import composed
from dataforge.kernel.texts import Text

if TYPE_CHECKING:
    import _csv

LONGEST_LINE = 1_000_000
# The comma first: it wins when a header has a single column.
_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR = re.compile(r'"?sep=([^\r\n"])"?[;,\t]*[\r\n]*', re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
# Lines that a header with line ends in its quotes may have.
_MOST_HEADER_LINES = 100
_LINE_END = re.compile(rb"\r\n|\r|\n")


class NotCsv(ValueError):
    """Bytes that are no CSV. `reason` is the rest of a sentence that begins with the file's name; `line` is where."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The first record, stripped, empty for a file without any; and the others with the line each begins at.

    Lines count from 1. Text is in normal form C; records of nothing but spaces are left out.
    """

    header: tuple[str, ...]
    records: Iterator[tuple[int, list[str]]]


def read_csv(file: IO[bytes]) -> CsvTable:
    """Read UTF-8 from an open file, a line at a time.

    Raises NotCsv, here or from `records`: bytes that are not UTF-8, quotes without an end, a line of more than a
    million characters, a field of more than 131,072.
    """
    lines = _lines(file)
    before, first = 0, next(lines, "")
    while first.isspace():
        before, first = before + 1, next(lines, "")
    if separator := _SEPARATOR.fullmatch(first):
        before, delimiter = before + 1, separator[1]
    else:
        begun = _header_lines(first, lines)
        delimiter, lines = _delimiter_of("".join(begun)), chain(begun, lines)
    records = _records(csv.reader(lines, delimiter=delimiter, strict=True), before)
    _, header = next(records, (0, []))
    return CsvTable(tuple(cell.strip() for cell in header), records)


def _header_lines(first: str, lines: Iterator[str]) -> list[str]:
    """The first line, and those after it that its quotes go on over."""
    begun, quotes = [first], first.count('"')
    while quotes % 2 and len(begun) < _MOST_HEADER_LINES and (line := next(lines, "")):
        begun.append(line)
        quotes += line.count('"')
    return begun


def _delimiter_of(header: str) -> str:
    """What is there most often between the names of columns, and not inside of their quotes."""
    between = _QUOTED.sub("", header)
    return max(_DELIMITERS, key=between.count)


def _records(reader: "_csv.Reader", before: int) -> Iterator[tuple[int, list[str]]]:
    begins = 1 + before
    try:
        for cells in reader:
            if any(cell and not cell.isspace() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1 + before
    except csv.Error as error:
        reason = Text("is not CSV at line {begins}: {error}.", begins=begins, error=error)
        raise NotCsv(reason, begins) from error


def _lines(file: IO[bytes]) -> Iterator[str]:
    # newline="" leaves line ends to the CSV reader, which knows which of them are inside quotes.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="strict", newline="")
    number = 0
    try:
        for line in iter(lambda: text.readline(LONGEST_LINE), ""):
            number += 1
            if len(line) == LONGEST_LINE:
                reason = Text(
                    "has a line of more than {longest_line:,} characters: line {number}.",
                    longest_line=LONGEST_LINE,
                    number=number,
                )
                raise NotCsv(reason, number)
            yield line if line.isascii() else composed(line)
    except UnicodeDecodeError as error:
        # All lines before this chunk were given out already, but for the one that goes on in it.
        bad = number + len(_LINE_END.findall(bytes(error.object[: error.start]))) + 1
        reason = Text(
            "is not UTF-8: line {bad} has the byte 0x{given:02x}. Save it as CSV UTF-8.",
            bad=bad,
            given=error.object[error.start],
        )
        raise NotCsv(reason, bad) from error
    finally:
        # Otherwise the wrapper would close the file with itself.
        if not file.closed:
            text.detach()
