"""REST of review requests."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Body, Path, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.datasets.commits.calls import keep_digits, published_response
from dataforge.contexts.datasets.commits.wire import CommitSummary
from dataforge.contexts.datasets.datasets.calls import DatasetCall, on_dataset, router
from dataforge.contexts.datasets.expectations.checks import run_checks
from dataforge.contexts.datasets.expectations.domain import CheckResult
from dataforge.contexts.datasets.merges.calls import plan_body, resolutions_of
from dataforge.contexts.datasets.merges.plans import MergePlan, Resolutions, commit_of, forwarded_tables, plan_merge
from dataforge.contexts.datasets.merges.wire import MergePreview
from dataforge.contexts.datasets.refs.domain import ref_missing
from dataforge.contexts.datasets.reviews import commands, queries, wire
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.call import json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def _detail(review: dict[str, Any], *, status: int = 200) -> Response:
    return json_response(wire.ReviewDetail.model_validate(review).model_dump(mode="json"), status=status)


def _showing(
    call: DatasetCall, number: int, *, status: int = 200
) -> Callable[[AsyncConnection, object], Awaitable[Response]]:
    # The review request as a command's transaction leaves it.
    async def show(connection: AsyncConnection, _result: object) -> Response:
        return _detail(await queries.get_review(connection, call.dataset_id, number), status=status)

    return show


@router.get("/api/datasets/{dataset_id}/reviews", response_model=wire.ReviewPage)
async def list_reviews(
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.REVIEW)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    state: Annotated[Literal["open", "merged", "closed"] | None, Query()] = None,
) -> Response:
    """Review requests, newest first."""
    page = await call.query(queries.list_reviews, call.dataset_id, after=call.after(cursor), limit=limit, state=state)
    return call.page_response(page, limit=limit)


@router.post("/api/datasets/{dataset_id}/reviews", status_code=201, response_model=wire.ReviewDetail)
async def open_review(
    body: wire.ReviewIn, call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.REVIEW)]
) -> Response:
    """Propose to merge one branch into another."""
    target = body.target_ref or call.access.default_branch
    command = commands.OpenReview(call.dataset_id, body.title, body.description, body.source_ref, target)

    async def show(connection: AsyncConnection, number: int) -> Response:
        return _detail(await queries.get_review(connection, call.dataset_id, number), status=201)

    return await call.execute_and_read(Work, commands.open_review, command, show)


@router.get("/api/datasets/{dataset_id}/reviews/{number}", response_model=wire.ReviewDetail)
async def get_review(number: Number, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.REVIEW)]) -> Response:
    """A review request with its verdicts, comments and last checks."""
    return _detail(await call.query(queries.get_review, call.dataset_id, number))


@router.get("/api/datasets/{dataset_id}/reviews/{number}/preview", response_model=MergePreview)
async def preview_review(
    number: Number, call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.REVIEW)]
) -> Response:
    """What merging would do now, and the conflicts in its way; the diff itself is `compare` since the merge base."""
    review = await call.query(queries.get_review, call.dataset_id, number)
    source, target = _branches(review)
    plan = await plan_merge(call.versions, call.dataset_id, target, source, Resolutions())
    return json_response(await plan_body(call.versions, plan))


@router.post("/api/datasets/{dataset_id}/reviews/{number}/comments", status_code=201, response_model=wire.ReviewDetail)
async def comment(
    number: Number, body: wire.CommentIn, call: Annotated[DatasetCall, on_dataset(Action.CREATE, Kind.COMMENT)]
) -> Response:
    """Say something on the whole or on a row; everybody who may read the dataset may."""
    command = commands.Comment(call.dataset_id, number, body.body, body.sheet, body.row_key)
    return await call.execute_and_read(Work, commands.comment, command, _showing(call, number, status=201))


@router.put("/api/datasets/{dataset_id}/reviews/{number}/verdict", response_model=wire.ReviewDetail)
async def judge(
    number: Number, body: wire.VerdictIn, call: Annotated[DatasetCall, on_dataset(Action.APPROVE, Kind.REVIEW)]
) -> Response:
    """Approve the present head or request changes; null withdraws. An approval ends when the branch moves."""
    command = commands.Judge(call.dataset_id, number, body.verdict)
    return await call.execute_and_read(Work, commands.judge, command, _showing(call, number))


@router.post("/api/datasets/{dataset_id}/reviews/{number}/close", response_model=wire.ReviewDetail)
async def close(number: Number, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.REVIEW)]) -> Response:
    """End a review request without merging."""
    command = commands.CloseReview(call.dataset_id, number)
    return await call.execute_and_read(Work, commands.close_review, command, _showing(call, number))


def _branches(review: dict[str, Any]) -> tuple[str, str]:
    for side, name in (("head_commit_id", "source_ref"), ("target_commit_id", "target_ref")):
        if review[side] is None:
            raise ref_missing(review[name])
    return review["head_commit_id"], review["target_commit_id"]


async def _checked(call: DatasetCall, plan: MergePlan) -> list[CheckResult]:
    # What would be merged is checked; while conflicts remain, what was proposed.
    tables = plan.theirs.manifests if plan.conflicts else plan.tables
    return await run_checks(call.versions, call.dataset_id, tables, plan.ours.manifests)


@router.post("/api/datasets/{dataset_id}/reviews/{number}/checks", response_model=wire.ReviewDetail)
async def check(number: Number, call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.REVIEW)]) -> Response:
    """Check the expectations against what merging would give, and keep the results with the review request."""
    review = await call.query(queries.get_review, call.dataset_id, number)
    head, target = _branches(review)
    plan = await plan_merge(call.versions, call.dataset_id, target, head, Resolutions())
    command = commands.NoteChecks(call.dataset_id, number, head, target, await _checked(call, plan))
    return await call.execute_and_read(Work, commands.note_checks, command, _showing(call, number))


@router.post("/api/datasets/{dataset_id}/reviews/{number}/merge", status_code=201, response_model=CommitSummary)
async def merge_review(
    number: Number,
    body: Annotated[wire.ReviewMergeIn, Body(default_factory=wire.ReviewMergeIn)],
    call: Annotated[DatasetCall, on_dataset(Action.CHANGE, Kind.REVIEW)],
) -> Response:
    """Merge when the approvals are there and no check of severity error fails; the only way into a protected branch."""
    review = await call.query(queries.get_review, call.dataset_id, number)
    head, target = _branches(review)
    ours = await call.versions.load(call.dataset_id, target)
    await keep_digits(call, "resolutions", body.resolutions)
    resolutions = resolutions_of(body.rule, body.resolutions, list(ours.tables))
    plan = await plan_merge(call.versions, call.dataset_id, target, head, resolutions)
    plan.require()
    results = await _checked(call, plan)
    by = call.authorship(body.message or f"Merge {review['source_ref']} into {review['target_ref']} (#{number})")
    forward = plan.fast_forward
    skip = forward or plan.up_to_date
    made = None if skip else await asyncio.to_thread(commit_of, call.versions, plan, by, joins=True)
    tables = await forwarded_tables(call.versions, plan) if forward else ()
    command = commands.MergeReview(call.dataset_id, number, head, target, made, results, forward, tables)

    handler = partial(commands.merge_review, objects=call.versions.objects)
    return await call.execute(Work, handler, command, published_response)
