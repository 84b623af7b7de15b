"""Where a table begins: lines above it that are no rows, and whether its first row names the columns.

The same rules hold for text files and for sheets; what was found is said with its evidence, and `skip_lines` and
`header` of an import decide instead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dataforge.kernel.texts import Text
from versioned_tables.schema.names import sql_name

LOOKED_AT = 60
_MOST_TITLES = 20
_KINDS = {
    "number": re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)*(?:[eE][-+]?[0-9]+)?\s?%?\Z"),
    "date": re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}\b"),
    "time": re.compile(r"[0-9]{1,2}:[0-9]{2}"),
}
_MISSING = frozenset({"na", "n/a", "nan", "null", "none", "-", "--", "?"})
_WORD = re.compile(r"[^\W\d]\w*\Z")
_YEAR = re.compile(r"(?:19|20)\d\d\Z")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Heading:
    """Rows to leave out above the table, whether the next one names the columns, and why."""

    skipped: int
    header: bool
    reason: str


def find_heading(rows: Rows, *, header: bool | None, skip: int | None) -> Heading:
    """The heading of a table that begins with `rows` (empty ones included)."""
    skipped = titles_above(rows) if skip is None else skip
    if header is not None:
        return Heading(skipped, header, "declared")
    found, reason = names_columns([row for row in rows[skipped:] if any(row)])
    return Heading(skipped, found, reason)


def left_out(count: int, what: str, shown: str) -> str:
    """The sentence on lines or rows that are titles."""
    many = f"1 {what} above the table was" if count == 1 else f"{count} {what}s above the table were"
    return Text("{many} left out: {shown}.", many=many, shown=shown)


def titles_above(rows: Rows) -> int:
    """How many rows above the table are titles: they fill one cell at most where the table fills more.

    A row that fills one cell may also be the first of a ragged table. So an empty row below it has to set it apart, or
    what follows has to be a header: by the types of the values under it, or by names in three columns or more. Titles
    of several cells (a comma in one, names beside what they stand for) need a header below, by the values under it if
    there is no empty row above it.
    """
    lengths = Counter(len(row) for row in rows if sum(map(bool, row)) > 1)
    if not lengths:
        return _empty_above(rows)
    usual = lengths.most_common(1)[0][0]
    at = longer = _longer_titles(rows, usual)
    while at < min(len(rows), _MOST_TITLES) and sum(map(bool, rows[at])) <= 1:
        at += 1
    if at == len(rows) or at == _MOST_TITLES or len(rows[at]) != usual:
        return _empty_above(rows)
    titles = [row for row in rows[:at] if any(row)]
    if not titles:
        return at
    apart = not any(rows[at - 1])
    below = [row for row in rows[at:] if any(row)]
    if sum(len(row) == usual for row in below) * 5 < len(below) * 4:
        return _empty_above(rows)
    return at if apart or longer or _heads(below) else _empty_above(rows)


def _longer_titles(rows: Rows, usual: int) -> int:
    """How many rows stand above a header and have another width than the table: apart, by an empty row, or not."""
    # Rows of a sheet are all of one length, so a title has to leave half of it empty, and stand apart.
    sheet = all(len(row) == usual for row in rows)
    filled = [at for at, row in enumerate(rows[:_MOST_TITLES]) if any(row)]
    end = next((at for at, row in enumerate(filled) if not _is_title(rows[row], usual, sheet=sheet)), len(filled))
    for place in range(min(end, len(filled) - 1), 0, -1):
        at = filled[place]
        apart = at > filled[place - 1] + 1
        if len(rows[at]) != usual or not (apart or (place == end and not sheet)):
            continue
        below = [row for row in rows[at:] if any(row)]
        if _heads(below) if apart else len(below) > 1 and _differs(below):
            return at
    return 0


def _is_title(row: Sequence[str], usual: int, *, sheet: bool) -> bool:
    width = _width(row)
    if width > 1 and _kind(row[0]):
        return False  # a row of another table
    if sheet:
        return width <= usual // 2
    return width != usual or not all(_WORD.match(cell) for cell in row)


def _width(row: Sequence[str]) -> int:
    return max((at for at, cell in enumerate(row, 1) if cell), default=0)


def _heads(rows: Rows) -> bool:
    """Whether the first row is a header: text above values, or names in three columns or more."""
    named = len(rows) > 1 and _differs(rows)
    return named or (len(rows[0]) > 2 and all(rows[0]) and not any(map(_kind, rows[0])))


def _empty_above(rows: Rows) -> int:
    return next((at for at, row in enumerate(rows) if any(row)), 0)


def _kind(cell: str) -> str:
    return next((kind for kind, pattern in _KINDS.items() if pattern.match(cell)), "")


def _kind_below(rows: Rows, at: int) -> str:
    """The kind of all values under a cell of the first row; nothing when they are no values or of several kinds."""
    kinds = {_kind(row[at]) for row in rows[1:] if at < len(row) and row[at] and row[at].lower() not in _MISSING}
    return kinds.pop() if len(kinds) == 1 else ""


def _differs(rows: Rows) -> bool:
    """Whether a cell of the first row is text above nothing but values."""
    return any(
        cell and cell.lower() not in _MISSING and not _kind(cell) and _kind_below(rows, at)
        for at, cell in enumerate(rows[0])
    )


def names_columns(rows: Rows) -> tuple[bool, str]:
    """Whether the first row names the columns, and why: it does unless one of its cells is a number, date or time like
    the cells below it.
    """
    if not rows:
        return True, Text("there are no rows")
    first = [(at, cell) for at, cell in enumerate(rows[0]) if cell]
    if len(rows) == 1:
        data = bool(first) and all(_kind(cell) for _, cell in first)
        return not data, Text("the only row holds values") if data else Text("the only row holds text")
    like_below = [(at, cell) for at, cell in first if (kind := _kind(cell)) and kind == _kind_below(rows, at)]
    if _differs(rows):
        return True, Text("the first row names the columns: it has text above values")
    if not like_below:
        return True, Text("the first row names the columns: nothing in it is a value like those below")
    named = [cell for _, cell in first if not _kind(cell)]
    years = all(_YEAR.match(cell) for _, cell in like_below)
    if named and years and len(like_below) + len(named) == len(first):
        return True, Text("the first row names the columns: names beside years")
    at, cell = like_below[0]
    return False, Text(
        "the first row is data: {cell!r} in column {at} is a value like those below it", cell=cell[:40], at=at + 1
    )


def header_names(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Non-empty column names that SQL can tell apart, and notes on what had to be changed."""
    names: list[str] = []
    taken: set[str] = set()
    notes: list[str] = []
    for at, cell in enumerate(cells, 1):
        name = " ".join(cell.split()) or f"column_{at}"
        if not cell.strip():
            notes.append(Text("Column {at} has no name and is called {name!r}.", at=at, name=name))
        unique, number = name, 2
        while sql_name(unique) in taken:
            unique = f"{name}_{number}"
            number += 1
        if unique != name:
            notes.append(
                Text("Column {at} repeats the name {name!r} and is called {unique!r}.", at=at, name=name, unique=unique)
            )
        names.append(unique)
        taken.add(sql_name(unique))
    return names, notes
