"""Wire models of plans."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.http.wire import RequestModel

EXAMPLE_TARGET: dict[str, Any] = {
    "tables": [
        {
            "id": "t1",
            "name": "people",
            "columns": [
                {"id": "c1", "name": "id", "dataType": "INTEGER", "primaryKey": True, "identity": True},
                {"id": "c2", "name": "name", "dataType": "VARCHAR(255)", "nullable": False},
            ],
        }
    ]
}
Target = Annotated[
    dict[str, Any], Field(description="a schema in the target format, version 1", examples=[EXAMPLE_TARGET])
]


class PreviewIn(RequestModel):
    """A target for a workspace."""

    workspace_id: UUID
    target: Target


class WarningOut(BaseModel):
    """Something to know before the plan is deployed; a blocking one will make it fail.

    `samples` are the keys of up to five rows that it is about.
    """

    code: str
    object: str
    message: str
    blocking: bool
    samples: list[dict[str, str | None]] = []


class CheckOut(BaseModel):
    """A target that PostgreSQL accepts."""

    valid: bool
    warnings: list[WarningOut]


class ChangeOut(BaseModel):
    """What happens to one object, and what was seen of it.

    `lock` is the strongest of `locks`, which are those on tables that were there; `lost_rows` counts the rows whose
    values would not be the same, `samples` are keys of up to five rows, and `estimated_ms` follows from live sizes.
    """

    op: str
    object: str
    phase: int
    sql: list[str]
    risk: str
    lock: str | None
    locks: dict[str, str] = {}
    rewrite: bool
    scan: bool
    affected_rows: int | None
    lost_rows: int = 0
    samples: list[dict[str, str | None]] = []
    estimated_ms: int | None
    reason: str
    needs_confirmation: bool


class ProofOut(BaseModel):
    """How the plan was proved."""

    proved: bool
    executed: str
    start_fingerprint: str
    target_fingerprint: str
    statements: int
    way_back: str


class PlanOut(BaseModel):
    """A plan: `plan_hash` is what it is deployed by."""

    plan_id: UUID
    plan_hash: str
    workspace_id: UUID
    namespace: str
    base_fingerprint: str
    target_fingerprint: str
    empty: bool
    sql: str
    down_sql: str
    changes: list[ChangeOut]
    warnings: list[WarningOut]
    proof: ProofOut
    created_at: datetime


def plan_out(row: dict[str, Any]) -> dict[str, Any]:
    """A plan's row for the wire."""
    members = {key: value for key, value in row.items() if key in PlanOut.model_fields}
    return {"plan_id": row["id"], **members, "empty": not row["changes"]}
