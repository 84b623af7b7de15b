"""Wire models of personal access tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.identity.tokens.domain import MAX_DAYS, NAME_MAX
from dataforge.http.wire import RequestModel
from dataforge.kernel.scopes import SCOPES

Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=r"^[^\x00-\x1f\x7f]+$")]
Scope = Annotated[str, Field(max_length=40, json_schema_extra={"enum": list(SCOPES)})]


class TokenIn(RequestModel):
    """A token for a program: what it is for, and for how many days; 90 when left out.

    `all` may do what its person may, `all:read` read it; other scopes are for one area, and writing includes reading.
    `calendar` is for the address of one's calendar only; it stands alone and lasts until it is revoked.
    """

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES))]
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = None


class TokenRow(BaseModel):
    """A token that is good; `hint` is its end, `last_used_at` is known to the minute."""

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenList(BaseModel):
    """One's own tokens that are good, newest first, 50 at most."""

    items: list[TokenRow]


class NewTokenOut(BaseModel):
    """A token that was made: `token` is shown this once; `address` is that of the calendar, for the scope of one."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    token: str
    address: str | None
