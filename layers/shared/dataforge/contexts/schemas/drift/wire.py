"""Wire models of drift."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel


class DriftOut(BaseModel):
    """Whether a schema is as it was deployed; `adopt` lists what happened, `restore` what would undo it."""

    workspace_id: UUID
    revision: str | None
    drifted: bool
    expected_fingerprint: str | None
    found_fingerprint: str
    adopt: list[dict[str, Any]]
    restore: list[dict[str, Any]]
