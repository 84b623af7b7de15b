"""Pages of deployments, which go on by themselves while one is under way, and of the history that they leave."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from starlette.responses import Response

from dataforge.contexts.schemas.deployments import commands, queries
from dataforge.contexts.schemas.deployments.announcing import announce_deployment
from dataforge.contexts.schemas.deployments.domain import UNDER_WAY, missing_deployment
from dataforge.contexts.schemas.deployments.standing import as_it_stands
from dataforge.contexts.schemas.page_calls import (
    ROWS,
    SCHEMA_PAGE,
    SCHEMAS_PAGES,
    SchemaPageCall,
    in_schema_page,
    router,
)
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

DEPLOYMENT = SCHEMA_PAGE + "/deployments/{deployment_id}"
HISTORY = SCHEMA_PAGE + "/history"
MOST_STEPS = 300  # shown on the page, around the one that is next
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get(DEPLOYMENT)
async def deployment_page(
    deployment_id: UUID, call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.DEPLOYMENT)]
) -> Response:
    """How far a deployment is; the page asks again by itself until it has ended."""
    return await _deployment(call, deployment_id)


@router.post(DEPLOYMENT + "/cancel")
async def cancel_from_page(
    deployment_id: UUID, call: Annotated[SchemaPageCall, in_schema_page(Action.CHANGE, Kind.DEPLOYMENT)]
) -> Response:
    """Stop it before its next step."""
    await _find(call, deployment_id)
    try:
        await call.carry_out(commands.cancel_deployment, commands.CancelDeployment(deployment_id))
    except DataForgeError as error:
        return await _deployment(call, deployment_id, refusal_of(error))
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "deployments", deployment_id)


@router.post(DEPLOYMENT + "/resume")
async def resume_from_page(
    deployment_id: UUID, call: Annotated[SchemaPageCall, in_schema_page(Action.CHANGE, Kind.DEPLOYMENT)]
) -> Response:
    """Go on after the last step that was done."""
    await _find(call, deployment_id)
    try:
        await call.carry_out(commands.resume_deployment, commands.ResumeDeployment(deployment_id))
    except DataForgeError as error:
        return await _deployment(call, deployment_id, refusal_of(error))
    await announce_deployment(call.schemas, deployment_id)
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "deployments", deployment_id)


@router.get(HISTORY)
async def history_page(
    call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA)], cursor: Cursor = None
) -> Response:
    """The revisions of the schema, newest first."""
    return await _history(call, cursor)


@router.post(HISTORY + "/{number}/rollback")
async def roll_back_from_page(
    number: Number, call: Annotated[SchemaPageCall, in_schema_page(Action.CREATE, Kind.SCHEMA_PLAN)]
) -> Response:
    """Plan the way back to a revision and go on to the plan."""
    target = await call.query(queries.target_of, call.workspace.id, number)
    try:
        plan_id = await call.keep_plan(target, back_to=number)
    except DataForgeError as error:
        return await _history(call, None, Refusal(error.status, error.detail))
    return call.see_other(SCHEMAS_PAGES, call.workspace.id, "plans", plan_id)


async def _history(call: SchemaPageCall, cursor: str | None, refusal: Refusal = ACCEPTED) -> Response:
    found = await call.query(queries.list_revisions, call.workspace.id, after=call.after(cursor), limit=ROWS)
    return call.page(
        "schemas/history.html",
        refusal=refusal,
        revisions=found.rows,
        deployment=await call.query(queries.newest_deployment, call.workspace.id),
        numbers=[(item["number"], f"{item['number']:,}") for item in found.rows],
        newest=cursor is None,
        first=cursor is None,
        following=call.following(found.next_key),
    )


async def _find(call: SchemaPageCall, deployment_id: UUID) -> dict[str, Any]:
    row = await call.query(queries.find_deployment, deployment_id)
    if row["workspace_id"] != call.workspace.id:
        raise missing_deployment(deployment_id)
    return row


async def _deployment(call: SchemaPageCall, deployment_id: UUID, refusal: Refusal = ACCEPTED) -> Response:
    row = await as_it_stands(call.schemas, await _find(call, deployment_id))
    begin = max(0, min(row["steps_done"] - MOST_STEPS // 2, row["steps_total"] - MOST_STEPS))
    error = row["error"] or {}
    return call.page(
        "schemas/deployment.html",
        refusal=refusal,
        deployment=row,
        steps=row["steps"][begin : begin + MOST_STEPS],
        before=begin,
        behind=max(0, row["steps_total"] - begin - MOST_STEPS),
        under_way=row["status"] in UNDER_WAY,
        error=error,
        holders=(error.get("facts") or {}).get("held_by") or [],
    )
