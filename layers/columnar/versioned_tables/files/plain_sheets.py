"""Sheets whose tags are spelled as spreadsheet programs spell them, counted by whole blocks.

Plain is: no prefixes, comments or CDATA; attributes in double quotes with one space before each; of a cell only `r`,
`s` and `t`, in this order; all cells and all rows with `r` or none. Then every `<` begins a tag, and expressions over
bytes find what a parser would.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

_MOST_HELD = 16 << 20
_HEAD = 4096
# A cell or a row that is spelled otherwise; a prefix; what is no element.
_ODD = (
    re.compile(
        rb'<c(?![a-zA-Z])(?!(?: r="[A-Z]{1,3}[0-9]{1,7}")?(?: s="[0-9]+")?(?: t="[a-zA-Z]+")?/?>)',
    ),
    re.compile(rb'<row(?![a-zA-Z])(?!(?: r="[0-9]{1,7}")?(?: (?!r=)[a-zA-Z][\w.:]*="[^"<>]*")*/?>)'),
    re.compile(rb":(?:c|v|is|row|f|mergeCell)[\s/>]"),
    re.compile(rb"<!"),
)
_VALUE = re.compile(rb"<(?:v|is)[\s/>]")
_ERROR = re.compile(rb'<c(?: r="[A-Z]+[0-9]+")?(?: s="[0-9]+")? t="e"')
_FORMULA = re.compile(rb"<f[\s/>]")
_MERGED = re.compile(rb"<mergeCell[\s/>]")
_ROW = re.compile(rb'<row(?: r="([0-9]+)")?[\s/>]')
_Bytes = npt.NDArray[np.uint8]


class NotPlain(Exception):
    """The sheet is spelled otherwise, and is to be read element by element."""


class PlainScan:
    """Counts over the blocks of a sheet, and a rectangle from the first cell that holds all of its cells."""

    def __init__(self) -> None:
        self.values = self.merged = self.formulas = self.errors = 0
        self.last_row = self.last_column = -1
        self._carry = b""
        self._started = False
        # Whether cells, and rows, tell where they are; None until there is one.
        self._cells_named: bool | None = None
        self._rows_named: bool | None = None

    def feed(self, data: bytes) -> None:
        """Read on; without data, the end. Raises NotPlain."""
        if not self._started and data:
            self._started = True
            head = data[:_HEAD]
            if b"<worksheet" not in head or b"\x00" in head or data.count(b"<?") > head.startswith(b"<?xml"):
                raise NotPlain
        elif b"<?" in data:
            raise NotPlain
        part = self._carry + data
        # Rows are read whole, because their cells are counted where they do not tell their column.
        cut = part.rfind(b"<row") if data else len(part)
        if cut <= 0 and data:
            self._carry = part
            if len(part) > _MOST_HELD:
                raise NotPlain
            return
        self._carry = part[cut:]
        self._count(part[:cut])

    def _count(self, part: bytes) -> None:
        if any(odd.search(part) for odd in _ODD):
            raise NotPlain
        self.values += _VALUE.search(part) is not None
        if b' t="e"' in part:
            self.errors += len(_ERROR.findall(part))
        if b"<f" in part:
            self.formulas += len(_FORMULA.findall(part))
        if b"<mergeCell" in part:
            self.merged += len(_MERGED.findall(part))
        rows = _ROW.findall(part)
        view = np.frombuffer(part + b"\x00" * 16, np.uint8)
        after = view[2:]
        cells = np.flatnonzero((view[:-2] == ord("<")) & (view[1:-1] == ord("c")) & (after < ord("A")))
        if rows:
            self._rows(rows)
        if len(cells):
            self._cells(part, view, cells)

    def _rows(self, rows: list[bytes]) -> None:
        named = [row for row in rows if row]
        if named and len(named) < len(rows):
            raise NotPlain
        self._rows_named = _agreed(known=self._rows_named, now=bool(named))
        self.last_row = max(self.last_row, max(map(int, named)) - 1) if named else self.last_row + len(rows)

    def _cells(self, part: bytes, view: _Bytes, cells: npt.NDArray[np.int64]) -> None:
        named = (view[cells + 2] == ord(" ")) & (view[cells + 3] == ord("r"))
        self._cells_named = _agreed(known=self._cells_named, now=bool(named[0]))
        if not np.all(named == named[0]):
            raise NotPlain
        if not self._cells_named:
            starts = [match.start() for match in _ROW.finditer(part)]
            counts = np.diff(np.searchsorted(cells, starts), append=len(cells)) if starts else np.zeros(0, np.int64)
            if not starts or cells[0] < starts[0]:
                raise NotPlain
            self.last_column = max(self.last_column, int(counts.max()) - 1)
            return
        at = cells + 6
        column = np.zeros(len(cells), np.int64)
        row = np.zeros(len(cells), np.int64)
        for _ in range(3):
            char = view[at].astype(np.int64)
            is_letter = char >= ord("A")
            column = np.where(is_letter, column * 26 + char - 64, column)
            at = at + is_letter
        while True:
            char = view[at].astype(np.int64)
            is_digit = (char >= ord("0")) & (char <= ord("9"))
            if not is_digit.any():
                break
            row = np.where(is_digit, row * 10 + char - 48, row)
            at = at + is_digit
        self.last_column = max(self.last_column, int(column.max()) - 1)
        self.last_row = max(self.last_row, int(row.max()) - 1)


def _agreed(*, known: bool | None, now: bool) -> bool:
    """Whether all tell where they are. Raises NotPlain when some do and some do not."""
    if known is not None and known != now:
        raise NotPlain
    return now
