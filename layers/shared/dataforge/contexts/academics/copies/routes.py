"""Copies of semesters: preview, then make it by the hash."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.copies import commands, wire
from dataforge.contexts.academics.copies.domain import CopyOptions
from dataforge.contexts.academics.routing import router
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.http.versioned_rows import PROBLEMS
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.plans import Plan
from dataforge.platform.db.unit_of_work import run

COPIES = "/api/semesters/{semester_id}/copies"


@router.post(COPIES + "/preview", response_model=wire.CopyPlanOut, responses=PROBLEMS, openapi_extra={UNKEYED: True})
async def preview_semester_copy(
    semester_id: UUID, body: wire.CopyIn, call: Annotated[Call, require(Action.CREATE, Kind.SEMESTER)]
) -> Response:
    """What a copy of the semester would have: dates, and each section with meetings, seats and instructor.

    No enrolment, holiday or changed meeting is copied, and no section of an archived course. Changes nothing.
    """
    command = commands.PlanCopy(semester_id, CopyOptions(body.code, body.starts_on, body.instructors))
    plan = await run(call.unit_of_work(Work), commands.plan_copy, command)
    return json_response({"plan_hash": plan.plan_hash, "expires_at": plan.expires_at, **plan.preview})


@router.post(COPIES, status_code=201, response_model=wire.CopyOut, responses=PROBLEMS)
async def copy_semester(
    semester_id: UUID, body: wire.CopyApplyIn, call: Annotated[Call, require(Action.CREATE, Kind.SEMESTER)]
) -> Response:
    """Make the copy of the plan with this hash, whole or not at all, and once; 409 `plan_stale` when it has moved."""

    def render(plan: Plan) -> Response:
        semester = plan.preview["semester"]
        made = {"semester_id": semester["id"], "code": semester["code"], "counts": plan.preview["counts"]}
        headers = {"Location": call.address("/api/semesters", semester["id"])}
        return json_response({**made, "plan_hash": plan.plan_hash}, status=201, headers=headers)

    command = commands.ApplyCopy(semester_id, body.plan_hash)
    return await call.execute(Work, commands.apply_copy, command, render)
