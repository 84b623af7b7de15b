"""The child process that reads a workbook: extents first, values after, each sheet to an Arrow file.

Sheets are read side by side where there are cores for it, by forks of this process (see `excel_workers`).
"""

from __future__ import annotations

import io
import json
import resource
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pyarrow as pa
import python_calamine

from dataforge.kernel.texts import Text
from versioned_tables.files.excel_extent import Extent, Refused, extent_of, refuse_document_type
from versioned_tables.files.excel_values import ARROW, TYPES, as_type, cell_arrays, cell_text
from versioned_tables.files.excel_workers import cores, side_by_side
from versioned_tables.files.heading import LOOKED_AT, find_heading, header_names, left_out

_PART = 16_384
# Larger workbooks are read sheet after sheet: forks share the memory that one process may have.
_MOST_AT_ONCE = 6_000_000
_MOST_BYTES_AT_ONCE = 128 << 20


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
        parser.StartDoctypeDeclHandler = refuse_document_type
        parser.Parse(archive.read(part), True)  # noqa: FBT003 - expat's own signature
    return sheets, flags["1904"]


def read_workbook(
    path: Path, folder: Path, wanted: list[str], *, header: bool | None, skip: int | None = None, workers: int = 1
) -> dict[str, Any]:
    """Columns, Arrow file and notes of every worksheet. More than one of the `workers` are forks of this process."""
    notes: list[str] = []
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
        parts: dict[str, str] = {}
        for name, state, part in sheets:
            if (wanted and name not in wanted) or "worksheets/" not in part:
                continue
            if state != "visible":
                notes.append(Text("Sheet {name!r} is {state}; it was read.", name=name, state=state))
            parts[name] = part
    extents = side_by_side([partial(_extent, path, name, part) for name, part in parts.items()], folder, most=workers)
    together = (
        workers > 1
        and sum(extent.cells for extent in extents) <= _MOST_AT_ONCE
        and path.stat().st_size <= _MOST_BYTES_AT_ONCE
    )
    book = _opened(path, in_memory=together)
    tasks = [
        partial(_read_sheet, _SheetToRead(book, name, extent, folder / f"{number}.arrow"), header=header, skip=skip)
        for number, (name, extent) in enumerate(zip(parts, extents, strict=True))
    ]
    return {"sheets": side_by_side(tasks, folder, most=workers if together else 1), "notes": notes}


def _opened(path: Path, *, in_memory: bool) -> python_calamine.CalamineWorkbook:
    """The workbook with its shared texts; in memory for forks, which would move on in one open file together."""
    try:
        if in_memory:
            return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        return python_calamine.CalamineWorkbook.from_path(str(path))
    except python_calamine.CalamineError as error:
        raise Refused(Text("The workbook is malformed: {error}.", error=error)) from error


def _extent(path: Path, name: str, part: str) -> Extent:
    try:
        with zipfile.ZipFile(path) as archive:
            return extent_of(partial(archive.open, part), name)
    except (KeyError, zipfile.BadZipFile) as error:
        raise Refused(Text("Sheet {name!r} cannot be read: {error}.", name=name, error=error)) from error


@dataclass(frozen=True, slots=True)
class _SheetToRead:
    book: python_calamine.CalamineWorkbook
    name: str
    extent: Extent
    path: Path


def _read_sheet(which: _SheetToRead, *, header: bool | None, skip: int | None) -> dict[str, Any]:
    """Write the Arrow file of a sheet; what the report says about it."""
    columns: list[tuple[str, str]] = []
    reported: list[str] = []
    first_row = 1
    if which.extent.values:
        try:
            rows = which.book.get_sheet_by_name(which.name).iter_rows()
            sheet = _Sheet(rows, header=header, skip=skip, errors=which.extent.errors > 0)
            columns = sheet.write(which.path)
        except python_calamine.CalamineError as error:
            raise Refused(Text("The workbook is malformed: {error}.", error=error)) from error
        reported, first_row = sheet.notes, sheet.first_row
    return {
        "name": which.name,
        "file": which.path.name,
        "columns": columns,
        "notes": [*which.extent.notes(), *reported],
        "first": first_row,
    }


class _Sheet:
    """The table of a sheet: its heading found in the first rows, then its values."""

    def __init__(
        self, rows: Iterator[Sequence[object]], *, header: bool | None, skip: int | None, errors: bool
    ) -> None:
        self._rows = rows
        self._errors = errors
        self._first = list(islice(rows, LOOKED_AT + (skip or 0)))
        texts = [[(cell_text(cell) or "").strip() for cell in row] for row in self._first]
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
            names, renamed = header_names([cell_text(cell) or "" for cell in first])
            self.notes += renamed
        parts: list[list[pa.Array]] = []
        kinds = ["nothing"] * len(names)
        rows = chain(self._first[1:] if self._header else self._first, self._rows)
        while held := list(islice(rows, _PART)):
            parts.append(cell_arrays(held, kinds, errors=self._errors))
        types = [TYPES[kind] for kind in kinds]
        schema = pa.schema([pa.field(name, ARROW[type_]) for name, type_ in zip(names, types, strict=True)])
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for part in parts:
                arrays = [as_type(array, type_) for array, type_ in zip(part, types, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        return list(zip(names, types, strict=True))


class _WithoutPandas:
    """Arrow imports pandas with its first array where it is installed: as long as a sheet takes, in vain."""

    def find_spec(self, name: str, *_: object) -> None:
        """No module but pandas is this finder's. Raises ModuleNotFoundError for it."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def main() -> None:
    """Read the request from standard input, answer on standard output."""
    sys.meta_path.insert(0, _WithoutPandas())
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
            workers=cores(),
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
