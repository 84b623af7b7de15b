"""Wire models of statements."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from dataforge.contexts.datasets.contents.wire import SqlColumn
from dataforge.contexts.datasets.wire_types import In
from dataforge.http.wire import Instant


class StatementIn(In):
    """One SELECT (or EXPLAIN of one); a table is `dataset@version` or `dataset@version."sheet"`, names in double quotes
    where they have other characters than letters, digits and underscores. A dataset is named, or given by its id. A
    report is `reports.completions` or, with parameters, `reports.cohort(cohort_id => '…')`.
    """

    sql: Annotated[str, Field(min_length=1, max_length=100_000)]
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000
    as_of: Annotated[
        Instant | None,
        Field(description="the `watermark` of an earlier answer, to have the same numbers of reports; null without"),
    ] = None


class StatementSource(BaseModel):
    """A table that a statement read: the commit that its version was at."""

    name: str
    dataset_id: UUID
    ref_name: str | None
    commit_id: str
    sheet_name: str


class StatementArgument(BaseModel):
    """An argument of a report; without a name it is given by its place."""

    name: str | None
    value: str | None


class StatementReport(BaseModel):
    """A report that a statement read, and the arguments that it was given."""

    name: str
    report: str
    arguments: list[StatementArgument]


class StatementOut(BaseModel):
    """The rows of a statement; `truncated` when there were more than `max_rows`.

    What reports count was stored up to `watermark`, and nothing that became known later; `removed_since` statements
    that they may have counted were erased or purged after that. Both are null without reports.
    """

    sources: list[StatementSource]
    reports: list[StatementReport]
    watermark: datetime | None
    removed_since: int | None
    columns: list[SqlColumn]
    rows: list[list[JsonValue]]
    truncated: bool
    elapsed_ms: float
