"""REST of deployments and of the history they leave."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Path
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.schemas.access import in_workspace, require_role
from dataforge.contexts.schemas.deployments import commands, queries, wire
from dataforge.contexts.schemas.deployments.announcing import announce_deployment
from dataforge.contexts.schemas.deployments.domain import missing_deployment
from dataforge.contexts.schemas.deployments.readiness import as_asked
from dataforge.contexts.schemas.deployments.standing import as_it_stands
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans import commands as plans
from dataforge.contexts.schemas.plans import previewing
from dataforge.contexts.schemas.plans.wire import PlanOut, plan_out
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import NotFound, PlanStale
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run

router = context_router("schemas")
Asked = TypeVar("Asked")
RevisionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("/api/schema/deploy", status_code=202, response_model=wire.DeploymentOut)
async def deploy_schema(
    body: wire.DeployIn, call: Annotated[Call, require(Action.CREATE, Kind.DEPLOYMENT, replays=False)]
) -> Response:
    """Deploy exactly the plan with this hash; 409 `plan_stale` when the schema or its trash has moved since.

    For administrators of the workspace. A plan with a `blocking` warning is refused (409 `would_fail`) while that is
    still true: rows are asked again, for 20 seconds at most. Rows of plans without one are not, and neither are those
    that cannot be asked in time: what does not fit then ends the deployment as `statement_failed`.
    """
    await require_role(call, body.workspace_id, Action.CREATE, Kind.DEPLOYMENT)
    plan_id = body.plan_id or await _planned_again(body, call)
    services = call.services(SchemasServices)
    command = await as_asked(services, body.workspace_id, plan_id, body.plan_hash, body.confirmations)
    return await _started(call, commands.ask_deployment, command)


async def _planned_again(body: wire.DeployIn, call: Call) -> UUID:
    found = await previewing.preview(call.services(SchemasServices), body.workspace_id, body.target or {})
    if found.plan.hash != body.plan_hash:
        message = Text("The target and the schema now give another plan than the one with this hash; nothing was done.")
        raise PlanStale(message, facts={"plan_hash": found.plan.hash})
    command = plans.KeepPlan(body.workspace_id, body.target or {}, found.plan, found.warnings, found.affected)
    row = await run(call.unit_of_work(SchemasUnitOfWork), plans.keep_plan, command)
    plan_id: UUID = row["id"]
    return plan_id


async def _started(
    call: Call, handler: Callable[[Asked, SchemasUnitOfWork], Awaitable[UUID]], command: Asked
) -> Response:
    async def read(connection: AsyncConnection, deployment_id: UUID) -> Response:
        row = await queries.find_deployment(connection, deployment_id)
        headers = {"Location": call.address("/api/schema/deployments", deployment_id), "Retry-After": "1"}
        return json_response(wire.deployment_out(row), status=202, headers=headers)

    response = await call.execute_and_read(SchemasUnitOfWork, handler, command, read)
    await announce_deployment(call.services(SchemasServices), UUID(json.loads(bytes(response.body))["id"]))
    return response


@router.get("/api/schema/deployments/{deployment_id}", response_model=wire.DeploymentOut)
async def get_deployment(
    deployment_id: UUID, call: Annotated[Call, require(Action.READ, Kind.DEPLOYMENT, replays=False)]
) -> Response:
    """How far a deployment is, step by step; for members of its workspace."""
    row = await as_it_stands(call.services(SchemasServices), await _seen(call, deployment_id, Action.READ))
    headers = {"Retry-After": "1"} if row["finished_at"] is None else {}
    return json_response(wire.deployment_out(row), headers=headers)


async def _seen(call: Call, deployment_id: UUID, action: Action) -> dict[str, Any]:
    """The deployment, for those who may; strangers to its workspace get DeploymentNotFound."""
    row = await call.query(queries.find_deployment, deployment_id)
    try:
        await require_role(call, row["workspace_id"], action, Kind.DEPLOYMENT)
    except NotFound as error:
        raise missing_deployment(deployment_id) from error
    return row


@router.post("/api/schema/deployments/{deployment_id}/cancel", status_code=202, response_model=wire.DeploymentOut)
async def cancel_deployment(
    deployment_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.DEPLOYMENT, replays=False)]
) -> Response:
    """Stop a deployment before its next step; what is done stays, and can be resumed."""
    await _seen(call, deployment_id, Action.CHANGE)

    async def read(connection: AsyncConnection, deployment_id: UUID) -> Response:
        row = await queries.find_deployment(connection, deployment_id)
        return json_response(wire.deployment_out(row), status=202)

    command = commands.CancelDeployment(deployment_id)
    return await call.execute_and_read(SchemasUnitOfWork, commands.cancel_deployment, command, read)


@router.post("/api/schema/deployments/{deployment_id}/resume", status_code=202, response_model=wire.DeploymentOut)
async def resume_deployment(
    deployment_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.DEPLOYMENT, replays=False)]
) -> Response:
    """Go on with a deployment that failed or was cancelled, after the last step that was done."""
    await _seen(call, deployment_id, Action.CHANGE)
    return await _started(call, commands.resume_deployment, commands.ResumeDeployment(deployment_id))


@router.get("/api/schema/revisions", response_model=wire.RevisionPage)
async def list_revisions(
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Revisions of a workspace's schema, newest first."""
    page = await call.query(queries.list_revisions, workspace_id, after=call.after(cursor), limit=limit)
    rows = [wire.revision_out(row) for row in page.rows]
    return call.page_response(Page(rows, page.next_key), limit=limit)


@router.post("/api/schema/revisions/{number}/rollback", response_model=PlanOut)
async def plan_rollback(
    number: RevisionNumber,
    workspace_id: UUID,
    call: Annotated[Call, require(Action.CREATE, Kind.SCHEMA_PLAN, replays=False)],
) -> Response:
    """The plan back to a revision, proved like any other; deploy it by its hash."""
    await require_role(call, workspace_id, Action.CREATE, Kind.SCHEMA_PLAN)
    target = await call.query(queries.target_of, workspace_id, number)
    found = await previewing.preview(call.services(SchemasServices), workspace_id, target, back_to=number)
    command = plans.KeepPlan(workspace_id, target, found.plan, found.warnings, found.affected)
    return await call.execute(SchemasUnitOfWork, plans.keep_plan, command, lambda row: json_response(plan_out(row)))
