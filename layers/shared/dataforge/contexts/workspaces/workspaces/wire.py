"""Wire models of workspaces."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.workspaces.resources.domain import AccessLevel, ResourceType
from dataforge.contexts.workspaces.wire_types import Description, SmallObject, Title
from dataforge.contexts.workspaces.workspaces.domain import (
    WorkspaceType,
)
from dataforge.http.wire import PartialUpdate, RequestModel
from dataforge.kernel.access import MemberRole


class WorkspaceIn(RequestModel):
    """A new workspace."""

    name: Title
    description: Description = ""
    workspace_type: WorkspaceType = WorkspaceType.GENERAL
    settings: SmallObject = Field(default_factory=dict)


class WorkspaceChangeIn(PartialUpdate):
    """What owners and administrators change."""

    name: Title | None = None
    description: Description | None = None
    workspace_type: WorkspaceType | None = None
    settings: SmallObject | None = None


class SharedWithOut(BaseModel):
    """A resource that is shared with a workspace, and for what."""

    resource_id: UUID
    resource_type: ResourceType
    name: str
    access_level: AccessLevel


class WorkspaceBrief(BaseModel):
    """A workspace in a list; `role` is the caller's, `deleted_at` null unless deleted ones are listed."""

    id: UUID
    name: str
    description: str
    owner_id: UUID
    workspace_type: WorkspaceType
    settings: dict[str, Any]
    role: MemberRole
    repo_count: int
    vault_count: int
    member_count: int
    archived_at: datetime | None
    deleted_at: datetime | None = None
    revision: int
    created_at: datetime
    updated_at: datetime


class WorkspaceOut(BaseModel):
    """A workspace; `role` is the caller's."""

    id: UUID
    name: str
    description: str
    owner_id: UUID
    workspace_type: WorkspaceType
    settings: dict[str, Any]
    shared_resources: list[SharedWithOut]
    role: MemberRole
    archived_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime


class WorkspacePage(BaseModel):
    """A page of workspaces."""

    items: list[WorkspaceBrief]
    limit: int
    next_cursor: str | None
    next: str | None


class WorkspaceStatsOut(BaseModel):
    """How much there is in a workspace; `total_resources` are its repos and vaults."""

    workspace_id: UUID
    repo_count: int
    vault_count: int
    total_resources: int
    member_count: int
    shared_resource_count: int
    note_count: int
    note_bytes: int
