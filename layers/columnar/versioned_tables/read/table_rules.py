"""Rules that a table can be checked against, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["not_null", "unique", "range", "regex", "foreign_key", "row_count_drift"]


@dataclass(frozen=True, slots=True)
class TableRule:
    """One rule. `low` and `high` bound a range; `pattern` is RE2 and must match the whole text; `table` and `other`
    name the referenced table and column; `share` is how far the number of rows may move (0.1 is ten per cent)."""

    kind: Kind
    columns: tuple[str, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    pattern: str = ""
    table: str = ""
    other: str = ""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """Whether a rule holds, how many rows break it, and the first of them by their logical row id."""

    rule: TableRule
    passed: bool
    broken: int
    examples: tuple[str, ...]
    message: str
