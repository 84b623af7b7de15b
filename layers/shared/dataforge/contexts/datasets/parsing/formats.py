"""Which reader a file needs: by its first bytes, and only among text formats by its name."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.errors import ArchiveRefused, ImportRefused, WorkbookRefused
from dataforge.contexts.datasets.model.imports import ImportOptions, ImportReport
from dataforge.contexts.datasets.parsing.archives import (
    ZipEntry,
    gzip_blocks,
    label,
    zip_blocks,
    zip_entries,
    zstd_blocks,
)
from dataforge.contexts.datasets.parsing.boundary import Place
from dataforge.contexts.datasets.parsing.excel import WorkbookFile, sheet_tables
from dataforge.contexts.datasets.parsing.jsonl import json_table
from dataforge.contexts.datasets.parsing.parquet import parquet_table
from dataforge.contexts.datasets.parsing.sources import BLOCK, FileSource
from dataforge.contexts.datasets.parsing.text_file import Blocks, Samples
from dataforge.contexts.datasets.parsing.typed import TypedTable

_AHEAD = 2
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"\x28\xb5\x2f\xfd")
_JSON_NAMES = (".jsonl", ".ndjson", ".jsonlines")


class Lander(Protocol):
    """Takes the rows of one table and gives its manifest."""

    def text(self, blocks: Blocks, *, name: str, samples: Samples = tuple) -> Manifest:
        """Land a delimited text."""
        ...

    def typed(self, table: TypedTable) -> Manifest:
        """Land a table whose types are known."""
        ...


Landing = Callable[[Lander], Manifest]


def open_file(
    source: FileSource, options: ImportOptions, report: ImportReport, folder: Path | None, place: Place
) -> Iterator[tuple[str, Landing]]:
    """Each table of a file by name, with what lands it; `place` follows. Raises ImportRefused and its kin."""
    if not source.size:
        raise ImportRefused("The file is empty: it has no bytes.")
    report.bytes_read = source.size
    head = source.read(0, 8)
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        yield from _zip(source, options, report, folder, place)
    elif head[:4] == b"PAR1" or options.format == "parquet":
        report.format = "parquet"
        yield options.table, lambda lander: lander.typed(parquet_table(source))
    elif head == _OLE:
        raise WorkbookRefused("This is an old .xls or an encrypted workbook; save it as .xlsx without a password.")
    elif head[:2] == b"\x1f\x8b":
        report.compression = "gzip"
        yield options.table, _text(lambda: gzip_blocks(source), source.name.removesuffix(".gz"), options, report)
    elif head[:4] == b"\x28\xb5\x2f\xfd":
        report.compression = "zstd"
        yield options.table, _text(lambda: zstd_blocks(source), source.name.removesuffix(".zst"), options, report)
    else:
        yield options.table, _text(_plain(source), source.name, options, report, partial(_samples, source))


def _is_jsonl(name: str, options: ImportOptions) -> bool:
    return options.format == "jsonl" or (options.format == "auto" and name.lower().endswith(_JSON_NAMES))


def _plain(source: FileSource) -> Blocks:
    return lambda: _read_ahead(source)


def _read_ahead(source: FileSource) -> Iterator[bytes]:
    """Blocks in order; once a second one is asked for, the next ones are read while the caller works."""
    blocks = source.stream(0, source.size, BLOCK)
    yield next(blocks)
    # One thread: the blocks come out of one request, one after the other.
    with ThreadPoolExecutor(1, thread_name_prefix="read") as pool:
        waiting = deque(pool.submit(next, blocks, b"") for _ in range(_AHEAD))
        while block := waiting.popleft().result():
            waiting.append(pool.submit(next, blocks, b""))
            yield block


def _samples(source: FileSource) -> tuple[bytes, ...]:
    """The middle and the tail of a file that is larger than its head."""
    if source.size < 4 << 20:
        return ()
    return source.read(source.size // 2, 32 << 10), source.read(source.size - (32 << 10), 32 << 10)


def _text(blocks: Blocks, name: str, options: ImportOptions, report: ImportReport, samples: Samples = tuple) -> Landing:
    report.format = "jsonl" if _is_jsonl(name, options) else "csv"
    if report.format == "jsonl":
        return lambda lander: lander.typed(json_table(blocks, options))
    return lambda lander: lander.text(blocks, name=name, samples=samples)


def _zip(
    source: FileSource, options: ImportOptions, report: ImportReport, folder: Path | None, place: Place
) -> Iterator[tuple[str, Landing]]:
    entries = zip_entries(source)
    if any(entry.name == "[Content_Types].xml" for entry in entries):
        report.format = "excel"
        workbook = WorkbookFile(source, entries, folder)
        for name, table in sheet_tables(workbook, options, report):
            place.enter(f"sheet {name!r}")
            yield name, _typed(table)
        return
    report.compression = "zip"
    files = [entry for entry in entries if not entry.name.endswith("/") and not entry.name.startswith("__MACOSX/")]
    if not files:
        raise ArchiveRefused(f"{source.name}: the archive has no files.")
    names = _table_names(files, options)
    for name, entry in names.items():
        place.enter(label(entry.name))
        yield name, _text(_entry(source, entry), label(entry.name), options, report)


def _typed(table: TypedTable) -> Landing:
    return lambda lander: lander.typed(table)


def _entry(source: FileSource, entry: ZipEntry) -> Blocks:
    return lambda: zip_blocks(source, entry)


def _table_names(files: list[ZipEntry], options: ImportOptions) -> dict[str, ZipEntry]:
    """One table per file: the declared name when there is one, else the files' own names, made unique."""
    if len(files) == 1:
        return {options.table: files[0]}
    names: dict[str, ZipEntry] = {}
    for entry in files:
        stem = label(entry.name).rpartition(".")[0] or label(entry.name)
        name, number = stem, 2
        while name in names:
            name, number = f"{stem}_{number}", number + 1
        names[name] = entry
    return names
