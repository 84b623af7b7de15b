"""A streaming writer of .xlsx (ECMA-376): sheet XML is joined by Arrow, a batch at a time, straight into the zip entry.

Text is inline, dates are serial numbers with a format, whole numbers beyond 15 digits and dates before March 1900 are
text, because a spreadsheet would change them. NaN and Infinity are text, because a cell holds no such number.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from typing import IO, BinaryIO
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from dataforge.kernel.texts import Text
from versioned_tables.errors import OperationRefused
from versioned_tables.schema.texts import text_of

MOST_ROWS = 1_048_575
MOST_COLUMNS = 16_384
MOST_TEXT = 32_767
_EPOCH = (date(1899, 12, 30) - date(1970, 1, 1)).days
_MARCH_1900 = 61
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = (
    f'{_HEAD}<styleSheet {_MAIN}><numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd hh:mm:ss"/>'
    '<numFmt numFmtId="166" formatCode="hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/><xf numFmtId="164" applyNumberFormat="1"/>'
    '<xf numFmtId="165" applyNumberFormat="1"/><xf numFmtId="166" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def sheet_name(name: str, taken: set[str]) -> str:
    """A name a workbook allows: at most 31 characters, none of `[]:*?/\\`, unique without regard to case."""
    clean = "".join("_" if char in "[]:*?/\\" else char for char in name).strip("'")[:31] or "Sheet"
    unique, number = clean, 2
    while unique.lower() in taken:
        tail = f" ({number})"
        unique = clean[: 31 - len(tail)] + tail
        number += 1
    taken.add(unique.lower())
    return unique


def write_workbook(out: BinaryIO, sheets: Iterable[tuple[str, Sequence[str], Iterable[pa.Table]]]) -> int:
    """Write sheets of (name, header, batches); returns the rows written. Raises OperationRefused beyond the limits
    of the format.
    """
    taken: set[str] = set()
    names: list[str] = []
    total = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, header, batches in sheets:
            names.append(sheet_name(name, taken))
            with archive.open(f"xl/worksheets/sheet{len(names)}.xml", "w", force_zip64=True) as part:
                total += _write_sheet(part, names[-1], header, batches)
        _write_parts(archive, names)
    return total


def _write_sheet(part: IO[bytes], name: str, header: Sequence[str], batches: Iterable[pa.Table]) -> int:
    write = part.write
    if len(header) > MOST_COLUMNS:
        raise OperationRefused(
            Text(
                "Sheet {name!r} would have {count} columns; a workbook has at most {most_columns}.",
                name=name,
                count=len(header),
                most_columns=MOST_COLUMNS,
            )
        )
    write(f"{_HEAD}<worksheet {_MAIN}><sheetData>".encode())
    write(
        (
            "<row>"
            + "".join(f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>' for cell in header)
            + "</row>"
        ).encode()
    )
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        if rows > MOST_ROWS:
            raise OperationRefused(
                Text(
                    "Sheet {name!r} would have more than {most_rows} rows; export CSV or Parquet, or filter.",
                    name=name,
                    most_rows=MOST_ROWS,
                )
            )
        if batch.num_rows:
            write(_rows(batch))
    write(b"</sheetData></worksheet>")
    return rows


def _rows(batch: pa.Table) -> bytes:
    cells = [pc.fill_null(_cells(batch.column(at).combine_chunks()), "<c/>") for at in range(batch.num_columns)]
    lines = pc.binary_join_element_wise(pa.scalar("<row>"), *cells, pa.scalar("</row>"), pa.scalar(""))
    return "".join(lines.to_pylist()).encode()


def _cells(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_boolean(kind):
        return _wrapped('<c t="b"><v>', array.cast(pa.uint8()).cast(pa.string()), "</v></c>")
    if pa.types.is_integer(kind):
        text = array.cast(pa.string())
        return pc.if_else(pc.greater(pc.utf8_length(text), 15), _text(text), _wrapped("<c><v>", text, "</v></c>"))
    if pa.types.is_floating(kind):
        numbers = _wrapped("<c><v>", array.cast(pa.string()), "</v></c>")
        return pc.if_else(pc.fill_null(pc.is_finite(array), True), numbers, _text(text_of(array)))  # noqa: FBT003
    if pa.types.is_date(kind):
        serial = pc.subtract(array.cast(pa.int32()), _EPOCH)
        return _serial(serial, text_of(array), 1)
    if pa.types.is_timestamp(kind) and not kind.tz:
        serial = pc.subtract(
            pc.divide(pc.cast(array.cast(pa.int64()), pa.float64(), safe=False), 86_400_000_000.0), float(_EPOCH)
        )
        exact = pc.equal(array.cast(pa.timestamp("ms"), safe=False).cast(kind), array)
        return pc.if_else(exact, _serial(serial, text_of(array), 2), _text(text_of(array)))
    return _text(text_of(array))


def _serial(serial: pa.Array, text: pa.Array, style: int) -> pa.Array:
    return pc.if_else(
        pc.less(serial, _MARCH_1900), _text(text), _wrapped(f'<c s="{style}"><v>', serial.cast(pa.string()), "</v></c>")
    )


def _text(text: pa.Array) -> pa.Array:
    if (pc.max(pc.utf8_length(text)).as_py() or 0) > MOST_TEXT:
        raise OperationRefused(
            Text(
                "A text is longer than {most_text} characters, the most a cell holds; export CSV or Parquet.",
                most_text=MOST_TEXT,
            )
        )
    if pc.any(pc.match_substring_regex(text, _CONTROL)).as_py():
        text = pa.array([None if v is None else _without_controls(v) for v in text.to_pylist()], pa.string())
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "_x000D_")):
        text = pc.replace_substring(text, char, entity)
    return _wrapped('<c t="inlineStr"><is><t xml:space="preserve">', text, "</t></is></c>")


def _without_controls(text: str) -> str:
    return "".join(f"_x{ord(char):04X}_" if ord(char) < 32 and char not in "\t\n\r" else char for char in text)


def _wrapped(before: str, text: pa.Array, after: str) -> pa.Array:
    return pc.fill_null(pc.binary_join_element_wise(pa.scalar(before), text, pa.scalar(after), pa.scalar("")), "<c/>")


def _write_parts(archive: zipfile.ZipFile, names: Sequence[str]) -> None:
    numbers = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, names, strict=True)
    )
    archive.writestr(
        "xl/workbook.xml", f'{_HEAD}<workbook {_MAIN} xmlns:r="{_REL}"><sheets>{sheets}</sheets></workbook>'
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    styles = f'<Relationship Id="rId0" Type="{_REL}/styles" Target="styles.xml"/>'
    archive.writestr(
        "xl/_rels/workbook.xml.rels",
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{relations}{styles}</Relationships>',
    )
    archive.writestr("xl/styles.xml", _STYLES)
    document = f'<Relationship Id="rId1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/>'
    archive.writestr(
        "_rels/.rels", f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{document}</Relationships>'
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
    )
    archive.writestr(
        "[Content_Types].xml",
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{overrides}</Types>',
    )
