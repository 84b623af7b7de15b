"""REST of records: cohorts, lessons and the completions reports."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from starlette.responses import Response

from dataforge.contexts.identity.contract import LearnerDirectory
from dataforge.contexts.records import queries, schemas
from dataforge.contexts.records.commands import cohorts, import_learners, lessons
from dataforge.contexts.records.repository import SqlRecordsUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.errors import BadRequest, UnsupportedMediaType
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.kernel.principal import Role

router = context_router("records")

ReaderCall = Annotated[Call, Depends(require(Role.INSTRUCTOR, Role.ANALYST, Role.REGISTRAR))]
WriterCall = Annotated[Call, Depends(require(Role.INSTRUCTOR, Role.REGISTRAR))]
AsOf = Annotated[datetime | None, Query(description="only statements stored up to this instant, to repeat a report")]
PlanHash = Annotated[str | None, Query(max_length=64, pattern=r"^[0-9a-f]{64}$", description="of the plan to apply")]


def _cohort(row: Mapping[str, Any], *, status: int = 200) -> Response:
    body = schemas.CohortOut.model_validate(row).model_dump(mode="json")
    return json_response(body, status=status, headers={"ETag": etag(row["revision"])})


def _lesson(row: Mapping[str, Any], *, status: int = 200) -> Response:
    body = schemas.LessonOut.model_validate(row).model_dump(mode="json")
    return json_response(body, status=status, headers={"ETag": etag(row["revision"])})


def _done(_result: object) -> Response:
    return json_response(None, status=204)


def _utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant is not None and instant.tzinfo is None else instant


@router.get("/api/cohorts", response_model=schemas.CohortPage)
async def list_cohorts(
    call: ReaderCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, *, active: bool | None = None
) -> Response:
    """Cohorts by name."""
    page = await call.query(queries.list_cohorts, after=call.after(cursor), limit=limit, active=active)
    return call.page_response(page, limit=limit)


@router.post("/api/cohorts", status_code=201, response_model=schemas.CohortOut)
async def create_cohort(body: schemas.CohortIn, call: WriterCall) -> Response:
    """Create an empty cohort."""
    command = cohorts.CreateCohort(**body.model_dump())
    return await call.execute(SqlRecordsUnitOfWork, cohorts.create_cohort, command, partial(_cohort, status=201))


@router.post(
    "/api/cohorts/import",
    response_model=schemas.LearnerPlanOut,
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def import_learner_list(call: WriterCall, plan_hash: PlanHash = None, *, dry_run: bool = True) -> Response:
    """Plan the import of `First Name,Last Name,Email,Group,Team`; with dry_run=false and its plan_hash apply it."""
    if not dry_run and plan_hash is None:
        message = "Plan first: send the file with dry_run=true, look at the plan, and apply it with its plan_hash."
        raise BadRequest(message)
    media_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"):
        message = "Send the file as text/csv."
        raise UnsupportedMediaType(message)
    command = import_learners.ImportLearners(await call.request.body(), None if dry_run else plan_hash)
    handler = partial(_import_learners, call.platform.get(LearnerDirectory))
    return await call.execute(SqlRecordsUnitOfWork, handler, command, lambda plan: json_response(plan.report()))


async def _import_learners(
    directory: LearnerDirectory,
    command: import_learners.ImportLearners,
    uow: SqlRecordsUnitOfWork,
) -> import_learners.LearnerPlan:
    return await import_learners.import_learners(command, uow, directory.accounts(uow.connection))


@router.get("/api/cohorts/{cohort_id}", response_model=schemas.CohortOut)
async def get_cohort(cohort_id: UUID, call: ReaderCall) -> Response:
    """One cohort."""
    return _cohort(await call.query(queries.get_cohort, cohort_id))


@router.patch("/api/cohorts/{cohort_id}", response_model=schemas.CohortOut)
async def change_cohort(cohort_id: UUID, body: schemas.CohortChangesIn, call: WriterCall) -> Response:
    """Change a cohort; needs If-Match."""
    command = cohorts.ChangeCohort(cohort_id, call.expected_revision(), body.model_dump(exclude_unset=True))
    await call.run(SqlRecordsUnitOfWork, cohorts.change_cohort, command)
    return _cohort(await call.query(queries.get_cohort, cohort_id))


@router.delete("/api/cohorts/{cohort_id}", status_code=204)
async def delete_cohort(cohort_id: UUID, call: WriterCall) -> Response:
    """Delete a cohort without lessons; needs If-Match."""
    command = cohorts.DeleteCohort(cohort_id, call.expected_revision())
    return await call.execute(SqlRecordsUnitOfWork, cohorts.delete_cohort, command, _done)


@router.get("/api/cohorts/{cohort_id}/members", response_model=schemas.MemberPage)
async def list_members(
    cohort_id: UUID, call: ReaderCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Current members of a cohort."""
    page = await call.query(queries.list_members, cohort_id, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.put("/api/cohorts/{cohort_id}/members/{user_id}", status_code=204)
async def add_member(cohort_id: UUID, user_id: UUID, call: WriterCall) -> Response:
    """Make somebody a member; a second time changes nothing."""
    command = cohorts.Membership(cohort_id, user_id)
    return await call.execute(SqlRecordsUnitOfWork, cohorts.add_member, command, _done)


@router.delete("/api/cohorts/{cohort_id}/members/{user_id}", status_code=204)
async def remove_member(cohort_id: UUID, user_id: UUID, call: WriterCall) -> Response:
    """End a membership."""
    command = cohorts.Membership(cohort_id, user_id)
    return await call.execute(SqlRecordsUnitOfWork, cohorts.remove_member, command, _done)


@router.get("/api/cohorts/{cohort_id}/completions", response_model=schemas.CompletionPage)
async def cohort_completions(
    cohort_id: UUID, call: ReaderCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, as_of: AsOf = None
) -> Response:
    """Who completed what: the first completion of each member and lesson, with the watermark it is complete up to."""
    page, watermark = await call.query(
        queries.cohort_completions, cohort_id, after=call.after(cursor), limit=limit, as_of=_utc(as_of)
    )
    return call.page_response(page, limit=limit, cohort_id=cohort_id, watermark=watermark)


@router.get("/api/lessons", response_model=schemas.LessonPage)
async def list_lessons(
    call: ReaderCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, cohort_id: UUID | None = None
) -> Response:
    """Lessons in order of creation."""
    page = await call.query(queries.list_lessons, after=call.after(cursor), limit=limit, cohort_id=cohort_id)
    return call.page_response(page, limit=limit)


@router.post("/api/lessons", status_code=201, response_model=schemas.LessonOut)
async def create_lesson(body: schemas.LessonIn, call: WriterCall) -> Response:
    """Create a lesson; statements that arrived before it count."""
    command = lessons.CreateLesson(**body.model_dump())
    return await call.execute(SqlRecordsUnitOfWork, lessons.create_lesson, command, partial(_lesson, status=201))


@router.get("/api/lessons/{lesson_id}", response_model=schemas.LessonOut)
async def get_lesson(lesson_id: UUID, call: ReaderCall) -> Response:
    """One lesson."""
    return _lesson(await call.query(queries.get_lesson, lesson_id))


@router.patch("/api/lessons/{lesson_id}", response_model=schemas.LessonOut)
async def change_lesson(lesson_id: UUID, body: schemas.LessonChangesIn, call: WriterCall) -> Response:
    """Change a lesson; needs If-Match."""
    command = lessons.ChangeLesson(lesson_id, call.expected_revision(), body.model_dump(exclude_unset=True))
    await call.run(SqlRecordsUnitOfWork, lessons.change_lesson, command)
    return _lesson(await call.query(queries.get_lesson, lesson_id))


@router.delete("/api/lessons/{lesson_id}", status_code=204)
async def delete_lesson(lesson_id: UUID, call: WriterCall) -> Response:
    """Delete a lesson, not its statements; needs If-Match."""
    command = lessons.DeleteLesson(lesson_id, call.expected_revision())
    return await call.execute(SqlRecordsUnitOfWork, lessons.delete_lesson, command, _done)


@router.get("/api/lessons/{lesson_id}/incomplete", response_model=schemas.IncompletePage)
async def lesson_incomplete(
    lesson_id: UUID, call: ReaderCall, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, as_of: AsOf = None
) -> Response:
    """Who should have completed the lesson and has not, with the watermark this is complete up to."""
    page, watermark = await call.query(
        queries.lesson_incomplete, lesson_id, after=call.after(cursor), limit=limit, as_of=_utc(as_of)
    )
    return call.page_response(page, limit=limit, lesson_id=lesson_id, watermark=watermark)
