"""REST of reminders."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.notifications.reminders import commands, queries, wire
from dataforge.contexts.notifications.reminders.domain import Rhythm
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.paging import DEFAULT_LIMIT

router = context_router("notifications")
RunKey = Annotated[str, Path(max_length=80, description="the key of the run, as the list has it")]
At = Annotated[wire.Instant | None, Query(description="the instant to plan for; now if left out")]


@router.get("/api/debug/reminder-preview", response_model=wire.ReminderPreviewOut)
async def preview_reminders(call: Annotated[Call, require(Action.READ, Kind.REMINDER)], at: At = None) -> Response:
    """Exactly what a run at an instant would send, with the hash to apply it by; sends nothing."""
    plan = await call.query(queries.reminder_plan, at or call.platform.clock.now())
    return json_response(wire.preview_body(plan))


@router.post("/api/reminders", status_code=202, response_model=wire.RunOut)
async def send_reminders(
    body: wire.SendRemindersIn, call: Annotated[Call, require(Action.CREATE, Kind.REMINDER)]
) -> Response:
    """Put on its way what a preview says, or nothing: 409 `plan_stale` when it would say something else by now."""

    def render(result: commands.RunResult) -> Response:
        plan_hash = "" if result.plan is None else result.plan.hash
        return json_response({"run_key": result.run_key, "plan_hash": plan_hash, "counts": result.counts}, status=202)

    command = commands.SendReminders(body.at, body.plan_hash)
    return await call.execute(NotificationsUnitOfWork, commands.send_reminders, command, render)


@router.get("/api/reminders", response_model=wire.RunPage)
async def list_runs(
    call: Annotated[Call, require(Action.READ, Kind.REMINDER)], cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Runs of reminders, newest first."""
    page = await call.query(queries.list_runs, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.get("/api/reminders/{run_key}", response_model=wire.TaskStatusOut)
async def get_run(run_key: RunKey, call: Annotated[Call, require(Action.READ, Kind.REMINDER)]) -> Response:
    """What became of one run, and how often it was tried."""
    return json_response(await call.query(queries.get_run, run_key))


def of_cohort(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route about the cadence of a cohort says of who may call it; others find no such cohort."""

    async def cohort_call(cohort_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        workspace = await call.query(queries.workspace_of_cohort, cohort_id)
        await call.require(action, Resource(kind, workspace=workspace), queries.cohort_missing(cohort_id))
        return call

    return Depends(cohort_call)


@router.get("/api/reminder-cadences/{cohort_id}", response_model=wire.CadenceOut)
async def get_cadence(cohort_id: UUID, call: Annotated[Call, of_cohort(Action.READ, Kind.CADENCE)]) -> Response:
    """How often a cohort is reminded; daily unless somebody said otherwise."""
    return _cadence(await call.query(queries.cadence_of, cohort_id))


@router.put("/api/reminder-cadences/{cohort_id}", response_model=wire.CadenceOut)
async def set_cadence(
    cohort_id: UUID, body: wire.CadenceIn, call: Annotated[Call, of_cohort(Action.CHANGE, Kind.CADENCE)]
) -> Response:
    """Say how often a cohort is reminded; needs If-Match."""
    command = commands.SetCadence(cohort_id, Rhythm(body.cadence, body.weekday), call.expected_revision())
    return await call.execute_and_read(NotificationsUnitOfWork, commands.set_cadence, command, _read_cadence)


async def _read_cadence(connection: AsyncConnection, cohort_id: UUID) -> Response:
    return _cadence(await queries.cadence_of(connection, cohort_id))


def _cadence(found: dict[str, Any]) -> Response:
    revision = found.pop("revision")
    return json_response(found, headers={"ETag": etag(revision)})
