"""The page of what changed in the schema without a deployment, and the two ways out of it."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.schemas.drift import planning
from dataforge.contexts.schemas.drift.queries import find_drift
from dataforge.contexts.schemas.page_calls import (
    SCHEMA_PAGE,
    SCHEMAS_PAGES,
    SchemaPageCall,
    in_schema_page,
    router,
)
from dataforge.contexts.schemas.plans.commands import KeepPlan, keep_plan
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.web.forms import ACCEPTED, Refusal

DRIFT = SCHEMA_PAGE + "/drift"
Planning = Annotated[SchemaPageCall, in_schema_page(Action.CREATE, Kind.SCHEMA_PLAN)]


@router.get(DRIFT)
async def drift_page(call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA)]) -> Response:
    """What happened to the schema, and what would undo it."""
    return await _drift(call)


@router.post(DRIFT + "/adopt")
async def adopt_from_page(call: Planning) -> Response:
    """Plan a revision of the schema as it is, and go on to the plan."""
    try:
        adoption = await planning.plan_adoption(call.schemas, call.workspace.id)
        found = adoption.found
        command = KeepPlan(
            call.workspace.id, adoption.target, found.plan, found.warnings, found.affected, adoption.happened
        )
        row = await call.carry_out(keep_plan, command)
    except DataForgeError as error:
        return await _drift(call, Refusal(error.status, error.detail))
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "plans", row["id"])


@router.post(DRIFT + "/restore")
async def restore_from_page(call: Planning) -> Response:
    """Plan the way back to what was deployed, and go on to the plan."""
    try:
        target, found = await planning.plan_restoration(call.schemas, call.workspace.id)
        command = KeepPlan(call.workspace.id, target, found.plan, found.warnings, found.affected)
        row = await call.carry_out(keep_plan, command)
    except DataForgeError as error:
        return await _drift(call, Refusal(error.status, error.detail))
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "plans", row["id"])


async def _drift(call: SchemaPageCall, refusal: Refusal = ACCEPTED) -> Response:
    return call.page("schemas/drift.html", refusal=refusal, drift=await find_drift(call.schemas, call.workspace.id))
