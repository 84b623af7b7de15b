"""Wire models of what is in a version."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from dataforge.contexts.datasets.commits.wire import CommitTableOut
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


class OfVersion(BaseModel):
    """What was read: `ref_name` is the branch or tag it was asked by, null for a commit."""

    dataset_id: UUID
    ref_name: str | None
    commit_id: str


class ColumnSchema(BaseModel):
    """A column: its id stays when its name changes."""

    id: int
    name: str
    type: str
    nullable: bool


class SheetSchema(BaseModel):
    """The columns of a sheet in order, and the names of those of its key."""

    sheet_name: str
    columns: list[ColumnSchema]
    key: list[str]


class VersionSchema(OfVersion):
    """The schema of the sheets asked for."""

    sheets: list[SheetSchema]


class VersionTables(OfVersion):
    """The sheets of a version."""

    tables: list[CommitTableOut]


class OverviewCommit(BaseModel):
    """The commit of an overview."""

    commit_id: str
    content_hash: str
    parent_commit_id: str | None
    merge_parent_id: str | None
    message: str
    author: str
    author_id: UUID | None
    authored_at: str
    created_at: datetime


class SheetOverview(SheetSchema):
    """A sheet at a glance; `sample` has its first five rows."""

    row_count: int
    size_bytes: int
    sample: list[dict[str, Any]]


class VersionOverview(BaseModel):
    """A version at a glance: twenty sheets at most, and counts of the dataset."""

    dataset_id: UUID
    ref_name: str | None
    commit: OverviewCommit
    table_count: int
    row_count: int
    size_bytes: int
    sheets: list[SheetOverview]
    branches: int
    tags: int
    commits: int
    last_commit_at: datetime | None


class HistogramOut(BaseModel):
    """How many values lie between each edge and the next."""

    counts: list[int]
    edges: list[JsonValue]


class TopValue(BaseModel):
    """A value and how often it occurs."""

    value: JsonValue
    count: int


class ColumnStatistics(BaseModel):
    """What is in a column; quantiles and histogram of numbers and points in time only."""

    name: str
    type: str
    nulls: int
    distinct: int
    min: JsonValue
    max: JsonValue
    not_finite: int
    quantiles: dict[str, JsonValue] | None = None
    histogram: HistogramOut | None = None
    top: list[TopValue] | None = None


class SheetStatistics(OfVersion):
    """Statistics of a sheet, of a sample of its rows if it is large."""

    sheet_name: str
    row_count: int
    rows_read: int
    size_bytes: int
    sampled: bool
    columns: list[ColumnStatistics]


class RowVersion(BaseModel):
    """A commit that changed a row, and the row in it; null where it was deleted."""

    commit_id: str
    kind: str
    data: dict[str, Any] | None
    message: str
    author_id: UUID | None
    created_at: datetime


class RowHistory(OfVersion):
    """The commits that changed a row, newest first."""

    sheet_name: str
    history: list[RowVersion]


class SqlColumn(BaseModel):
    """A column of an answer, with DuckDB's name of its type."""

    name: str
    type: str


class SqlAnswer(OfVersion):
    """The rows that a statement gives; `truncated` says that there are more."""

    columns: list[SqlColumn]
    rows: list[list[JsonValue]]
    truncated: bool
    elapsed_ms: float
