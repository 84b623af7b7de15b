"""Which reader a file needs: by its first bytes, and only among text formats by its name."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zipfile import ZipInfo

from dataforge.kernel.texts import Text
from versioned_tables.errors import ArchiveRefused, ImportRefused, WorkbookRefused
from versioned_tables.files.archives import (
    ZipArchive,
    gzip_blocks,
    label,
    zstd_blocks,
)
from versioned_tables.files.boundary import Place
from versioned_tables.files.dialect import is_delimited
from versioned_tables.files.encoding import Encoding, detect_encoding
from versioned_tables.files.excel import WorkbookFile, sheet_tables
from versioned_tables.files.json_values import Document, json_document
from versioned_tables.files.options import ImportOptions, ImportReport
from versioned_tables.files.parquet import parquet_table
from versioned_tables.files.sources import BLOCK, FileSource
from versioned_tables.files.text_file import Blocks, Samples, decoded_head
from versioned_tables.files.typed import TypedTable
from versioned_tables.imports.json_tables import json_table
from versioned_tables.schema.names import sql_name

_AHEAD = 2
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_JSON_NAMES = (".json", ".jsonl", ".ndjson", ".jsonlines", ".geojson")
_JSON_FORMATS = ("json", "jsonl")
_PEEKED = 1 << 20
_SNIFFED = 64 << 10
# What may not be inside of a compressed file, by its first bytes.
_INNER = {
    b"PK\x03\x04": Text("a zip archive or a workbook"),
    b"PAR1": Text("a Parquet file"),
    b"\x1f\x8b\x08": Text("a gzip file"),
    b"\x28\xb5\x2f\xfd": Text("a zstd file"),
    b"\xd0\xcf\x11\xe0": Text("an old workbook"),
}
_NAMED_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xls": "excel",
    ".parquet": "parquet",
    **dict.fromkeys(_JSON_NAMES, "json"),
}
# What is no table and yet would be read as text, by its first characters in lower case.
_NO_TABLE = {
    b"<!doctype html": Text("an HTML page"),
    b"<html": Text("an HTML page"),
    b"<?xml": Text("an XML document"),
    b"%pdf-": Text("a PDF document"),
    b"{\\rtf": Text("an RTF document"),
    b"\x89png": Text("an image"),
    b"gif8": Text("an image"),
    b"\xff\xd8\xff": Text("an image"),
    b"sqlite format 3\x00": Text("an SQLite database"),
    b"arrow1\x00": Text("an Arrow file"),
    b"obj\x01": Text("an Avro file"),
    b"7z\xbc\xaf": Text("a 7-Zip archive"),
    b"rar!\x1a": Text("a RAR archive"),
    b"\xfd7zxz": Text("an xz file"),
    **{b"bzh%d1ay&sy" % level: Text("a bzip2 file") for level in range(1, 10)},
    b"$fl2@(#)": Text("an SPSS file"),
    b"<!--": Text("an XML document"),
}
# An element and what it holds; `<TICKER>,<PER>` is a header.
_ELEMENT = re.compile(rb"<([a-z_][\w:.-]*)(?:\s[^<>]*)?>\s*<")
# A byte order mark, space, and the zeros of wider characters.
_BEFORE_MARKUP = b"\xef\xbb\xbf \t\r\n"
_TAR_AT = 257
_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"


@dataclass(frozen=True, slots=True)
class DelimitedText:
    """A text of fields and records that is still to be opened; its name may say what parts the fields."""

    blocks: Blocks
    name: str
    samples: Samples = tuple


@dataclass(frozen=True, slots=True)
class ParsedTable:
    """One table of a file by name: its values come with types, or are text whose types the import finds out."""

    name: str
    content: DelimitedText | TypedTable


def open_file(
    source: FileSource, options: ImportOptions, report: ImportReport, folder: Path | None, place: Place
) -> Iterator[ParsedTable]:
    """Each table of a file, in order; `place` follows. Raises ImportRefused and its kin."""
    if not source.size:
        raise ImportRefused(Text("The file is empty: it has no bytes."))
    report.bytes_read = source.size
    head = source.read(0, 8)
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        yield from _zip(source, options, report, folder, place)
    elif head[:4] == b"PAR1" or options.format == "parquet":
        report.format = "parquet"
        _note_name(source.name, report)
        yield ParsedTable(options.table, parquet_table(source))
    elif options.format == "excel" and head != _OLE:
        raise WorkbookRefused(Text("The file is no .xlsx workbook; it was to be read as one."))
    elif head == _OLE:
        raise WorkbookRefused(
            Text("This is an old .xls or an encrypted workbook; save it as .xlsx without a password.")
        )
    elif head[:2] == b"\x1f\x8b":
        report.compression = "gzip"
        name = source.name.removesuffix(".gz")
        yield ParsedTable(options.table, _text(lambda: gzip_blocks(source), name, options, report))
    elif head[:4] == b"\x28\xb5\x2f\xfd":
        report.compression = "zstd"
        name = source.name.removesuffix(".zst")
        yield ParsedTable(options.table, _text(lambda: zstd_blocks(source), name, options, report))
    else:
        yield ParsedTable(options.table, _plain_text(source, options, report))


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


def _text(blocks: Blocks, name: str, options: ImportOptions, report: ImportReport) -> DelimitedText | TypedTable:
    return _text_content(DelimitedText(blocks, name), next(blocks(), b""), options, report)


def _plain_text(source: FileSource, options: ImportOptions, report: ImportReport) -> DelimitedText | TypedTable:
    text = DelimitedText(_plain(source), source.name, partial(_samples, source))
    return _text_content(text, source.read(0, _PEEKED), options, report)


def _text_content(
    text: DelimitedText, head: bytes, options: ImportOptions, report: ImportReport
) -> DelimitedText | TypedTable:
    """Content decides between JSON and delimited text; the name only hints."""
    inner = next((what for magic, what in _INNER.items() if head.startswith(magic)), "")
    if inner:
        raise ArchiveRefused(
            Text(
                "{name} is {inner} inside of a compressed file; upload it by itself.",
                name=label(text.name),
                inner=inner,
            )
        )
    other = _no_table(head)
    if other and options.format == "auto":
        raise ImportRefused(
            Text(
                "{name} is {other}, not a table. Name the format to read it as one all the same.",
                name=label(text.name),
                other=other,
            )
        )
    found = _json(head, text.blocks, text.name, options)
    if found is None and options.format == "auto" and _is_named_json(text.name) and not _is_delimited(head):
        raise ImportRefused(
            Text(
                "{name} is neither JSON, as its name says, nor a table. Name the format to read it all the same.",
                name=label(text.name),
            )
        )
    report.format = "csv" if found is None else "jsonl" if found[0].layout == "lines" else "json"
    _note_name(text.name, report)
    return text if found is None else json_table(text.blocks, *found, options)


def _no_table(head: bytes) -> str:
    """What a file is that would be read as text and is no table, or nothing."""
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return Text("a tar archive")
    start = head[:64]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = start[2:].replace(b"\x00", b"")  # UTF-16 of ASCII characters
    if start[:2] != b"\xff\xd8":
        start = start.lstrip(_BEFORE_MARKUP).lower()
    return next((what for magic, what in _NO_TABLE.items() if start.startswith(magic)), "") or _markup(head)


def _markup(head: bytes) -> str:
    """Whether a text is an element and its parts, with or without a declaration above it."""
    begins = _ELEMENT.match(head[:_SNIFFED].lstrip(_BEFORE_MARKUP).lower())
    if begins is None:
        return ""
    closed = b"</%s>" % begins.group(1) in head.lower()
    return Text("an XML document") if closed or len(head) >= _PEEKED else ""


def _json(head: bytes, blocks: Blocks, name: str, options: ImportOptions) -> tuple[Document, Encoding] | None:
    """How the file is JSON, and in what encoding; None when it is another text."""
    if options.format not in {"auto", *_JSON_FORMATS}:
        return None
    asked = options.format in _JSON_FORMATS
    hinted = asked or _is_named_json(name)
    if not hinted and head.lstrip(_BEFORE_TEXT)[:1] not in {b"{", b"["}:
        return None
    whole = len(head) < _PEEKED
    encoding = detect_encoding(head, blocks, options.encoding, whole=whole)
    document = json_document(decoded_head(head[:_PEEKED], encoding), hinted=hinted, whole=whole)
    if document is None and asked:
        raise ImportRefused(Text("The file does not begin as JSON does; it was to be read as JSON."))
    return None if document is None else (document, encoding)


def _is_named_json(name: str) -> bool:
    return name.lower().endswith(_JSON_NAMES)


def _is_delimited(head: bytes) -> bool:
    encoding = detect_encoding(head, lambda: iter((head,)), whole=False)
    return is_delimited(decoded_head(head[:_SNIFFED], encoding))


def _note_name(name: str, report: ImportReport) -> None:
    """Say when the content of a file is not what its name promises."""
    extension = Path(name.lower()).suffix
    promised = _NAMED_FORMATS.get(extension)
    found = "json" if report.format == "jsonl" else report.format
    if promised is not None and promised != found:
        report.notes.append(
            Text(
                "The name {name} ends in {extension}, but the content is {found}; that was read.",
                name=label(name),
                extension=extension,
                found=found,
            )
        )


def _zip(
    source: FileSource, options: ImportOptions, report: ImportReport, folder: Path | None, place: Place
) -> Iterator[ParsedTable]:
    archive = ZipArchive(source)
    entries = archive.entries
    if any(entry.filename == "[Content_Types].xml" for entry in entries):
        report.format = "excel"
        _note_name(source.name, report)
        workbook = WorkbookFile(source, archive, folder)
        for name, table in sheet_tables(workbook, options, report):
            place.enter(f"sheet {name!r}")
            yield ParsedTable(name, table)
        return
    report.compression = "zip"
    files = [
        entry for entry in entries if not entry.filename.endswith("/") and not entry.filename.startswith("__MACOSX/")
    ]
    if not files:
        raise ArchiveRefused(Text("{name}: the archive has no files.", name=source.name))
    names = _table_names(files, options)
    for name, entry in names.items():
        place.enter(label(entry.filename))
        yield ParsedTable(name, _text(partial(archive.blocks, entry), label(entry.filename), options, report))


def _table_names(files: list[ZipInfo], options: ImportOptions) -> dict[str, ZipInfo]:
    """One table per file: the declared name when there is one, else the files' own names, made unique."""
    if len(files) == 1:
        return {options.table: files[0]}
    names: dict[str, ZipInfo] = {}
    taken: set[str] = set()
    for entry in files:
        stem = label(entry.filename).rpartition(".")[0] or label(entry.filename)
        name, number = stem, 2
        while sql_name(name) in taken:
            name, number = f"{stem}_{number}", number + 1
        names[name] = entry
        taken.add(sql_name(name))
    return names
