"""REST of commits and history."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.datasets.commits import commands, queries, wire
from dataforge.contexts.datasets.commits.calls import expected_version, keep_digits, publish
from dataforge.contexts.datasets.datasets.calls import DatasetCall, on_dataset, router
from dataforge.http.call import json_response
from dataforge.http.etag import etag
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from versioned_tables.write.operations import RowOperation


@router.post("/api/datasets/{dataset_id}/refs/{ref}/commits", status_code=201, response_model=wire.CommitSummary)
async def commit(
    ref: str, body: wire.CommitIn, call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.COMMIT)]
) -> Response:
    """Commit row operations and schema changes on a branch; If-Match carries the commit they were made on.

    Another commit there by now: 409 names both. Nothing different: 200 and `unchanged`.
    """
    base = await expected_version(call, ref)
    await keep_digits(call, "operations", body.operations)
    changes = commands.Changes(
        drop=body.drop_tables,
        create=[
            commands.NewTable(table.sheet, [(column.name, column.type) for column in table.columns], table.key)
            for table in body.create_tables
        ],
        schemas=[
            commands.SchemaEdit(
                edit.sheet,
                edit.rename,
                edit.types,
                edit.drop,
                [(column.name, column.type) for column in edit.add],
                edit.order,
            )
            for edit in body.schema_changes
        ],
        operations=[
            commands.SheetOperation(item.sheet, RowOperation(item.op, item.key, item.values))
            for item in body.operations
        ],
    )
    made = await commands.commit_changes(call.versions, base, changes, call.authorship(body.message))
    return await publish(call, ref, base, made, len(body.operations))


@router.get("/api/datasets/{dataset_id}/refs/{ref}/history", response_model=wire.HistoryPage)
async def history_of_ref(
    ref: str,
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.COMMIT)],
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = DEFAULT_LIMIT,
) -> Response:
    """The commits of a branch, tag or commit, newest first, with the edges of their graph."""
    start, _ = await call.query(queries.find_version, call.dataset_id, ref)
    after = call.after(cursor)
    # A cursor continues the walk it began with, also when the branch has moved since.
    first = start if after is None else after[2]
    page = await call.query(queries.history, call.dataset_id, first, after=after, limit=limit)
    return call.page_response(page, items="commits", limit=limit)


@router.get("/api/datasets/{dataset_id}/commits/{commit_id}", response_model=wire.CommitOut)
async def get_commit(commit_id: str, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.COMMIT)]) -> Response:
    """One commit with its tables."""
    commit = await call.query(queries.get_commit, call.dataset_id, commit_id)
    body = wire.CommitOut.model_validate(commit).model_dump(mode="json")
    return json_response(body, headers={"ETag": etag(commit_id)})
