"""REST of schemas as they are."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.schemas.access import in_workspace
from dataforge.contexts.schemas.designs import wire
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.designs.domain.writing import to_dbml, to_document, to_mermaid, to_sql
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.previewing import find_deployed, live_schema
from dataforge.http.app import context_router
from dataforge.http.call import Call, json_response
from dataforge.http.negotiation import preferred_media_type
from dataforge.kernel.access import Action, Kind

router = context_router("schemas")
_TEXTS = {"application/sql": to_sql, "text/vnd.mermaid": to_mermaid, "text/x-dbml": to_dbml}


@router.get("/api/schema/current", response_model=wire.SchemaOut)
async def get_current_schema(
    workspace_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA)]
) -> Response:
    """The live schema in the target format; as `application/sql`, `text/vnd.mermaid` or `text/x-dbml` by Accept."""
    services = call.services(SchemasServices)
    schema = await live_schema(services, workspace_id)
    kind = preferred_media_type(call.request.headers.get("accept", "*/*"), ["application/json", *_TEXTS])
    if kind in _TEXTS:
        return Response(_TEXTS[kind](schema), media_type=f"{kind}; charset=utf-8", headers={"Vary": "Accept"})
    namespace = namespace_of(workspace_id)
    before = await find_deployed(services, workspace_id)
    target = to_document(schema, namespace, () if before is None else before.design.named)
    answer = {"namespace": namespace, "fingerprint": schema.fingerprint, "target": target}
    return json_response(answer, headers={"Vary": "Accept"})
