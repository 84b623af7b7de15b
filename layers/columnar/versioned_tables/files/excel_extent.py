"""What a sheet holds, found before its values are read: the rectangle of its values, and what the report mentions.

Every sheet goes through expat, which refuses malformed XML. Calling Python for each element would take twice as long as
reading the values does, so a sheet whose tags are spelled as spreadsheet programs spell them is counted by whole blocks
(`plain_sheets`), and only others element by element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO
from xml.parsers import expat

from dataforge.kernel.texts import Text
from versioned_tables.files.plain_sheets import NotPlain, PlainScan

MOST_CELLS = 40_000_000
_READ = 1 << 20


class Refused(Exception):
    """The workbook is not read; the text says why."""


def refuse_document_type(*_: object) -> None:
    """What expat calls on a document type. Raises Refused."""
    raise Refused(Text("The workbook's XML declares a document type; this is no workbook a spreadsheet program wrote."))


def extent_of(opened: Callable[[], IO[bytes]], name: str) -> Extent:
    """The extent of a sheet that can be opened again. Raises Refused on malformed XML and on too many cells.

    The rectangle may be wider than that of the values, never narrower; one that is too wide is measured exactly.
    """
    plain: PlainScan | None = PlainScan()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse_document_type

    def feed(data: bytes) -> None:
        nonlocal plain
        if plain is not None:
            try:
                plain.feed(data)
            except NotPlain:
                plain = None

    with opened() as file:
        _parse(parser, file, name, feed)
    feed(b"")
    extent = Extent()
    if plain is not None:
        extent.take(plain)
    if plain is None or extent.cells > MOST_CELLS:
        extent = Extent()
        with opened() as file:
            extent.scan(file, name)
    if extent.cells > MOST_CELLS:
        raise Refused(
            Text(
                "Sheet {name!r} has {values} values "
                "spread over {last_row} rows and {last_column} columns; "
                "delete the far cells, or export the sheet as CSV.",
                name=name,
                values=extent.values,
                last_row=extent.last_row + 1,
                last_column=extent.last_column + 1,
            )
        )
    return extent


def _parse(parser: expat.XMLParserType, file: IO[bytes], name: str, feed: Callable[[bytes], None]) -> None:
    try:
        while data := file.read(_READ):
            parser.Parse(data, False)  # noqa: FBT003 - expat's own signature
            feed(data)
        parser.Parse(b"", True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as error:
        raise Refused(Text("Sheet {name!r} is malformed: {error}.", name=name, error=error)) from error


class Extent:
    """One pass over a sheet's XML: the rectangle of its values, and what the report mentions."""

    def __init__(self) -> None:
        self.last_row = self.last_column = -1
        self.first_row = self.first_column = 1 << 30
        self.values = self.merged = self.formulas = self.errors = 0
        self._row = -1
        self._column = -1
        self._cell = ""
        self._letters: dict[str, int] = {}

    def scan(self, file: IO[bytes], name: str) -> None:
        """Read the sheet. Raises Refused on malformed XML and on document types, which workbooks never have."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = refuse_document_type
        _parse(parser, file, name, lambda _: None)

    def take(self, plain: PlainScan) -> None:
        """The counts of a sheet that was read by blocks."""
        self.values, self.merged, self.formulas, self.errors = plain.values, plain.merged, plain.formulas, plain.errors
        if plain.values:
            self.first_row = self.first_column = 0
            self.last_row, self.last_column = plain.last_row, plain.last_column

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        if tag == "c":
            self._cell = attributes.get("r", "")
            self._column += 1
            if attributes.get("t") == "e":
                self.errors += 1
        elif tag == "v" or tag == "is":  # noqa: PLR1714 - the hottest line of a large workbook
            self._value()
        elif tag == "row":
            place = attributes.get("r")
            self._row = int(place) - 1 if place else self._row + 1
            self._column = -1
        elif tag == "f":
            self.formulas += 1
        elif tag == "mergeCell":
            self.merged += 1

    def _value(self) -> None:
        self.values += 1
        row = self._row
        if self._cell:
            letters = self._cell.rstrip("0123456789")
            row = int(self._cell[len(letters) :]) - 1
            if letters not in self._letters:
                self._letters[letters] = _column_number(letters)
                self._widen(self._letters[letters])
            self._column = self._letters[letters]
        else:
            self._widen(self._column)
        if row > self.last_row:  # noqa: PLR1730 - a call of max for every cell would cost a second per sheet
            self.last_row = row
        if row < self.first_row:  # noqa: PLR1730 - as above
            self.first_row = row
        self._row = row

    def _widen(self, column: int) -> None:
        self.last_column = max(self.last_column, column)
        self.first_column = min(self.first_column, column)

    @property
    def cells(self) -> int:
        """Cells of the rectangle."""
        return (
            0
            if self.last_row < 0
            else (self.last_row - self.first_row + 1) * (self.last_column - self.first_column + 1)
        )

    def notes(self) -> list[str]:
        """Sentences for the report."""
        found: list[str] = []
        if self.merged:
            found.append(
                Text(
                    "{merged}: the value stands in the first cell, the others are empty.",
                    merged=_counted(self.merged, "merged range"),
                )
            )
        if self.formulas:
            found.append(
                Text(
                    "{formulas}: the values the spreadsheet program last saved were read.",
                    formulas=_counted(self.formulas, "formula"),
                )
            )
        if self.errors:
            were = "was" if self.errors == 1 else "were"
            found.append(
                Text(
                    "{errors} (such as #DIV/0!) {were} read as null.",
                    errors=_counted(self.errors, "error cell"),
                    were=were,
                )
            )
        return found


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _column_number(letters: str) -> int:
    """From 0: A is 0, Z is 25, AA is 26."""
    number = 0
    for char in letters:
        number = number * 26 + ord(char) - 64
    return number - 1
