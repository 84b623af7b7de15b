"""Wire models of invitations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX, PASSWORD_MIN
from dataforge.contexts.identity.accounts.wire import Email, Line, Locale, Username
from dataforge.contexts.identity.invitations.domain import State
from dataforge.contexts.identity.links.wire import LinkToken
from dataforge.http.wire import RequestModel, TimeZone
from dataforge.kernel.principal import Role


class InvitationIn(RequestModel):
    """Whom to invite, and as what."""

    email: Annotated[Email, Field(examples=["ada@example.org"])]
    role: Role = Role.LEARNER


class NewcomerIn(RequestModel):
    """The token of the mailed link, and the account that is to be made."""

    token: LinkToken
    username: Username
    password: Annotated[str, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX, repr=False)]
    display_name: Line | None = None
    time_zone: TimeZone = "UTC"
    locale: Locale = "en"


class InvitationOut(BaseModel):
    """An invitation; the link is only in its mail."""

    id: UUID
    email: str
    role: Role
    state: State
    sendings: int
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UUID | None
    revoked_at: datetime | None
    invited_by: UUID | None
    created_at: datetime


class InvitationPage(BaseModel):
    """A page of invitations."""

    items: list[InvitationOut]
    limit: int
    next_cursor: str | None
    next: str | None


class AcceptedOut(BaseModel):
    """Who has accepted: `role` is what they are now, which is what they were where `offered` is no more than that."""

    user_id: UUID
    role: Role
    offered: Role
