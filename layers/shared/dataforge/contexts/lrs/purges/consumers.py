"""The job of a purge: page by page, each in a transaction of its own that says where the next begins."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.lrs.bodies.domain import month_of, next_month, start_of
from dataforge.contexts.lrs.bodies.repository import drop_partition
from dataforge.contexts.lrs.purges.commands import DeletePage, delete_page
from dataforge.contexts.lrs.purges.domain import Purge, whole_months
from dataforge.contexts.lrs.purges.freed import forget_attachments
from dataforge.contexts.lrs.purges.progress import Reached, moment
from dataforge.contexts.lrs.purges.queries import state_seen
from dataforge.contexts.lrs.selections.queries import read_selected
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.plans import Plan
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.jobs.shared import SharedJob, complete_job
from dataforge.platform.module import JobKind

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

PAGE = 500
TRIES = 5


async def purge_statements(job: SharedJob, control: JobControl[LrsUnitOfWork], services: "LrsServices") -> None:
    """Delete what the plan names; one that is killed goes on behind its last page.

    Before the first page the plan is compared once more; raises PlanStale.
    """
    plan = await _plan(job, control)
    purge, reached = Purge.from_json(plan.inputs), Reached.of(job.checkpoint)
    if not job.checkpoint:
        async with services.database.read_only() as connection:
            state, _, _ = await state_seen(connection, purge)
        plan.check(state, plan.created_at)  # in time it was when it was applied
    first = plan.preview["first_stored"]
    months = set(whole_months(purge.selection, None if first is None else moment(first)))
    await forget_attachments(reached, services)
    while True:
        async with services.database.read_only() as connection:
            page = await read_selected(connection, purge.selection, after=reached.after, limit=PAGE, own=True)
        if not page:
            break
        left = frozenset(item.statement_id for item in page if month_of(item.stored_at) in months)
        async with control.unit_of_work() as uow:
            deleted, reached.free = await delete_page(DeletePage(tuple(page), left), uow)
            reached.move(page[-1].position, deleted)
            control.report(Steps("deleting", reached.deleted))
            await uow.jobs.save_checkpoint(job.id, control.worker, reached.to_json(), control.progress)
            await uow.commit()
        await forget_attachments(reached, services)
        control.pause_if_due()
    dropped = [f"{month:%Y-%m}" for month in sorted(months) if await _drop(month, services)]
    async with control.unit_of_work() as uow:
        chosen = purge.documents_chosen
        documents = await uow.removals.delete_documents(chosen) if chosen else 0
        counts = {"statements": reached.deleted, "attachments": reached.attachments, "documents": documents}
        await complete_job(uow, job, control, {**counts, "partitions_dropped": dropped})
        await uow.commit()


async def _plan(job: SharedJob, control: JobControl[LrsUnitOfWork]) -> Plan:
    async def read(plan_id: UUID, uow: LrsUnitOfWork) -> Plan:
        return await uow.plans.get(plan_id)

    return await run(control.unit_of_work(), read, UUID(job.run_parameters["plan_id"]))


async def _drop(month: Any, services: "LrsServices") -> bool:  # noqa: ANN401 - a date
    """Drop the partition of a month; where something still is or comes, its orphaned bodies are deleted instead."""
    for attempt in range(TRIES):
        if await drop_partition(services.database, month):
            return True
        await asyncio.sleep(attempt / 5)
    async with services.unit_of_work(LrsUnitOfWork) as uow:
        await uow.bodies.delete_orphans(start_of(month), start_of(next_month(month)))
        await uow.commit()
    return False


KINDS: Mapping[str, JobKind["LrsServices"]] = {"purge_statements": JobKind(purge_statements, LrsUnitOfWork)}
