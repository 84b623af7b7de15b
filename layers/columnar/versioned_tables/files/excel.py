"""Workbooks: checked as a zip first, then read in a child process whose memory and time are limited.

The reader asks the allocator for the whole rectangle between the first and the last cell, and a hostile or unlucky
workbook of 5 KB can make that 550 GB, which aborts the process. In a child an abort is an import error.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import WorkbookRefused
from versioned_tables.files.archives import Budget, ZipArchive, is_encrypted, label
from versioned_tables.files.options import ImportOptions, ImportReport
from versioned_tables.files.sources import BLOCK, FileSource
from versioned_tables.files.typed import TypedTable

MOST_WORKBOOK_BYTES = 1 << 30
MOST_INFLATED = 8 << 30
MEMORY_BYTES = 3 << 30
SECONDS = 300
_ROWS = 65_536


class WorkbookFile:
    """A workbook that passed the checks of its archive; unpacked and read once, when its sheets are asked for."""

    def __init__(self, source: FileSource, archive: ZipArchive, folder: Path | None) -> None:
        if source.size > MOST_WORKBOOK_BYTES:
            raise WorkbookRefused(
                Text(
                    "{name}: the workbook is larger than {most_workbook_bytes} MB.",
                    name=source.name,
                    most_workbook_bytes=MOST_WORKBOOK_BYTES >> 20,
                )
            )
        self.source = source
        self.folder = folder
        total = Budget(source.name, most=MOST_INFLATED)
        for entry in archive.entries:
            if is_encrypted(entry):
                raise WorkbookRefused(
                    Text("{name}: the workbook is encrypted; save it without a password.", name=source.name)
                )
            if not entry.filename.endswith((".xml", ".rels")):
                continue
            for block in archive.blocks(entry, most=MOST_INFLATED):
                total.count(0, len(block))
                total.packed = source.size


def sheet_tables(
    workbook: WorkbookFile, options: ImportOptions, report: ImportReport
) -> Iterator[tuple[str, TypedTable]]:
    """Every sheet that has a header, in order. Raises WorkbookRefused naming the sheet and the cell where it can."""
    with tempfile.TemporaryDirectory(dir=workbook.folder, prefix="workbook-") as name:
        folder = Path(name)
        path = folder / "workbook.xlsx"
        with path.open("wb") as out:
            out.writelines(workbook.source.stream(0, workbook.source.size, BLOCK))
        found = run_reader(path, folder, options)
        report.notes.extend(found["notes"])
        if not any(sheet["columns"] for sheet in found["sheets"]):
            raise WorkbookRefused(Text("The workbook is empty: no sheet has a header or rows."))
        for sheet in found["sheets"]:
            if not sheet["columns"]:
                report.notes.append(Text("Sheet {name!r} is empty and was left out.", name=sheet["name"]))
                continue
            columns = [(column, type_) for column, type_ in sheet["columns"]]
            yield (
                sheet["name"],
                TypedTable(
                    columns,
                    ["cells of the sheet"] * len(columns),
                    _reader(folder / sheet["file"]),
                    sheet["notes"],
                    places=partial(_rows_of_sheet, sheet["first"]),
                ),
            )


def _rows_of_sheet(first: int, rows: Sequence[int]) -> list[tuple[int, int]]:
    return [(row, first + row - 1) for row in rows]


def _reader(path: Path) -> Callable[[], Iterator[pa.Table]]:
    def read() -> Iterator[pa.Table]:
        with pa.memory_map(str(path)) as file:
            reader = pa.ipc.open_file(file)
            for at in range(reader.num_record_batches):
                yield pa.Table.from_batches([reader.get_batch(at)])

    return read


def run_reader(
    path: Path, folder: Path, options: ImportOptions, *, memory: int = MEMORY_BYTES, seconds: float = SECONDS
) -> dict[str, list[Any]]:
    """The child's findings. Raises WorkbookRefused when it refuses, dies or takes too long."""
    request = json.dumps(
        {
            "path": str(path),
            "folder": str(folder),
            "memory": memory,
            "sheets": list(options.sheets),
            "header": options.header,
            "skip": options.skip_lines,
        }
    )
    module = "versioned_tables.files.excel_child"
    code = f"import sys; sys.path[:] = {sys.path!r}; from {module} import main; main()"
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and code; the file name goes over standard input
            [sys.executable, "-c", code], input=request.encode(), capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise WorkbookRefused(
            Text(
                "{name}: reading the workbook took more than {seconds:.0f} seconds.",
                name=label(path.name),
                seconds=seconds,
            )
        ) from error
    if done.returncode != 0:
        raise WorkbookRefused(
            Text(
                "The workbook cannot be read within {memory} MB of memory "
                "(the reader stopped with code {returncode}). "
                "Save it again, or export the sheet as CSV.",
                memory=memory >> 20,
                returncode=done.returncode,
            )
        )
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise WorkbookRefused(str(answer["refused"]))
    return dict(answer)
