"""Wire models of global resources."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from dataforge.contexts.workspaces.resources.domain import MAX_RESOURCE_BYTES, AccessLevel, ResourceType
from dataforge.contexts.workspaces.wire_types import Title, at_most
from dataforge.http.wire import PartialUpdate, RequestModel

ResourceData = Annotated[
    dict[str, Any],
    Field(
        description=f"an object of at most {MAX_RESOURCE_BYTES:,} bytes of JSON",
        examples=[{"email": "grace@example.org", "phone": "+1 555 0100"}],
    ),
    AfterValidator(at_most(MAX_RESOURCE_BYTES)),
]


class ResourceIn(RequestModel):
    """A new resource of one's own; the name is unique among those of its type."""

    resource_type: ResourceType
    name: Title
    resource_data: ResourceData = Field(default_factory=dict)


class ResourceChangeIn(PartialUpdate):
    """What people change about their own resources."""

    name: Title | None = None
    resource_data: ResourceData | None = None


class SharedResourceChangeIn(RequestModel):
    """New data of a shared resource."""

    resource_data: ResourceData


class ShareIn(RequestModel):
    """What members may do with it."""

    access_level: AccessLevel


class ResourceOut(BaseModel):
    """A resource."""

    id: UUID
    user_id: UUID
    resource_type: ResourceType
    name: str
    resource_data: dict[str, Any]
    revision: int
    created_at: datetime
    updated_at: datetime


class ResourcePage(BaseModel):
    """A page of resources."""

    items: list[ResourceOut]
    limit: int
    next_cursor: str | None
    next: str | None


class SharedResourceOut(ResourceOut):
    """A resource as it is shared with a workspace."""

    access_level: AccessLevel
    shared_at: datetime


class SharedResourcePage(BaseModel):
    """A page of shared resources."""

    items: list[SharedResourceOut]
    limit: int
    next_cursor: str | None
    next: str | None
