"""REST of exports and erasures of people."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.identity.data_requests import commands, queries, wire
from dataforge.contexts.identity.data_requests.domain import require_allowed
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork as Work
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.plans import Plan
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.personal_data import PersonalDataRegister
from dataforge.platform.uploads.files import S3Files

router = context_router("identity")
FILE_NAME = "my-data.zip"


@router.post("/api/personal-exports", status_code=202, response_model=QueuedJobOut)
async def request_export(
    body: wire.PersonalExportIn, call: Annotated[Call, require(Action.EXPORT, Kind.PERSON)]
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
    url, link = await export_url(call, job_id)
    return json_response(wire.ExportLinkOut(url=url, expires_at=link.expires_at).model_dump(mode="json"))


async def export_url(call: Call, job_id: UUID) -> tuple[str, commands.ExportLink]:
    """A link that works for an hour."""
    link = await run(call.unit_of_work(Work), commands.link_export, job_id)
    return S3Files(call.platform.settings.data_bucket).download_url(link.key, FILE_NAME), link


@router.post("/api/erasures/preview", response_model=wire.AccountErasurePlanOut, openapi_extra={UNKEYED: True})
async def preview_erasure(
    body: wire.AccountErasureIn, call: Annotated[Call, require(Action.DELETE, Kind.PERSON)]
) -> Response:
    """Say what erasing a person would delete, rewrite and keep, and what it does not reach."""
    plan = await plan_of(call, body.user_id or call.user_id, responses=body.responses)
    facts = {"plan_hash": plan.plan_hash, "expires_at": plan.expires_at, **plan.inputs, **plan.preview}
    return json_response(wire.AccountErasurePlanOut.model_validate(facts).model_dump(mode="json"))


async def plan_of(call: Call, user_id: UUID, *, responses: bool) -> Plan:
    """The plan of an erasure."""
    plan = partial(commands.plan_erasure, contributions=call.platform.get(PersonalDataRegister).contributions())
    return await run(call.unit_of_work(Work), plan, commands.PlanErasure(user_id, responses))


@router.post("/api/erasures", status_code=202, response_model=QueuedJobOut)
async def erase_person(
    body: wire.ApplyAccountErasureIn, call: Annotated[Call, require(Action.DELETE, Kind.PERSON)]
) -> Response:
    """Erase a person as planned: their sign-ins end at once, a job does the rest. It cannot be undone."""
    await prove(call, body.plan_hash, body.password)
    apply = partial(commands.apply_erasure, contributions=call.platform.get(PersonalDataRegister).contributions())
    return await queue_and_answer(call, Work, apply, commands.ApplyErasure(body.plan_hash))


async def prove(call: Call, plan_hash: str, password: str) -> None:
    """Ask whoever erases themselves for their password; raises WrongPassword, SignInTooOld, PlanUnknown."""
    if await run(call.unit_of_work(Work), commands.plan_subject, plan_hash) != call.user_id:
        return
    limits, command = call.services(IdentityServices).try_limits, commands.ProveOneself(call.user_id, password)
    # Two transactions: the try must be counted for others before the password is looked at.
    await run(call.unit_of_work(Work), partial(commands.admit_proof, limits=limits), command)
    rejected = await run(call.unit_of_work(Work), partial(commands.prove_oneself, limits=limits), command)
    if rejected is not None:
        raise rejected.error
