"""How a value is written into a cell of a CSV file (RFC 4180), for programs and for spreadsheets.

A CSV file of ours is UTF-8 with a header line, commas, and CRLF at the end of each line. Spreadsheets want a byte order
mark, and run a text that begins like a formula (CSV injection): for them such texts get an apostrophe, which they do
not show; for programs they stay as they are.
"""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# The last four are the full-width forms, which Japanese editions of spreadsheets take for the same.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_cell(value: object, *, excel: bool = False) -> str:
    """The text of a value that JSON can hold, or of a time.

    Nothing for None; `true` and `false`; times in UTC; a list of plain values as one line of CSV with semicolons;
    other lists and objects as JSON.
    """
    match value:
        case None:
            text = ""
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case int() | float():
            return repr(value)  # a negative number is no formula
        case datetime():
            text = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            text = value.isoformat()
        case list() | tuple():
            text = _joined(value)
        case _:
            text = _as_json(value)
    return f"'{text}" if excel and text.startswith(_FORMULA) else text


def write_lines(lines: Iterable[Iterable[str]]) -> bytes:
    """Lines of cells that are texts already."""
    file = io.StringIO()
    csv.writer(file).writerows(lines)
    return file.getvalue().encode()


def _joined(values: Iterable[object]) -> str:
    plain = list(values)
    if any(isinstance(value, dict | list | tuple) for value in plain):
        return _as_json(plain)
    if not plain:
        return ""
    line = io.StringIO()
    csv.writer(line, delimiter=";").writerow([write_cell(value) for value in plain])
    return line.getvalue().removesuffix("\r\n")


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
