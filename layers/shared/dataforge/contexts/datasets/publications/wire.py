"""Wire models of publications."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from dataforge.contexts.datasets.contents.wire import SqlColumn
from dataforge.contexts.datasets.imports.wire import EvolutionIn, ImportMode
from dataforge.contexts.datasets.publications.domain import PublicationState
from dataforge.contexts.datasets.wire_types import ColumnName, CommitId, In, ListOut, Message, Sheet
from dataforge.kernel.texts import Text


class PublicationIn(In):
    """What to publish: `sheet` is needed when the version has several."""

    sheet: Sheet | None = None


class IcebergSource(In):
    """A table of the dataset's own namespace, by name or by the publication that made it, and one of its snapshots.

    `snapshot` is the id of a snapshot, or the name of a tag or branch of the table; left out, the present one.
    """

    publication_id: UUID | None = None
    table: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,128}$")] | None = None
    snapshot: Annotated[str, Field(min_length=1, max_length=128)] | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.publication_id is None) == (self.table is None):
            message = Text("name a table or a publication, and not both")
            raise ValueError(message)
        return self


class SnapshotSource(In):
    """Where the rows come from."""

    iceberg: IcebergSource


class SnapshotImportIn(In):
    """How a snapshot becomes a commit: into `sheet` (the only one, when left out), the other sheets stay.

    `key`, `declared_types` and `evolution` are those of imports. `dry_run` makes the plan of it, which is applied like
    others. `base_commit_id` is the commit that the branch must be at.
    """

    source: SnapshotSource
    sheet: Sheet | None = None
    mode: ImportMode = "replace"
    key: Annotated[list[ColumnName], Field(max_length=32)] | None = None
    declared_types: Annotated[dict[str, str], Field(max_length=20_000)] = {}
    evolution: EvolutionIn = EvolutionIn()
    message: Message | None = None
    base_commit_id: CommitId | None = None
    dry_run: bool = False


class PublicationOut(BaseModel):
    """A version as an Apache Iceberg table, `namespace`.`table` of the catalog, with its files below `location`.

    A publication of a branch `follows` it: every commit becomes a snapshot, named by a tag that is the commit's id.
    `behind_since` says since when the branch is at `head_commit_id` while the table is at `published_commit_id`, and
    `failure` why the last run ended badly; it is repeated. `snapshot_id` is a whole number of 64 bits, as text.
    """

    id: UUID
    dataset_id: UUID
    ref_name: str | None
    follows: bool
    commit_id: str | None
    sheet: str
    catalog: str
    namespace: str
    table: str
    location: str
    state: PublicationState
    head_commit_id: str | None
    published_commit_id: str | None
    snapshot_id: str | None
    row_count: int | None
    published_at: datetime | None
    behind_since: datetime | None
    failure: dict[str, Any] | None
    failed_at: datetime | None
    job_id: Annotated[UUID | None, Field(description="the job that works on it, or did last")]
    created_by: UUID | None
    created_at: datetime


class PublicationPage(ListOut):
    """A page of publications, newest first."""

    items: list[PublicationOut]


class QueryIn(In):
    """One query in the SQL of Athena (Trino), in which the published table has the name of its sheet.

    `snapshot` is the id of one of the table's snapshots; left out, the present one.
    """

    sql: Annotated[str, Field(min_length=1, max_length=100_000)]
    snapshot: Annotated[str, Field(pattern=r"^[0-9]{1,19}$")] | None = None


class QueryOut(BaseModel):
    """A query that Athena runs, or has run.

    When it has succeeded it has the first 999 `rows`, whose values are texts as Athena writes them, with `truncated`
    when there are more, and `download_url`, which gives all of them as CSV for an hour. `failure` is Athena's own
    sentence. `scanned_bytes` are what it costs by.
    """

    id: UUID
    publication_id: UUID
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    sql: str
    columns: list[SqlColumn] | None
    rows: list[list[str | None]] | None
    truncated: bool
    failure: str | None
    scanned_bytes: int
    elapsed_ms: int
    download_url: str | None
