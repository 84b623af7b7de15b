"""What an import is asked to do and what it reports; plain values, all of them JSON-able."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from versioned_tables.schema.columns import EvolutionRules

Mode = Literal["replace", "append", "upsert"]
Format = Literal["auto", "csv", "excel", "parquet", "json", "jsonl"]
REJECTED_LISTED = 1000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file and what to do with its rows. `None` and `auto` mean: find out and say so in the report.

    `key` holds column names; None keeps the key the table has, () declares that there is none. `declared` maps column
    names to types and then decides. `max_rejected` rows may be left out before the import fails. `table` names the
    table of a file that has only one. `skip_lines` rows above the header are left out (the header is in row 3: 2);
    lines that begin with `comment` are left out wherever they stand.
    """

    mode: Mode = "replace"
    format: Format = "auto"
    table: str = "data"
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    header: bool | None = None
    skip_lines: int | None = None
    comment: str | None = None
    key: tuple[str, ...] | None = None
    declared: Mapping[str, str] = field(default_factory=dict)
    null_values: tuple[str, ...] = ()
    max_rejected: int = 0
    evolution: EvolutionRules = field(default_factory=EvolutionRules)
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was left out: number of the record after the header (from 1), why, the start of its text, and the line
    of the file, or the row of the sheet, where it begins (0 where a file has none).

    `rule`: `fields` (another number of them), `type`, `required` (an empty cell), `json` or `object` (no JSON object).
    """

    row: int
    reason: str
    text: str = ""
    line: int = 0
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """A column as it was read: name, type, and the reason for the type."""

    name: str
    type: str
    reason: str


@dataclass(slots=True)
class TableReport:
    """One table of an import."""

    name: str
    rows: int = 0
    columns: list[ColumnReport] = field(default_factory=list)
    rejected_count: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(slots=True)
class ImportReport:
    """What an import found and did; `to_json` is what a job stores."""

    format: str = ""
    encoding: str = ""
    compression: str = ""
    delimiter: str = ""
    quote: str = ""
    header: bool = True
    header_reason: str = ""
    sequential_from: int | None = None
    bytes_read: int = 0
    tables: list[TableReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """Plain JSON."""
        from dataclasses import asdict

        return asdict(self)
