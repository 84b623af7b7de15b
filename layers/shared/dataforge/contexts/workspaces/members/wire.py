"""Wire models of members."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from dataforge.http.wire import RequestModel
from dataforge.kernel.access import MemberRole


class MemberRoleIn(RequestModel):
    """Another role."""

    role: MemberRole


class TransferIn(RequestModel):
    """The member whose workspace it is to be."""

    user_id: UUID


class MemberOut(BaseModel):
    """A member."""

    user_id: UUID
    username: str
    display_name: str
    avatar: str
    role: MemberRole
    suspended: bool
    joined_at: datetime


class MemberPage(BaseModel):
    """A page of members."""

    items: list[MemberOut]
    limit: int
    next_cursor: str | None
    next: str | None
