"""Wire models of review requests."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, JsonValue

from dataforge.contexts.datasets.merges.wire import MAX_RESOLUTIONS, ResolutionIn
from dataforge.contexts.datasets.reviews.domain import Verdict
from dataforge.contexts.datasets.wire_types import Description, In, ListOut, Message, Name, RefName, Sheet, _not_blank


class ReviewIn(In):
    """A proposal to merge `source_ref` into `target_ref` (by default the default branch)."""

    title: Name
    description: Description = ""
    source_ref: RefName
    target_ref: RefName | None = None


class CommentIn(In):
    """A remark; with `sheet` and `row_key` on one row."""

    body: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_not_blank)]
    sheet: Sheet | None = None
    row_key: dict[str, JsonValue] | None = None


class VerdictIn(In):
    """What you say of the present head; null withdraws what you said."""

    verdict: Verdict | None


class ReviewMergeIn(In):
    """How conflicts are resolved when the review request is merged."""

    message: Message | None = None
    rule: Literal["ours", "theirs"] | None = None
    resolutions: Annotated[list[ResolutionIn], Field(max_length=MAX_RESOLUTIONS)] = []


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
