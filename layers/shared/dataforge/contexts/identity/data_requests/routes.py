"""REST of exports and erasures of people."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Body, Query
from starlette.responses import Response

from dataforge.contexts.identity.data_requests import calls, commands, queries, wire
from dataforge.contexts.identity.data_requests.domain import require_allowed
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork as Work
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")


@router.post("/api/personal-exports", status_code=202, response_model=QueuedJobOut)
async def request_export(
    body: Annotated[wire.PersonalExportIn, Body(default_factory=wire.PersonalExportIn)],
    call: Annotated[Call, require(Action.EXPORT, Kind.PERSON)],
) -> Response:
    """Have all that is held about a person written to one zip; while one is being made, it is that one."""
    command = commands.RequestExport(body.user_id or call.user_id)
    return await queue_and_answer(call, Work, commands.request_export, command)


@router.get("/api/personal-exports", response_model=wire.PersonalExportList)
async def list_exports(
    call: Annotated[Call, require(Action.READ, Kind.PERSON)],
    user_id: Annotated[UUID | None, Query(description="of this person; oneself if left out")] = None,
) -> Response:
    """Exports of a person's data."""
    require_allowed(call.principal, user_id or call.user_id)
    found = await call.query(queries.list_exports, user_id or call.user_id)
    return json_response(wire.PersonalExportList.model_validate({"items": found}).model_dump(mode="json"))


@router.post("/api/personal-exports/{job_id}/link", response_model=wire.ExportLinkOut, openapi_extra={UNKEYED: True})
async def link_export(job_id: UUID, call: Annotated[Call, require(Action.EXPORT, Kind.PERSON)]) -> Response:
    """A link to the zip, for the person it is about and for administrators; the audit log notes it."""
    url, link = await calls.export_url(call, job_id)
    return json_response(wire.ExportLinkOut(url=url, expires_at=link.expires_at).model_dump(mode="json"))


@router.post("/api/erasures/preview", response_model=wire.AccountErasurePlanOut, openapi_extra={UNKEYED: True})
async def preview_erasure(
    body: wire.AccountErasureIn, call: Annotated[Call, require(Action.DELETE, Kind.PERSON)]
) -> Response:
    """Say what erasing a person would delete, rewrite and keep, and what it does not reach."""
    plan = await calls.plan_of(call, body.user_id or call.user_id, responses=body.responses)
    facts = {"plan_hash": plan.plan_hash, "expires_at": plan.expires_at, **plan.inputs, **plan.preview}
    return json_response(wire.AccountErasurePlanOut.model_validate(facts).model_dump(mode="json"))


@router.post("/api/erasures", status_code=202, response_model=QueuedJobOut)
async def erase_person(
    body: wire.ApplyAccountErasureIn, call: Annotated[Call, require(Action.DELETE, Kind.PERSON)]
) -> Response:
    """Erase a person as planned: their sign-ins end at once, a job does the rest. It cannot be undone."""
    plan = await run(call.unit_of_work(Work), commands.find_plan, body.plan_hash)
    await calls.prove(call, plan, body.password, body.code)
    apply = partial(commands.apply_erasure, contributions=calls.contributions(call))
    return await queue_and_answer(call, Work, apply, commands.ApplyErasure(body.plan_hash))
