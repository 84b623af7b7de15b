"""Rosters in bulk: upload, plan, look at it, apply it."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.academics.catalog.queries import get_semester
from dataforge.contexts.academics.rosters import commands, queries, wire
from dataforge.contexts.academics.rosters.domain.files import RosterUnreadable
from dataforge.contexts.academics.rosters.domain.plans import RosterOptions
from dataforge.contexts.academics.rosters.domain.rows import RowAction, RowKind
from dataforge.contexts.academics.rosters.domain.template import Separator, simple_template
from dataforge.contexts.academics.rosters.domain.uploads import UPLOAD_SECONDS
from dataforge.contexts.academics.rosters.sources import (
    DatasetSource,
    FileSource,
    from_bytes,
    from_upload,
)
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.contexts.academics.wire import Page
from dataforge.contexts.datasets.contract import DatasetReader
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response, platform_of
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import BadRequest, UnsupportedMediaType
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run

router = context_router("academics")


ROSTERS = "/api/rosters"
_MEDIA_TYPES = ("text/csv", "application/zip", "application/octet-stream", "application/json")
_RETRY_AFTER = "2"


def _dataset_schema() -> dict[str, Any]:
    # Its enums are components of the document already, by way of the plan from an upload.
    schema = wire.RosterDatasetIn.model_json_schema(ref_template="#/components/schemas/{model}")
    return {key: value for key, value in schema.items() if key != "$defs"}


def _bucket(request: Request) -> str:
    return str(platform_of(request).settings.data_bucket)


def _options(given: wire.RosterOptionsIn) -> RosterOptions:
    return RosterOptions(
        given.mode,
        given.drop_threshold,
        given.drop_self_enrolled,
        given.default_capacity,
        frozenset(given.waive),
        given.waive_reason,
    )


async def _plan(call: Call, semester_id: UUID, fmt: str, source: FileSource, given: wire.RosterOptionsIn) -> Response:
    async def read(connection: AsyncConnection, row: Mapping[str, Any]) -> Response:
        planned = await queries.get_plan(connection, row["id"])
        headers = {"Location": call.address(ROSTERS, "plans", planned["id"])}
        return json_response(planned, status=201, headers=headers)

    try:
        command = commands.PlanRoster(semester_id, fmt, source, _options(given))
        return await call.execute_and_read(Work, commands.plan_roster, command, read)
    finally:
        source.close()


@router.post(ROSTERS + "/uploads", status_code=201, response_model=wire.RosterUploadOut, openapi_extra={UNKEYED: True})
async def create_upload(
    body: wire.RosterUploadIn, call: Annotated[Call, require(Action.CREATE, Kind.ROSTER_PLAN)]
) -> Response:
    """Where to PUT a roster file (CSV, or a zip of OneRoster files): the address takes exactly the file announced."""
    limits = call.platform.upload_limits
    command = commands.AnnounceUpload(body.filename, body.size_bytes, body.sha256)
    upload = await run(call.unit_of_work(Work), partial(commands.announce_upload, limits=limits), command)
    url, headers = await call.platform.objects.upload_url(
        upload.key, sha256=bytes.fromhex(upload.sha256), length=upload.size_bytes, seconds=UPLOAD_SECONDS
    )
    facts = {"upload_key": upload.key, "url": url, "method": "PUT", "headers": headers, "expires_in": UPLOAD_SECONDS}
    return json_response(facts, status=201)


@router.post(ROSTERS + "/plans", status_code=201, response_model=wire.RosterPlanOut, responses=PROBLEMS)
async def plan_upload(
    body: wire.RosterPlanIn, call: Annotated[Call, require(Action.CREATE, Kind.ROSTER_PLAN)]
) -> Response:
    """Plan from an upload: what every row would create, change or drop, and which conflict and why. Changes nothing."""
    upload = await run(call.unit_of_work(Work), commands.find_upload, body.upload_key)
    source = await from_upload(_bucket(call.request), upload)
    return await _plan(call, body.semester_id, body.format, source, body)


async def _dataset_body(request: Request) -> wire.RosterDatasetIn:
    # The path takes files too, so FastAPI does not read its body.
    if request.query_params:
        message = Text("Options of a plan from a dataset are members of the JSON body, not of the address.")
        raise BadRequest(message)
    try:
        return wire.RosterDatasetIn.model_validate(await request.json())
    except ValidationError as error:
        mistakes = [{**item, "loc": ("body", *item["loc"])} for item in error.errors()]
        raise RequestValidationError(mistakes) from error


async def _plan_dataset(call: Call, semester_id: UUID) -> Response:
    body = await _dataset_body(call.request)
    await call.query(get_semester, semester_id)
    reader = call.platform.get(DatasetReader)
    prepared = await reader.prepare(call.principal, body.dataset_id, body.version, body.sheet)
    source = DatasetSource(prepared, body.version)
    if prepared.ready:
        try:
            await source.fetch(reader)
        except BaseException:
            source.close()
            raise
        return await _plan(call, semester_id, "simple", source, body)
    source.close()
    if prepared.status == "failed":
        message = Text("The rows of {sheet} cannot be read: {error}", sheet=prepared.sheet, error=prepared.error)
        raise RosterUnreadable(message, facts={"job_id": str(prepared.job_id)})
    waiting = {
        "status": "preparing",
        "job_id": prepared.job_id,
        "dataset_id": prepared.dataset_id,
        "commit_id": prepared.commit_id,
        "sheet": prepared.sheet,
        "row_count": prepared.row_count,
    }
    return json_response(waiting, status=202, headers={"Retry-After": _RETRY_AFTER})


@router.post(
    ROSTERS + "/{semester_id}/plans",
    status_code=201,
    response_model=wire.RosterPlanOut,
    responses={
        202: {
            "model": wire.RosterPreparingOut,
            "description": "the dataset's rows are being made readable; repeat the request after Retry-After seconds",
        },
        **PROBLEMS,
        415: {"description": "the body is neither text/csv, a zip nor JSON"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
                "application/json": {"schema": _dataset_schema()},
            },
        }
    },
)
async def plan_body(
    semester_id: UUID,
    call: Annotated[Call, require(Action.CREATE, Kind.ROSTER_PLAN)],
    options: Annotated[wire.RosterFileIn, Query()],
) -> Response:
    """Plan from a file in the body, up to 4 MB (larger ones go through an upload), or from a dataset named in JSON.

    A dataset's commit is planned like a simple CSV. The plan names the commit it came from, and the same commit gives
    the same hash.
    """
    media_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        *others, last = _MEDIA_TYPES
        message = Text("Send the roster as {others} or {last}.", others=", ".join(others), last=last)
        raise UnsupportedMediaType(message)
    if media_type == "application/json":
        return await _plan_dataset(call, semester_id)
    return await _plan(call, semester_id, options.format, from_bytes(await call.request.body()), options)


@router.get(
    ROSTERS + "/template.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def get_roster_template(
    _call: Annotated[Call, require(Action.READ, Kind.ROSTER_PLAN)],
    separator: Separator = Separator.COMMA,
    excel: Annotated[bool, Query(description="begin with a byte order mark")] = False,  # noqa: FBT002 - a parameter
) -> Response:
    """A simple roster without rows: its first line names all columns, which docs/roster-csv.md explains."""
    headers = {"Content-Disposition": 'attachment; filename="roster.csv"'}
    return Response(simple_template(separator, excel=excel), media_type="text/csv; charset=utf-8", headers=headers)


@router.get(ROSTERS + "/plans", response_model=Page[wire.RosterPlanOut])
async def list_roster_plans(
    call: Annotated[Call, require(Action.READ, Kind.ROSTER_PLAN)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    semester_id: UUID | None = None,
    state: Literal["planned", "applied"] | None = None,
) -> Response:
    """Plans with who made them and who applied them, the newest first."""
    page = await call.query(
        queries.list_plans, after=call.after(cursor), limit=limit, semester_id=semester_id, state=state
    )
    return call.page_response(page, limit=limit)


@router.get(ROSTERS + "/plans/{plan_id}", response_model=wire.RosterPlanOut, responses=PROBLEMS)
async def get_plan(plan_id: UUID, call: Annotated[Call, require(Action.READ, Kind.ROSTER_PLAN)]) -> Response:
    """A plan with its counts and its hash."""
    return json_response(await call.query(queries.get_plan, plan_id))


@router.get(ROSTERS + "/plans/{plan_id}/rows", response_model=Page[wire.RosterRowOut], responses=PROBLEMS)
async def list_rows(
    plan_id: UUID,
    call: Annotated[Call, require(Action.READ, Kind.ROSTER_PLAN)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    action: RowAction | None = None,
    kind: RowKind | None = None,
) -> Response:
    """What the plan decides row by row."""
    page = await call.query(queries.list_rows, plan_id, after=call.after(cursor), limit=limit, action=action, kind=kind)
    return call.page_response(page, limit=limit)


@router.post(ROSTERS + "/plans/{plan_id}/apply", response_model=wire.RosterPlanOut, responses=PROBLEMS)
async def apply_plan(
    plan_id: UUID, body: wire.RosterApplyIn, call: Annotated[Call, require(Action.APPLY, Kind.ROSTER_PLAN)]
) -> Response:
    """Apply the plan with this hash: whole or not at all, and once; 409 `plan_stale` when what it saw has moved."""

    async def read(connection: AsyncConnection, _plan: object) -> Response:
        return json_response(await queries.get_plan(connection, plan_id))

    command = commands.ApplyRoster(plan_id, body.plan_hash, body.confirm_drops)
    return await call.execute_and_read(Work, commands.apply_roster, command, read)
