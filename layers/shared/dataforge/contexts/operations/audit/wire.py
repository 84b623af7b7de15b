"""Wire models of the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


class AuditEntryOut(BaseModel):
    """A change: who did what to what, with what was there `before` and `after` as far as it is kept.

    Without an actor it was the system itself: queues, schedules, operators' commands.
    """

    id: int
    at: datetime
    actor_id: UUID | None
    actor: str | None
    workspace_id: UUID | None
    action: str
    entity: str
    entity_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


class AuditPage(BaseModel):
    """Changes, newest first."""

    items: list[AuditEntryOut]
    limit: int
    next_cursor: str | None
    next: str | None
