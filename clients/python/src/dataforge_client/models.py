"""What the API answers, as values with types. Members that a newer server adds are left out."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar, Union, get_args, get_origin

T = TypeVar("T")
_KNOWN: dict[type, dict[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A dataset; `permission` is what the caller may do: read, write, admin."""

    id: str
    name: str
    description: str
    tags: list[str]
    default_branch: str
    permission: str | None
    workspace_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or tag and the commit it is at."""

    name: str
    kind: str
    commit_id: str
    protected: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit in a history, newest first."""

    commit_id: str
    parent_commit_id: str | None
    merge_parent_id: str | None
    message: str
    author: str
    created_at: datetime
    row_count: int
    table_count: int
    is_head: bool
    refs: list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a version."""

    sheet_name: str
    row_count: int
    size_bytes: int
    column_count: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What a commit, merge or import did; `unchanged` when there was nothing to change.

    `report` of an import tells of types, notes, and rows that were rejected and why.
    """

    new_commit_id: str
    updated_ref: str
    rows_processed: int
    sheets: list[dict[str, Any]]
    previous_commit_id: str
    unchanged: bool
    report: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work that goes on on the server."""

    id: str
    dataset_id: str
    run_type: str
    status: str
    source_commit_id: str | None
    progress: dict[str, Any]
    output_summary: dict[str, Any] | None
    error: dict[str, Any] | None
    error_message: str | None
    created_at: datetime
    completed_at: datetime | None
    download_url: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ("completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do; with conflicts it needs a rule or resolutions."""

    ours: str
    theirs: str
    base: str | None
    fast_forward: bool
    up_to_date: bool
    sheets: list[dict[str, Any]]
    conflict_count: int
    conflicts: list[dict[str, Any]]


def parse(kind: type[T], values: dict[str, Any]) -> T:
    """Make a value of JSON: members by name, times as datetimes, lists and nested values by their types."""
    made = {name: _convert(hint, values[name]) for name, hint in _hints(kind).items() if name in values}
    return kind(**made)


def _hints(kind: type) -> dict[str, Any]:
    if kind not in _KNOWN:
        hints = typing.get_type_hints(kind)
        _KNOWN[kind] = {field.name: hints[field.name] for field in fields(kind)}
    return _KNOWN[kind]


def _convert(hint: Any, value: Any) -> Any:  # noqa: ANN401 - from JSON to what the hint says
    if value is None:
        return None
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _convert(next(one for one in arguments if one is not type(None)), value)
    if origin is list:
        return [_convert(arguments[0], item) for item in value]
    if hint is datetime:
        return datetime.fromisoformat(value)
    if is_dataclass(hint) and isinstance(hint, type):
        return parse(hint, value)
    return value
