"""Wire models of profiles."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.workspaces.wire_types import Description, SmallObject
from dataforge.http.wire import PartialUpdate, RequestModel


class UserProfileIn(RequestModel):
    """A profile for oneself."""

    about: Description = ""
    preferences: SmallObject = Field(default_factory=dict)


class UserProfileChangeIn(PartialUpdate):
    """What people change about their own profile."""

    about: Description | None = None
    preferences: SmallObject | None = None


class UserProfileOut(BaseModel):
    """A profile; `preferences` are null for everybody but the person."""

    user_id: UUID
    username: str
    display_name: str
    avatar: str
    about: str
    preferences: dict[str, Any] | None
    revision: int
    created_at: datetime
    updated_at: datetime


class UserProfilePage(BaseModel):
    """A page of profiles."""

    items: list[UserProfileOut]
    limit: int
    next_cursor: str | None
    next: str | None
