"""REST of comparisons."""

from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.datasets.commits.calls import ref_name
from dataforge.contexts.datasets.commits.domain import SheetNotFound
from dataforge.contexts.datasets.commits.queries import merge_base
from dataforge.contexts.datasets.comparisons import wire
from dataforge.contexts.datasets.datasets.calls import DatasetCall, bounded, on_dataset, router
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.wire_types import SheetName
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text

SHOWN_ROWS = 100
VersionName = Annotated[str, Query(min_length=1, max_length=100, description="branch, tag or commit id")]


@router.get("/api/datasets/{dataset_id}/compare", response_model=wire.VersionComparison)
async def compare(
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)],
    base: VersionName,
    head: VersionName,
    sheet: SheetName = None,
    kind: Annotated[list[Literal["inserted", "updated", "deleted"]] | None, Query()] = None,
    column: Annotated[str | None, Query(max_length=1000, description="updates that changed this column")] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN_ROWS,
    cursor: Cursor = None,
    since: Annotated[
        Literal["base", "merge_base"], Query(description="merge_base: what head did since it left base")
    ] = "base",
) -> Response:
    """Schema diff and counts of every sheet, and a page of changed rows with their cells before and after.

    Rows are shown for the sheet asked for, or the only one that differs. A cursor goes on between the same commits.
    """
    after = call.after(cursor)
    versions, comparer = call.versions, call.services(DatasetsServices).comparer
    one = await versions.load(call.dataset_id, base if after is None else after[0])
    two = await versions.load(call.dataset_id, head if after is None else after[1])
    if since == "merge_base" and after is None:
        async with versions.database.read_only() as connection:
            common = await merge_base(connection, call.dataset_id, one.commit_id, two.commit_id)
        one = one if common is None else await versions.load(call.dataset_id, common)
    if sheet is not None and sheet not in one.tables and sheet not in two.tables:
        message = Text("There is no sheet {sheet!r} in either version.", sheet=sheet)
        raise SheetNotFound(message)
    sheets = await comparer.summary(one, two, sheet)
    body: dict[str, Any] = {
        "dataset_id": call.dataset_id,
        "base": {"ref_name": ref_name(base, one), "commit_id": one.commit_id},
        "head": {"ref_name": ref_name(head, two), "commit_id": two.commit_id},
        "identical": one.content_hash == two.content_hash,
        "sheets": sheets,
        "sheet_name": None,
        "rows": [],
        "total_rows": 0,
        "offset": offset if after is None else after[2],
        "limit": limit,
        "next_cursor": None,
        "has_more": False,
    }
    different = [item["sheet_name"] for item in sheets if item["status"] != "unchanged"]
    shown = sheet if sheet is not None else (different[0] if len(different) == 1 else None)
    if shown is None:
        return bounded(body)
    start = body["offset"]
    rows, total = await comparer.rows(one, two, shown, kinds=kind or (), column=column, offset=start, limit=limit)
    more = start + len(rows) < total
    body.update({"sheet_name": shown, "rows": rows, "total_rows": total, "has_more": more})
    if more:
        body["next_cursor"] = call.seal((one.commit_id, two.commit_id, start + len(rows)))
    return bounded(body)
