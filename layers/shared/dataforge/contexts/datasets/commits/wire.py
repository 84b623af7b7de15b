"""Wire models of commits."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.datasets.wire_types import Cells, ColumnName, In, ListOut, Message, Sheet
from dataforge.http.list_columns import CsvRows

MAX_OPERATIONS = 10_000


class RowOperationIn(In):
    """One change of a row; `key` names the row of update and delete, an insert carries its key in `values`."""

    op: Literal["insert", "update", "delete"]
    sheet: Sheet | None = None
    key: Cells = {}
    values: Cells = {}


class NewColumnIn(In):
    """A column to add."""

    name: ColumnName
    type: Annotated[str, Field(max_length=30)]


class SchemaChangeIn(In):
    """Changes of the schema of one sheet, all by present names."""

    sheet: Sheet | None = None
    rename: dict[str, ColumnName] = {}
    types: dict[str, str] = {}
    drop: list[ColumnName] = []
    add: list[NewColumnIn] = []
    order: list[ColumnName] = []


class NewTableIn(In):
    """An empty table to create."""

    sheet: Sheet
    columns: Annotated[list[NewColumnIn], Field(min_length=1, max_length=2000)]
    key: list[ColumnName] = []


class CommitIn(In):
    """A direct commit: schema changes first, then row operations; new tables before both."""

    message: Message
    create_tables: Annotated[list[NewTableIn], Field(max_length=100)] = []
    drop_tables: Annotated[list[Sheet], Field(max_length=100)] = []
    schema_changes: Annotated[list[SchemaChangeIn], Field(max_length=100)] = []
    operations: Annotated[list[RowOperationIn], Field(max_length=MAX_OPERATIONS)] = []


class CommitTableOut(BaseModel):
    """A table of a commit; `changes` counts rows against the parent."""

    sheet_name: str
    row_count: int
    size_bytes: int
    column_count: int
    changes: dict[str, Any] | None


class CommitOut(BaseModel):
    """A commit; `content_hash` is over the content of its tables alone."""

    commit_id: str
    content_hash: str
    parent_commit_id: str | None
    merge_parent_id: str | None
    message: str
    author: str
    author_id: UUID | None
    authored_at: str
    created_at: datetime
    tables: list[CommitTableOut]


class HistoryRow(BaseModel):
    """A commit in the history; the parents are the edges of the graph, `refs` the branches and tags at it."""

    commit_id: str
    parent_commit_id: str | None
    merge_parent_id: str | None
    content_hash: str
    message: str
    author: str
    author_id: UUID | None
    created_at: datetime
    generation: int
    table_count: int
    row_count: int
    is_head: bool
    refs: list[str]


class HistoryPage(ListOut):
    """A page of history, newest first."""

    commits: Annotated[list[HistoryRow], CsvRows()]


class CommitSummary(BaseModel):
    """What a commit did: the summary of the job or request that made it."""

    new_commit_id: str
    updated_ref: str
    rows_processed: int
    sheets: list[dict[str, Any]]
    previous_commit_id: str
    unchanged: bool
