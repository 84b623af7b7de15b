"""Answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.datasets.domain.access import Level
from dataforge.contexts.datasets.domain.jobs import JobStatus, RunType
from dataforge.contexts.datasets.domain.refs import RefKind


class ListOut(BaseModel):
    """What every page of a list has besides its rows."""

    limit: int
    next_cursor: str | None
    next: str | None


class DatasetOut(BaseModel):
    """A dataset and what the caller may do with it."""

    id: UUID
    workspace_id: UUID | None
    name: str
    description: str
    tags: list[str]
    default_branch: str
    permission: Level | None
    revision: int
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class DatasetPage(ListOut):
    """A page of datasets."""

    items: list[DatasetOut]


class TagCount(BaseModel):
    """A tag and how many readable datasets have it."""

    tag: str
    datasets: int


class TagList(BaseModel):
    """Tags, most used first."""

    items: list[TagCount]


class GrantOut(BaseModel):
    """A grant."""

    subject_kind: str
    subject_id: UUID
    name: str | None
    username: str | None
    level: Level
    granted_by: UUID | None
    granted_at: datetime


class GrantList(BaseModel):
    """All grants of a dataset."""

    items: list[GrantOut]


class RefOut(BaseModel):
    """A branch or tag; its ETag is its commit id."""

    name: str
    kind: RefKind
    commit_id: str
    protected: bool
    required_approvals: int
    is_default: bool
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class RefPage(ListOut):
    """A page of branches and tags."""

    items: list[RefOut]


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

    commits: list[HistoryRow]


class CommitSummary(BaseModel):
    """What a commit did: the summary of the job or request that made it."""

    new_commit_id: str
    updated_ref: str
    rows_processed: int
    sheets: list[dict[str, Any]]
    previous_commit_id: str
    unchanged: bool


class JobOut(BaseModel):
    """A job; `progress` has stage, rows and bytes, `error` what made it fail, `output_summary` what it did."""

    id: UUID
    dataset_id: UUID
    run_type: RunType
    status: JobStatus
    ref_name: str | None
    source_commit_id: str | None
    upload_id: UUID | None
    user_id: UUID | None
    run_parameters: dict[str, Any]
    progress: dict[str, Any]
    output_summary: dict[str, Any] | None
    error: dict[str, Any] | None
    error_message: str | None
    attempt: int
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    download_url: str | None = None


class JobPage(ListOut):
    """A page of jobs, newest first."""

    items: list[JobOut]


class UploadedPartOut(BaseModel):
    """A part that has arrived; `sha256` in base64."""

    number: int
    size_bytes: int
    sha256: str | None


class UploadOut(BaseModel):
    """An upload; `parts` are those that have arrived, so that the rest can be sent after an interruption."""

    id: UUID
    dataset_id: UUID
    ref_name: str
    base_commit_id: str
    file_name: str
    size_bytes: int
    part_size: int
    part_count: int
    state: str
    job_id: UUID | None
    options: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    parts: list[UploadedPartOut] | None = None


class UploadPage(ListOut):
    """A page of uploads, newest first."""

    items: list[UploadOut]


class PartUrl(BaseModel):
    """Where to PUT a part, with which headers."""

    number: int
    size_bytes: int
    url: str
    headers: dict[str, str]


class PartUrls(BaseModel):
    """URLs of parts; they work for `expires_in` seconds."""

    parts: list[PartUrl]
    expires_in: int


class ReviewOut(BaseModel):
    """A review request in a list."""

    id: UUID
    dataset_id: UUID
    number: int
    title: str
    description: str
    source_ref: str
    target_ref: str
    state: str
    author_id: UUID | None
    merged_commit_id: str | None
    ended_by: UUID | None
    created_at: datetime
    updated_at: datetime


class ReviewDetail(ReviewOut):
    """A review request with what was said of it; `checks` is None until they ran for these commits."""

    head_commit_id: str | None
    target_commit_id: str | None
    required_approvals: int
    opinions: list[dict[str, Any]]
    comments: list[dict[str, Any]]
    checks: list[dict[str, Any]] | None


class ReviewRow(ReviewOut):
    """A review request in a list, with the number of its comments."""

    comments: int


class ReviewPage(ListOut):
    """A page of review requests, newest first."""

    items: list[ReviewRow]


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
