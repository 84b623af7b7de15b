"""Wire models of invitations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from dataforge.http.wire import RequestModel
from dataforge.kernel.access import MemberRole
from dataforge.kernel.email import MAX_EMAIL, parse_email


def _address(value: str) -> str:
    return parse_email(value).lower()


class InvitationIn(RequestModel):
    """Whom to invite, and as what."""

    email: Annotated[str, Field(max_length=MAX_EMAIL, examples=["ada@example.org"]), AfterValidator(_address)]
    role: MemberRole = MemberRole.EDITOR


class AcceptIn(RequestModel):
    """The token of the link that was mailed."""

    token: Annotated[str, Field(min_length=1, max_length=500, repr=False)]


class InvitationOut(BaseModel):
    """An invitation; the link is only in its mail."""

    id: UUID
    workspace_id: UUID
    email: str
    role: MemberRole
    sendings: int
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UUID | None
    revoked_at: datetime | None
    invited_by: UUID
    created_at: datetime


class InvitationPage(BaseModel):
    """A page of invitations."""

    items: list[InvitationOut]
    limit: int
    next_cursor: str | None
    next: str | None
