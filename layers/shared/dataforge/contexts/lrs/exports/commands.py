"""Queue an export."""

from dataclasses import replace
from uuid import UUID

from dataforge.contexts.lrs.exports.domain import KIND, Export
from dataforge.contexts.lrs.selections.queries import watermark
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.jobs.shared import queue_job


async def queue_export(command: Export, uow: LrsUnitOfWork) -> UUID:
    """Queue the export of what is stored up to the watermark of now; raises ExportRefused."""
    command.check()
    export = replace(command, selection=command.selection.up_to(await watermark(uow.connection)))
    described = {**export.to_json(), "selection": export.selection.described()}
    job_id = await queue_job(uow, KIND, described, checkpoint=export.to_json())
    uow.audit(AuditEntry("requested", "statement_export", str(job_id), after=described))
    return job_id
