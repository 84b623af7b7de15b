"""What routes that take a file share: the file, and its import within the request or else by the queue."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.datasets.datasets.calls import DATASETS, DatasetCall
from dataforge.contexts.datasets.jobs.calls import send_job, show_job
from dataforge.contexts.datasets.jobs.domain import Job
from dataforge.contexts.datasets.jobs.queries import get_job
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.datasets.uploads.commands import FileJob
from dataforge.contexts.datasets.uploads.domain import SentFile, file_gone
from dataforge.contexts.datasets.uploads.queries import get_upload
from dataforge.http.call import json_response
from dataforge.http.etag import etag
from dataforge.kernel.errors import DataForgeError, ObjectMissing, UnsupportedMediaType
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.texts import Text
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.jobs.worker import Done

Ended: TypeAlias = Callable[[DatasetCall, Mapping[str, Any]], Response]
"""Makes the answer of a job that is completed."""
_ENDINGS = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


async def sent_file(call: DatasetCall, name: str | None) -> SentFile:
    """The file that is the body of the request; raises UnsupportedMediaType for a form around it."""
    media_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.startswith("multipart/"):
        form = Text("Send the file itself as the body (curl -T file), not a form around it.")
        raise UnsupportedMediaType(form)
    ending = _ENDINGS.get(media_type)
    return SentFile(name or (f"file.{ending}" if ending else "file"), media_type, await call.request.body())


async def do_now(call: DatasetCall, work: FileJob, ended: Ended) -> Response:
    """Do the job within this request: what it ended with, or 202 with the job if a queue goes on with it.

    Raises what the job failed with, whose problem names the job.
    """
    services = call.services(DatasetsServices)
    refusals: list[DataForgeError] = []

    async def attempt(job: Job, control: JobControl[DatasetsUnitOfWork]) -> None:
        try:
            await services.importer.work_on(job, control, work.file)
        except DataForgeError as error:
            refusals.append(error)
            raise

    done = await services.request_runner.run(work.job_id, attempt)
    if done is Done.PAUSED:
        await send_job(call, work.job_id, work.run_type)
    async with call.platform.database.read_only() as connection:
        job = await get_job(connection, call.dataset_id, work.job_id)
        if job["status"] == JobStatus.COMPLETED:
            return ended(call, job)
        if done is Done.ENDED and refusals:
            refusals[-1].facts.setdefault("job_id", str(work.job_id))
            raise refusals[-1]
        return await show_job(call, connection, work.job_id, status=202)


def planned(_call: DatasetCall, job: Mapping[str, Any]) -> Response:
    """The plan that a dry run has made."""
    return json_response(job["output_summary"], status=201)


async def kept_file(call: DatasetCall, upload_id: UUID) -> SentFile:
    """A small file that was sent before; raises FileGone."""
    row = await call.query(get_upload, call.dataset_id, upload_id)
    try:
        data = await asyncio.to_thread(call.services(DatasetsServices).chunks.get, row["s3_key"])
    except ObjectMissing as error:
        raise file_gone() from error
    return SentFile(row["file_name"], row["content_type"], data)


def imported(call: DatasetCall, job: Mapping[str, Any]) -> Response:
    """The commit that an import made, with the report: 201, or 200 when nothing is different."""
    summary = {**job["output_summary"], "job_id": job["id"], "previous_commit_id": job["source_commit_id"]}
    commit = summary["new_commit_id"]
    headers = {"ETag": etag(commit)}
    if not summary["unchanged"]:
        headers["Location"] = call.address(DATASETS, call.dataset_id, "commits", commit)
    return json_response(summary, status=200 if summary["unchanged"] else 201, headers=headers)
