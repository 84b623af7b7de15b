"""Wire models of expectations."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from dataforge.contexts.datasets.expectations.domain import ExpectationRule, Severity
from dataforge.contexts.datasets.wire_types import ColumnName, In, Name, Sheet


class ExpectationIn(In):
    """Something that must be true of a table; `parameters` differ by rule."""

    name: Name
    rule: ExpectationRule
    sheet: Sheet | None = None
    columns: Annotated[list[ColumnName], Field(max_length=32)] = []
    parameters: dict[str, JsonValue] = {}
    severity: Severity = Severity.ERROR


class ExpectationOut(BaseModel):
    """An expectation."""

    id: UUID
    name: str
    rule: str
    sheet: str | None
    columns: list[str]
    parameters: dict[str, Any]
    severity: str
    created_by: UUID | None
    created_at: datetime


class ExpectationList(BaseModel):
    """The expectations of a dataset, by name."""

    items: list[ExpectationOut]


class CheckOut(BaseModel):
    """How a version fares with one expectation; `examples` are rows that break it."""

    expectation_id: UUID
    name: str
    rule: ExpectationRule
    severity: Severity
    sheet: str | None
    passed: bool
    violations: int
    detail: str
    examples: list[dict[str, Any]]


class VersionChecks(BaseModel):
    """How a version fares with every expectation; `passed` unless one of severity error is broken."""

    dataset_id: UUID
    commit_id: str
    results: list[CheckOut]
    passed: bool
