"""What `worker` does with its messages: jobs of the kinds that contexts name in their modules."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dataforge.events.sqs import MessageBatch, id_in, json_object
from dataforge.kernel.jobs import HEARTBEAT_SECONDS
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.jobs.shared import SharedJob
from dataforge.platform.jobs.tables import jobs
from dataforge.platform.jobs.worker import Done, JobRunner
from dataforge.platform.module import JobKind, Module
from dataforge.platform.observability import logger
from dataforge.platform.services import Platform, Services

Modules = Sequence[Module[Services]]

PAUSE_AFTER_SECONDS = 600.0
"""Two thirds of an invocation: the step that is under way then has five minutes to end."""


def job_kinds(modules: Modules) -> Mapping[str, tuple[Module[Services], JobKind[Services]]]:
    """How jobs are done, by kind, and of whose context they are."""
    return {name: (module, kind) for module in modules for name, kind in module.job_kinds().items()}


async def job_messages(event: Mapping[str, Any], modules: Modules, parts: Platform) -> dict[str, Any]:
    """Messages of the jobs queue: `{"job_id": …}`, or `{"message": name, …}` for what a context handles itself.

    A job that must be tried again needs no message kept for it: its row says so, and maintenance queues it.
    """
    batch = MessageBatch(event)
    for record in batch:
        with batch.given_back(record):
            body = json_object(record)
            if (job_id := id_in(body, "job_id")) is not None:
                await do_job(job_id, modules, parts)
            elif (name := body.get("message")) is not None:
                await _receive(str(name), body, modules, parts)
    return batch.response()


async def do_job(
    job_id: UUID,
    modules: Modules,
    parts: Platform,
    *,
    pause_after_seconds: float = PAUSE_AFTER_SECONDS,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> Done:
    """Do one job, or as much of it as one invocation may; see JobRunner.run."""
    async with parts.database.read_only() as connection:
        name = await connection.scalar(select(jobs.c.kind).where(jobs.c.id == job_id))
    if name is None:
        logger.warning("a message about no job", job_id=str(job_id))
        return Done.ENDED
    known = job_kinds(modules)
    if name not in known:
        # During a release: the next minute's message may meet the code that knows it.
        logger.warning("a job of an unknown kind waits", job_id=str(job_id), kind=name)
        return Done.AGAIN
    module, kind = known[name]
    runner = JobRunner(
        kind.unit_of_work,
        parts.database,
        parts.clock,
        heartbeat_seconds=heartbeat_seconds,
        pause_after_seconds=pause_after_seconds,
        failed=kind.failed,
    )
    done = await runner.run(job_id, partial(_work, kind, parts.get(module.services)))
    if done is Done.PAUSED:
        await parts.send_job(job_id)
    return done


async def _receive(name: str, body: Mapping[str, Any], modules: Modules, parts: Platform) -> None:
    for module in modules:
        if (receive := module.messages().get(name)) is not None:
            await receive(body, parts.get(module.services))
            return
    logger.warning("a message that nobody knows", name=name[:60])


async def _work(kind: JobKind[Services], services: Services, job: SharedJob, control: JobControl[Any]) -> None:
    await kind.work(job, control, services)
