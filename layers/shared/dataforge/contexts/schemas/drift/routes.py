"""REST of drift."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.schemas.access import in_workspace
from dataforge.contexts.schemas.drift import queries, wire
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.http.app import context_router
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("schemas")


@router.get("/api/schema/drift", response_model=wire.DriftOut)
async def get_drift(workspace_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA)]) -> Response:
    """Whether the schema is as it was deployed, and the difference both ways."""
    return json_response(await queries.find_drift(call.services(SchemasServices), workspace_id))
