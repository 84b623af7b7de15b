"""Keep a plan, so that it can be deployed by its id and hash."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.schemas.plans.domain.changes import Change
from dataforge.contexts.schemas.plans.domain.plan import ENGINE_VERSION, Plan, script
from dataforge.contexts.schemas.plans.domain.report import change_out
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.kernel.ids import uuid7

_DONE = "-- this has happened without a deployment; nothing of it is run again\n"


@dataclass(frozen=True, slots=True)
class KeepPlan:
    """A proved plan and the target it was made for."""

    workspace_id: UUID
    target: Mapping[str, Any]
    plan: Plan
    warnings: Sequence[Mapping[str, Any]]
    affected: Mapping[int, int]
    happened: Plan | None = None  # what a plan of nothing makes a revision of: it was done already


async def keep_plan(command: KeepPlan, uow: SchemasUnitOfWork) -> dict[str, Any]:
    """Store the plan; returns its row."""
    plan = command.plan
    row: dict[str, Any] = {
        "id": uuid7(),
        "workspace_id": command.workspace_id,
        "namespace": plan.namespace,
        "plan_hash": plan.hash,
        "base_fingerprint": plan.base_fingerprint,
        "target_fingerprint": plan.target_fingerprint,
        "target": command.target,
        "sql": script(plan.up),
        "down_sql": script(plan.down),
        "changes": [change_out(plan, index, command.affected.get(index)) for index in range(len(plan.up))],
        "down_changes": _plain(plan.down),
        "warnings": list(command.warnings),
        "proof": {
            "proved": True,
            "executed": "in a shadow schema, rolled back",
            "start_fingerprint": plan.base_fingerprint,
            "target_fingerprint": plan.target_fingerprint,
            "statements": sum(len(item.statements) for item in plan.up),
            "way_back": "leads to the start",
        },
        "engine_version": ENGINE_VERSION,
        "created_by": uow.principal.user_id,
        "created_at": uow.now,
    }
    if command.happened is not None:
        up, down = command.happened.up, command.happened.down
        row |= {"sql": _DONE + script(up), "down_sql": script(down), "down_changes": _plain(down)}
        row["proof"] |= {"happened": _plain(up)}
    await uow.plans.add(row)
    return row


def _plain(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [
        {"op": item.op, "object": item.object, "phase": int(item.phase), "sql": [s.sql for s in item.statements]}
        for item in changes
    ]
