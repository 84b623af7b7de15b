"""What makes commits on a branch: row operations, merges, reverts, cherry-picks."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.commands.refs import MoveRef, PublishCommit, move_ref, publish_commit
from dataforge.contexts.datasets.domain.commits import NewCommit, Published
from dataforge.contexts.datasets.domain.refs import CommitNotFound, is_commit_id, ref_moved
from dataforge.contexts.datasets.queries import history as queries
from dataforge.contexts.datasets.repository import SqlDatasetsUnitOfWork
from dataforge.contexts.datasets.routes.calls import DatasetCall, WriteCall, execute, router
from dataforge.contexts.datasets.schemas import inputs, outputs
from dataforge.contexts.datasets.services import committing, merging
from dataforge.contexts.datasets.services.comparing import schema_diff
from dataforge.contexts.datasets.services.versions import Version, Versions, sheet_summaries
from dataforge.http.call import json_response
from dataforge.http.encoding import exact_json
from dataforge.http.etag import etag
from versioned_tables.merge.conflicts import Resolution, Rule
from versioned_tables.write.operations import RowOperation


async def expected_version(call: DatasetCall, ref: str) -> Version:
    """The commit in If-Match, loaded: what the caller builds on. `*` is wherever the branch is now.

    Raises PreconditionRequired without the header and RefMoved for a commit that the dataset does not have.
    """
    expected = call.expected_revision()
    current = await call.query(queries.require_ref, call.dataset_id, ref)
    if expected == "*":
        return await call.versions.load(call.dataset_id, current)
    if not is_commit_id(expected):
        raise ref_moved(ref, expected, current)
    try:
        return await call.versions.load(call.dataset_id, expected)
    except CommitNotFound as error:
        raise ref_moved(ref, expected, current) from error


async def keep_digits(
    call: DatasetCall, member: str, items: Sequence[inputs.RowOperationIn | inputs.ResolutionIn]
) -> None:
    """Give the cells of the items in this member of the body the digits that the caller sent: a decimal has more of
    them than a double keeps.
    """
    exact = exact_json(await call.request.body()) if items else None
    for item, sent in zip(items, exact[member], strict=True) if exact is not None else ():
        item.values = sent.get("values", {})
        if isinstance(item, inputs.RowOperationIn):
            item.key = sent.get("key", {})


def published_response(published: Published, rows: int, *, status: int = 201) -> Response:
    """The summary of a commit, with the new ETag of its branch."""
    body = {
        "new_commit_id": published.commit_id,
        "updated_ref": published.ref,
        "rows_processed": rows,
        "sheets": sheet_summaries(published.tables),
        "previous_commit_id": published.previous_commit_id,
        "unchanged": published.unchanged,
    }
    return json_response(
        body, status=200 if published.unchanged else status, headers={"ETag": etag(published.commit_id)}
    )


async def publish(call: DatasetCall, ref: str, base: Version, commit: NewCommit | None, rows: int) -> Response:
    """Make a prepared commit visible on a branch that is still at its base; 409 names both commits otherwise."""

    async def show(_connection: AsyncConnection, published: Published) -> Response:
        return published_response(published, rows)

    command = PublishCommit(call.dataset_id, ref, base.commit_id, commit)
    handler = partial(publish_commit, objects=call.versions.objects)
    return await execute(call, handler, command, show)


@router.post("/api/datasets/{dataset_id}/refs/{ref}/commits", status_code=201, response_model=outputs.CommitSummary)
async def commit(ref: str, body: inputs.CommitIn, call: WriteCall) -> Response:
    """Commit row operations and schema changes on a branch; If-Match carries the commit they were made on.

    Another commit there by now: 409 names both. Nothing different: 200 and `unchanged`.
    """
    base = await expected_version(call, ref)
    await keep_digits(call, "operations", body.operations)
    changes = committing.Changes(
        drop=body.drop_tables,
        create=[
            committing.NewTable(table.sheet, [(column.name, column.type) for column in table.columns], table.key)
            for table in body.create_tables
        ],
        schemas=[
            committing.SchemaEdit(
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
            committing.SheetOperation(item.sheet, RowOperation(item.op, item.key, item.values))
            for item in body.operations
        ],
    )
    made = await committing.commit_changes(call.versions, base, changes, call.authorship(body.message))
    return await publish(call, ref, base, made, len(body.operations))


def settlement(
    rule: Rule | None, resolutions: Sequence[inputs.ResolutionIn], sheets: Sequence[str]
) -> merging.Settlement:
    """How conflicts end; a resolution without a sheet is for the only one."""
    rows: dict[str, dict[str, Resolution]] = {}
    for item in resolutions:
        sheet = item.sheet if item.sheet is not None else (sheets[0] if len(sheets) == 1 else "")
        rows.setdefault(sheet, {})[item.row_id] = Resolution(item.take, item.values)
    return merging.Settlement(rule, rows)


async def plan_body(versions: Versions, plan: merging.MergePlan) -> dict[str, Any]:
    """A merge before it is made: what it does to each sheet, and the conflicts in its way. While there are any, the
    counts are those with ours in their place.
    """
    before = plan.ours.manifests
    sheets = []
    for sheet, changes in (await merging.sheet_changes(versions, plan)).items():
        old, new = before.get(sheet), plan.tables.get(sheet)
        sheets.append(
            {
                "sheet_name": sheet,
                "rows_before": 0 if old is None else old.rows,
                "rows_after": 0 if new is None else new.rows,
                "schema": schema_diff(old.schema, new.schema) if old is not None and new is not None else None,
                "changes": changes,
            }
        )
    return {
        "ours": plan.ours.commit_id,
        "theirs": plan.theirs.commit_id,
        "base": None if plan.base is None else plan.base.commit_id,
        "fast_forward": plan.fast_forward,
        "up_to_date": plan.up_to_date,
        "sheets": sheets,
        "conflict_count": len(plan.conflicts),
        "conflicts": list(plan.conflicts[: merging.CONFLICTS_LISTED]),
    }


@router.post("/api/datasets/{dataset_id}/refs/{ref}/merge", status_code=201, response_model=outputs.CommitSummary)
async def merge(ref: str, body: inputs.MergeIn, call: WriteCall) -> Response:
    """Merge a version into a branch, by row and cell; `preview` shows what would happen (200) and changes nothing.

    Conflicts: 409 lists them with base, ours and theirs. Without anything of its own the branch is moved forward.
    """
    ours = await expected_or_current(call, ref)
    sheets = list(ours.tables)
    await keep_digits(call, "resolutions", body.resolutions)
    settled = settlement(body.rule, body.resolutions, sheets)
    plan = await merging.plan_merge(call.versions, call.dataset_id, ours.commit_id, body.source, settled)
    if body.preview:
        return await call.answer_unchanged(json_response(await plan_body(call.versions, plan)))
    if plan.up_to_date:
        return await publish(call, ref, plan.ours, None, 0)
    if plan.fast_forward and body.fast_forward:
        return await _fast_forward(call, ref, plan)
    by = call.authorship(body.message or f"Merge {body.source} into {ref}")
    made = await asyncio.to_thread(merging.commit_of, call.versions, plan, by, joins=True)
    return await publish(call, ref, plan.ours, made, 0)


async def expected_or_current(call: DatasetCall, ref: str) -> Version:
    """The commit in If-Match if it was sent, else where the branch is now."""
    if "if-match" in call.request.headers:
        return await expected_version(call, ref)
    return await call.versions.load(call.dataset_id, await call.query(queries.require_ref, call.dataset_id, ref))


async def _fast_forward(call: DatasetCall, ref: str, plan: merging.MergePlan) -> Response:
    tables = await merging.forwarded_tables(call.versions, plan)

    async def forward(command: MoveRef, uow: SqlDatasetsUnitOfWork) -> Published:
        (await uow.refs.lock(command.dataset_id, ref)).check_takes_commits()
        await move_ref(command, uow)
        return Published(ref, plan.ours.commit_id, plan.theirs.commit_id, tables=tables)

    async def show(_connection: AsyncConnection, published: Published) -> Response:
        return published_response(published, 0)

    command = MoveRef(call.dataset_id, ref, plan.ours.commit_id, plan.theirs.commit_id)
    return await execute(call, forward, command, show)


@router.post("/api/datasets/{dataset_id}/refs/{ref}/revert", status_code=201, response_model=outputs.CommitSummary)
async def revert(ref: str, body: inputs.PickIn, call: WriteCall) -> Response:
    """Undo one commit on a branch by a new one; what came after it stays."""
    return await _pick(ref, body, call, undo=True)


@router.post("/api/datasets/{dataset_id}/refs/{ref}/cherry-pick", status_code=201, response_model=outputs.CommitSummary)
async def cherry_pick(ref: str, body: inputs.PickIn, call: WriteCall) -> Response:
    """Do on a branch what one commit did elsewhere."""
    return await _pick(ref, body, call, undo=False)


async def _pick(ref: str, body: inputs.PickIn, call: DatasetCall, *, undo: bool) -> Response:
    ours = await expected_or_current(call, ref)
    await keep_digits(call, "resolutions", body.resolutions)
    settled = settlement(body.rule, body.resolutions, list(ours.tables))
    plan = await merging.plan_pick(call.versions, call.dataset_id, ours.commit_id, body.commit_id, settled, undo=undo)
    what = "Revert" if undo else "Cherry-pick"
    by = call.authorship(body.message or f"{what} {body.commit_id[:12]}")
    made = await asyncio.to_thread(merging.commit_of, call.versions, plan, by, joins=False)
    return await publish(call, ref, plan.ours, made, 0)
