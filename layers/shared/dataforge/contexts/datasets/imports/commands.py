"""An uploaded file into a commit, or into the plan of one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.commits.commands import PublishCommit, publish_commit
from dataforge.contexts.datasets.commits.domain import NewCommit
from dataforge.contexts.datasets.commits.versions import (
    MOST_TABLES,
    Authorship,
    Version,
    Versions,
    no_changes,
    sheet_summaries,
)
from dataforge.contexts.datasets.contract import DatasetImportEnded
from dataforge.contexts.datasets.imports.domain import PLANNED, moved_since, other_content, plan_of
from dataforge.contexts.datasets.imports.plans import import_plan
from dataforge.contexts.datasets.jobs.domain import Job, JobClaim, RunType
from dataforge.contexts.datasets.refs.domain import RefMoved, ref_moved
from dataforge.contexts.datasets.refs.queries import require_ref
from dataforge.contexts.datasets.reviews.queries import named_dataset
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.datasets.uploads.domain import SentFile, file_gone
from dataforge.contexts.datasets.uploads.queries import get_upload
from dataforge.kernel.errors import ObjectMissing, Unavailable
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.observability import emit_metrics, logger
from dataforge.platform.uploads.files import S3Files
from versioned_tables.errors import ImportRefused
from versioned_tables.files.options import REJECTED_LISTED, ImportOptions, ImportReport
from versioned_tables.files.sources import BytesSource, FileSource, ObjectSource
from versioned_tables.format.manifest import Manifest
from versioned_tables.imports.importing import ImportOutcome, import_file
from versioned_tables.schema.columns import EvolutionRules


def import_options(parameters: Mapping[str, Any]) -> ImportOptions:
    """What the engine is asked to do, from a job's parameters."""
    key = parameters.get("key")
    return ImportOptions(
        mode=parameters.get("mode", "replace"),
        format=parameters.get("format", "auto"),
        table=parameters.get("table", "data"),
        encoding=parameters.get("encoding"),
        delimiter=parameters.get("delimiter"),
        quote=parameters.get("quote"),
        header=parameters.get("header"),
        skip_lines=parameters.get("skip_lines"),
        comment=parameters.get("comment"),
        key=None if key is None else tuple(key),
        declared=parameters.get("declared_types", {}),
        null_values=tuple(parameters.get("null_values", ())),
        max_rejected=parameters.get("max_rejected", 0),
        evolution=EvolutionRules(**parameters.get("evolution", {})),
        sheets=tuple(parameters.get("sheets", ())),
    )


def merged_tables(base: Version, outcome: ImportOutcome, parameters: Mapping[str, Any]) -> dict[str, Manifest]:
    """All tables of the new commit: those of the file, and those of the base that stay. Raises ImportRefused."""
    replaces = parameters.get("mode", "replace") == "replace" and not parameters.get("keep_other_tables", False)
    tables = dict(outcome.tables) if replaces else {**base.manifests, **outcome.tables}
    if len(tables) > MOST_TABLES:
        message = Text(
            "A version has at most {most_tables} tables; this one would have {count}.",
            most_tables=MOST_TABLES,
            count=len(tables),
        )
        raise ImportRefused(message)
    return tables


def report_json(report: ImportReport) -> dict[str, Any]:
    """The report as the job keeps it; the rejected rows are listed up to a thousand per table."""
    shown: dict[str, Any] = report.to_json()
    for table in shown["tables"]:
        table["rejected"] = table["rejected"][:REJECTED_LISTED]
    return shown


@dataclass(frozen=True, slots=True)
class _Made:
    """What a file has become: all tables of the version, and its commit, None for no difference."""

    outcome: ImportOutcome
    tables: dict[str, Manifest]
    commit: NewCommit | None


class Importer:
    """Does import jobs. Kill it anywhere: objects are stored before the commit, and the commit is one transaction."""

    def __init__(self, versions: Versions, *, files: S3Files, folder: Path | None = None) -> None:
        self._versions = versions
        self._files = files
        self._folder = folder

    async def work(self, job: Job, control: JobControl[DatasetsUnitOfWork]) -> None:
        """Read the file, and end the job with the commit or the plan; raises what the job fails with."""
        await self.work_on(job, control, None)

    async def work_on(self, job: Job, control: JobControl[DatasetsUnitOfWork], sent: SentFile | None) -> None:
        """`work`, where the file is at hand in a request that waits for the end; None: it is read from the bucket."""
        assert job.ref_name is not None  # noqa: S101 - imports are made with both
        assert job.source_commit_id is not None  # noqa: S101
        async with self._versions.database.read_only() as connection:
            at = await require_ref(connection, job.dataset_id, job.ref_name)
            upload = await get_upload(connection, job.dataset_id, job.upload_id or UUID(int=0))
            if at != job.source_commit_id:
                moved = moved_since if PLANNED in job.run_parameters else ref_moved
                raise moved(job.ref_name, job.source_commit_id, at)
            base = await self._versions.read(connection, job.dataset_id, job.source_commit_id)
        control.stage("reading")
        made = await asyncio.to_thread(self._compute, job, base, upload, control, sent)
        if job.run_type is RunType.IMPORT_PLAN:
            await self._plan(job, base, made, upload, control, sent)
            return
        content = None if made.commit is None else made.commit.content_hash
        if job.run_parameters.get(PLANNED, content) != content:
            raise other_content()
        await self._publish(job, base, made, upload, control, awaited=sent is not None)

    async def _plan(
        self,
        job: Job,
        base: Version,
        made: _Made,
        upload: Mapping[str, Any],
        control: JobControl[DatasetsUnitOfWork],
        sent: SentFile | None,
    ) -> None:
        control.stage("planning")
        file = await asyncio.to_thread(self._identity, upload, sent)

        async def keep(report: Mapping[str, Any], uow: DatasetsUnitOfWork) -> None:
            planned = import_plan(job, base, made.tables, made.commit, file=file, report=report, now=uow.now)
            await uow.plans.add(planned)
            await uow.jobs.complete(job.id, control.worker, plan_of(planned), control.progress)

        await run(control.unit_of_work(), keep, report_json(made.outcome.report))

    def _identity(self, upload: Mapping[str, Any], sent: SentFile | None) -> dict[str, Any]:
        """What tells this file from others."""
        if sent is not None:
            return {"sha256": sent.sha256, "size": len(sent.data)}
        return {"checksum": self._files.fingerprint(upload["s3_key"]), "size": upload["size_bytes"]}

    async def _publish(
        self,
        job: Job,
        base: Version,
        made: _Made,
        upload: Mapping[str, Any],
        control: JobControl[DatasetsUnitOfWork],
        *,
        awaited: bool,
    ) -> None:
        assert job.ref_name is not None  # noqa: S101 - imports are made with both
        assert job.source_commit_id is not None  # noqa: S101
        control.stage("committing")
        outcome, commit = made.outcome, made.commit
        rows = sum(table.rows for table in outcome.report.tables)
        sheets = sheet_summaries(commit.tables) if commit is not None else _unchanged(base)
        summary = {"rows_processed": rows, "sheets": sheets, "report": report_json(outcome.report)}
        if "source" in job.run_parameters:
            summary["source"] = job.run_parameters["source"]
        claim = JobClaim(job.id, control.worker, summary, {**control.progress, "rows": rows})
        command = PublishCommit(job.dataset_id, job.ref_name, job.source_commit_id, commit, claim)
        refused = sum(table.rejected_count for table in outcome.report.tables)
        file_name = str(upload["file_name"])
        ended = DatasetImportEnded(job.id, job.dataset_id, job.user_id, file_name, rows, refused, None, awaited)
        publish = partial(publish_commit, objects=self._versions.objects)

        async def end(command: PublishCommit, uow: DatasetsUnitOfWork) -> None:
            try:
                await publish(command, uow)
            except RefMoved as moved:
                if PLANNED not in job.run_parameters:
                    raise
                raise moved_since(command.ref, command.expected, str(moved.facts["current_commit"])) from moved
            _, workspace_id = await named_dataset(uow.connection, job.dataset_id)
            uow.publish(replace(ended, workspace_id=workspace_id))

        await run(control.unit_of_work(), end, command)

    def _compute(
        self,
        job: Job,
        base: Version,
        upload: Mapping[str, Any],
        control: JobControl[DatasetsUnitOfWork],
        sent: SentFile | None,
    ) -> _Made:
        parameters = job.run_parameters
        store = self._versions.store(job.dataset_id)
        source = self._stored(upload) if sent is None else BytesSource(sent.data, sent.name)
        with tempfile.TemporaryDirectory(prefix="import-", dir=self._folder) as folder:
            options, scratch = import_options(parameters), Path(folder)
            with _reported():
                outcome = import_file(store, source, options, base.manifests, progress=control.report, folder=scratch)
        control.stage("encoding")
        message = parameters.get("message") or f"Import {upload['file_name']}"
        # The time of the job, not of this attempt: trying again makes the same commit.
        by = Authorship(str(job.user_id or "system"), job.user_id, message, job.created_at.isoformat())
        tables = merged_tables(base, outcome, parameters)
        return _Made(outcome, tables, self._versions.prepare(base, tables, by))

    def _stored(self, upload: Mapping[str, Any]) -> FileSource:
        try:
            return ObjectSource(self._versions.objects, upload["s3_key"], upload["file_name"])
        except ObjectMissing as error:
            raise file_gone() from error


@contextmanager
def _reported() -> Iterator[None]:
    """Let operators hear of files that stumble a reader, and of storage that does not answer."""
    try:
        yield
    except ImportRefused as refused:
        if refused.unforeseen:
            error = type(refused.__cause__).__name__
            logger.warning("content of a file met no reader that expects it", exc_info=True, error=error)
            emit_metrics({"imports_refused_unforeseen": 1})
        raise
    except Unavailable:
        logger.warning("an uploaded file cannot be read now", exc_info=True)
        raise


def _unchanged(base: Version) -> list[dict[str, Any]]:
    return [
        {"sheet_name": sheet, "row_count": table.row.row_count, **no_changes()} for sheet, table in base.tables.items()
    ]
