"""Wire models of merges, reverts and cherry-picks."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from dataforge.contexts.datasets.wire_types import Cells, CommitId, In, Message, Sheet, Version

MAX_RESOLUTIONS = 10_000


class ResolutionIn(In):
    """How one listed conflict is resolved: by the row of a side, with `values` as cells over it.

    `row_id` "" is the sheet itself, where one side removed it and the other changed it, or both changed its columns.
    """

    sheet: Sheet | None = None
    row_id: Annotated[str, Field(max_length=10_000)]
    take: Literal["base", "ours", "theirs"] = "ours"
    values: Cells = {}


class MergeIn(In):
    """Merge `source` into the branch; `rule` settles every conflict that `resolutions` do not."""

    source: Version
    message: Message | None = None
    rule: Literal["ours", "theirs"] | None = None
    resolutions: Annotated[list[ResolutionIn], Field(max_length=MAX_RESOLUTIONS)] = []
    fast_forward: bool = True
    preview: bool = False


class PickIn(In):
    """A commit to revert or to cherry-pick on the branch."""

    commit_id: CommitId
    message: Message | None = None
    rule: Literal["ours", "theirs"] | None = None
    resolutions: Annotated[list[ResolutionIn], Field(max_length=MAX_RESOLUTIONS)] = []


class SheetMerge(BaseModel):
    """What a merge does to a sheet; `schema` says what becomes of its columns."""

    sheet_name: str
    rows_before: int
    rows_after: int
    schema_changes: Annotated[dict[str, Any] | None, Field(alias="schema")]
    changes: dict[str, Any] | None


class MergePreview(BaseModel):
    """What a merge would do, and the first hundred conflicts in its way."""

    ours: str
    theirs: str
    base: str | None
    fast_forward: bool
    up_to_date: bool
    sheets: list[SheetMerge]
    conflict_count: int
    conflicts: list[dict[str, Any]]
