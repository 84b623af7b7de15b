"""OneRoster 1.2 read endpoints, for registrars."""

import tempfile
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from starlette.responses import Response

from dataforge.contexts.academics.oneroster.files import NobodyReads, write_archive
from dataforge.contexts.academics.oneroster.queries import COLLECTIONS, collection_of, get_item, list_collection
from dataforge.http.addresses import this_address
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.bounds import MAX_ANSWER_BYTES
from dataforge.http.call import Call, json_response
from dataforge.http.file_answers import AT_LOCATION, fits, store_file
from dataforge.http.versioned_rows import PROBLEMS
from dataforge.kernel.access import Action, Kind

router = context_router("academics")


ONEROSTER = "/api/oneroster/v1p2"
_ARCHIVE, _ZIP = "oneroster.zip", "application/zip"
_EXPORT: dict[int | str, dict[str, Any]] = {
    200: {"content": {_ZIP: {"schema": {"type": "string", "format": "binary"}}}},
    303: AT_LOCATION,
}
CollectionName = Literal["orgs", "academicSessions", "courses", "classes", "users", "enrollments"]
Fields = Annotated[str | None, Query(max_length=500, description="names of members to show, separated by commas")]


def _links(call: Call, limit: int, offset: int, total: int) -> str:
    # Paging links as the standard has them (§3.4.1): rel first, prev, next and last.
    last = max(0, (total - 1) // limit * limit)
    places = {"first": 0, "last": last}
    if offset > 0:
        places["prev"] = max(0, offset - limit)
    if offset + limit < total:
        places["next"] = offset + limit
    scope = call.request.scope
    return ", ".join(
        f'<{this_address(scope, limit=limit, offset=place)}>; rel="{rel}"' for rel, place in places.items()
    )


def _linked(call: Call, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    # Every reference to another item carries that item's address (GUIDRef, §4).
    if isinstance(value, list):
        return [_linked(call, item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"sourcedId", "type"}:
        return {"href": call.address(ONEROSTER, collection_of(value["type"]), value["sourcedId"]), **value}
    return {name: _linked(call, item) for name, item in value.items()}


@router.get(ONEROSTER + "/export", response_class=Response, responses=_EXPORT)
async def export_oneroster(call: Annotated[Call, require(Action.EXPORT, Kind.ROSTER)]) -> Response:
    """All of it as a zip of OneRoster 1.2 CSV files (bulk, with a manifest), which imports again without a change."""
    with tempfile.SpooledTemporaryFile(max_size=MAX_ANSWER_BYTES) as file:
        try:
            await call.query(write_archive, file, call.request.is_disconnected)
        except NobodyReads:
            return Response(status_code=204)
        if not fits(file):
            return await store_file(call.request, file, name=_ARCHIVE, media_type=_ZIP)
        file.seek(0)
        saved_as = {"Content-Disposition": f'attachment; filename="{_ARCHIVE}"'}
        return Response(file.read(), media_type=_ZIP, headers=saved_as)


@router.get(ONEROSTER + "/{collection}", response_model=dict[str, list[dict[str, Any]]], responses=PROBLEMS)
async def list_oneroster(
    collection: CollectionName,
    call: Annotated[Call, require(Action.EXPORT, Kind.ROSTER)],
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    filter: Annotated[str | None, Query(max_length=1_000)] = None,  # noqa: A002 - the standard's name
    sort: Annotated[str | None, Query(max_length=40)] = None,
    order_by: Annotated[Literal["asc", "desc"], Query(alias="orderBy")] = "asc",
    fields: Fields = None,
) -> Response:
    """A collection: `filter=familyName='Hopper'`, `sort`, `orderBy`, `fields`, `limit`, `offset`."""
    chosen = COLLECTIONS[collection]
    items, total = await call.query(
        list_collection,
        chosen,
        limit=limit,
        offset=offset,
        given=filter,
        sort=sort,
        descending=order_by == "desc",
        fields=fields,
    )
    headers = {"X-Total-Count": str(total), "Link": _links(call, limit, offset, total)}
    return json_response({chosen.name: _linked(call, items)}, headers=headers)


@router.get(ONEROSTER + "/{collection}/{sourced_id:path}", response_model=dict[str, dict[str, Any]], responses=PROBLEMS)
async def get_oneroster(
    collection: CollectionName,
    sourced_id: Annotated[str, Path(max_length=255)],
    call: Annotated[Call, require(Action.EXPORT, Kind.ROSTER)],
    fields: Fields = None,
) -> Response:
    """One item by its sourcedId."""
    chosen = COLLECTIONS[collection]
    item = await call.query(get_item, chosen, sourced_id, fields)
    return json_response({chosen.single: _linked(call, item)})
