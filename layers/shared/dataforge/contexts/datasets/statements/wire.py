"""Wire models of statements."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from dataforge.contexts.datasets.contents.wire import SqlColumn
from dataforge.contexts.datasets.wire_types import In


class StatementIn(In):
    """One SELECT (or EXPLAIN of one); a table is `dataset@version` or `dataset@version."sheet"`, names in double quotes
    where they have other characters than letters, digits and underscores. A dataset is named, or given by its id.
    """

    sql: Annotated[str, Field(min_length=1, max_length=100_000)]
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000


class StatementSource(BaseModel):
    """A table that a statement read: the commit that its version was at."""

    name: str
    dataset_id: UUID
    ref_name: str | None
    commit_id: str
    sheet_name: str


class StatementOut(BaseModel):
    """The rows of a statement; `truncated` when there were more than `max_rows`."""

    sources: list[StatementSource]
    columns: list[SqlColumn]
    rows: list[list[JsonValue]]
    truncated: bool
    elapsed_ms: float
