"""Open, complete and abort uploads; the job of an import is made when its file is complete."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.jobs.domain import Job, RunType
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.datasets.uploads.domain import SentFile, sent_prefix
from dataforge.kernel.ids import uuid7
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.quotas import UploadClaim, UploadLimits
from dataforge.kernel.texts import Text
from dataforge.kernel.uploads import (
    DEFAULT_PART,
    EXPIRES_AFTER,
    UploadClosed,
    UploadState,
    plan_parts,
    safe_file_name,
)
from dataforge.platform.uploads.files import S3Files
from versioned_tables.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A file of `size` bytes for a branch; `options` say how it is imported. `base` is the commit the caller saw."""

    dataset_id: UUID
    ref: str
    file_name: str
    size: int
    options: Mapping[str, Any]
    content_type: str = "application/octet-stream"
    part_size: int | None = None
    base: str = "*"


@dataclass(frozen=True, slots=True)
class ReceiveFile:
    """A whole file for a branch, and the work that is to be done with it. `base` is the commit the caller saw."""

    dataset_id: UUID
    ref: str
    file: SentFile
    options: Mapping[str, Any]
    run_type: RunType = RunType.IMPORT
    base: str = "*"


@dataclass(frozen=True, slots=True)
class FileJob:
    """A job about a file that came with the request."""

    job_id: UUID
    run_type: RunType
    file: SentFile


@dataclass(frozen=True, slots=True)
class CompleteUpload:
    """All parts are there; the file is to be imported, or a dry run of that to be made."""

    dataset_id: UUID
    upload_id: UUID
    run_type: RunType = RunType.IMPORT


@dataclass(frozen=True, slots=True)
class AbortUpload:
    """Forget the upload."""

    dataset_id: UUID
    upload_id: UUID


async def open_upload(command: OpenUpload, uow: DatasetsUnitOfWork, *, storage: S3Files, limits: UploadLimits) -> UUID:
    """Begin a multipart upload.

    Raises RefNotFound, NotABranch, RefProtected, RefMoved, PartRefused, UploadQuotaExceeded.
    """
    ref = await uow.refs.lock(command.dataset_id, command.ref)
    ref.check_takes_commits()
    ref.check_at(command.base)
    plan = plan_parts(command.size, command.part_size)
    upload_id = uuid7()
    expires_at = uow.now + EXPIRES_AFTER
    subject = f"dataset:{command.dataset_id}"
    claim = UploadClaim(upload_id, uow.principal.user_id, subject, command.size, expires_at)
    await uow.upload_quota.claim(claim, limits)
    # The person's file name is a label at the end of the key; two uploads never share a key.
    key = f"uploads/{command.dataset_id}/{upload_id}/{safe_file_name(command.file_name)}"
    s3_upload_id = await asyncio.to_thread(storage.create, key, command.content_type)
    await uow.uploads.add(
        {
            "id": upload_id,
            "dataset_id": command.dataset_id,
            "ref_name": ref.name,
            "base_commit_id": ref.commit_id,
            "s3_key": key,
            "s3_upload_id": s3_upload_id,
            "file_name": command.file_name,
            "content_type": command.content_type,
            "size_bytes": command.size,
            "part_size": plan.part_size,
            "options": dict(command.options),
            "state": UploadState.OPEN.value,
            "created_by": uow.principal.user_id,
            "created_at": uow.now,
            "expires_at": expires_at,
        }
    )
    return upload_id


async def receive_file(
    command: ReceiveFile, uow: DatasetsUnitOfWork, *, objects: ObjectStore, limits: UploadLimits
) -> FileJob:
    """Keep the file and make its job, so that the work is done whatever becomes of the request.

    Raises RefNotFound, NotABranch, RefProtected, RefMoved, UploadQuotaExceeded.
    """
    upload_id, file, expires_at = uuid7(), command.file, uow.now + EXPIRES_AFTER
    subject, size = f"dataset:{command.dataset_id}", len(file.data)
    await uow.upload_quota.claim(UploadClaim(upload_id, uow.principal.user_id, subject, size, expires_at), limits)
    key = f"{sent_prefix(command.dataset_id)}{upload_id}/{safe_file_name(file.name)}"
    await asyncio.to_thread(objects.put_if_absent, key, file.data)
    # Not before the file is stored: others who write to the branch wait for this row.
    ref = await uow.refs.lock(command.dataset_id, command.ref)
    ref.check_takes_commits()
    ref.check_at(command.base)
    row = {
        "id": upload_id,
        "dataset_id": command.dataset_id,
        "ref_name": ref.name,
        "base_commit_id": ref.commit_id,
        "s3_key": key,
        "s3_upload_id": "",
        "file_name": file.name,
        "content_type": file.content_type or "application/octet-stream",
        "size_bytes": size,
        "part_size": DEFAULT_PART,
        "options": dict(command.options),
        "state": UploadState.COMPLETED.value,
        "created_by": uow.principal.user_id,
        "created_at": uow.now,
        "expires_at": expires_at,
    }
    job = job_of(row, command.run_type, uow)
    await uow.uploads.add({**row, "job_id": job.id})
    await uow.upload_quota.complete(upload_id)
    await uow.jobs.add(job)
    await uow.jobs.note_queued(job.id)
    return FileJob(job.id, job.run_type, file)


def job_of(row: Mapping[str, Any], run_type: RunType, uow: DatasetsUnitOfWork, **more: object) -> Job:
    """The job of an upload, by whoever asks for it now; `more` are parameters beside its options."""
    return Job(
        id=uuid7(),
        run_type=run_type,
        status=JobStatus.PENDING,
        dataset_id=row["dataset_id"],
        ref_name=row["ref_name"],
        source_commit_id=row["base_commit_id"],
        user_id=uow.principal.user_id,
        run_parameters={"file_name": row["file_name"], "size_bytes": row["size_bytes"], **row["options"], **more},
        created_at=uow.now,
        upload_id=row["id"],
    )


async def begin_completion(command: CompleteUpload, uow: DatasetsUnitOfWork) -> tuple[UUID, Mapping[str, Any]]:
    """Make the job before the object exists, so that the event of the object always finds it; may be repeated."""
    row = await uow.uploads.lock(command.dataset_id, command.upload_id)
    if row["state"] == UploadState.ABORTED:
        message = Text("The upload was aborted; open a new one.")
        raise UploadClosed(message)
    if row["job_id"] is not None:
        begun = await uow.jobs.lock(row["job_id"])
        if begun is not None and begun.run_type is not command.run_type:
            message = Text("The upload is completed; its job is of another kind: {kind}.", kind=begun.run_type.value)
            raise UploadClosed(message, facts={"job_id": str(begun.id)})
        return row["job_id"], row
    job = job_of(row, command.run_type, uow)
    await uow.jobs.add(job)
    await uow.uploads.update(command.upload_id, {"state": UploadState.COMPLETING.value, "job_id": job.id})
    return job.id, {**row, "job_id": job.id, "state": UploadState.COMPLETING.value}


async def end_completion(command: CompleteUpload, uow: DatasetsUnitOfWork) -> None:
    """The object exists."""
    row = await uow.uploads.lock(command.dataset_id, command.upload_id)
    if row["state"] == UploadState.COMPLETING:
        await uow.uploads.update(command.upload_id, {"state": UploadState.COMPLETED.value})
        await uow.upload_quota.complete(command.upload_id)
        await uow.jobs.note_queued(row["job_id"])


async def abort_upload(command: AbortUpload, uow: DatasetsUnitOfWork, *, storage: S3Files) -> None:
    """Forget the parts; aborting again changes nothing. Raises UploadClosed once it is completed."""
    row = await uow.uploads.lock(command.dataset_id, command.upload_id)
    if row["state"] in (UploadState.COMPLETING, UploadState.COMPLETED):
        message = Text("The upload is completed; cancel its job instead.")
        raise UploadClosed(message, facts={"job_id": str(row["job_id"])})
    await asyncio.to_thread(storage.abort, row["s3_key"], row["s3_upload_id"])
    await uow.uploads.update(command.upload_id, {"state": UploadState.ABORTED.value})
    await uow.upload_quota.release(command.upload_id)
