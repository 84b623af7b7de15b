"""Review requests and expectations."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.commands import reviews as commands
from dataforge.contexts.datasets.domain.access import Level
from dataforge.contexts.datasets.domain.commits import Published
from dataforge.contexts.datasets.domain.expectations import CheckResult, Expectation, ExpectationRule, check_parameters
from dataforge.contexts.datasets.domain.refs import ref_missing
from dataforge.contexts.datasets.queries import reviews as queries
from dataforge.contexts.datasets.repository import SqlDatasetsUnitOfWork
from dataforge.contexts.datasets.routes.calls import AdminCall, Allow, DatasetCall, ReadCall, WriteCall, execute, router
from dataforge.contexts.datasets.routes.changes import keep_digits, plan_body, published_response, settlement
from dataforge.contexts.datasets.schemas import inputs, outputs
from dataforge.contexts.datasets.services import merging
from dataforge.contexts.datasets.services.checks import require_runnable, run_checks
from dataforge.http.call import json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.ids import uuid7
from dataforge.kernel.paging import DEFAULT_LIMIT

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def _detail(review: dict[str, Any], *, status: int = 200) -> Response:
    return json_response(outputs.ReviewDetail.model_validate(review).model_dump(mode="json"), status=status)


async def _shown(call: DatasetCall, number: int) -> Response:
    return _detail(await call.query(queries.get_review, call.dataset_id, number))


def _showing(
    call: DatasetCall, number: int, *, status: int = 200
) -> Callable[[AsyncConnection, object], Awaitable[Response]]:
    # The review request as a command's transaction leaves it.
    async def show(connection: AsyncConnection, _result: object) -> Response:
        return _detail(await queries.get_review(connection, call.dataset_id, number), status=status)

    return show


@router.get("/api/datasets/{dataset_id}/reviews", response_model=outputs.ReviewPage)
async def list_reviews(
    call: ReadCall,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    state: Annotated[Literal["open", "merged", "closed"] | None, Query()] = None,
) -> Response:
    """Review requests, newest first."""
    page = await call.query(queries.list_reviews, call.dataset_id, after=call.after(cursor), limit=limit, state=state)
    return call.page_response(page, limit=limit)


@router.post("/api/datasets/{dataset_id}/reviews", status_code=201, response_model=outputs.ReviewDetail)
async def open_review(body: inputs.ReviewIn, call: WriteCall) -> Response:
    """Propose to merge one branch into another."""
    target = body.target_ref or call.access.default_branch
    command = commands.OpenReview(call.dataset_id, body.title, body.description, body.source_ref, target)

    async def show(connection: AsyncConnection, number: int) -> Response:
        return _detail(await queries.get_review(connection, call.dataset_id, number), status=201)

    return await execute(call, commands.open_review, command, show)


@router.get("/api/datasets/{dataset_id}/reviews/{number}", response_model=outputs.ReviewDetail)
async def get_review(number: Number, call: ReadCall) -> Response:
    """A review request with its verdicts, comments and last checks."""
    return await _shown(call, number)


@router.get("/api/datasets/{dataset_id}/reviews/{number}/preview")
async def preview_review(number: Number, call: ReadCall) -> Response:
    """What merging would do now, and the conflicts in its way; the diff itself is `compare` since the merge base."""
    review = await call.query(queries.get_review, call.dataset_id, number)
    source, target = _branches(review)
    plan = await merging.plan_merge(call.versions, call.dataset_id, target, source, merging.Settlement())
    return json_response(await plan_body(call.versions, plan))


@router.post(
    "/api/datasets/{dataset_id}/reviews/{number}/comments", status_code=201, response_model=outputs.ReviewDetail
)
async def comment(number: Number, body: inputs.CommentIn, call: ReadCall) -> Response:
    """Say something on the whole or on a row; everybody who may read the dataset may."""
    command = commands.Comment(call.dataset_id, number, body.body, body.sheet, body.row_key)
    return await execute(call, commands.comment, command, _showing(call, number, status=201))


@router.put("/api/datasets/{dataset_id}/reviews/{number}/verdict", response_model=outputs.ReviewDetail)
async def judge(number: Number, body: inputs.VerdictIn, call: WriteCall) -> Response:
    """Approve the present head or request changes; null withdraws. An approval ends when the branch moves."""
    await call.run(SqlDatasetsUnitOfWork, commands.judge, commands.Judge(call.dataset_id, number, body.verdict))
    return await _shown(call, number)


@router.post("/api/datasets/{dataset_id}/reviews/{number}/close", response_model=outputs.ReviewDetail)
async def close(number: Number, call: WriteCall) -> Response:
    """End a review request without merging."""
    command = commands.CloseReview(call.dataset_id, number)
    return await execute(call, commands.close_review, command, _showing(call, number))


def _branches(review: dict[str, Any]) -> tuple[str, str]:
    for side, name in (("head_commit_id", "source_ref"), ("target_commit_id", "target_ref")):
        if review[side] is None:
            raise ref_missing(review[name])
    return review["head_commit_id"], review["target_commit_id"]


async def _checked(call: DatasetCall, plan: merging.MergePlan) -> list[CheckResult]:
    # What would be merged is checked; while conflicts remain, what was proposed.
    tables = plan.theirs.manifests if plan.conflicts else plan.tables
    return await run_checks(call.versions, call.dataset_id, tables, plan.ours.manifests)


@router.post("/api/datasets/{dataset_id}/reviews/{number}/checks", response_model=outputs.ReviewDetail)
async def check(number: Number, call: WriteCall) -> Response:
    """Check the expectations against what merging would give, and keep the results with the review request."""
    review = await call.query(queries.get_review, call.dataset_id, number)
    head, target = _branches(review)
    plan = await merging.plan_merge(call.versions, call.dataset_id, target, head, merging.Settlement())
    command = commands.NoteChecks(call.dataset_id, number, head, target, await _checked(call, plan))
    return await execute(call, commands.note_checks, command, _showing(call, number))


@router.post("/api/datasets/{dataset_id}/reviews/{number}/merge", status_code=201, response_model=outputs.CommitSummary)
async def merge_review(number: Number, body: inputs.ReviewMergeIn, call: WriteCall) -> Response:
    """Merge when the approvals are there and no check of severity error fails; the only way into a protected branch."""
    review = await call.query(queries.get_review, call.dataset_id, number)
    head, target = _branches(review)
    ours = await call.versions.load(call.dataset_id, target)
    await keep_digits(call, "resolutions", body.resolutions)
    settled = settlement(body.rule, body.resolutions, list(ours.tables))
    plan = await merging.plan_merge(call.versions, call.dataset_id, target, head, settled)
    plan.require()
    results = await _checked(call, plan)
    by = call.authorship(body.message or f"Merge {review['source_ref']} into {review['target_ref']} (#{number})")
    forward = plan.fast_forward
    skip = forward or plan.up_to_date
    made = None if skip else await asyncio.to_thread(merging.commit_of, call.versions, plan, by, joins=True)
    tables = await merging.forwarded_tables(call.versions, plan) if forward else ()
    command = commands.MergeReview(call.dataset_id, number, head, target, made, results, forward, tables)

    async def show(_connection: AsyncConnection, published: Published) -> Response:
        return published_response(published, 0)

    handler = partial(commands.merge_review, objects=call.versions.objects)
    return await execute(call, handler, command, show)


@router.get("/api/datasets/{dataset_id}/expectations", response_model=outputs.ExpectationList)
async def list_expectations(call: ReadCall) -> Response:
    """What must be true of the tables."""
    rows = await call.query(queries.list_expectations, call.dataset_id)
    return json_response({"items": rows})


@router.post("/api/datasets/{dataset_id}/expectations", status_code=201, response_model=outputs.ExpectationList)
async def add_expectation(body: inputs.ExpectationIn, call: AdminCall) -> Response:
    """Add an expectation; it is checked before a review request is merged, and on demand."""
    wanted = Expectation(uuid7(), body.name, body.rule, tuple(body.columns), body.parameters, body.sheet, body.severity)
    check_parameters(wanted.rule, wanted.columns, wanted.parameters)
    await require_runnable(call.versions, call.dataset_id, wanted, call.access.default_branch)
    if body.rule is ExpectationRule.FOREIGN_KEY:
        # Results show rows without a partner: whoever asks for that must be able to read the other side.
        await Allow(Level.READ)(UUID(str(body.parameters["dataset_id"])), call)

    async def show(connection: AsyncConnection, _made: UUID) -> Response:
        return json_response({"items": await queries.list_expectations(connection, call.dataset_id)}, status=201)

    return await execute(call, commands.add_expectation, commands.AddExpectation(call.dataset_id, wanted), show)


@router.delete("/api/datasets/{dataset_id}/expectations/{expectation_id}", status_code=204)
async def remove_expectation(expectation_id: UUID, call: AdminCall) -> Response:
    """Take an expectation away."""
    command = commands.RemoveExpectation(call.dataset_id, expectation_id)
    await call.run(SqlDatasetsUnitOfWork, commands.remove_expectation, command)
    return json_response(None, status=204)


@router.get("/api/datasets/{dataset_id}/refs/{version}/checks")
@router.get("/api/datasets/{dataset_id}/commits/{version}/checks")
async def check_version(
    version: str, call: ReadCall, base: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Check the expectations against a version; `base` is what row-count drift compares with, else its parent."""
    found = await call.versions.load(call.dataset_id, version)
    other = base or found.parent
    before = {} if other is None else (await call.versions.load(call.dataset_id, other)).manifests
    results = await run_checks(call.versions, call.dataset_id, found.manifests, before)
    shown = [commands.result_json(result) for result in results]
    body = {"dataset_id": call.dataset_id, "commit_id": found.commit_id, "results": shown}
    return json_response({**body, "passed": not any(result.blocks for result in results)})
