"""Delimiter, quote and header of a text file, scored on the head (and the middle and tail where they can be had)."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence

import clevercsv

from dataforge.contexts.datasets.parsing.splitting import Dialect

DELIMITERS = (",", ";", "\t", "|", ":", "^")
_ROWS = 200
_TYPED = re.compile(
    r"\s*(?:|-?\d+|-?\d*[.,]\d+|\d{4}-\d\d-\d\d(?:[T ][\d:.]+Z?)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
    r"|[\w.+-]+@[\w.-]+|true|false|\w+|[\w ]+)\s*\Z",
    re.IGNORECASE,
)

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
    escape = (
        "\\"
        if chosen[1]
        and re.search(r"\\" + re.escape(chosen[1]) + r"(?!\s*(?:\r|\n|\Z|" + re.escape(chosen[0]) + r"))", head)
        else ""
    )
    return Dialect(chosen[0], chosen[1], escape, newline)


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


def sample_rows(sample: str, dialect: Dialect) -> list[list[str]]:
    """The first complete records of a sample."""
    csv.field_size_limit(1 << 20)
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        reader = csv.reader(
            io.StringIO(sample, newline=""),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            escapechar=dialect.escape or None,
        )
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > _ROWS:
                break
    return rows[:-1] if len(rows) > 1 and not sample.endswith(("\n", "\r")) else rows


def _second_opinion(head: str, chosen: tuple[str, str], candidates: set[str]) -> tuple[str, str]:
    try:
        found = clevercsv.Sniffer().sniff(head[:8192])
    except (clevercsv.Error, ValueError, RecursionError):
        return chosen
    return (found.delimiter, chosen[1]) if found is not None and found.delimiter in candidates else chosen


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: it does unless one of its cells is a number or date like the cells below
    it.
    """
    if len(rows) < 2:
        return True
    first = rows[0]
    value = re.compile(r"-?\d+(?:\.\d+)?\Z|\d{4}-\d\d-\d\d")
    like_below = [
        at
        for at, cell in enumerate(first)
        if value.match(cell) and all(at < len(row) and value.match(row[at]) for row in rows[1:20])
    ]
    named = [cell for cell in first if cell and not value.match(cell)]
    return not like_below or (
        bool(named) and len(like_below) == len(first) - len(named) and all(len(first[at]) == 4 for at in like_below)
    )


def header_names(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Unique, non-empty column names, and notes on what had to be changed."""
    names: list[str] = []
    taken: set[str] = set()
    notes: list[str] = []
    for at, cell in enumerate(cells, 1):
        name = " ".join(cell.split()) or f"column_{at}"
        if not cell.strip():
            notes.append(f"Column {at} has no name and is called {name!r}.")
        unique, number = name, 2
        while unique in taken:
            unique = f"{name}_{number}"
            number += 1
        if unique != name:
            notes.append(f"Column {at} repeats the name {name!r} and is called {unique!r}.")
        names.append(unique)
        taken.add(unique)
    return names, notes
