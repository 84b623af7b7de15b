"""Wire models of drift."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.http.wire import RequestModel


class DriftIn(RequestModel):
    """A workspace whose schema has changed without a deployment."""

    workspace_id: UUID


class DriftOut(BaseModel):
    """Whether a schema is as it was deployed; `adopt` lists what happened, `restore` what would undo it.

    Schemas are looked at every hour; `checked_at` says when this one was last.
    """

    workspace_id: UUID
    revision: str | None
    drifted: bool
    expected_fingerprint: str | None
    found_fingerprint: str
    adopt: list[dict[str, Any]]
    restore: list[dict[str, Any]]
    checked_at: datetime | None
