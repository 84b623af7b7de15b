"""What other contexts may know of datasets: the rows of a version without Arrow.

**Rows of a version.** The functions of other contexts carry no Arrow, so they never decode chunks. They ask for an
export instead: `DatasetReader.prepare` checks that the person may read the dataset, pins the version to its commit and
queues an export to JSON lines, or finds the one that was made of the same commit, sheet and columns before. While it
is not ready the caller answers 202 and is asked again; `prepare` may be called as often as one likes. An export that
failed is not made again for ten minutes: `prepare` gives its error. When it is ready, `rows` streams it from S3 in
batches of dicts: JSON keeps numbers, texts and nulls apart, which CSV would not. The commit id and `content_sha256`
make the answer of a plan reproducible: same commit, same rows.

**Reports in statements.** A statement of SQL reads reports beside datasets: `FROM reports.completions`. Datasets know
no reports, so the context that has them offers `PublishedReports`: it finds a report by its name, decides whether the
person may read it as its own routes do, and gives its rows page by page, all of one watermark.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from dataforge.kernel.events import Event
from dataforge.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """An export of one sheet of one commit.

    `status` is pending, running, completed, failed or cancelled; `error` says why it failed; `row_count` and
    `content_sha256` (over commit, sheet and columns) are known from the start.
    """

    job_id: UUID
    dataset_id: UUID
    commit_id: str
    sheet: str
    columns: tuple[str, ...]
    row_count: int
    content_sha256: str
    status: str
    error: str | None = None

    @property
    def ready(self) -> bool:
        """Whether `rows` can be read."""
        return self.status == "completed"


@dataclass(frozen=True, slots=True)
class DatasetImportEnded(Event):
    """An import into a dataset has ended; `error` says why it failed, None if it did not.

    `awaited`: whoever asked for it has got the answer and needs no message.

    `workspace_id` is the workspace that the dataset belongs to, here and below.
    """

    name = "datasets.import_ended"
    about = "job_id"

    job_id: UUID
    dataset_id: UUID
    user_id: UUID | None
    file_name: str
    rows: int
    refused: int
    error: str | None
    awaited: bool = False
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class BranchMoved(Event):
    """A branch is at another commit: it took one, was merged into, or was put there."""

    name = "datasets.branch_moved"
    about = "dataset_id"

    dataset_id: UUID
    ref: str
    previous_commit_id: str
    commit_id: str
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReviewRequested(Event):
    """Somebody proposes to merge a branch; `reviewers` may approve it, a hundred of them at most."""

    name = "datasets.review_requested"
    about = "dataset_id"

    dataset_id: UUID
    dataset_name: str
    number: int
    title: str
    source_ref: str
    target_ref: str
    author_id: UUID | None
    reviewers: tuple[UUID, ...]
    workspace_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReviewDecided(Event):
    """What became of a proposal: `approved`, `changes_requested`, `merged` or `closed`, and by whom."""

    name = "datasets.review_decided"
    about = "dataset_id"

    dataset_id: UUID
    dataset_name: str
    number: int
    title: str
    decision: str
    author_id: UUID | None
    by: UUID | None
    workspace_id: UUID | None = None


class DatasetReader(Protocol):
    """Rows of datasets for contexts that carry no Arrow."""

    async def prepare(
        self,
        principal: Principal,
        dataset_id: UUID,
        version: str,
        sheet: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> PreparedRows:
        """Have the rows of a branch, tag or commit made readable; the same call finds them again.

        Raises the datasets' own refusals: 404 for a dataset, version or sheet that is not there or may not be read,
        422 for an unknown column.
        """
        ...

    def rows(self, prepared: PreparedRows) -> AsyncIterator[list[dict[str, Any]]]:
        """The rows in order, in batches of up to 1,000 dicts by column name; raises Conflict until they are ready."""
        ...


class ReportColumnType(StrEnum):
    """What a column of a report holds, by Arrow's names; timestamps are in microseconds of UTC."""

    STRING = "string"
    INT64 = "int64"
    DOUBLE = "double"
    BOOL = "bool"
    TIMESTAMP = "timestamp"
    DATE32 = "date32"


@dataclass(frozen=True, slots=True)
class ReportRows:
    """A page of a report: rows of cells in the order of its columns; `next_key` begins the page after, if any."""

    rows: Sequence[Sequence[Any]]
    next_key: tuple[object, ...] | None


class OpenReport(Protocol):
    """A report that somebody may read, as of its watermark, and its first page."""

    @property
    def columns(self) -> Mapping[str, ReportColumnType]:
        """Columns by name, in their order."""
        ...

    @property
    def watermark(self) -> datetime:
        """It counts what was stored up to this instant."""
        ...

    @property
    def removed_since(self) -> int:
        """How many statements have been removed after the watermark."""
        ...

    @property
    def first(self) -> ReportRows:
        """The first page."""
        ...

    async def page(self, key: tuple[object, ...]) -> ReportRows:
        """The page that begins with the `next_key` of the one before; of the same watermark."""
        ...


class PublishedReports(Protocol):
    """Reports that statements read by name."""

    @property
    def names(self) -> Sequence[str]:
        """Their names, without a schema."""
        ...

    async def open(
        self,
        principal: Principal,
        name: str,
        arguments: Sequence[tuple[str | None, str | None]],
        as_of: datetime | None,
    ) -> OpenReport:
        """Read the first page of a report; arguments are in order, with their names where they were given.

        Raises the reports' own refusals: 403 and 404 as their routes have them, 404 for a name that is none, 422 for
        arguments that do not fit.
        """
        ...
