"""REST of promotions."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.schemas.access import require_role
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.commands import KeepPlan, keep_plan
from dataforge.contexts.schemas.promotions import promoting, wire
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.contexts.workspaces.contract import Memberships
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("schemas")


@router.post("/api/schema/promotions", response_model=wire.PromotionOut)
async def plan_promotion(
    body: wire.PromotionIn, call: Annotated[Call, require(Action.CREATE, Kind.SCHEMA_PLAN, replays=False)]
) -> Response:
    """The plan for another workspace to what a revision here is: the same plan, by the same hash, on the same base.

    For members of the first workspace who are editors of the other; deploy it by its hash.
    """
    members = call.services(Memberships)
    await members.require(body.from_workspace_id, call.user_id, Action.READ, Kind.SCHEMA)
    await require_role(call, body.workspace_id, Action.CREATE, Kind.SCHEMA_PLAN)
    services, source = call.services(SchemasServices), body.from_workspace_id
    promotion = await promoting.promote(services, source, body.revision, body.workspace_id)
    found = promotion.found
    command = KeepPlan(body.workspace_id, promotion.target, found.plan, found.warnings, found.affected)
    return await call.execute(
        SchemasUnitOfWork, keep_plan, command, lambda row: json_response(wire.promotion_out(promotion, row))
    )
