"""Tables whose values come with types: from workbooks, Parquet and JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from versioned_tables.files.options import RejectedRow


def _without_lines(rows: Sequence[int]) -> list[tuple[int, int]]:
    return [(row, 0) for row in rows]


@dataclass(slots=True)
class TypedTable:
    """Names, schema types with the reason for each, and the rows as tables whose columns have the names, again on
    every call; `rows` counts those that were read.

    `places` gives, for ascending numbers of rows (from 1), their numbers in the file and their lines, or rows of the
    sheet; 0 for a file without lines.
    """

    columns: list[tuple[str, str]]
    reasons: list[str]
    read: Callable[[], Iterator[pa.Table]]
    notes: list[str] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    encoding: str = ""
    rows: int = 0
    places: Callable[[Sequence[int]], Sequence[tuple[int, int]]] = _without_lines
