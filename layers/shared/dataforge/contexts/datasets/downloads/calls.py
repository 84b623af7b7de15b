"""A table of a version as the answer to a request: in the answer, by a link, or as a job that makes it."""

import asyncio
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.datasets.commits.versions import StoredTable, Version
from dataforge.contexts.datasets.contents import queries
from dataforge.contexts.datasets.datasets.calls import DATASETS, DatasetCall
from dataforge.contexts.datasets.downloads.commands import MakeFile, make_file
from dataforge.contexts.datasets.downloads.domain import MEDIA_TYPES, Download, DownloadFailed, Form, is_quick, key_of
from dataforge.contexts.datasets.jobs.calls import send_job, shown_job
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.jobs.queries import get_job
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork as Work
from dataforge.http.addresses import object_location, this_address
from dataforge.http.bounds import MAX_ANSWER_BYTES, sendable
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag, not_modified
from dataforge.http.negotiation import accepted_media_type
from dataforge.kernel.errors import BadRequest, NotAcceptable
from dataforge.kernel.jobs import OPEN, JobStatus
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from versioned_tables.read.pages import PageRequest, page_table

if TYPE_CHECKING:
    from uuid import UUID

    from versioned_tables.exports import ExportOptions

JSON = "application/json"
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_TEXT = {"schema": {"type": "string"}}
# As the OpenAPI has them.
FILES = {form.media_type: _TEXT if form in (Form.CSV, Form.JSONL) else _BYTES for form in Form}
# How long a request waits for a file, below the gateway's 29 seconds.
WAIT_SECONDS = 20.0
_LOOK_SECONDS = 0.2
_RETRY_SECONDS = 5
# Stored bytes up to which a table may be small enough for an answer: stored rows are compressed.
_MAY_FIT = MAX_ANSWER_BYTES
# The same when only some rows or columns are wanted.
_PART_MAY_FIT = 16 * MAX_ANSWER_BYTES
_HEADERS = {"Vary": "Accept", "Cache-Control": "private, no-cache"}
_BESIDES = {"application/ndjson": Form.JSONL, "application/jsonl": Form.JSONL, "application/parquet": Form.PARQUET}


@dataclass(frozen=True, slots=True)
class AskedForm:
    """What the query says of the form."""

    format: str | None
    excel: bool


def asked_form(
    form: Annotated[
        Literal["json", "csv", "jsonl", "parquet", "arrow", "arrow_file"] | None,
        Query(alias="format", description="instead of Accept; all but json are the whole table, or a page with limit"),
    ] = None,
    *,
    excel: Annotated[bool, Query(description="CSV for spreadsheets: with a byte order mark, without formulas")] = False,
) -> AskedForm:
    """The query parameters of routes that answer in several forms."""
    return AskedForm(form, excel)


def wanted_form(call: Call, asked: AskedForm) -> Form | None:
    """What the client wants; None is JSON. `format` decides before Accept.

    Raises NotAcceptable for an Accept that names nothing offered, and BadRequest for `excel` without CSV.
    """
    if asked.format is None:
        offered = {JSON: None} | {form.media_type: form for form in Form} | _BESIDES
        media_type = accepted_media_type(call.request.headers.get("accept", ""), list(offered))
        if media_type is None:
            names = ", ".join([JSON, *MEDIA_TYPES.values()])
            message = Text("This is available as {formats}.", formats=names)
            raise NotAcceptable(message)
        wanted = offered[media_type]
    else:
        wanted = None if asked.format == "json" else Form(asked.format)
    if asked.excel and wanted is not Form.CSV:
        message = Text("excel=true is for CSV: send format=csv with it, or Accept: text/csv.")
        raise BadRequest(message)
    return wanted


async def download_page(
    call: DatasetCall, found: Version, sheet: str, request: PageRequest, download: Download, before: int
) -> Response:
    """The rows that `limit`, `offset` or `cursor` name; Link leads to the next. `before` rows were on earlier pages."""
    store, manifest = call.versions.store(found.dataset_id), found.tables[sheet].manifest
    page = await asyncio.to_thread(page_table, store, manifest, request)
    sink = io.BytesIO()

    def write() -> None:
        from versioned_tables.exports import export_rows

        export_rows(page.table, _options(download), sink)

    await asyncio.to_thread(write)
    response = _file(found, sheet, download, sink.getvalue(), tag=f"{found.commit_id[:32]}-{download.form}")
    if page.has_more:
        cursor = call.seal((found.commit_id, page.next_after, before + page.table.num_rows))
        response.headers["Link"] = f'<{this_address(call.request.scope, cursor=cursor)}>; rel="next"'
    return sendable(response, Text("Ask for fewer rows or columns."))


async def download_table(call: DatasetCall, found: Version, sheet: str, download: Download) -> Response:
    """The whole table: in the answer up to 4 MiB, behind a link above; 202 and the job while it is being made.

    Raises FilterRefused, and DownloadFailed when the job that made it has failed.
    """
    table = found.tables[sheet]
    identity = download.identity(table.manifest.digest, table.manifest.schema.to_json())
    known = not_modified(call.request, Response(headers={"ETag": etag(identity), **_HEADERS}))
    if known.status_code == 304:
        return known
    part = download.filter is not None or download.columns is not None
    if table.manifest.size_bytes <= (_PART_MAY_FIT if part else _MAY_FIT):
        body = await asyncio.to_thread(_within_answer, call, found.dataset_id, table, download)
        if body is not None:
            return _file(found, sheet, download, body, tag=identity)
    files, key = call.services(DatasetsServices).files, key_of(found.dataset_id, identity, download.form)
    missed_at = call.platform.clock.now()
    size = await asyncio.to_thread(files.size, key)
    if size is None:
        command = MakeFile(found.dataset_id, found.commit_id, identity, download.parameters(sheet, identity), missed_at)
        unfinished = await _make(call, command, table, download)
        if unfinished is not None:
            return unfinished
        size = await asyncio.to_thread(files.size, key)
    if size is not None and size <= MAX_ANSWER_BYTES:
        objects = call.services(DatasetsServices).chunks
        return _file(found, sheet, download, await asyncio.to_thread(objects.get, key), tag=identity)
    link = await asyncio.to_thread(files.download_url, key, _file_name(found, sheet, download))
    headers = {"ETag": etag(identity), "Vary": "Accept", "Cache-Control": "private, no-store"}
    return Response(status_code=303, headers=headers | object_location(link))


async def _make(call: DatasetCall, command: MakeFile, table: StoredTable, download: Download) -> Response | None:
    """Have the file made, here if that is quick; 202 and the job when it is not done in the time, else None."""
    services = call.services(DatasetsServices)
    making = await run(call.unit_of_work(Work), make_file, command)
    manifest = table.manifest
    if making.begun:
        if is_quick(download.form, manifest.rows, len(manifest.schema.columns), manifest.size_bytes):
            # It goes on when this request ends without it; a worker takes over where this process is stopped meanwhile.
            here = asyncio.create_task(services.job_runner.run(making.job_id, services.exporter.work))
            _RUNNING.add(here)
            here.add_done_callback(_RUNNING.discard)
            await asyncio.wait({here}, timeout=WAIT_SECONDS)
        else:
            await send_job(call, making.job_id, RunType.EXPORT)
            return await _not_yet(call, making.job_id)
    give_up = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        job = await call.query(get_job, command.dataset_id, making.job_id)
        if job["status"] not in OPEN:
            break
        if making.begun or asyncio.get_running_loop().time() > give_up:
            return await _not_yet(call, making.job_id)
        await asyncio.sleep(_LOOK_SECONDS)
    if job["status"] != JobStatus.COMPLETED:
        message = Text("The file could not be made: {reason}", reason=(job["error"] or {}).get("detail", job["status"]))
        raise DownloadFailed(message, facts={"job_id": str(making.job_id)})
    return None


_RUNNING: set[asyncio.Task[object]] = set()


async def _not_yet(call: DatasetCall, job_id: "UUID") -> Response:
    job = await call.query(get_job, call.dataset_id, job_id)
    headers = {
        "Location": call.address(DATASETS, call.dataset_id, "jobs", job_id),
        "Retry-After": str(_RETRY_SECONDS),
        "Cache-Control": "no-store",
    }
    return json_response(shown_job(call, job), status=202, headers=headers)


class _Full(Exception):
    """More than an answer takes."""


class _AnswerSink:
    def __init__(self) -> None:
        self.body = bytearray()

    def write(self, data: bytes, /) -> int:
        self.body += data
        if len(self.body) > MAX_ANSWER_BYTES:
            raise _Full
        return len(data)


def _within_answer(call: DatasetCall, dataset_id: "UUID", table: StoredTable, download: Download) -> bytes | None:
    from versioned_tables.exports import export_table

    sink = _AnswerSink()
    try:
        export_table(call.versions.store(dataset_id), table.manifest, _options(download), sink)
    except _Full:
        return None
    return bytes(sink.body)


def _options(download: Download) -> "ExportOptions":
    from versioned_tables.exports import ExportOptions

    where = None if download.filter is None else queries.filter_of(json.dumps(download.filter))
    return ExportOptions(
        download.form.value,
        columns=download.columns,
        where=where,
        descending=download.descending,
        excel=download.excel,
    )


def _file_name(found: Version, sheet: str, download: Download) -> str:
    from dataforge.contexts.datasets.exports.commands import file_name

    return file_name({"format": download.form.value, "compression": "none"}, sheet, found.commit_id)


def _file(found: Version, sheet: str, download: Download, body: bytes, *, tag: str) -> Response:
    headers = {
        "ETag": etag(tag),
        "Content-Disposition": f'attachment; filename="{_file_name(found, sheet, download)}"',
        **_HEADERS,
    }
    return Response(body, headers=headers, media_type=download.form.media_type)
