"""REST of single revisions and of what is different between two."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from starlette.responses import Response

from dataforge.contexts.schemas.access import in_workspace
from dataforge.contexts.schemas.designs.representations import (
    JSON,
    REPRESENTATIONS,
    SQL,
    Drawn,
    representation,
    wanted_format,
)
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.revisions import comparing, queries, wire
from dataforge.http.app import context_router
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind

router = context_router("schemas")
_LARGEST = 2**31 - 1
RevisionNumber = Annotated[int, Path(ge=1, le=_LARGEST)]
To = Annotated[
    int | None, Query(ge=1, le=_LARGEST, description="number of the other revision; without it, the schema as it is")
]


@router.get("/api/schema/revisions/{number}", response_model=wire.WholeRevisionOut, responses=REPRESENTATIONS)
async def get_revision(
    number: RevisionNumber, workspace_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA)]
) -> Response:
    """A revision with its target and statements; by Accept its schema as a diagram, in DBML or as SQL."""
    media_type = wanted_format(call)
    row = await call.query(queries.find_revision, workspace_id, number)
    if media_type == JSON:
        return json_response(wire.whole_revision_out(row), headers={"Vary": "Accept"})
    state = await comparing.schema_of(call.services(SchemasServices), row)
    return representation(call, media_type, Drawn(state.schema, f"Revision {number}"))


@router.get("/api/schema/revisions/{number}/compare", response_model=wire.DifferenceOut, responses=REPRESENTATIONS)
async def compare_revisions(
    number: RevisionNumber,
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.SCHEMA)],
    to: To = None,
) -> Response:
    """What is different from a revision to another or to the schema as it is; by Accept also as a picture or text."""
    media_type, services = wanted_format(call), call.services(SchemasServices)
    difference = await comparing.compare_states(services, workspace_id, number, to)
    if media_type not in (JSON, SQL):
        return representation(call, media_type, difference.drawn())
    sql = await comparing.statements_between(services, workspace_id, difference)
    if media_type == SQL:
        return representation(call, media_type, difference.drawn(sql))
    return json_response(wire.difference_out(workspace_id, difference, sql), headers={"Vary": "Accept"})
