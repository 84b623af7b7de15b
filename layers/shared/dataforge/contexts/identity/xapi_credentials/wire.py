"""Wire models of xAPI credentials."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.identity.accounts.wire import Line
from dataforge.http.wire import RequestModel


class XapiCredentialIn(RequestModel):
    """A credential for an LMS or course player; with `public_pem`, bodies must be signed."""

    name: Line
    scopes: Annotated[list[str], Field(min_length=1, max_length=20)] | None = None
    public_pem: Annotated[str, Field(max_length=10_000)] | None = None
    workspace_id: UUID | None = None


class XapiCredentialOut(BaseModel):
    """A new credential; `secret` is shown this once."""

    key: str
    secret: str
    fingerprint: str
    name: str
    scopes: list[str]


class XapiCredentialRow(BaseModel):
    """A credential in the list."""

    key: str
    name: str
    fingerprint: str
    scopes: list[str]
    signed: bool
    workspace_id: UUID | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class XapiCredentialList(BaseModel):
    """All credentials, newest first."""

    items: list[XapiCredentialRow]
