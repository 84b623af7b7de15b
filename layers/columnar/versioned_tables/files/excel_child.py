"""The child process that reads a workbook: extent first, values after, each sheet to an Arrow file."""

from __future__ import annotations

import json
import resource
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

import pyarrow as pa
import pyarrow.compute as pc
import python_calamine

from dataforge.kernel.texts import Text
from versioned_tables.files.heading import LOOKED_AT, find_heading, header_names, left_out
from versioned_tables.schema.texts import seconds_text

MOST_CELLS = 40_000_000
_PART = 16_384
_READ = 1 << 20


class Refused(Exception):
    """The workbook is not read; the text says why."""


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
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            while data := file.read(_READ):
                parser.Parse(data, False)  # noqa: FBT003 - expat's own signature
            parser.Parse(b"", True)  # noqa: FBT003 - expat's own signature
        except expat.ExpatError as error:
            raise Refused(Text("Sheet {name!r} is malformed: {error}.", name=name, error=error)) from error

    def _doctype(self, *_: object) -> None:
        raise Refused(
            Text("The workbook's XML declares a document type; this is no workbook a spreadsheet program wrote.")
        )

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


def _sheets(archive: zipfile.ZipFile) -> tuple[list[tuple[str, str, str]], bool]:
    """(name, state, part) of every sheet, and whether dates count from 1904."""
    parts: dict[str, str] = {}
    sheets: list[tuple[str, str, str]] = []
    flags = {"1904": False}

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "Relationship":
            parts[attributes["Id"]] = attributes["Target"]

    def entry(tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "sheet":
            identity = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id"), "")
            target = parts.get(identity, "").lstrip("/")
            sheets.append(
                (
                    attributes["name"],
                    attributes.get("state", "visible"),
                    target if target.startswith("xl/") else f"xl/{target}",
                )
            )
        elif tag == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
            flags["1904"] = True

    for part, handler in (("xl/_rels/workbook.xml.rels", relation), ("xl/workbook.xml", entry)):
        parser = expat.ParserCreate()
        parser.StartElementHandler = handler
        parser.StartDoctypeDeclHandler = Extent()._doctype  # noqa: SLF001 - the same refusal
        parser.Parse(archive.read(part), True)  # noqa: FBT003 - expat's own signature
    return sheets, flags["1904"]


def read_workbook(
    path: Path, folder: Path, wanted: list[str], *, header: bool | None, skip: int | None = None
) -> dict[str, Any]:
    """Columns, Arrow file and notes of every worksheet."""
    notes: list[str] = []
    found: list[dict[str, Any]] = []
    with zipfile.ZipFile(path) as archive:
        try:
            sheets, old_dates = _sheets(archive)
        except (KeyError, expat.ExpatError) as error:
            raise Refused(Text("The workbook is malformed: {error}.", error=error)) from error
        missing = [name for name in wanted if name not in {sheet[0] for sheet in sheets}]
        if missing:
            raise Refused(
                Text(
                    "The workbook has no sheet {missing!r}; it has {sheets}.",
                    missing=missing[0],
                    sheets=", ".join(repr(s[0]) for s in sheets[:20]),
                )
            )
        if old_dates:
            notes.append(Text("Dates of this workbook count from 1904."))
        extents: dict[str, Extent] = {}
        for name, state, part in sheets:
            if (wanted and name not in wanted) or "worksheets/" not in part:
                continue
            if state != "visible":
                notes.append(Text("Sheet {name!r} is {state}; it was read.", name=name, state=state))
            extents[name] = extent = Extent()
            try:
                with archive.open(part) as file:
                    extent.scan(file, name)
            except (KeyError, zipfile.BadZipFile) as error:
                raise Refused(Text("Sheet {name!r} cannot be read: {error}.", name=name, error=error)) from error
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
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        for number, (name, extent) in enumerate(extents.items()):
            columns: list[tuple[str, str]] = []
            reported: list[str] = []
            first_row = 1
            if extent.values:
                sheet = _Sheet(
                    book.get_sheet_by_name(name).iter_rows(), header=header, skip=skip, errors=extent.errors > 0
                )
                columns, reported = sheet.write(folder / f"{number}.arrow"), sheet.notes
                first_row = sheet.first_row
            found.append(
                {
                    "name": name,
                    "file": f"{number}.arrow",
                    "columns": columns,
                    "notes": [*extent.notes(), *reported],
                    "first": first_row,
                }
            )
    except python_calamine.CalamineError as error:
        raise Refused(Text("The workbook is malformed: {error}.", error=error)) from error
    return {"sheets": found, "notes": notes}


class _Sheet:
    """The table of a sheet: its heading found in the first rows, then its values."""

    def __init__(
        self, rows: Iterator[Sequence[object]], *, header: bool | None, skip: int | None, errors: bool
    ) -> None:
        self._rows = rows
        self._errors = errors
        self._first = list(islice(rows, LOOKED_AT + (skip or 0)))
        texts = [[(_text(cell) or "").strip() for cell in row] for row in self._first]
        heading = find_heading(texts, header=header, skip=skip)
        titles = [" ".join(filter(None, row)) for row in texts[: heading.skipped]]
        shown = ", ".join(repr(title[:60]) for title in titles if title)
        self.notes = [left_out(heading.skipped, "row", shown)] if shown else []
        if header is None:
            self.notes.append(Text("Header: {reason}.", reason=heading.reason))
        self._first = self._first[heading.skipped :]
        self._header = heading.header
        # The row of the sheet, from 1, that the values begin in.
        self.first_row = heading.skipped + heading.header + 1

    def write(self, path: Path) -> list[tuple[str, str]]:
        """The values as an Arrow file; the columns found."""
        if not self._first:
            return []
        first = self._first[0]
        names = [f"column_{at}" for at in range(1, len(first) + 1)]
        if self._header:
            names, renamed = header_names([_text(cell) or "" for cell in first])
            self.notes += renamed
        parts: list[list[pa.Array]] = []
        kinds = ["nothing"] * len(names)
        rows = chain(self._first[1:] if self._header else self._first, self._rows)
        while held := list(islice(rows, _PART)):
            parts.append(_arrays(held, kinds, errors=self._errors))
        types = [_TYPES[kind] for kind in kinds]
        schema = pa.schema([pa.field(name, _ARROW[type_]) for name, type_ in zip(names, types, strict=True)])
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for part in parts:
                arrays = [_as(array, type_) for array, type_ in zip(part, types, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        return list(zip(names, types, strict=True))


_TYPES = {
    "nothing": "string",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "date": "date",
    "timestamp": "timestamp",
    "time": "time",
    "text": "string",
}
_ARROW = {
    "string": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "time": pa.time64("us"),
}
_OF_TYPE = {
    str: "text",
    float: "float",
    int: "int",
    bool: "bool",
    date: "date",
    datetime: "timestamp",
    time: "time",
    timedelta: "text",
}


def _join(one: str, other: str) -> str:
    if other in {one, "nothing"}:
        return one
    if one == "nothing":
        return other
    if {one, other} == {"int", "float"}:
        return "float"
    return "timestamp" if {one, other} == {"date", "timestamp"} else "text"


def _arrays(rows: Sequence[Sequence[object]], kinds: list[str], *, errors: bool) -> list[pa.Array]:
    """Columns of a part, each in the narrowest type of its own values; `kinds` grows to cover them."""
    made: list[pa.Array] = []
    for at, cells in enumerate(zip(*rows, strict=True)):
        types = set(map(type, cells))
        values: Sequence[object] = cells
        if str in types:
            values = [
                None if cell == "" or (errors and type(cell) is str and cell in _ERRORS) else cell for cell in cells
            ]
            types = set(map(type, values))
        kind = "nothing"
        for type_ in types - {type(None)}:
            kind = _join(kind, _OF_TYPE.get(type_, "text"))
        array = _array(values, kind, plain=len(types - {type(None)}) == 1)
        if kind == "float" and _whole(array):
            kind, array = "int", array.cast(pa.int64())
        kinds[at] = _join(kinds[at], kind)
        made.append(array)
    return made


def _array(values: Sequence[object], kind: str, *, plain: bool) -> pa.Array:
    """The values of one kind; `plain` says that they have one Python type besides None.

    Times are rounded to the millisecond, which is what a serial number carries exactly.
    """
    if kind == "text":
        return pa.array(
            values if plain and isinstance(_first(values), str) else [_text(v) for v in values], pa.string()
        )
    if kind == "timestamp":
        moments = values if plain else [_moment(v) for v in values]
        micros = pc.add(pa.array(moments, pa.timestamp("us")).cast(pa.int64()), 500)
        return pc.multiply(
            pc.floor(pc.divide(micros.cast(pa.float64(), safe=False), 1000.0)).cast(pa.int64()), 1000
        ).cast(pa.timestamp("us"))
    return pa.array(values, _ARROW[_TYPES[kind]])


def _first(values: Sequence[object]) -> object:
    return next((value for value in values if value is not None), None)


def _whole(array: pa.Array) -> bool:
    """Whether every number is whole and small enough to be exact."""
    return pc.all(pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), 1e15))).as_py() is not False


def _moment(value: object) -> object:
    """A date as its first instant."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - cells have no time zone
    return value


_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA"})


def _text(value: object) -> str | None:
    """A cell of a column that mixes types, as people read it in the sheet."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime | date | time):
        text = value.isoformat()
        return text.rstrip("0") if "." in text else text
    if isinstance(value, timedelta):
        return seconds_text(value // timedelta(microseconds=1), "us")
    return str(value)


def _as(array: pa.Array, type_: str) -> pa.Array:
    kind = _ARROW[type_]
    if array.type == kind:
        return array
    if type_ == "string":
        return pa.array([_text(value) for value in array.to_pylist()], pa.string())
    return array.cast(kind)


def main() -> None:
    """Read the request from standard input, answer on standard output."""
    request = json.loads(sys.stdin.buffer.read())
    resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = read_workbook(
            Path(request["path"]),
            Path(request["folder"]),
            request["sheets"],
            header=request["header"],
            skip=request["skip"],
        )
    except Refused as error:
        answer = {"refused": str(error)}
    except (MemoryError, pa.ArrowMemoryError):
        answer = {
            "refused": f"The workbook needs more than {request['memory'] >> 20} MB of memory; export its sheets as CSV."
        }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
