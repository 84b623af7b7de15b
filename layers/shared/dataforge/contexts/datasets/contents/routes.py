"""REST of what is in a version: rows, schema, tables, overview, statistics, the history of a row."""

import json
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from starlette.responses import Response

from dataforge.contexts.datasets.commits.calls import ref_name
from dataforge.contexts.datasets.commits.queries import find_version, get_commit, overview
from dataforge.contexts.datasets.contents import queries, wire
from dataforge.contexts.datasets.datasets.calls import DatasetCall, bounded, on_dataset, router
from dataforge.contexts.datasets.downloads.calls import (
    FILES,
    AskedForm,
    asked_form,
    download_page,
    download_table,
    wanted_form,
)
from dataforge.contexts.datasets.downloads.domain import Download
from dataforge.contexts.datasets.jobs.wire import JobOut
from dataforge.contexts.datasets.wire_types import SheetName
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused
from versioned_tables.read.pages import PageRequest

SHOWN_ROWS = 100


AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": FILES},
    202: {"description": "the file is being made: ask again after Retry-After", "model": JobOut},
    303: {"description": "the file is larger than 4 MiB and at the address in Location, for an hour"},
}


@router.get("/api/datasets/{dataset_id}/refs/{version}/data", response_model=wire.DataPage, responses=AS_FILE)
@router.get("/api/datasets/{dataset_id}/commits/{version}/data", response_model=wire.DataPage, responses=AS_FILE)
async def get_data(
    version: str,
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)],
    sheet: SheetName = None,
    offset: Annotated[int, Query(ge=0, description="not together with cursor")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN_ROWS,
    cursor: Cursor = None,
    columns: Annotated[list[str] | None, Query(description="repeat for several; all when left out")] = None,
    where: Annotated[
        str | None,
        Query(alias="filter", max_length=queries.MOST_FILTER, description='JSON: {"column", "op", "value"}, and, or'),
    ] = None,
    sort: Annotated[
        Literal["key", "-key"], Query(description="in key order (file order without a key), or back")
    ] = "key",
    asked: AskedForm = Depends(asked_form),
) -> Response:
    """Rows of a sheet: a page as JSON, or the whole of it as a file of the form that `format` or Accept names.

    A cursor goes on in the commit it began in, also when the branch has moved since. A file of up to 4 MiB is the
    answer; a larger one is made once and linked to by 303. While a very large one is being made the answer is 202.
    """
    file_form = wanted_form(call, asked)
    after = call.after(cursor)
    found = await call.versions.load(call.dataset_id, version if after is None else after[0], sheet=sheet)
    name = found.sheet_name(sheet)
    request = PageRequest(
        offset=offset if after is None else 0,
        limit=limit,
        after=None if after is None else after[1],
        columns=None if columns is None else tuple(columns),
        where=queries.filter_of(where),
        descending=sort == "-key",
    )
    shown = offset if after is None else after[2]
    if file_form is not None:
        chosen = None if where is None else json.loads(where)
        download = Download(file_form, request.columns, chosen, request.descending, asked.excel)
        if not {"limit", "offset", "cursor"}.isdisjoint(call.request.query_params):
            return await download_page(call, found, name, request, download, shown)
        return await download_table(call, found, name, download)
    page = await queries.data_page(call.versions, found, name, request)
    body: dict[str, Any] = {
        "dataset_id": call.dataset_id,
        "ref_name": ref_name(version, found) if after is None else version,
        "commit_id": found.commit_id,
        "rows": [{"sheet_name": name, **row} for row in page.rows],
        "total_rows": page.total_rows,
        "offset": shown,
        "limit": limit,
        "next_cursor": None,
        "has_more": page.has_more,
    }
    if page.has_more:
        body["next_cursor"] = call.seal((found.commit_id, page.next_after, shown + len(page.rows)))
    response = bounded(body, etag_of=found.commit_id)
    response.headers["Vary"] = "Accept"
    return response


@router.get("/api/datasets/{dataset_id}/refs/{version}/schema", response_model=wire.VersionSchema)
@router.get("/api/datasets/{dataset_id}/commits/{version}/schema", response_model=wire.VersionSchema)
async def get_schema(
    version: str, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)], sheet: SheetName = None
) -> Response:
    """Columns with ids and types, and the key, of one sheet or of all."""
    found = await call.versions.load(call.dataset_id, version, sheet=sheet)
    names = [found.sheet_name(sheet)] if sheet is not None else list(found.tables)
    sheets = [{"sheet_name": name, **queries.schema_json(found.tables[name].manifest.schema)} for name in names]
    body = {"dataset_id": call.dataset_id, "ref_name": ref_name(version, found), "commit_id": found.commit_id}
    return bounded({**body, "sheets": sheets}, etag_of=found.commit_id)


@router.get("/api/datasets/{dataset_id}/refs/{version}/tables", response_model=wire.VersionTables)
@router.get("/api/datasets/{dataset_id}/commits/{version}/tables", response_model=wire.VersionTables)
async def get_tables(version: str, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)]) -> Response:
    """The sheets of a version with their sizes."""
    commit_id, name = await call.query(find_version, call.dataset_id, version)
    commit = await call.query(get_commit, call.dataset_id, commit_id)
    body = {"dataset_id": call.dataset_id, "ref_name": name, "commit_id": commit_id, "tables": commit["tables"]}
    return bounded(body, etag_of=commit_id)


@router.get("/api/datasets/{dataset_id}/refs/{version}/overview", response_model=wire.VersionOverview)
@router.get("/api/datasets/{dataset_id}/commits/{version}/overview", response_model=wire.VersionOverview)
async def get_overview(version: str, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)]) -> Response:
    """A version at a glance: its commit, sheets with columns and first rows, and counts of the dataset."""
    found = await call.versions.load(call.dataset_id, version)
    commit = await call.query(get_commit, call.dataset_id, found.commit_id)
    counts = await call.query(overview, call.dataset_id)
    sheets = []
    for name, table in list(found.tables.items())[:20]:
        page = await queries.data_page(call.versions, found, name, PageRequest(limit=5))
        sheets.append(
            {
                "sheet_name": name,
                "row_count": table.row.row_count,
                "size_bytes": table.row.size_bytes,
                **queries.schema_json(table.manifest.schema),
                "sample": [row["data"] for row in page.rows],
            }
        )
    body = {
        "dataset_id": call.dataset_id,
        "ref_name": ref_name(version, found),
        "commit": {key: value for key, value in commit.items() if key != "tables"},
        "table_count": len(found.tables),
        "row_count": sum(table.row.row_count for table in found.tables.values()),
        "size_bytes": sum(table.row.size_bytes for table in found.tables.values()),
        "sheets": sheets,
        **counts,
    }
    return bounded(body, etag_of=found.commit_id)


@router.get("/api/datasets/{dataset_id}/refs/{version}/statistics", response_model=wire.SheetStatistics)
@router.get("/api/datasets/{dataset_id}/commits/{version}/statistics", response_model=wire.SheetStatistics)
async def get_statistics(
    version: str, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)], sheet: SheetName = None
) -> Response:
    """Per column: nulls, distinct estimate, least and greatest value, quantiles, histogram, top values."""
    found = await call.versions.load(call.dataset_id, version, sheet=sheet)
    name = found.sheet_name(sheet)
    made = await queries.statistics_of(call.versions, found, name, call.platform.clock)
    body = {"dataset_id": call.dataset_id, "ref_name": ref_name(version, found), "commit_id": found.commit_id}
    return bounded({**body, "sheet_name": name, **made}, etag_of=found.commit_id)


@router.get("/api/datasets/{dataset_id}/refs/{version}/row-history", response_model=wire.RowHistory)
@router.get("/api/datasets/{dataset_id}/commits/{version}/row-history", response_model=wire.RowHistory)
async def get_row_history(
    version: str,
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)],
    key: Annotated[str, Query(max_length=10_000, description="JSON list of the key values, in the order of the key")],
    sheet: SheetName = None,
) -> Response:
    """The commits that changed one row, newest first."""
    found = await call.versions.load(call.dataset_id, version, sheet=sheet)
    name = found.sheet_name(sheet)
    history = await queries.history_of_row(call.versions, call.dataset_id, found.commit_id, name, _key_of(key))
    body = {"dataset_id": call.dataset_id, "ref_name": ref_name(version, found), "commit_id": found.commit_id}
    return bounded({**body, "sheet_name": name, "history": history})


def _key_of(text: str) -> list[object]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, list) or not values or any(isinstance(value, dict | list) for value in values):
        message = Text('The key is a JSON list of its values, such as ["A17"] or [2026, "A17"].')
        raise FilterRefused(message)
    return values
