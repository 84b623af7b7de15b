"""Wire models of what is in a version."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.datasets.wire_types import In


class SqlIn(In):
    """One SELECT (or EXPLAIN of one) over the sheets of the version; each sheet is a table of its name."""

    sql: Annotated[str, Field(min_length=1, max_length=100_000)]
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000


class DataRow(BaseModel):
    """A row: `logical_row_id` is its key, or its hash in a table without a key."""

    sheet_name: str
    logical_row_id: str
    data: dict[str, Any]


class DataPage(BaseModel):
    """A page of rows; `total_rows` is null where a filter makes it unknown."""

    dataset_id: UUID
    ref_name: str | None
    commit_id: str
    rows: list[DataRow]
    total_rows: int | None
    offset: int
    limit: int
    next_cursor: str | None
    has_more: bool
