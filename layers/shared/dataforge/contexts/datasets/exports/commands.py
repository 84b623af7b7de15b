"""A version, or the difference of two, into a file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from dataforge.contexts.datasets.commits.versions import Version, Versions
from dataforge.contexts.datasets.comparisons.queries import changed_rows
from dataforge.contexts.datasets.downloads.domain import Form, key_of
from dataforge.contexts.datasets.jobs.domain import Job
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.uploads.files import S3Files
from versioned_tables.errors import FilterRefused
from versioned_tables.exports import ExportOptions, ExportReport, Sink, export_difference, export_table, export_workbook
from versioned_tables.format.manifest import Manifest
from versioned_tables.read.filtering import check_fits
from versioned_tables.read.filters import check_filter, parse_filter
from versioned_tables.schema.columns import TableSchema

_ENDINGS = {
    "csv": "csv",
    "excel": "xlsx",
    "parquet": "parquet",
    "jsonl": "jsonl",
    "arrow": "arrows",
    "arrow_file": "arrow",
}
_PACKED = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_TYPES = {
    "csv": "text/csv",
    "excel": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "arrow_file": "application/vnd.apache.arrow.file",
}


def check_export(parameters: dict[str, Any]) -> None:
    """Raise FilterRefused on combinations that make no file."""
    if parameters["format"] in ("excel", "parquet") and parameters["compression"] != "none":
        message = Text(
            "A {format} file is compressed inside; leave `compression` at none.", format=parameters["format"]
        )
        raise FilterRefused(message)
    if parameters.get("base") is not None and parameters["format"] not in ("csv", "jsonl"):
        message = Text("A difference is exported as csv or jsonl.")
        raise FilterRefused(message)
    if parameters.get("filter") is not None:
        parse_filter(parameters["filter"])


def check_filter_runs(given: dict[str, Any], schema: TableSchema) -> None:
    """Raise FilterRefused now on a filter that the job could not run."""
    found = parse_filter(given)
    check_filter(found, schema)
    check_fits(found, schema)


def file_name(parameters: dict[str, Any], sheet: str | None, commit_id: str) -> str:
    """What the file is called when it is downloaded: sheet, start of the commit id, ending."""
    label = re.sub(r"[^A-Za-z0-9_-]+", "_", sheet or "tables").strip("_") or "table"
    kind = "-changes" if parameters.get("base") is not None else ""
    return f"{label[:80]}-{commit_id[:12]}{kind}.{_ENDINGS[parameters['format']]}{_PACKED[parameters['compression']]}"


class Exporter:
    """Does export jobs: a file is written in parts and becomes visible whole, then the job names it."""

    def __init__(self, versions: Versions, files: S3Files) -> None:
        self._versions = versions
        self._files = files

    async def work(self, job: Job, control: JobControl[DatasetsUnitOfWork]) -> None:
        """Write the file, and end the job with its name; raises what the job fails with."""
        parameters: dict[str, Any] = dict(job.run_parameters)
        assert job.source_commit_id is not None  # noqa: S101 - exports are made with it
        version = await self._versions.load(job.dataset_id, job.source_commit_id)
        whole = parameters["format"] == "excel" and parameters.get("sheet") is None
        sheet = None if whole else version.sheet_name(parameters.get("sheet"))
        base = None
        if parameters.get("base") is not None:
            base = await self._versions.load(job.dataset_id, parameters["base"])
        name = file_name(parameters, sheet, version.commit_id)
        # The attempt is in the key: a worker that lost its lease cannot overwrite what the next one made.
        key = f"exports/{job.dataset_id}/{job.id}/{job.attempt}/{name}"
        if "identity" in parameters:  # whoever writes it writes the same
            key = key_of(job.dataset_id, parameters["identity"], Form(parameters["format"]))
        report = await asyncio.to_thread(self._write, version, base, sheet, parameters, key, control)
        summary = {
            "s3_key": key,
            "file_name": name,
            "rows_processed": report.rows,
            "bytes": report.bytes,
            "commit_id": version.commit_id,
            "sheets": [{"sheet_name": one} for one in ([sheet] if sheet else list(version.tables))],
        }

        async def complete(summary: Mapping[str, Any], uow: DatasetsUnitOfWork) -> None:
            await uow.jobs.complete(job.id, control.worker, summary, {**control.progress, "rows": report.rows})

        await run(control.unit_of_work(), complete, summary)

    def _write(
        self,
        version: Version,
        base: Version | None,
        sheet: str | None,
        parameters: dict[str, Any],
        key: str,
        control: JobControl[DatasetsUnitOfWork],
    ) -> ExportReport:
        writer = self._files.writer(key, _TYPES[parameters["format"]])
        try:
            report = write_export(self._versions, version, base, sheet, parameters, writer, control)
            control.check()
            writer.close()
        except BaseException:
            writer.abort()
            raise
        return report


def write_export(
    versions: Versions,
    version: Version,
    base: Version | None,
    sheet: str | None,
    parameters: dict[str, Any],
    sink: Sink,
    control: JobControl[DatasetsUnitOfWork],
) -> ExportReport:
    """Write what the parameters ask for; raises FilterRefused, SheetNotFound, JobCancelled."""
    store = versions.store(version.dataset_id)
    columns, wanted = parameters.get("columns"), parameters.get("filter")
    options = ExportOptions(
        format=parameters["format"],
        compression=parameters["compression"],
        columns=None if columns is None else tuple(columns),
        where=None if wanted is None else parse_filter(wanted),
        descending=parameters.get("descending", False),
        excel=parameters.get("excel", False),
    )
    if sheet is None:
        if not version.tables:
            version.sheet_name(None)
        return export_workbook(store, version.manifests, options, sink, progress=control.report)
    manifest = version.tables[sheet].manifest
    if base is not None:
        before = base.tables[sheet].manifest if sheet in base.tables else Manifest(manifest.schema)
        return export_difference(store, changed_rows(store, before, manifest), options, sink)
    return export_table(store, manifest, options, sink, name=sheet, progress=control.report)
