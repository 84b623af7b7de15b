"""Wire models of vaults."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.workspaces.wire_types import ItemName, ItemPath, SmallObject
from dataforge.http.wire import PartialUpdate, RequestModel


class VaultIn(RequestModel):
    """A new vault; its path is its name unless another is given."""

    name: ItemName
    path: ItemPath | None = None
    metadata: SmallObject = Field(default_factory=dict)


class VaultChangeIn(PartialUpdate):
    """What editors change."""

    name: ItemName | None = None
    path: ItemPath | None = None
    metadata: SmallObject | None = None


class VaultOut(BaseModel):
    """A vault."""

    id: UUID
    workspace_id: UUID
    name: str
    path: str
    metadata: dict[str, Any]
    is_locked: bool
    locked_by: UUID | None
    locked_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime


class VaultPage(BaseModel):
    """A page of vaults."""

    items: list[VaultOut]
    limit: int
    next_cursor: str | None
    next: str | None
