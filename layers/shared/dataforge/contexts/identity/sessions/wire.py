"""Wire models of sessions."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class SessionOut(BaseModel):
    """A sign-in that goes on; `device` is what the browser or program calls itself, `current` the one that asks."""

    id: UUID
    device: str | None
    began_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool


class SessionList(BaseModel):
    """One's own sign-ins, last used first, 500 at most."""

    items: list[SessionOut]
