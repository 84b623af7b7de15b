"""Wire models of publications."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.datasets.publications.domain import PublicationState
from dataforge.contexts.datasets.wire_types import In, ListOut, Sheet


class PublicationIn(In):
    """What to publish: `sheet` is needed when the version has several."""

    sheet: Sheet | None = None


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
