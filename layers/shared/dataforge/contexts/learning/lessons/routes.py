"""REST of lessons, and who has not completed them."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.learning.calls import on_lesson, require_new_lesson, require_sight_of_cohort
from dataforge.contexts.learning.cohorts.queries import workspace_of_cohort
from dataforge.contexts.learning.completions.queries import missing_completions
from dataforge.contexts.learning.completions.wire import AsOf, IncompletePage
from dataforge.contexts.learning.launches.calls import addresses, announced_launch
from dataforge.contexts.learning.launches.commands import open_launch
from dataforge.contexts.learning.launches.domain import PlannedLaunch
from dataforge.contexts.learning.launches.queries import launches_of_lesson
from dataforge.contexts.learning.launches.wire import LaunchIn, LaunchOut, LaunchPage
from dataforge.contexts.learning.lessons import commands, queries, wire
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import PlayerSessions, StatementMatching
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

router = context_router("learning")


def _lesson(row: Mapping[str, Any], *, status: int = 200) -> Response:
    body = wire.LessonOut.model_validate(row).model_dump(mode="json")
    return json_response(body, status=status, headers={"ETag": etag(row["revision"])})


async def _read(connection: AsyncConnection, lesson_id: UUID) -> Response:
    return _lesson(await queries.get_lesson(connection, lesson_id))


async def _read_aliases(connection: AsyncConnection, lesson_id: UUID) -> Response:
    lesson = await queries.get_aliases(connection, lesson_id)
    body = wire.AliasesOut(lesson_id=lesson_id, lesson_url=lesson["lesson_url"], aliases=lesson["aliases"])
    return json_response(body.model_dump(mode="json"), headers={"ETag": etag(lesson["revision"])})


def _done(_result: object) -> Response:
    return json_response(None, status=204)


@router.get("/api/lessons", response_model=wire.LessonPage)
async def list_lessons(
    call: Annotated[Call, require(Action.READ, Kind.LESSON)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    cohort_id: UUID | None = None,
    workspace_id: Annotated[UUID | None, Query(description="lessons of this workspace")] = None,
) -> Response:
    """Lessons in order of creation: of the organisation for its analysts and teachers, of workspaces for members."""
    page = await call.query(
        queries.list_lessons,
        await call.decisions.reach(Action.READ, Kind.LESSON),
        after=call.after(cursor),
        limit=limit,
        cohort_id=cohort_id,
        workspace_id=workspace_id,
    )
    return call.page_response(page, limit=limit)


@router.post("/api/lessons", status_code=201, response_model=wire.LessonOut)
async def create_lesson(
    body: wire.LessonIn, call: Annotated[Call, require(Action.CREATE, Kind.LESSON, replays=False)]
) -> Response:
    """Create a lesson, in the workspace of its cohort; statements that arrived before it count."""
    await require_new_lesson(call, body.workspace_id, body.cohort_id)
    handler = partial(commands.create_lesson, call.platform.get(StatementMatching))
    command = commands.CreateLesson(**body.model_dump())
    return await call.execute(LearningUnitOfWork, handler, command, partial(_lesson, status=201))


@router.get("/api/lessons/{lesson_id}", response_model=wire.LessonOut)
async def get_lesson(lesson_id: UUID, call: Annotated[Call, on_lesson(Action.READ, Kind.LESSON)]) -> Response:
    """One lesson."""
    return _lesson(await call.query(queries.get_lesson, lesson_id))


@router.patch("/api/lessons/{lesson_id}", response_model=wire.LessonOut)
async def change_lesson(
    lesson_id: UUID, body: wire.LessonChangesIn, call: Annotated[Call, on_lesson(Action.CHANGE, Kind.LESSON)]
) -> Response:
    """Change a lesson, which stays in its workspace; needs If-Match."""
    if body.cohort_id is not None:
        await require_sight_of_cohort(call, body.cohort_id, await call.query(workspace_of_cohort, body.cohort_id))
    handler = partial(commands.change_lesson, call.platform.get(StatementMatching))
    command = commands.ChangeLesson(lesson_id, call.expected_revision(), body.model_dump(exclude_unset=True))
    return await call.execute_and_read(LearningUnitOfWork, handler, command, _read)


@router.delete("/api/lessons/{lesson_id}", status_code=204)
async def delete_lesson(lesson_id: UUID, call: Annotated[Call, on_lesson(Action.DELETE, Kind.LESSON)]) -> Response:
    """Delete a lesson, not its statements; needs If-Match."""
    handler = partial(commands.delete_lesson, call.platform.get(StatementMatching))
    command = commands.DeleteLesson(lesson_id, call.expected_revision())
    return await call.execute(LearningUnitOfWork, handler, command, _done)


@router.get("/api/lessons/{lesson_id}/aliases", response_model=wire.AliasesOut)
async def get_aliases(lesson_id: UUID, call: Annotated[Call, on_lesson(Action.READ, Kind.LESSON)]) -> Response:
    """By which other activity ids statements mean the lesson."""
    return await call.query(_read_aliases, lesson_id)


@router.put("/api/lessons/{lesson_id}/aliases", response_model=wire.AliasesOut)
async def replace_aliases(
    lesson_id: UUID, body: wire.AliasesIn, call: Annotated[Call, on_lesson(Action.CHANGE, Kind.LESSON)]
) -> Response:
    """Say all other activity ids that mean the lesson; stored statements follow. Needs If-Match."""
    handler = partial(commands.replace_aliases, call.platform.get(StatementMatching))
    command = commands.ReplaceAliases(lesson_id, call.expected_revision(), body.aliases)
    return await call.execute_and_read(LearningUnitOfWork, handler, command, _read_aliases)


@router.get("/api/lessons/{lesson_id}/incomplete", response_model=IncompletePage)
async def lesson_incomplete(
    lesson_id: UUID,
    call: Annotated[Call, on_lesson(Action.READ, Kind.COMPLETION)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_of: AsOf = None,
) -> Response:
    """Who should have completed the lesson and has not, with the watermark this is complete up to."""
    page, watermark = await call.query(
        missing_completions,
        lesson_id,
        call.platform.get(StatementMatching),
        after=call.after(cursor),
        limit=limit,
        as_of=as_of,
    )
    return call.page_response(page, limit=limit, lesson_id=lesson_id, watermark=watermark)


@router.post("/api/lessons/{lesson_id}/launches", status_code=201, response_model=LaunchOut)
async def launch_lesson(
    lesson_id: UUID,
    body: Annotated[LaunchIn, Body(default_factory=LaunchIn)],
    call: Annotated[Call, require(Action.CREATE, Kind.LAUNCH)],
) -> Response:
    """Launch a lesson in a course player (cmi5): for members of its cohort, and for whoever may read lessons."""
    planned = await announced_launch(call, lesson_id, **body.model_dump())
    handler = partial(open_launch, call.platform.get(PlayerSessions))
    return await call.execute(LearningUnitOfWork, handler, planned, partial(_launch, call))


@router.get("/api/lessons/{lesson_id}/launches", response_model=LaunchPage)
async def list_launches(
    lesson_id: UUID,
    call: Annotated[Call, on_lesson(Action.LIST, Kind.LAUNCH)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Launches of a lesson and what their players have said, newest first."""
    page = await call.query(launches_of_lesson, lesson_id, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


def _launch(call: Call, planned: PlannedLaunch) -> Response:
    launch = planned.launch
    body = {
        "id": launch.session_id,
        **addresses(call, planned),
        "actor": dict(launch.actor),
        "registration": launch.registration,
        "activity_id": launch.activity_id,
        "launch_mode": launch.launch_mode,
        "expires_at": launch.expires_at,
    }
    return json_response(body, status=201)
