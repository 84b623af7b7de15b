"""The job of an erasure; each step may be done again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.lrs.erasures.commands import AnonymisePage, anonymise_page
from dataforge.contexts.lrs.erasures.domain import Anonymiser, ErasedPerson, mentions
from dataforge.contexts.lrs.erasures.queries import read_occurrences
from dataforge.contexts.lrs.purges.freed import forget_attachments
from dataforge.contexts.lrs.purges.progress import Reached
from dataforge.contexts.lrs.quarantine.queries import entries_with_bodies
from dataforge.contexts.lrs.search.commands import AddMissingKeys, add_missing_keys
from dataforge.contexts.lrs.statements.domain.messages import BODY_PREFIX
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.errors import ObjectMissing
from dataforge.kernel.plans import Plan
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.jobs.shared import SharedJob, complete_job
from dataforge.platform.module import JobKind

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices

PAGE = 200
_MOST_BODIES = 100_000


async def erase_person(job: SharedJob, control: JobControl[LrsUnitOfWork], services: "LrsServices") -> None:
    """Take a person out of statements, documents, pending statements, and bodies in quarantine and for the queue."""
    plan = await _plan(job, control)
    person = ErasedPerson.of(plan.inputs["agents"])
    await _wait_for_loaders(services)
    anonymiser = Anonymiser.of(
        person.is_agent,
        emails=person.emails,
        responses=job.run_parameters["responses"],
        pseudonym=job.run_parameters["pseudonym"],
    )
    counts = {"documents": await _forget_now(person, services), "bodies": await _forget_bodies(person, services)}
    reached = Reached.of(job.checkpoint)
    await _rewrite(job, control, services, (person, anonymiser), reached)
    async with control.unit_of_work() as uow:
        summary = {"statements": reached.deleted, "attachments": reached.attachments, **counts}
        await uow.plans.forget(plan.kind, plan.plan_hash, job_id=job.id)
        await complete_job(uow, job, control, summary)
        uow.audit(AuditEntry("completed", "erasure", str(plan.id), after=summary))
        await uow.commit()


async def _plan(job: SharedJob, control: JobControl[LrsUnitOfWork]) -> Plan:
    async def read(plan_id: UUID, uow: LrsUnitOfWork) -> Plan:
        return await uow.plans.get(plan_id)

    return await run(control.unit_of_work(), read, UUID(job.run_parameters["plan_id"]))


async def _wait_for_loaders(services: "LrsServices") -> None:
    """Until every load that began before the person was on the list has ended, and everything has its keys."""
    async with services.unit_of_work(LrsUnitOfWork) as uow:
        await uow.index.lock_references(exclusive=True)
    while await run(services.unit_of_work(LrsUnitOfWork), add_missing_keys, AddMissingKeys()):
        pass


async def _forget_now(person: ErasedPerson, services: "LrsServices") -> int:
    """Delete documents, sessions, links to an account, and what would be read before it is loaded."""
    identities = sorted(person.identities)
    async with services.unit_of_work(LrsUnitOfWork) as uow:
        waiting = [key for key, payload in await uow.erasures.pending() if mentions(payload, person)]
        await uow.erasures.forget_pending(waiting)
        await uow.identifiers.erase(identities)
        documents = await uow.erasures.delete_documents(identities)
        await uow.commit()
    return documents


async def _forget_bodies(person: ErasedPerson, services: "LrsServices") -> int:
    """Delete bodies that mention the person: what is in quarantine with its entry, and large ones that were loaded."""
    objects, forgotten = services.platform.objects, 0
    async with services.database.read_only() as connection:
        entries = await entries_with_bodies(connection)
    for entry_id, key in entries:
        if await _mentions(key, person, services):
            await objects.delete([key])
            async with services.unit_of_work(LrsUnitOfWork) as uow:
                await uow.quarantine.forget([entry_id])
                await uow.commit()
            forgotten += 1
    waiting = await objects.oldest(BODY_PREFIX, limit=_MOST_BODIES)
    requests = {UUID(item.key.removeprefix(BODY_PREFIX).removesuffix(".json")): item.key for item in waiting}
    async with services.unit_of_work(LrsUnitOfWork) as uow:
        loaded = await uow.erasures.loaded(sorted(requests))
    for request_id in sorted(loaded):
        if await _mentions(requests[request_id], person, services):
            await objects.delete([requests[request_id]])
            forgotten += 1
    return forgotten


async def _mentions(key: str, person: ErasedPerson, services: "LrsServices") -> bool:
    try:
        body = await services.platform.objects.get(key)
    except ObjectMissing:
        return False
    return mentions(body.decode(errors="replace"), person)


async def _rewrite(
    job: SharedJob,
    control: JobControl[LrsUnitOfWork],
    services: "LrsServices",
    whom: tuple[ErasedPerson, Anonymiser],
    reached: Reached,
) -> None:
    person, anonymiser = whom
    await forget_attachments(reached, services)
    while True:
        async with services.database.read_only() as connection:
            page = await read_occurrences(connection, person, after=reached.after, limit=PAGE)
        if not page:
            return
        async with control.unit_of_work() as uow:
            changed, reached.free = await anonymise_page(AnonymisePage(tuple(page), anonymiser), uow)
            reached.move(page[-1].position, changed)
            control.report(Steps("anonymising", reached.deleted))
            await uow.jobs.save_checkpoint(job.id, control.worker, reached.to_json(), control.progress)
            await uow.commit()
        await forget_attachments(reached, services)
        control.pause_if_due()


KINDS: Mapping[str, JobKind["LrsServices"]] = {"erase_person": JobKind(erase_person, LrsUnitOfWork)}
