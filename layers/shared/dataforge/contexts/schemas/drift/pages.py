"""The page of what changed in the schema without a deployment."""

from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.schemas.drift.queries import find_drift
from dataforge.contexts.schemas.page_calls import SCHEMA_PAGE, SchemaPageCall, in_schema_page, router
from dataforge.kernel.access import Action, Kind

DRIFT = SCHEMA_PAGE + "/drift"


@router.get(DRIFT)
async def drift_page(call: Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA)]) -> Response:
    """What happened to the schema, and what would undo it."""
    return call.page("schemas/drift.html", drift=await find_drift(call.schemas, call.workspace.id))
