"""REST of conversion."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.schemas.access import require_role
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.designs.representations import (
    JSON,
    REPRESENTATIONS,
    Drawn,
    representation,
    wanted_format,
)
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.sources import conversions, wire
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind

router = context_router("schemas")


@router.post(
    "/api/schema/convert",
    response_model=wire.ConvertedOut,
    responses=REPRESENTATIONS,
    openapi_extra={UNKEYED: True},
)
async def convert_schema(
    body: wire.ConvertIn, call: Annotated[Call, require(Action.CREATE, Kind.SCHEMA_PLAN, replays=False)]
) -> Response:
    """A schema from SQL, DBML or a target as a target; by Accept as a diagram, in DBML or as SQL. Nothing is kept.

    What was deployed in the workspace under the same name keeps its id. For editors of the workspace.
    """
    await require_role(call, body.workspace_id, Action.CREATE, Kind.SCHEMA_PLAN)
    media_type = wanted_format(call)
    converted = await conversions.convert(call.services(SchemasServices), body)
    if media_type != JSON:
        return representation(call, media_type, Drawn(converted.schema, "Schema that was converted"))
    answer = wire.converted_out(converted, namespace_of(body.workspace_id))
    return json_response(answer, headers={"Vary": "Accept"})
