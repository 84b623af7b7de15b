"""Wire models of deployments and revisions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from dataforge.contexts.schemas.plans.wire import Target
from dataforge.http.wire import RequestModel
from dataforge.kernel.texts import Text


class DeployIn(RequestModel):
    """A plan by its id, or the target again, with the hash that was shown and what may be lost."""

    workspace_id: UUID
    plan_id: UUID | None = None
    target: Target | None = None
    plan_hash: Annotated[str, Field(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")]
    confirmations: Annotated[tuple[str, ...], Field(max_length=10_000, examples=[["column people.email"]])] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> "DeployIn":
        if (self.plan_id is None) == (self.target is None):
            message = Text("give either plan_id or target")
            raise ValueError(message)
        return self


class StepOut(BaseModel):
    """One statement of a deployment."""

    position: int
    phase: int
    op: str
    object: str
    sql: str
    done_at: datetime | None


class DeploymentOut(BaseModel):
    """A deployment: `schema_state` says whether the schema is as before (`old`), as planned (`new`) or `between`."""

    id: UUID
    workspace_id: UUID
    plan_id: UUID
    plan_hash: str
    status: str
    schema_state: str
    cancel_requested: bool
    attempt: int
    steps_done: int
    steps_total: int
    steps: list[StepOut]
    revision: str | None
    error: dict[str, Any] | None
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RevisionOut(BaseModel):
    """A revision that was applied."""

    id: UUID
    number: int
    revision: str
    down_revision: str | None
    deployment_id: UUID
    plan_hash: str
    fingerprint: str
    file_sha256: str
    status: str
    applied_by: UUID | None
    applied_at: datetime


class RevisionPage(BaseModel):
    """Revisions, newest first."""

    items: list[RevisionOut]
    limit: int
    next_cursor: str | None
    next: str | None


def deployment_out(row: dict[str, Any]) -> dict[str, Any]:
    """A deployment's row for the wire."""
    return DeploymentOut.model_validate(row).model_dump(mode="json")


def revision_out(row: dict[str, Any]) -> dict[str, Any]:
    """A revision's row for the wire."""
    return RevisionOut.model_validate(row).model_dump(mode="json")
