"""REST of plans."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.schemas.access import in_workspace, require_role
from dataforge.contexts.schemas.designs.representations import JSON, REPRESENTATIONS, representation, wanted_format
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans import commands, previewing, queries, wire
from dataforge.contexts.schemas.revisions.comparing import drawn_plan
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind

router = context_router("schemas")


@router.post("/api/schema/validate", response_model=wire.CheckOut, openapi_extra={UNKEYED: True})
async def check_target(
    body: wire.PreviewIn, call: Annotated[Call, require(Action.CREATE, Kind.SCHEMA_PLAN, replays=False)]
) -> Response:
    """Whether a target is valid, judged by PostgreSQL itself; nothing is kept. For editors of the workspace."""
    await require_role(call, body.workspace_id, Action.CREATE, Kind.SCHEMA_PLAN)
    warnings = await previewing.check_target(call.services(SchemasServices), body.target)
    return json_response({"valid": True, "warnings": warnings})


@router.post("/api/schema/preview", response_model=wire.PlanOut)
async def preview_schema(
    body: wire.PreviewIn, call: Annotated[Call, require(Action.CREATE, Kind.SCHEMA_PLAN, replays=False)]
) -> Response:
    """The plan from the live schema to the target: SQL, risks and hash; proved on a copy, and nothing is changed.

    For editors of the workspace.
    """
    await require_role(call, body.workspace_id, Action.CREATE, Kind.SCHEMA_PLAN)
    found = await previewing.preview(call.services(SchemasServices), body.workspace_id, body.target)
    command = commands.KeepPlan(body.workspace_id, body.target, found.plan, found.warnings, found.affected)
    return await call.execute(
        SchemasUnitOfWork, commands.keep_plan, command, lambda row: json_response(wire.plan_out(row))
    )


@router.get("/api/schema/plans/{plan_id}", response_model=wire.PlanOut, responses=REPRESENTATIONS)
async def get_plan(
    plan_id: UUID, workspace_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA_PLAN)]
) -> Response:
    """A plan that was made before; by Accept what it changes as a diagram, in DBML or as SQL."""
    media_type = wanted_format(call)
    row = await call.query(queries.find_plan, workspace_id, plan_id)
    if media_type == JSON:
        return json_response(wire.plan_out(row), headers={"Vary": "Accept"})
    drawn = await drawn_plan(call.services(SchemasServices), workspace_id, row)
    return representation(call, media_type, drawn)
