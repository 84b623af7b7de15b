"""Wire models of repos."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from dataforge.contexts.workspaces.repos.domain import MAX_REMOTE, remote_mistake
from dataforge.contexts.workspaces.wire_types import ItemName, ItemPath, SmallObject, refusing
from dataforge.http.wire import PartialUpdate, RequestModel

RemoteUrl = Annotated[
    str,
    Field(max_length=MAX_REMOTE, examples=["https://git.example.org/acme/site.git"]),
    AfterValidator(refusing(remote_mistake)),
]


class RepoIn(RequestModel):
    """A new repo; its path is its name unless another is given."""

    name: ItemName
    path: ItemPath | None = None
    remote_url: RemoteUrl | None = None
    metadata: SmallObject = Field(default_factory=dict)


class RepoChangeIn(PartialUpdate):
    """What editors change; the remote can be cleared."""

    clearable = frozenset({"remote_url"})

    name: ItemName | None = None
    path: ItemPath | None = None
    remote_url: RemoteUrl | None = None
    metadata: SmallObject | None = None


class RepoOut(BaseModel):
    """A repo; `last_synced`, `default_branch` and `refs_truncated` are from its remote's webhook or the last refresh.

    `webhook_secret_at` is when the secret of its webhook was made; null without one.
    """

    id: UUID
    workspace_id: UUID
    name: str
    path: str
    remote_url: str | None
    metadata: dict[str, Any]
    last_synced: datetime | None
    default_branch: str | None
    refs_truncated: bool
    webhook_secret_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime


class RepoPage(BaseModel):
    """A page of repos."""

    items: list[RepoOut]
    limit: int
    next_cursor: str | None
    next: str | None
