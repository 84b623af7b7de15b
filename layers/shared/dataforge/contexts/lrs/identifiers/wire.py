"""Wire models of linked identifiers."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.http.wire import RequestModel

AgentOfPerson = Annotated[
    dict[str, Any], Field(description="an Agent of xAPI with one of mbox, mbox_sha1sum, openid and account")
]


class IdentifierIn(RequestModel):
    """An Agent, and whose it is."""

    user_id: UUID
    agent: AgentOfPerson


class IdentifierOut(BaseModel):
    """A linked identifier; `matched_at` says since when all stored statements follow it."""

    id: UUID
    user_id: UUID
    agent: dict[str, Any]
    created_by: UUID | None
    created_at: datetime
    matched_at: datetime | None


class IdentifierPage(BaseModel):
    """Linked identifiers, newest first."""

    items: list[IdentifierOut]
    limit: int
    next_cursor: str | None
    next: str | None
