"""How a file is to be imported."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator

from dataforge.contexts.datasets.commits.wire import CommitSummary
from dataforge.contexts.datasets.wire_types import ColumnName, In, Message, Sheet
from dataforge.kernel.texts import Text


def _mark(value: str) -> str:
    if not value.isascii() or value.isalnum() or value in "\r\n\0":
        message = Text("must be an ASCII character that is no letter, digit or line end")
        raise ValueError(message)
    return value


Mark = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_mark)]
ImportMode = Literal["replace", "append", "upsert"]
FileFormat = Literal["auto", "csv", "excel", "parquet", "json", "jsonl"]


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

    mode: ImportMode = "replace"
    format: FileFormat = "auto"
    table: Sheet = "data"
    encoding: Annotated[str, Field(max_length=40)] | None = None
    delimiter: Mark | None = None
    quote: Mark | None = None
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

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.delimiter is not None and self.delimiter == (self.quote or '"'):
            message = Text("delimiter and quote must differ")
            raise ValueError(message)
        return self


class FileImported(CommitSummary):
    """What the import of a file did: the commit, the job that made it, and the report on how the file was read."""

    job_id: UUID
    report: dict[str, Any]


class SchemaChange(BaseModel):
    """One column that is added, dropped, renamed or given another type."""

    column: str
    change_type: str
    before: str | None
    after: str | None


class SchemaChanges(BaseModel):
    """What becomes of the columns of a sheet."""

    identical: bool
    changes: list[SchemaChange]


class SheetPlan(BaseModel):
    """What an import would do to one sheet: rows that it inserts, updates, deletes and leaves as they are."""

    sheet_name: str
    change: Literal["added", "removed", "changed", "unchanged"]
    rows_before: int
    rows_after: int
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    schema_: Annotated[SchemaChanges | None, Field(alias="schema", description="null for a sheet that is new or goes")]


class ImportPlan(BaseModel):
    """What an import would do; `plan_hash`, over the file, the options and the commit of the branch, applies it.

    `report` says how the file was read: types with their reasons, and the rows that would be left out. `job_id` is the
    job that has applied the plan.
    """

    plan_hash: str
    ref_name: str
    base_commit_id: str
    file_name: str
    size_bytes: int
    unchanged: bool
    sheets: list[SheetPlan]
    report: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    job_id: UUID | None
