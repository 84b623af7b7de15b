"""REST of drift."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.schemas.access import in_workspace, require_role
from dataforge.contexts.schemas.drift import planning, queries, wire
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.commands import KeepPlan, keep_plan
from dataforge.contexts.schemas.plans.wire import PlanOut, plan_out
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("schemas")


@router.get("/api/schema/drift", response_model=wire.DriftOut)
async def get_drift(workspace_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA)]) -> Response:
    """Whether the schema is as it was deployed, and the difference both ways."""
    return json_response(await queries.find_drift(call.services(SchemasServices), workspace_id))


@router.post("/api/schema/drift/adopt", response_model=PlanOut)
async def plan_adoption(
    body: wire.DriftIn, call: Annotated[Call, require(Action.CREATE, Kind.SCHEMA_PLAN, replays=False)]
) -> Response:
    """The plan that makes a revision of the schema as it is: nothing is run; deploy it by its hash.

    Its `sql` is what has happened. For editors of the workspace.
    """
    await require_role(call, body.workspace_id, Action.CREATE, Kind.SCHEMA_PLAN)
    adoption = await planning.plan_adoption(call.services(SchemasServices), body.workspace_id)
    found = adoption.found
    command = KeepPlan(
        body.workspace_id, adoption.target, found.plan, found.warnings, found.affected, adoption.happened
    )
    return await call.execute(SchemasUnitOfWork, keep_plan, command, lambda row: json_response(plan_out(row)))


@router.post("/api/schema/drift/restore", response_model=PlanOut)
async def plan_restoration(
    body: wire.DriftIn, call: Annotated[Call, require(Action.CREATE, Kind.SCHEMA_PLAN, replays=False)]
) -> Response:
    """The plan back to what was deployed last, proved like any other; deploy it by its hash.

    For editors of the workspace.
    """
    await require_role(call, body.workspace_id, Action.CREATE, Kind.SCHEMA_PLAN)
    target, found = await planning.plan_restoration(call.services(SchemasServices), body.workspace_id)
    command = KeepPlan(body.workspace_id, target, found.plan, found.warnings, found.affected)
    return await call.execute(SchemasUnitOfWork, keep_plan, command, lambda row: json_response(plan_out(row)))
