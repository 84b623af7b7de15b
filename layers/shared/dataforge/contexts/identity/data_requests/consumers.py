"""The jobs: an export into one zip, and an erasure through all contexts, twice."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.identity.contract import PersonalExportEnded
from dataforge.contexts.identity.data_requests.archives import Archive, sink_of
from dataforge.contexts.identity.data_requests.domain import KEPT_FOR, object_key
from dataforge.contexts.identity.data_requests.queries import not_covered, read_person
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.personal_data import erase_rows, read_rows
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from dataforge.platform.jobs.control import JobControl, Steps
from dataforge.platform.jobs.shared import SharedJob, SharedJobs, complete_job
from dataforge.platform.module import JobKind
from dataforge.platform.personal_data import Contribution, Person, PersonalDataRegister
from dataforge.platform.uploads.files import S3Files

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices

Control = JobControl[IdentityUnitOfWork]
PASSES = 2
"""What others were doing while the first pass went on has reached the tables by the second."""


async def export_person(job: SharedJob, control: Control, services: "IdentityServices") -> None:
    """Write the zip and end the job with it. A worker that dies leaves no file; the next one begins again."""
    user_id = UUID(job.run_parameters["user_id"])
    async with services.database.read_only() as connection:
        person, _ = await read_person(connection, user_id)
    key, files = object_key(user_id, job.id, job.attempt), S3Files(services.settings.data_bucket)
    sink = await asyncio.to_thread(files.writer, key, "application/zip")
    try:
        archive = Archive(sink_of(sink))
        await _write(archive, person, control, services)
        await asyncio.to_thread(sink.close)
        async with control.unit_of_work() as uow:
            # Who is erased by now has no export; an erasure that comes later deletes it.
            await uow.users.lock(user_id)
            await read_person(uow.connection, user_id)
            rows = sum(file["rows"] for file in archive.files)
            summary = {"attempt": job.attempt, "bytes": sink.size, "files": len(archive.files), "rows": rows}
            await complete_job(uow, job, control, summary)
            uow.audit(AuditEntry("exported", "user", str(user_id), after={"job_id": str(job.id)}))
            uow.publish(PersonalExportEnded(job.id, user_id, asked_by=job.user_id))
            await uow.commit()
    except BaseException:
        await asyncio.to_thread(sink.abort)
        await asyncio.to_thread(files.delete, key)
        raise


async def _write(archive: Archive, person: Person, control: Control, services: "IdentityServices") -> None:
    contributions = services.platform.get(PersonalDataRegister).contributions()
    done = 0
    for item in contributions:
        for holding in item.data.holdings:
            if not holding.exported:
                continue
            async with services.database.read_only() as connection:
                rows = read_rows(connection, holding, person)
                async for count in archive.add_rows(f"{item.context}/{holding.title}.json", rows):
                    control.report(Steps("writing", done + count))
            done += count
        for name, read in item.data.files.items():
            async for count in archive.add_rows(f"{item.context}/{name}", read(person, item.services)):
                control.report(Steps("writing", done + count))
            done += count
    made_at = services.clock.now()
    about = {
        "person": {"id": str(person.user_id), "username": person.username},
        "made_at": made_at.isoformat(),
        "kept_until": (made_at + KEPT_FOR).isoformat(),
        "not_covered": not_covered(contributions),
    }
    await archive.close(about)


@dataclass(slots=True)
class _Reached:
    """How far an erasure is: the next step, what was done, and the jobs that it has queued."""

    step: int
    rows: dict[str, int]
    found: dict[str, Any]
    jobs: list[str]

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any]) -> "_Reached":
        known = checkpoint.get("reached", {})
        return cls(known.get("step", 0), known.get("rows", {}), known.get("found", {}), known.get("jobs", []))

    def to_json(self, begin: Mapping[str, Any]) -> dict[str, Any]:
        state = {"step": self.step, "rows": self.rows, "found": self.found, "jobs": self.jobs}
        return {**begin, "reached": state}

    @property
    def summary(self) -> dict[str, Any]:
        """What the job says in the end; the jobs go on by themselves."""
        return {"rows": self.rows, **self.found, "jobs": self.jobs}


async def erase_account(job: SharedJob, control: Control, services: "IdentityServices") -> None:
    """Go through all contexts, each in one transaction with the job's checkpoint, and then through all of them again.

    Each step is done once, whenever a worker dies; what `released` does may be done twice.
    """
    contributions = services.platform.get(PersonalDataRegister).contributions()
    reached, steps = _Reached.of(job.checkpoint), [*contributions] * PASSES
    begin = {name: value for name, value in job.checkpoint.items() if name != "reached"}
    while reached.step < len(steps):
        item, first = steps[reached.step], reached.step < len(contributions)
        await _erase(item, job, control, services, (begin, reached), first=first)
        control.pause_if_due()
    async with control.unit_of_work() as uow:
        await complete_job(uow, job, control, reached.summary)
        uow.audit(AuditEntry("erased", "user", job.run_parameters["user_id"]))
        await uow.commit()


async def _erase(
    item: Contribution,
    job: SharedJob,
    control: Control,
    services: "IdentityServices",
    state: tuple[Mapping[str, Any], _Reached],
    *,
    first: bool,
) -> None:
    begin, reached = state
    person = Person.from_json(begin["person"])
    if item.data.released is not None:
        await item.data.released(person, item.services)
    principal, queued = control.unit_of_work().principal, list[str]()
    kind = item.data.unit_of_work or SqlUnitOfWork
    async with kind(services.database, principal=principal, clock=services.clock) as uow:
        if first and item.data.taken is not None:
            taken = dict(await item.data.taken(person, uow, item.services, responses=begin["responses"]))
            queued = list(taken.pop("jobs", []))
            reached.found |= taken
        for holding in item.data.holdings:
            rows = await erase_rows(uow.connection, holding, person)
            if rows and (first or holding.deleted):
                name = f"{item.context}.{holding.title}"
                reached.rows[name] = reached.rows.get(name, 0) + rows
        reached.step += 1
        reached.jobs += queued
        control.report(Steps("erasing", reached.step))
        kept = SharedJobs(uow.connection, uow.now)
        await kept.save_checkpoint(job.id, control.worker, reached.to_json(begin), control.progress)
        await uow.commit()
    for job_id in queued:
        await services.platform.send_job(UUID(job_id))


KINDS: Mapping[str, JobKind["IdentityServices"]] = {
    "export_personal_data": JobKind(export_person, IdentityUnitOfWork),
    "erase_account": JobKind(erase_account, IdentityUnitOfWork),
}
