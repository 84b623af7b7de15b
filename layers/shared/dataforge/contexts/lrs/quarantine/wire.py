"""Wire models of quarantine."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from dataforge.contexts.lrs.quarantine.domain import QuarantineState, Reason
from dataforge.http.wire import RequestModel

MAX_REPLAYS = 100

SinceParam = Annotated[datetime | None, Query(description="arrived at this time or later")]
UntilParam = Annotated[datetime | None, Query(description="arrived before this time")]
CredentialParam = Annotated[str | None, Query(max_length=100, description="key of the credential that sent it")]


class ViolationOut(BaseModel):
    """A broken rule and its place: a JSON pointer (RFC 6901) into the body."""

    pointer: str
    message: str
    rule: str


class QuarantineRow(BaseModel):
    """An entry in the list; `violations` counts the places that are wrong, `repeats` how often it came."""

    id: UUID
    reason: Reason
    state: QuarantineState
    error: str
    pointer: str | None
    violations: int
    credential: str | None
    statement_id: UUID | None
    content_type: str
    body_bytes: int | None
    repeats: int
    received_at: datetime
    replayed_at: datetime | None
    statement_ids: list[UUID]
    discarded_at: datetime | None


class QuarantinePage(BaseModel):
    """Entries, newest first."""

    items: list[QuarantineRow]
    limit: int
    next_cursor: str | None
    next: str | None


class QuarantineOut(BaseModel):
    """One entry; `body` is what was sent as text, null when it is not kept (any more)."""

    id: UUID
    reason: Reason
    state: QuarantineState
    error: str
    pointer: str | None
    violations: list[ViolationOut]
    credential: str | None
    statement_id: UUID | None
    content_type: str
    body_bytes: int | None
    body: str | None
    repeats: int
    received_at: datetime
    replayed_at: datetime | None
    statement_ids: list[UUID]
    discarded_at: datetime | None


class ReplayIn(RequestModel):
    """Nothing for the body as it was; or the corrected statements, one or an array."""

    body: Annotated[dict[str, Any] | list[Any] | None, Field(description="the corrected statement or statements")] = (
        None
    )


class ReplayOut(BaseModel):
    """What became of an entry; `repeated`: that had been done before."""

    id: UUID
    state: QuarantineState
    statement_ids: list[UUID]
    repeated: bool


class ReplaysIn(RequestModel):
    """Entries to be replayed as they are."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_REPLAYS)]


class ReplayFailure(BaseModel):
    """Why an entry was not replayed."""

    code: str
    detail: str


class ReplayResult(BaseModel):
    """One entry of several; `error` where it was not replayed."""

    id: UUID
    state: QuarantineState | None = None
    statement_ids: list[UUID] = []
    repeated: bool = False
    error: ReplayFailure | None = None


class ReplaysOut(BaseModel):
    """What became of each, in the order that was given."""

    items: list[ReplayResult]
