"""A snapshot of an Iceberg table back as a commit: read into a file, which then is imported like any other.

The job is one of imports. `dataset_export` does its first half, because it carries what reads Iceberg: it writes the
rows of the snapshot as a Parquet file, and hands the job on. All that imports check, count and refuse follows then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.datasets.jobs.domain import Job, RunType
from dataforge.contexts.datasets.publications.domain import SnapshotNotFound
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.datasets.uploads.commands import job_of
from dataforge.contexts.datasets.uploads.domain import OF_SNAPSHOT, sent_prefix
from dataforge.contexts.datasets.uploads.queries import get_upload
from dataforge.kernel.ids import uuid7
from dataforge.kernel.jobs import JobPaused
from dataforge.kernel.texts import Text
from dataforge.kernel.uploads import DEFAULT_PART, EXPIRES_AFTER, UploadState
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl, Steps

if TYPE_CHECKING:
    from dataforge.contexts.datasets.commits.versions import Versions
    from dataforge.contexts.datasets.publications.lake import Lake
    from dataforge.platform.uploads.files import S3Files

_FILE, _TYPE = "snapshot.parquet", "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class ImportSnapshot:
    """Make a snapshot of a table of the dataset's namespace a commit of a branch.

    `table` is its name; `snapshot` the id or the name of a snapshot, None for the present one. `options` are those of
    imports.
    """

    dataset_id: UUID
    ref: str
    table: str
    snapshot: str | None
    options: Mapping[str, Any]
    run_type: RunType = RunType.IMPORT
    base: str = "*"


async def import_snapshot(command: ImportSnapshot, uow: DatasetsUnitOfWork) -> UUID:
    """Queue the job; raises RefNotFound, NotABranch, RefProtected, RefMoved."""
    ref = await uow.refs.lock(command.dataset_id, command.ref)
    ref.check_takes_commits()
    ref.check_at(command.base)
    upload_id = uuid7()
    row = {
        "id": upload_id,
        "dataset_id": command.dataset_id,
        "ref_name": ref.name,
        "base_commit_id": ref.commit_id,
        "s3_key": f"{sent_prefix(command.dataset_id)}{upload_id}/{_FILE}",
        "s3_upload_id": OF_SNAPSHOT,
        "file_name": f"{command.table}.parquet",
        "content_type": _TYPE,
        "size_bytes": 0,
        "part_size": DEFAULT_PART,
        "options": dict(command.options),
        "state": UploadState.COMPLETING.value,
        "created_by": uow.principal.user_id,
        "created_at": uow.now,
        "expires_at": uow.now + EXPIRES_AFTER,
    }
    iceberg = {"table": command.table, "snapshot": command.snapshot}
    job = job_of(row, command.run_type, uow, source={"iceberg": iceberg})
    await uow.uploads.add({**row, "job_id": job.id})
    await uow.jobs.add(job)
    await uow.jobs.note_queued(job.id)
    return job.id


class SnapshotReader:
    """Does the first half of such jobs. Kill it anywhere: the file is whole or not there, and is written again."""

    def __init__(self, versions: Versions, files: S3Files, lake: Lake) -> None:
        self._versions = versions
        self._files = files
        self._lake = lake

    async def work(self, job: Job, control: JobControl[DatasetsUnitOfWork]) -> None:
        """Write the rows of the snapshot as the job's file; raises JobPaused for whoever imports it to go on."""
        async with self._versions.database.read_only() as connection:
            upload = await get_upload(connection, job.dataset_id, job.upload_id or UUID(int=0))
        if upload["state"] == UploadState.COMPLETED:
            raise JobPaused
        control.stage("reading")
        found = await self._versions.load(job.dataset_id, job.source_commit_id or "")
        schemas = {sheet: table.manifest.schema for sheet, table in found.tables.items()}
        read = await asyncio.to_thread(self._read, job, schemas, str(upload["s3_key"]), control)

        async def hand_on(read: Mapping[str, Any], uow: DatasetsUnitOfWork) -> None:
            await uow.uploads.update(upload["id"], {"state": UploadState.COMPLETED.value, "size_bytes": read["size"]})
            await uow.jobs.note_step(job.id, control.worker, {"run_parameters": read["parameters"]})

        await run(control.unit_of_work(), hand_on, read)
        raise JobPaused

    def _read(
        self, job: Job, schemas: Mapping[str, Any], key: str, control: JobControl[DatasetsUnitOfWork]
    ) -> dict[str, Any]:
        """Write the file, and say what the import is to know: the snapshot, and types that it does not tell. Blocks."""
        from versioned_tables.iceberg.columns import declared_types
        from versioned_tables.iceberg.reading import schema_of, write_parquet

        wanted: Mapping[str, Any] = job.run_parameters["source"]["iceberg"]
        with self._lake.catalog(job.dataset_id) as catalog:
            table = self._lake.find(catalog, job.dataset_id, wanted["table"])
            namespace = self._lake.namespace(job.dataset_id)
            if table is None:
                message = Text(
                    "There is no table {table!r} in the namespace {namespace} of this dataset.",
                    table=wanted["table"],
                    namespace=namespace,
                )
                raise SnapshotNotFound(message)
            name = wanted["snapshot"]
            metadata = table.metadata
            if name is None:
                snapshot = metadata.current_snapshot()
            else:
                by_id = metadata.snapshot_by_id(int(name)) if name.isdecimal() else None
                snapshot = by_id or (metadata.snapshot_by_name(name) if name in metadata.refs else None)
            if snapshot is None:
                message = Text("Table {table!r} has no such snapshot.", table=wanted["table"])
                raise SnapshotNotFound(message)
            writer = self._files.writer(key, _TYPE)
            try:
                write_parquet(table, snapshot, writer, lambda rows, size: control.report(Steps("reading", rows, size)))
                control.check()
                writer.close()
            except BaseException:
                writer.abort()
                raise
            fields = schema_of(table, snapshot).fields
        said = {"namespace": namespace, "table": wanted["table"], "snapshot_id": str(snapshot.snapshot_id)}
        origin = f"Iceberg table {namespace}.{wanted['table']}, snapshot {snapshot.snapshot_id}"
        parameters = dict(job.run_parameters)
        own = parameters.get("message")
        known = schemas.get(parameters["table"])
        types = {} if known is None else declared_types(known, fields)
        parameters |= {
            "source": {"iceberg": {**wanted, **said}},
            "message": f"{own}\n\n{origin}" if own else origin,
            "declared_types": {**types, **parameters["declared_types"]},
        }
        return {"size": self._files.size(key) or 0, "parameters": parameters}
