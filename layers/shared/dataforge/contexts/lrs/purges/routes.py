"""REST of purges: preview, then apply by the hash."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.lrs.purges import commands, wire
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork as Work
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.plans import Plan
from dataforge.platform.db.unit_of_work import run

router = context_router("lrs")


@router.post("/api/xapi/purges/preview", response_model=wire.PurgePlanOut, openapi_extra={UNKEYED: True})
async def preview_purge(body: wire.PurgeIn, call: Annotated[Call, require(Action.READ, Kind.PURGE)]) -> Response:
    """Count what a purge would delete: statements stored up to now that meet all that is given."""

    plan = await run(call.unit_of_work(Work), commands.plan_purge, body.purge)
    return json_response(_shown(plan))


@router.post("/api/xapi/purges", status_code=202, response_model=QueuedJobOut)
async def apply_purge(body: wire.ApplyIn, call: Annotated[Call, require(Action.APPLY, Kind.PURGE)]) -> Response:
    """Delete what the plan with this hash names; 409 `plan_stale` when it would name something else by now."""
    return await queue_and_answer(call, Work, commands.apply_purge, commands.ApplyPurge(body.plan_hash))


def _shown(plan: Plan) -> dict[str, object]:
    facts = {"plan_hash": plan.plan_hash, "expires_at": plan.expires_at, "until": plan.inputs["until"], **plan.preview}
    return wire.PurgePlanOut.model_validate(facts).model_dump(mode="json")
