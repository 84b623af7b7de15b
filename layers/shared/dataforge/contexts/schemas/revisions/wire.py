"""Wire models of single revisions and of what is different between two."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from dataforge.contexts.schemas.deployments.wire import RevisionOut
from dataforge.contexts.schemas.plans.domain.comparison import changes_of
from dataforge.contexts.schemas.revisions.comparing import Difference


class WholeRevisionOut(RevisionOut):
    """A revision with its target and its statements, there and back."""

    target: dict[str, Any]
    sql: str
    down_sql: str


class StateOut(BaseModel):
    """A state of a schema: `number` is that of its revision, null for the schema as it is."""

    number: int | None
    fingerprint: str


class ChangedOut(BaseModel):
    """What is different about one thing: `path` is its name, after that of its table or enum if it is in one.

    `state` is `added`, `changed` or `dropped`.
    """

    kind: str
    path: list[str]
    state: str
    words: str


class DifferenceOut(BaseModel):
    """What is different between two states; `sql` leads from the first to the second."""

    workspace_id: UUID
    before: StateOut
    after: StateOut
    same: bool
    changes: list[ChangedOut]
    sql: str


def whole_revision_out(row: dict[str, Any]) -> dict[str, Any]:
    """A revision's row for the wire."""
    return WholeRevisionOut.model_validate(row).model_dump(mode="json")


def difference_out(workspace_id: UUID, difference: Difference, sql: str) -> dict[str, Any]:
    """A difference for the wire."""
    before, after = (
        {"number": state.number, "fingerprint": state.schema.fingerprint}
        for state in (difference.first, difference.second)
    )
    return {
        "workspace_id": str(workspace_id),
        "before": before,
        "after": after,
        "same": not difference.comparison.marks,
        "changes": changes_of(difference.comparison.marks),
        "sql": sql,
    }
