"""Request bodies."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from dataforge.contexts.datasets.domain.access import Level
from dataforge.contexts.datasets.domain.commits import MAX_MESSAGE
from dataforge.contexts.datasets.domain.expectations import ExpectationRule, Severity
from dataforge.contexts.datasets.domain.refs import RefKind
from dataforge.contexts.datasets.domain.reviews import Verdict
from dataforge.contexts.datasets.domain.uploads import URLS_PER_REQUEST

MAX_TAGS = 50
MAX_OPERATIONS = 10_000
MAX_RESOLUTIONS = 10_000


def _not_blank(value: str) -> str:
    if not value.strip():
        message = "must not be blank"
        raise ValueError(message)
    return value


Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(_not_blank)]
Description = Annotated[str, Field(max_length=10_000)]
Tag = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f,]+$"), AfterValidator(_not_blank)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]
RefName = Annotated[str, Field(min_length=1, max_length=100)]
Version = Annotated[str, Field(min_length=1, max_length=100, description="branch, tag or commit id")]
CommitId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Message = Annotated[str, Field(max_length=MAX_MESSAGE)]
Sheet = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]
Cells = dict[str, JsonValue]


class In(BaseModel):
    """A request body: unknown members are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class DatasetIn(In):
    """A new dataset."""

    name: Name
    description: Description = ""
    tags: Tags = []
    workspace_id: UUID | None = None


class DatasetChangeIn(In):
    """Changes; members left out stay as they are."""

    name: Name | None = None
    description: Description | None = None
    tags: Tags | None = None
    default_branch: RefName | None = None


class GrantIn(In):
    """The level of a person or workspace."""

    level: Level


class RefIn(In):
    """A new branch or tag; `at` is a branch, a tag or a commit id, by default the default branch."""

    name: RefName
    kind: RefKind = RefKind.BRANCH
    at: Version | None = None


class RefMoveIn(In):
    """Where to put the ref; `force` allows to leave commits behind."""

    commit_id: Version
    force: bool = False


class ProtectionIn(In):
    """Whether the ref changes through reviewed merges only, and how many approvals they need."""

    protected: bool
    required_approvals: Annotated[int, Field(ge=0, le=20)] = 1


class EvolutionIn(In):
    """What an import may change of the schema it finds."""

    add_columns: bool = True
    drop_columns: bool = True
    widen_types: bool = True
    change_types: bool = False


class ImportIn(In):
    """How a file is read and what is done with its rows; what is left out is found out and reported.

    `key`: column names; an empty list declares that rows have none; left out keeps the key of the table.
    `declared_types` maps column names to types (bool, int, float, decimal(p,s), string, date, time, timestamp,
    timestamptz, binary, json) and then decides. `skip_lines` rows above the header are left out (2 when the header is
    in line 3), and so are lines of a text file that begin with `comment`. `keep_other_tables` keeps tables that the
    file does not have in mode replace.
    """

    mode: Literal["replace", "append", "upsert"] = "replace"
    format: Literal["auto", "csv", "excel", "parquet", "json", "jsonl"] = "auto"
    table: Sheet = "data"
    encoding: Annotated[str, Field(max_length=40)] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    header: bool | None = None
    skip_lines: Annotated[int, Field(ge=0, le=1000)] | None = None
    comment: Annotated[str, Field(min_length=1, max_length=4)] | None = None
    key: Annotated[list[ColumnName], Field(max_length=32)] | None = None
    declared_types: Annotated[dict[str, str], Field(max_length=20_000)] = {}
    null_values: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)] = []
    max_rejected: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    evolution: EvolutionIn = EvolutionIn()
    sheets: Annotated[list[Sheet], Field(max_length=1000)] = []
    keep_other_tables: bool = False
    message: Message | None = None


class UploadIn(In):
    """A file to upload in parts; `size_bytes` is its exact size, `base_commit_id` where the caller saw the branch."""

    file_name: Annotated[str, Field(min_length=1, max_length=255)]
    size_bytes: Annotated[int, Field(ge=0)]
    content_type: Annotated[str, Field(max_length=255, pattern=r"^[\x20-\x7e]+$")] = "application/octet-stream"
    part_size: int | None = None
    base_commit_id: CommitId | None = None
    options: Annotated[ImportIn, Field(alias="import")] = ImportIn()

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PartIn(In):
    """A part to upload: its number from 1 and the SHA-256 of its bytes, as 64 hex digits or base64."""

    number: Annotated[int, Field(ge=1, le=10_000)]
    sha256: Annotated[str, Field(min_length=44, max_length=64)]


class PartsIn(In):
    """Parts to get URLs for."""

    parts: Annotated[list[PartIn], Field(min_length=1, max_length=URLS_PER_REQUEST)]


class RetryIn(In):
    """`onto_current`: import onto where the branch is now, instead of where it was when the upload was opened."""

    onto_current: bool = False


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


class ExpectationIn(In):
    """Something that must be true of a table; `parameters` differ by rule."""

    name: Name
    rule: ExpectationRule
    sheet: Sheet | None = None
    columns: Annotated[list[ColumnName], Field(max_length=32)] = []
    parameters: dict[str, JsonValue] = {}
    severity: Severity = Severity.ERROR


class ExportIn(In):
    """A file of one sheet (a workbook: of all), or of the difference to `base`."""

    format: Literal["csv", "excel", "parquet", "jsonl"] = "csv"
    compression: Literal["none", "gzip", "zstd"] = "none"
    sheet: Sheet | None = None
    columns: Annotated[list[ColumnName], Field(min_length=1, max_length=20_000)] | None = None
    filter: dict[str, Any] | None = None
    base: Version | None = None


class SqlIn(In):
    """One SELECT (or EXPLAIN of one) over the sheets of the version; each sheet is a table of its name."""

    sql: Annotated[str, Field(min_length=1, max_length=100_000)]
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000
