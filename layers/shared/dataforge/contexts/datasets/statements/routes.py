"""REST of SQL: over the sheets of a version, and over versions of several datasets."""

from datetime import UTC
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from dataforge.contexts.datasets.commits.calls import ref_name
from dataforge.contexts.datasets.contents.wire import SqlAnswer, SqlIn
from dataforge.contexts.datasets.contract import PublishedReports
from dataforge.contexts.datasets.datasets.calls import DatasetCall, on_dataset, router
from dataforge.contexts.datasets.downloads.calls import FILES, AskedForm, asked_form, wanted_form
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.statements import queries, wire
from dataforge.contexts.datasets.statements.calls import result_response, with_way_out
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind

_AS_FILE: dict[int | str, dict[str, Any]] = {200: {"content": FILES}}
_ON_VERSION: dict[str, Any] = {
    "response_model": SqlAnswer,
    "responses": _AS_FILE,
    "openapi_extra": {UNKEYED: True},
}


@router.post("/api/datasets/{dataset_id}/refs/{version}/sql", **_ON_VERSION)
@router.post("/api/datasets/{dataset_id}/commits/{version}/sql", **_ON_VERSION)
async def run_sql(
    version: str,
    body: SqlIn,
    call: Annotated[DatasetCall, on_dataset(Action.READ, Kind.TABLE)],
    asked: Annotated[AskedForm, Depends(asked_form)],
) -> Response:
    """Run one SELECT (or EXPLAIN of one) in DuckDB over the sheets of a version, and nothing else."""
    form = wanted_form(call, asked)
    found = await call.versions.load(call.dataset_id, version)
    with with_way_out(call, [(version, found)]):
        result = await queries.run_over_version(
            call.versions, found, body.sql, rows=body.max_rows, as_table=form is not None
        )
    facts = {
        "dataset_id": call.dataset_id,
        "ref_name": ref_name(version, found),
        "commit_id": found.commit_id,
    }
    return await result_response(result, form, facts, excel=asked.excel)


@router.post("/api/sql", response_model=wire.StatementOut, responses=_AS_FILE, openapi_extra={UNKEYED: True})
async def run_statement(
    body: wire.StatementIn,
    call: Annotated[Call, require(Action.READ, Kind.TABLE)],
    asked: Annotated[AskedForm, Depends(asked_form)],
) -> Response:
    """Run one SELECT (or EXPLAIN of one) over versions of the caller's datasets, `FROM grades@main JOIN roster@v2 …`,
    and over reports, `FROM reports.completions`. A dataset that the caller may not read is not there.

    Reports, which GET /api/reports/relations lists, are read as their own routes let them be read, all as of one
    `watermark`; the same statement with `as_of` has the same numbers again.
    """
    form = wanted_form(call, asked)
    versions = call.services(DatasetsServices).versions
    published = call.platform.get(PublishedReports)
    prepared = await queries.prepare_statement(versions, published, call.principal, body.sql, body.as_of)
    with with_way_out(call, [(source.version_name, source.version) for source in prepared.sources]):
        result = await queries.run_prepared(
            versions, published, call.principal, prepared, rows=body.max_rows, as_table=form is not None
        )
    sources = [
        {
            "name": source.name,
            "dataset_id": source.version.dataset_id,
            "ref_name": ref_name(source.version_name, source.version),
            "commit_id": source.version.commit_id,
            "sheet_name": source.sheet,
        }
        for source in prepared.sources
    ]
    reports = [
        {"name": source.name, "report": source.reference.report, "arguments": source.reference.shown}
        for source in prepared.reports
    ]
    watermark, removed = prepared.watermark, prepared.removed_since
    facts = {"sources": sources, "reports": reports, "watermark": watermark, "removed_since": removed}
    response = await result_response(result, form, facts, excel=asked.excel)
    if watermark is not None:
        as_of = watermark.astimezone(UTC).isoformat().replace("+00:00", "Z")
        response.headers.update({"X-Watermark": as_of, "X-Removed-Since": str(removed)})
    return response
