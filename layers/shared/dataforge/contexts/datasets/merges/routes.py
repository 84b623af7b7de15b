"""REST of merges, reverts and cherry-picks."""

import asyncio
from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.datasets.commits.calls import expected_or_current, keep_digits, publish, published_response
from dataforge.contexts.datasets.commits.wire import CommitSummary
from dataforge.contexts.datasets.datasets.calls import DatasetCall, on_dataset, router
from dataforge.contexts.datasets.merges import commands, plans, wire
from dataforge.contexts.datasets.merges.calls import plan_body, resolutions_of
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.call import json_response
from dataforge.kernel.access import Action, Kind


@router.post("/api/datasets/{dataset_id}/refs/{ref}/merge", status_code=201, response_model=CommitSummary)
async def merge(
    ref: str, body: wire.MergeIn, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.REF)]
) -> Response:
    """Merge a version into a branch, by row and cell; `preview` shows what would happen (200) and changes nothing.

    Conflicts: 409 lists them with base, ours and theirs. Without anything of its own the branch is moved forward.
    """
    ours = await expected_or_current(call, ref)
    sheets = list(ours.tables)
    await keep_digits(call, "resolutions", body.resolutions)
    resolutions = resolutions_of(body.rule, body.resolutions, sheets)
    plan = await plans.plan_merge(call.versions, call.dataset_id, ours.commit_id, body.source, resolutions)
    if body.preview:
        return await call.answer_unchanged(json_response(await plan_body(call.versions, plan)))
    if plan.up_to_date:
        return await publish(call, ref, plan.ours, None, 0)
    if plan.fast_forward and body.fast_forward:
        return await _fast_forward(call, ref, plan)
    by = call.authorship(body.message or f"Merge {body.source} into {ref}")
    made = await asyncio.to_thread(plans.commit_of, call.versions, plan, by, joins=True)
    return await publish(call, ref, plan.ours, made, 0)


async def _fast_forward(call: DatasetCall, ref: str, plan: plans.MergePlan) -> Response:
    tables = await plans.forwarded_tables(call.versions, plan)
    command = commands.FastForward(call.dataset_id, ref, plan.ours.commit_id, plan.theirs.commit_id, tables)
    return await call.execute(Work, commands.fast_forward, command, published_response)


@router.post("/api/datasets/{dataset_id}/refs/{ref}/revert", status_code=201, response_model=CommitSummary)
async def revert(
    ref: str, body: wire.PickIn, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.REF)]
) -> Response:
    """Undo one commit on a branch by a new one; what came after it stays."""
    return await _pick(ref, body, call, undo=True)


@router.post("/api/datasets/{dataset_id}/refs/{ref}/cherry-pick", status_code=201, response_model=CommitSummary)
async def cherry_pick(
    ref: str, body: wire.PickIn, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.REF)]
) -> Response:
    """Do on a branch what one commit did elsewhere."""
    return await _pick(ref, body, call, undo=False)


async def _pick(ref: str, body: wire.PickIn, call: DatasetCall, *, undo: bool) -> Response:
    ours = await expected_or_current(call, ref)
    await keep_digits(call, "resolutions", body.resolutions)
    resolutions = resolutions_of(body.rule, body.resolutions, list(ours.tables))
    plan = await plans.plan_pick(call.versions, call.dataset_id, ours.commit_id, body.commit_id, resolutions, undo=undo)
    what = "Revert" if undo else "Cherry-pick"
    by = call.authorship(body.message or f"{what} {body.commit_id[:12]}")
    made = await asyncio.to_thread(plans.commit_of, call.versions, plan, by, joins=False)
    return await publish(call, ref, plan.ours, made, 0)
