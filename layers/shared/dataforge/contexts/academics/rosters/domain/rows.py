"""Rosters: the rows of a file, and what a plan decides for each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from dataforge.kernel.texts import Text


class RowKind(StrEnum):
    """What a row of a roster describes; the OneRoster file names without their plural."""

    ORG = "org"
    SESSION = "session"
    COURSE = "course"
    CLASS = "class"
    USER = "user"
    ENROLLMENT = "enrollment"


class RowAction(StrEnum):
    """What applying a plan does with a row; `kept` is an enrolment that the file leaves out and the plan does not end.

    CONFLICT rows say what is wrong and do nothing.
    """

    CREATE = "create"
    CHANGE = "change"
    DROP = "drop"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    CONFLICT = "conflict"
    IGNORED = "ignored"


# Rows whose entity other rows of the file can refer to.
USABLE: Final = frozenset({RowAction.CREATE, RowAction.CHANGE, RowAction.UNCHANGED})


@dataclass(frozen=True, slots=True)
class StagedRow:
    """One line of a roster, in one shape for both formats; `line` counts from 1, the header included."""

    row_no: int
    file: str
    line: int
    kind: RowKind
    data: Mapping[str, object]
    sourced_id: str | None = None
    removed: bool = False
    conflict: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """The decision on one row; `data` is added to what the line says, for applying.

    `changes` are the fields of a known thing that become different, as `changes_between` gives them, for people.
    """

    row_no: int
    action: RowAction
    reason: Mapping[str, object] = field(default_factory=dict)
    entity_id: UUID | None = None
    outcome: str | None = None
    wait_no: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    changes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def changes_between(was: Mapping[str, object], now: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """`{"before": {…}, "after": {…}}` of the fields that differ; empty when none does."""
    fields = [name for name in now if now[name] != was.get(name)]
    if not fields:
        return {}
    return {
        "before": {name: _plain(was.get(name)) for name in fields},
        "after": {name: _plain(now[name]) for name in fields},
    }


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def conflict(row_no: int, rule: str, message: str, **facts: object) -> PlannedRow:
    """A row that does nothing, and why."""
    return PlannedRow(row_no, RowAction.CONFLICT, {"rule": rule, "message": message, **facts})


def ignored(row_no: int, message: str, **facts: object) -> PlannedRow:
    """A row that has nothing to say for this semester, and why."""
    return PlannedRow(row_no, RowAction.IGNORED, {"message": message, **facts})


_SPELLED = 5


def spelled_lines(lines: list[int]) -> str:
    """`lines 2, 3 and 7`, for a message; of many the first five."""
    shown = [str(line) for line in sorted(set(lines))]
    if len(shown) == 1:
        return f"line {shown[0]}"
    if len(shown) > _SPELLED:
        shown = [*shown[:_SPELLED], f"{len(shown) - _SPELLED} more"]
    return f"lines {', '.join(shown[:-1])} and {shown[-1]}"


def settle_doubled(rows: list[StagedRow]) -> list[PlannedRow]:
    """Decisions on rows of one kind and sourcedId, in whatever order they come; the row that counts gets none.

    A row that is there wins over one that is to go. Rows that say the same count once. Rows that differ contradict
    each other, and none of them counts.
    """
    living = [row for row in rows if not row.removed] or rows
    first = min(living, key=lambda row: row.row_no)
    others = [row for row in rows if row is not first]
    if any(row.data != first.data for row in living):
        where = spelled_lines([row.line for row in living])
        message = Text(
            "The sourcedId {sourced_id} is on {where}, which differ; correct or remove one.",
            sourced_id=first.sourced_id,
            where=where,
        )
        return [conflict(row.row_no, "duplicate_in_file", message) for row in rows]
    return [
        ignored(
            row.row_no,
            Text("Line {line} says the same.", line=first.line)
            if row.removed == first.removed
            else Text("Line {line} is active.", line=first.line),
            rule="duplicate_in_file",
        )
        for row in others
    ]
