"""Limits of one statement, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from dataforge.kernel.texts import Text

OUT_OF_MEMORY = Text(
    "Out of Memory Error: the statement needs more memory than it may have; ask for fewer rows or columns."
)


@dataclass(frozen=True, slots=True)
class SqlCaps:
    """Limits of one statement: time over all its phases, DuckDB's own memory, what its process may take beside it,
    rows and bytes of the answer.
    """

    seconds: float = 20.0
    memory_mb: int = 512
    beside_mb: int = 768
    rows: int = 10_000
    answer_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True)
class SqlResult:
    """The answer: (name, Arrow type) per column, rows as lists of JSON values; `truncated` when the row cap cut it.

    With `table` the rows are there, and nowhere else.
    """

    columns: list[tuple[str, str]]
    rows: list[list[object]]
    truncated: bool
    elapsed_ms: float
    table: pa.Table | None = None
