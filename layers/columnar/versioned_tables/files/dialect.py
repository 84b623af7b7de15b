"""Delimiter, quote and header of a text file, scored on the head (and the middle and tail where they can be had)."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from versioned_tables.files.heading import titles_above
from versioned_tables.files.splitting import Dialect

DELIMITERS = (",", ";", "\t", "|", ":", "^")
# Stands between the fields of a file that has one column: no text has this character.
ONE_COLUMN = "\x1f"
_ROWS = 200
_LONGEST_CELL = 1 << 20
_LIMIT_LOCK = Lock()
_TYPED = re.compile(
    r"\s*(?:|-?\d+|-?\d*[.,]\d+|\d{4}-\d\d-\d\d(?:[T ][\d:.]+Z?)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
    r"|[\w.+-]+@[\w.-]+|true|false|\w+|[\w ]+)\s*\Z",
    re.IGNORECASE,
)

# Begins every text of a sequence of JSON texts (RFC 7464).
_RECORD_MARK = "\x1e"
_CLOCK = re.compile(r"\d:\d\d|://")
_NAME = re.compile(r"\w[\w .-]{0,60}\Z")

_Scored = tuple[float, int, bool, str, str]


def detect_dialect(
    head: str,
    more: Callable[[], Sequence[str]] = list,
    *,
    delimiter: str | None = None,
    quote: str | None = None,
) -> Dialect:
    """The dialect that makes rows of one length with cells that look like values; what the caller names is taken as
    it is. Only a head that leaves a doubt is judged together with `more` samples.
    """
    quotes = [quote] if quote is not None else ['"', "'"] if _may_quote(head, "'") else ['"']
    choices = [delimiter] if delimiter else [d for d in DELIMITERS if d in head] or [","]
    samples = [head]
    scored = _scored(samples, choices, quotes)
    if not _clear(head, scored):
        samples += more()
        scored = _scored(samples, choices, quotes)
    newline = "\n" if any("\n" in sample for sample in samples) or "\r" not in head else "\r"
    best, *others = scored
    chosen = best[3], best[4]
    if delimiter is None and (best[0] < 0.6 or (others and others[0][3] != best[3] and others[0][0] > best[0] * 0.97)):
        chosen = _second_opinion(head, chosen, {entry[3] for entry in scored})
    if delimiter is None:
        ranked = [chosen, *((entry[3], entry[4]) for entry in scored if (entry[3], entry[4]) != chosen)]
        chosen = next(
            (choice for choice in ranked if choice[0] in head and explains(head, Dialect(*choice))),
            (ONE_COLUMN, chosen[1]),
        )
    return Dialect(chosen[0], chosen[1], _escape(head, *chosen), newline, spaced=_spaced(head, *chosen))


def _escape(head: str, delimiter: str, quote: str) -> str:
    """A backslash when it stands before quotes that do not end a field."""
    inner = rf"\\{re.escape(quote)}(?!\s*(?:\r|\n|\Z|{re.escape(delimiter)}))"
    return "\\" if quote and re.search(inner, head) else ""


def _spaced(head: str, delimiter: str, quote: str) -> bool:
    """Whether quoted fields follow a delimiter and spaces, and none follows a delimiter at once."""
    if not quote or delimiter in {" ", ONE_COLUMN}:
        return False
    mark, sign = re.escape(delimiter), re.escape(quote)
    return re.search(rf"{mark} +{sign}", head) is not None and re.search(rf"{mark}{sign}", head) is None


def explains(head: str, dialect: Dialect) -> bool:
    """Whether a delimiter explains the whole sample better than one column does.

    Its fields make a table when most rows have as many as the first one, below titles at most. A first row of names
    without a space in them wins even over rows of another length, and so do rows of one length below any other row: a
    ragged table is refused rather than read as one column. Colons stand in times and addresses, so they have to fit
    every row.
    """
    rows = sample_rows(head, dialect, blank=True)
    table = [row for row in rows[titles_above(rows) :] if any(row)]
    if not table or len(table[0]) < 2:
        return False
    alike = sum(len(row) == len(table[0]) for row in table)
    if dialect.delimiter in ":^":
        return alike == len(table) > 1 and not any(_CLOCK.search(line) for line in head.splitlines()[:_ROWS])
    names = all(cell == cell.strip() and _NAME.match(cell) for cell in table[0])
    below = Counter(len(row) for row in table[1:])
    length, times = max(below.items(), key=lambda item: item[1], default=(0, 0))
    even = length > 1 and times > 1 and times * 5 >= below.total() * 4
    return alike * 2 >= len(table) or names or even


def is_delimited(head: str) -> bool:
    """Whether a text that is said to be something else is a table all the same: rows of one length, or a row of names
    (it may be one) above others.
    """
    dialect = detect_dialect(head)
    rows = sample_rows(head, dialect)
    if len(rows) < 2 or dialect.delimiter in ":^" or head.lstrip("\ufeff").startswith(_RECORD_MARK):
        return False
    even = len(rows[0]) > 1 and len({len(row) for row in rows}) == 1
    return even or all(_NAME.match(cell.strip()) for cell in rows[0])


def _scored(samples: Sequence[str], delimiters: Sequence[str], quotes: Sequence[str]) -> list[_Scored]:
    """Every choice, best first."""
    return sorted(
        (
            (_score(samples, d, q), -DELIMITERS.index(d) if d in DELIMITERS else 0, q == '"', d, q)
            for d in delimiters
            for q in quotes
        ),
        reverse=True,
    )


def _clear(head: str, scored: Sequence[_Scored]) -> bool:
    """Whether the best choice makes all rows of the head alike, and no other comes near."""
    best, *others = scored
    lengths = {len(row) for row in sample_rows(head, Dialect(best[3], best[4]))}
    return "\n" in head and len(lengths) == 1 and max(lengths) > 1 and all(other[0] * 2 < best[0] for other in others)


def _may_quote(head: str, quote: str) -> bool:
    return (
        head.count(quote) >= 2
        and '"' not in head
        and re.search(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", head, re.MULTILINE) is not None
    )


def _score(samples: Sequence[str], delimiter: str, quote: str) -> float:
    """Share of rows of the usual length times share of typed cells; one column alone never wins over a split that
    holds.
    """
    total = weight = 0.0
    for sample in samples:
        rows = sample_rows(sample, Dialect(delimiter, quote))
        if not rows:
            continue
        lengths = Counter(len(row) for row in rows)
        usual, times = max(lengths.items(), key=lambda item: (item[1], item[0]))
        cells = Counter(cell[:100] for row in rows if len(row) == usual for cell in row)
        typed = sum(count for cell, count in cells.items() if _TYPED.match(cell)) / max(1, cells.total())
        pattern = (times / len(rows)) ** 2 * (1 - 1 / (usual + 0.5))
        total += pattern * (0.3 + 0.7 * typed) * len(rows)
        weight += len(rows)
    return total / weight if weight else 0.0


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    """Cells of a MiB for as long as a sample is read: the limit is one for the whole process, and others read, too."""
    with _LIMIT_LOCK:
        usual = csv.field_size_limit(_LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(usual)


def sample_rows(sample: str, dialect: Dialect, *, blank: bool = False) -> list[list[str]]:
    """The first complete records of a sample; `blank` keeps empty lines."""
    rows: list[list[str]] = []
    with _long_fields(), contextlib.suppress(csv.Error):
        reader = csv.reader(
            io.StringIO(sample, newline=""),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            escapechar=dialect.escape or ("\\" if dialect.quote and f"\\{dialect.quote}" in sample else None),
            skipinitialspace=bool(dialect.quote) and f"{dialect.delimiter} {dialect.quote}" in sample,
        )
        for row in reader:
            if row or blank:
                rows.append(row)
            if len(rows) > _ROWS:
                break
    return rows[:-1] if len(rows) > 1 and not sample.endswith(("\n", "\r")) else rows


def _second_opinion(head: str, chosen: tuple[str, str], candidates: set[str]) -> tuple[str, str]:
    import clevercsv

    try:
        found = clevercsv.Sniffer().sniff(head[:8192])
    except (clevercsv.Error, ValueError, RecursionError):
        return chosen
    return (found.delimiter, chosen[1]) if found is not None and found.delimiter in candidates else chosen
