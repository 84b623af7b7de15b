"""REST of cohorts: their members, the import of a learner list, and who of them has completed what."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.identity.contract import LearnerDirectory
from dataforge.contexts.learning.calls import on_cohort
from dataforge.contexts.learning.cohort_imports.commands import ImportLearners, import_learners
from dataforge.contexts.learning.cohort_imports.wire import LearnerPlanOut
from dataforge.contexts.learning.cohorts import commands, queries, wire
from dataforge.contexts.learning.completions.queries import completions_of_cohort
from dataforge.contexts.learning.completions.wire import AsOf, CompletionPage
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.errors import BadRequest, UnsupportedMediaType
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.kernel.rules import may_any
from dataforge.kernel.texts import Text

router = context_router("learning")

PlanHash = Annotated[str | None, Query(max_length=64, pattern=r"^[0-9a-f]{64}$", description="of the plan to apply")]


def _cohort(row: Mapping[str, Any], *, status: int = 200) -> Response:
    body = wire.CohortOut.model_validate(row).model_dump(mode="json")
    return json_response(body, status=status, headers={"ETag": etag(row["revision"])})


async def _read(connection: AsyncConnection, cohort_id: UUID) -> Response:
    return _cohort(await queries.get_cohort(connection, cohort_id))


def _done(_result: object) -> Response:
    return json_response(None, status=204)


@router.get("/api/cohorts", response_model=wire.CohortPage)
async def list_cohorts(
    call: Annotated[Call, require(Action.READ, Kind.COHORT)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    workspace_id: Annotated[UUID | None, Query(description="cohorts of this workspace")] = None,
    *,
    active: bool | None = None,
) -> Response:
    """Cohorts by name: of the organisation for its analysts and teachers, of workspaces for their members."""
    page = await call.query(
        queries.list_cohorts,
        await call.decisions.reach(Action.READ, Kind.COHORT),
        after=call.after(cursor),
        limit=limit,
        active=active,
        workspace_id=workspace_id,
    )
    return call.page_response(page, limit=limit)


@router.post("/api/cohorts", status_code=201, response_model=wire.CohortOut)
async def create_cohort(
    body: wire.CohortIn, call: Annotated[Call, require(Action.CREATE, Kind.COHORT, replays=False)]
) -> Response:
    """Create an empty cohort: of the organisation, or of a workspace, for its editors."""
    await call.require(Action.CREATE, Resource(Kind.COHORT, workspace=body.workspace_id))
    command = commands.CreateCohort(**body.model_dump())
    return await call.execute(LearningUnitOfWork, commands.create_cohort, command, partial(_cohort, status=201))


@router.post(
    "/api/cohorts/import",
    response_model=LearnerPlanOut,
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def import_learner_list(
    call: Annotated[Call, require(Action.CHANGE, Kind.COHORT, replays=False)],
    plan_hash: PlanHash = None,
    *,
    dry_run: bool = True,
) -> Response:
    """Plan the import of `First Name,Last Name,Email,Group,Team`; with dry_run=false and its plan_hash apply it.

    It makes accounts and cohorts of the organisation, not of a workspace.
    """
    await call.require(Action.CHANGE, Resource(Kind.COHORT))
    if not dry_run and plan_hash is None:
        message = Text(
            "Plan first: send the file with dry_run=true, look at the plan, and apply it with its plan_hash."
        )
        raise BadRequest(message)
    media_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"):
        message = Text("Send the file as text/csv.")
        raise UnsupportedMediaType(message)
    command = ImportLearners(await call.request.body(), None if dry_run else plan_hash)
    handler = partial(import_learners, call.platform.get(LearnerDirectory), call.platform.get(StatementMatching))
    return await call.execute(LearningUnitOfWork, handler, command, lambda plan: json_response(plan.report()))


@router.get("/api/cohorts/{cohort_id}", response_model=wire.CohortOut)
async def get_cohort(cohort_id: UUID, call: Annotated[Call, on_cohort(Action.READ, Kind.COHORT)]) -> Response:
    """One cohort."""
    return _cohort(await call.query(queries.get_cohort, cohort_id))


@router.patch("/api/cohorts/{cohort_id}", response_model=wire.CohortOut)
async def change_cohort(
    cohort_id: UUID, body: wire.CohortChangesIn, call: Annotated[Call, on_cohort(Action.CHANGE, Kind.COHORT)]
) -> Response:
    """Change a cohort; needs If-Match."""
    command = commands.ChangeCohort(cohort_id, call.expected_revision(), body.model_dump(exclude_unset=True))
    return await call.execute_and_read(LearningUnitOfWork, commands.change_cohort, command, _read)


@router.delete("/api/cohorts/{cohort_id}", status_code=204)
async def delete_cohort(cohort_id: UUID, call: Annotated[Call, on_cohort(Action.DELETE, Kind.COHORT)]) -> Response:
    """Delete a cohort without lessons; needs If-Match."""
    command = commands.DeleteCohort(cohort_id, call.expected_revision())
    return await call.execute(LearningUnitOfWork, commands.delete_cohort, command, _done)


@router.get("/api/cohorts/{cohort_id}/members", response_model=wire.MemberPage)
async def list_members(
    cohort_id: UUID,
    call: Annotated[Call, on_cohort(Action.READ, Kind.COHORT)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Current members of a cohort."""
    page = await call.query(queries.list_members, cohort_id, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.put("/api/cohorts/{cohort_id}/members/{user_id}", status_code=204)
async def add_member(
    cohort_id: UUID, user_id: UUID, call: Annotated[Call, on_cohort(Action.CHANGE, Kind.COHORT)]
) -> Response:
    """Make somebody a member; a second time changes nothing.

    In a workspace's cohort members of the workspace, unless the caller may add anybody to the organisation's cohorts.
    """
    anybody = may_any(call.principal, Action.CHANGE, Kind.COHORT)
    handler = partial(commands.add_member, call.platform.get(StatementMatching), anybody=anybody)
    return await call.execute(LearningUnitOfWork, handler, commands.Membership(cohort_id, user_id), _done)


@router.delete("/api/cohorts/{cohort_id}/members/{user_id}", status_code=204)
async def remove_member(
    cohort_id: UUID, user_id: UUID, call: Annotated[Call, on_cohort(Action.CHANGE, Kind.COHORT)]
) -> Response:
    """End a membership."""
    handler = partial(commands.remove_member, call.platform.get(StatementMatching))
    return await call.execute(LearningUnitOfWork, handler, commands.Membership(cohort_id, user_id), _done)


@router.get("/api/cohorts/{cohort_id}/completions", response_model=CompletionPage)
async def cohort_completions(
    cohort_id: UUID,
    call: Annotated[Call, on_cohort(Action.READ, Kind.COMPLETION)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_of: AsOf = None,
) -> Response:
    """Who completed what: the first completion of each member and lesson, with the watermark it is complete up to."""
    page, watermark = await call.query(
        completions_of_cohort,
        cohort_id,
        call.platform.get(StatementMatching),
        after=call.after(cursor),
        limit=limit,
        as_of=as_of,
    )
    return call.page_response(page, limit=limit, cohort_id=cohort_id, watermark=watermark)
