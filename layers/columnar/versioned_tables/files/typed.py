"""Tables whose values come with types: from workbooks, Parquet and JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from versioned_tables.files.options import RejectedRow


@dataclass(slots=True)
class TypedTable:
    """Names, schema types with the reason for each, and the rows as tables whose columns have the names, again on
    every call; `rows` counts those that were read.
    """

    columns: list[tuple[str, str]]
    reasons: list[str]
    read: Callable[[], Iterator[pa.Table]]
    notes: list[str] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    encoding: str = ""
    rows: int = 0
