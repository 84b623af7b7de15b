"""Wire models of xAPI credentials."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.identity.accounts.wire import Line
from dataforge.http.wire import PartialUpdate, RequestModel

Scopes = Annotated[list[str], Field(min_length=1, max_length=20)]
RateLimit = Annotated[int, Field(ge=1, le=1_000_000, description="requests a minute; beyond them the answer is 429")]
Deduplicate = Annotated[
    bool, Field(description="statements without an id that come again, timestamp included, are the ones from before")
]


class XapiCredentialIn(RequestModel):
    """A credential for an LMS or course player; with `public_pem`, bodies must be signed."""

    name: Line
    scopes: Scopes | None = None
    public_pem: Annotated[str, Field(max_length=10_000)] | None = None
    workspace_id: UUID | None = None
    rate_limit: RateLimit | None = None
    deduplicate: Deduplicate = False


class XapiCredentialPatch(PartialUpdate):
    """What changes; `rate_limit` null lifts the limit."""

    clearable: ClassVar[frozenset[str]] = frozenset({"rate_limit"})

    name: Line | None = None
    scopes: Scopes | None = None
    rate_limit: RateLimit | None = None
    deduplicate: Deduplicate | None = None


class XapiCredentialOut(BaseModel):
    """A new credential; `secret` is shown this once."""

    key: str
    secret: str
    fingerprint: str
    name: str
    scopes: list[str]
    rate_limit: int | None
    deduplicate: bool


class XapiCredentialRow(BaseModel):
    """A credential without its secret; `last_used_at` and `last_refused_at` are true to a minute or so."""

    key: str
    name: str
    fingerprint: str
    scopes: list[str]
    signed: bool
    workspace_id: UUID | None
    rate_limit: int | None
    deduplicate: bool
    created_at: datetime
    last_used_at: datetime | None
    last_refused_at: datetime | None
    last_refused_reason: str | None
    revoked_at: datetime | None
    revision: int


class XapiCredentialList(BaseModel):
    """All credentials, newest first."""

    items: list[XapiCredentialRow]
