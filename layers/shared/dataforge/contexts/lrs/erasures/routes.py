"""REST of erasures: preview, then apply by the hash."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.lrs.erasures import commands, wire
from dataforge.contexts.lrs.purges.wire import ApplyIn
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork as Work
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run

router = context_router("lrs")


@router.post("/api/xapi/erasures/preview", response_model=wire.ErasurePlanOut, openapi_extra={UNKEYED: True})
async def preview_erasure(body: wire.ErasureIn, call: Annotated[Call, require(Action.READ, Kind.ERASURE)]) -> Response:
    """Count where a person occurs in statements and documents."""
    plan = await run(call.unit_of_work(Work), commands.plan_erasure, body.command)
    facts = {"plan_hash": plan.plan_hash, "expires_at": plan.expires_at, **plan.preview}
    return json_response(wire.ErasurePlanOut.model_validate(facts).model_dump(mode="json"))


@router.post("/api/xapi/erasures", status_code=202, response_model=QueuedJobOut)
async def apply_erasure(body: ApplyIn, call: Annotated[Call, require(Action.APPLY, Kind.ERASURE)]) -> Response:
    """Take the person out of all that is stored, and from now on out of what is loaded. It cannot be undone."""
    return await queue_and_answer(call, Work, commands.apply_erasure, commands.ApplyErasure(body.plan_hash))
