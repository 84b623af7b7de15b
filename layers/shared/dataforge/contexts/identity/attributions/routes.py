"""REST of attributions: preview, then apply by the hash."""

from dataclasses import asdict
from functools import partial
from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.identity.attributions import commands, wire
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork as Work
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.platform.attributions import AttributionRegister
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")

ATTRIBUTIONS = "/api/attributions"


@router.post(f"{ATTRIBUTIONS}/preview", response_model=wire.AttributionPlanOut, openapi_extra={UNKEYED: True})
async def preview_attributions(
    body: wire.AttributionIn, call: Annotated[Call, require(Action.READ, Kind.ATTRIBUTION)]
) -> Response:
    """Say what came for people's addresses before they had proved them, and who has it now (null: nobody)."""
    handler = partial(commands.plan_attributions, register=call.platform.get(AttributionRegister))
    plan = await run(call.unit_of_work(Work), handler, commands.PlanAttributions(body.user_ids))
    return json_response(wire.plan_out(plan).model_dump(mode="json"))


@router.post(f"{ATTRIBUTIONS}/apply", response_model=wire.AttributedOut)
async def apply_attributions(
    body: wire.ApplyIn, call: Annotated[Call, require(Action.APPLY, Kind.ATTRIBUTION)]
) -> Response:
    """Give the records of the plan with this hash; 409 `plan_stale` when it would say something else by now."""
    handler = partial(commands.apply_attributions, register=call.platform.get(AttributionRegister))
    command = commands.ApplyAttributions(body.plan_hash)
    return await call.execute(Work, handler, command, lambda outcome: json_response(asdict(outcome)))
