"""Expectations: what a table must be like before a review is merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dataforge.contexts.datasets.errors import FilterRefused

Kind = Literal["not_null", "unique", "range", "regex", "foreign_key", "row_count_drift"]
KINDS: tuple[Kind, ...] = ("not_null", "unique", "range", "regex", "foreign_key", "row_count_drift")


@dataclass(frozen=True, slots=True)
class Expectation:
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
class CheckResult:
    """Whether an expectation holds, how many rows break it, and the first of them by their logical row id."""

    expectation: Expectation
    passed: bool
    broken: int
    examples: tuple[str, ...]
    message: str


def parse_expectation(value: Mapping[str, object]) -> Expectation:
    """The expectation of a JSON object. Raises FilterRefused on an unknown kind or a missing member."""
    kind = value.get("kind")
    if kind not in KINDS:
        raise FilterRefused(f"An expectation has a kind out of {', '.join(KINDS)}; this one has {kind!r}.")
    columns = value.get("columns", [value["column"]] if "column" in value else [])
    if not isinstance(columns, list) or (kind != "row_count_drift" and not columns):
        raise FilterRefused(f"Expectation {kind} names its columns.")
    low, high, share = value.get("low"), value.get("high"), value.get("share", 0.0)
    if not isinstance(share, int | float) or any(
        not isinstance(bound, int | float | str | None) for bound in (low, high)
    ):
        raise FilterRefused(f"Expectation {kind} has a bound that is neither a number nor a text.")
    return Expectation(
        kind,
        tuple(str(name) for name in columns),
        low,  # type: ignore[arg-type]
        high,  # type: ignore[arg-type]
        str(value.get("pattern", "")),
        str(value.get("table", "")),
        str(value.get("other", "")),
        float(share),
    )
