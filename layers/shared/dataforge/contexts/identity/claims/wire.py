"""Wire models of claims."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.http.wire import RequestModel

MOST = 1_000  # people of one request


class ClaimsIn(RequestModel):
    """Whom to mail the link by which they take over the account that was made for them."""

    user_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST)]


class ClaimsOut(BaseModel):
    """How many were mailed a link, and how many were not: claimed before, suspended, or ids that nobody has."""

    mailed: int
    claimed: int
    suspended: int
    unknown: int
