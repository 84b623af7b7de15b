"""REST of quarantine, for administrators."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Body
from starlette.responses import Response

from dataforge.contexts.lrs.quarantine import queries, wire
from dataforge.contexts.lrs.quarantine.calls import desk_of, read_entry
from dataforge.contexts.lrs.quarantine.domain import QuarantineState, Reason
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.encoding import exact_json
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.paging import DEFAULT_LIMIT

router = context_router("lrs")


@router.get("/api/xapi/quarantine", response_model=wire.QuarantinePage)
async def list_quarantine(
    call: Annotated[Call, require(Action.READ, Kind.QUARANTINE)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    reason: Reason | None = None,
    state: QuarantineState | None = None,
    credential: wire.CredentialParam = None,
    since: wire.SinceParam = None,
    until: wire.UntilParam = None,
) -> Response:
    """What could not become a statement, newest first."""
    asked = queries.QuarantineFilter(reason, state, credential, since, until)
    page = await call.query(queries.list_quarantine, asked, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.get("/api/xapi/quarantine/{entry_id}", response_model=wire.QuarantineOut)
async def get_quarantine_entry(
    entry_id: UUID, call: Annotated[Call, require(Action.READ, Kind.QUARANTINE)]
) -> Response:
    """One entry: each violation with its place, the body as it was sent, and who sent it."""
    facts, body = await read_entry(call, entry_id)
    del facts["s3_key"]
    return json_response({**facts, "body": None if body is None else body.decode(errors="replace")})


@router.post("/api/xapi/quarantine/{entry_id}/replay", response_model=wire.ReplayOut, openapi_extra={UNKEYED: True})
async def replay_quarantine_entry(
    entry_id: UUID,
    body: Annotated[wire.ReplayIn, Body(default_factory=wire.ReplayIn)],
    call: Annotated[Call, require(Action.CHANGE, Kind.QUARANTINE)],
) -> Response:
    """Replay an entry, or its corrected body, under the authority of who sent it; a second replay changes nothing."""
    # A number of the statement keeps every digit.
    exact = exact_json(await call.request.body())
    outcome = await desk_of(call).replay(entry_id, body.body if exact is None else exact["body"])
    return json_response(asdict(outcome))


@router.post("/api/xapi/quarantine/replays", response_model=wire.ReplaysOut, openapi_extra={UNKEYED: True})
async def replay_quarantine_entries(
    body: wire.ReplaysIn, call: Annotated[Call, require(Action.CHANGE, Kind.QUARANTINE)]
) -> Response:
    """Replay several entries as they are; one that cannot be does not stop the others."""
    desk, results = desk_of(call), []
    for entry_id in dict.fromkeys(body.ids):
        try:
            results.append(wire.ReplayResult.model_validate(asdict(await desk.replay(entry_id))))
        except DataForgeError as error:
            failure = wire.ReplayFailure(code=error.code, detail=error.detail)
            results.append(wire.ReplayResult(id=entry_id, error=failure))
    return json_response({"items": results})


@router.delete("/api/xapi/quarantine/{entry_id}", status_code=204)
async def discard_quarantine_entry(
    entry_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.QUARANTINE)]
) -> Response:
    """Discard an entry: its body is deleted, that it was there is remembered for 30 days."""
    await desk_of(call).discard(entry_id)
    return json_response(None, status=204)
