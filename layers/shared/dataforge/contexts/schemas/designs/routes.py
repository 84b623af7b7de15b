"""REST of schemas as they are."""

from typing import Annotated
from uuid import UUID

from starlette.responses import JSONResponse, Response

from dataforge.contexts.schemas.access import in_workspace
from dataforge.contexts.schemas.designs import wire
from dataforge.contexts.schemas.designs.domain.format import target_format
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.designs.domain.writing import to_document
from dataforge.contexts.schemas.designs.representations import (
    JSON,
    REPRESENTATIONS,
    Drawn,
    representation,
    wanted_format,
)
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.previewing import find_deployed, live_schema
from dataforge.http.app import context_router
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("schemas")


class FormatResponse(JSONResponse):
    """A JSON Schema."""

    media_type = "application/schema+json"


@router.get("/api/schema/format", response_class=FormatResponse)
async def get_target_format() -> Response:
    """The target format, version 1, as a JSON Schema (draft 2020-12), for editors and for whoever writes targets."""
    return FormatResponse(target_format(), headers={"Cache-Control": "public, max-age=3600"})


@router.get("/api/schema/current", response_model=wire.SchemaOut, responses=REPRESENTATIONS)
async def get_current_schema(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA)]
) -> Response:
    """The live schema in the target format; by Accept as a diagram (SVG, Mermaid), in DBML or as SQL."""
    services = call.services(SchemasServices)
    media_type = wanted_format(call)
    schema = await live_schema(services, workspace_id)
    if media_type != JSON:
        return representation(call, media_type, Drawn(schema, "Schema as it is"))
    namespace = namespace_of(workspace_id)
    before = await find_deployed(services, workspace_id)
    target = to_document(schema, namespace, () if before is None else before.design.named)
    answer = {"namespace": namespace, "fingerprint": schema.fingerprint, "target": target}
    return json_response(answer, headers={"Vary": "Accept"})
