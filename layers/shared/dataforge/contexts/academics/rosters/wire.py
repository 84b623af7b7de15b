"""Requests and answers about rosters."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator

from dataforge.contexts.academics.enrollment.domain.statuses import Rule
from dataforge.contexts.academics.rosters.domain.uploads import MAX_FILE_BYTES
from dataforge.contexts.academics.wire import In, Seats
from dataforge.kernel.texts import Text


class RosterOptionsIn(In):
    """How a roster is read.

    `mode` additive: only rows that say so drop; full: whoever no line speaks of is dropped too, from seats and from
    waitlists, except those who enrolled themselves (`drop_self_enrolled` drops them as well). Applying a plan needs
    `confirm_drops` when it drops anybody the file only leaves out, or more than `drop_threshold`. `waive` lifts rules
    for the whole roster, with a reason.
    """

    mode: Literal["full", "additive"] = "additive"
    drop_threshold: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    drop_self_enrolled: bool = False
    default_capacity: Seats = 30
    waive: Annotated[list[Rule], Field(max_length=10)] = []
    waive_reason: Annotated[str, Field(max_length=1_000)] = ""

    @model_validator(mode="after")
    def _reason_for_waivers(self) -> "RosterOptionsIn":
        if self.waive and not self.waive_reason:
            message = Text("rules are waived with a waive_reason")
            raise ValueError(message)
        if {Rule.DUPLICATE, Rule.CAPACITY} & set(self.waive):
            message = Text("duplicate and capacity cannot be waived for a whole roster")
            raise ValueError(message)
        return self


class RosterFileIn(RosterOptionsIn):
    """How a file in the body of a request is read."""

    format: Literal["simple", "oneroster"] = "simple"


class RosterPlanIn(RosterFileIn):
    """A plan from an upload (`upload_key`, as POST /api/rosters/uploads gave it)."""

    semester_id: UUID
    upload_key: Annotated[str, Field(min_length=1, max_length=500)]


class RosterDatasetIn(RosterOptionsIn):
    """A plan from a commit of a dataset: `version` is a branch, a tag or a commit; one sheet needs no name.

    The columns are those of the simple CSV, in any order and case.
    """

    dataset_id: UUID
    version: Annotated[str, Field(min_length=1, max_length=100)]
    sheet: Annotated[str, Field(min_length=1, max_length=255)] | None = None


class RosterApplyIn(In):
    """The hash of the plan that was read, and its number of drops where that must be confirmed."""

    plan_hash: Annotated[str, Field(min_length=64, max_length=64, pattern=r"^[0-9a-f]+$")]
    confirm_drops: Annotated[int, Field(ge=0)] | None = None


class RosterUploadIn(In):
    """A file to upload: its size in bytes, and its SHA-256 as 64 hex digits."""

    filename: Annotated[str, Field(min_length=1, max_length=255)]
    size_bytes: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$"), AfterValidator(str.lower)]


class RosterUploadOut(BaseModel):
    """Where to PUT the file, the headers the PUT must carry, and the key to plan from."""

    upload_key: str
    url: str
    method: str
    headers: dict[str, str]
    expires_in: int


class RosterPlanOut(BaseModel):
    """A plan: counts by kind of row and action; it is applied by its id and hash.

    `implied_drops` of the `drops` are asked for by no line: the file only leaves the student out. Rows are kept for 30
    days (`has_rows`), plans that were applied for good.
    """

    id: UUID
    semester_id: UUID
    semester_code: str
    format: str
    state: str
    plan_hash: str
    inputs_sha256: str
    counts: dict[str, dict[str, int]]
    drops: int
    implied_drops: int
    options: dict[str, Any]
    source: dict[str, Any]
    created_at: datetime
    created_by: UUID | None
    created_by_name: str | None
    applied_at: datetime | None
    applied_by: UUID | None
    applied_by_name: str | None
    has_rows: bool


class RosterPreparingOut(BaseModel):
    """The rows of a dataset's commit are being made readable: repeat the request after Retry-After seconds.

    Repeat it with `commit_id` as the version to plan this commit even if the branch moves meanwhile.
    """

    status: Literal["preparing"]
    job_id: UUID
    dataset_id: UUID
    commit_id: str
    sheet: str
    row_count: int


class RosterRowOut(BaseModel):
    """What a plan decides for one row.

    `before` and `after` are the fields that a change makes different, and the status of an enrolment that is dropped.
    """

    row_no: int
    file: str
    line: int | None
    kind: str
    sourced_id: str | None
    action: str
    reason: dict[str, Any] | None
    outcome: str | None
    wait_no: int | None
    data: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
