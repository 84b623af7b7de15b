"""Wire models of comparisons."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class ComparedVersion(BaseModel):
    """One side of a comparison."""

    ref_name: str | None
    commit_id: str


class ChangeCounts(BaseModel):
    """Changed rows by kind."""

    inserted: int
    updated: int
    deleted: int


class SheetComparison(BaseModel):
    """A sheet on both sides; `schema` says what became of its columns."""

    sheet_name: str
    status: str
    schema_changes: Annotated[dict[str, Any] | None, Field(alias="schema")]
    counts: ChangeCounts
    guessed_updates: int
    base_rows: int
    head_rows: int


class ChangedRow(BaseModel):
    """A changed row: its place and its cells on both sides, null where it is not."""

    kind: Literal["inserted", "updated", "deleted"]
    base_row: int | None
    head_row: int | None
    changed_columns: list[str]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    guessed: bool


class VersionComparison(BaseModel):
    """What is different between two versions, and a page of changed rows of one sheet."""

    dataset_id: UUID
    base: ComparedVersion
    head: ComparedVersion
    identical: bool
    sheets: list[SheetComparison]
    sheet_name: str | None
    rows: list[ChangedRow]
    total_rows: int
    offset: int
    limit: int
    next_cursor: str | None
    has_more: bool
