"""Wire models of datasets and their permissions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from dataforge.contexts.datasets.wire_types import Description, In, ListOut, Name, RefName, _not_blank
from dataforge.kernel.access import Level

MAX_TAGS = 50
Tag = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f,]+$"), AfterValidator(_not_blank)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]


class DatasetIn(In):
    """A new dataset."""

    name: Name
    description: Description = ""
    tags: Tags = []
    workspace_id: UUID | None = None


class DatasetChangeIn(In):
    """Changes; members left out stay as they are. `workspace_id` null takes the dataset out of its workspace."""

    name: Name | None = None
    description: Description | None = None
    tags: Tags | None = None
    default_branch: RefName | None = None
    workspace_id: UUID | None = None


class GrantIn(In):
    """The level of a person or workspace."""

    level: Level


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
