"""Jobs in the shared table: queued by a context, done by `worker`, watched and stopped by whoever asked for them."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from dataforge.bootstrap import modules
from dataforge.events.jobs import KEEP_JOBS, queue_lost_jobs
from dataforge.events.worker import do_job, job_kinds, job_messages
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.jobs import LEASE, JobEnded, JobLost
from dataforge.kernel.principal import Principal, Role
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.jobs.shared import SharedJob, SharedJobsUnitOfWork, complete_job, queue_job
from dataforge.platform.jobs.worker import Done
from dataforge.platform.module import JobKind, Module
from dataforge.platform.services import Services
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws


async def count_up(job: SharedJob, control: JobControl[SharedJobsUnitOfWork], _services: Services) -> None:
    """Count to what was asked for, one number in one transaction."""
    reached = job.checkpoint.get("reached", 0)
    while reached < job.run_parameters["to"]:
        async with control.unit_of_work() as uow:
            reached += 1
            await uow.jobs.save_checkpoint(job.id, control.worker, {"reached": reached}, control.progress)
            await uow.commit()
        control.pause_if_due()
    async with control.unit_of_work() as uow:
        await complete_job(uow, job, control, {"reached": reached})
        await uow.commit()


async def refuse(_job: SharedJob, _control: JobControl[SharedJobsUnitOfWork], _services: Services) -> None:
    """Find that it cannot be done."""
    message = "There is no room."
    raise JobEnded(message)


async def wait(_job: SharedJob, control: JobControl[SharedJobsUnitOfWork], _services: Services) -> None:
    """Work until it is stopped."""
    for _ in range(500):
        await asyncio.sleep(0.02)
        control.check()


KINDS: dict[str, JobKind[Services]] = {
    kind.__name__: JobKind(kind, SharedJobsUnitOfWork) for kind in (count_up, refuse, wait)
}
MODULES = (Module(name="tests", services=Services, job_kinds=lambda: KINDS),)


class Workshop:
    """The API, and a worker that knows the kinds above."""

    def __init__(self, database: Database, clock: FixedClock, aws: EmulatedAws) -> None:
        self.queue = Queue(url := aws.queue())
        self.api = ApiUnderTest(database, clock, jobs_queue_url=url, access_token_seconds=86_400)
        self.clock = clock
        self.parts = self.api.platform_of("worker")

    async def ask(self, kind: str, *, by: UUID | None = None, **parameters: Any) -> UUID:
        who = Principal(by or await self.api.add_user(Role.ANALYST), Role.ANALYST)
        async with SharedJobsUnitOfWork(self.api.platform.database, principal=who, clock=self.clock) as uow:
            job_id = await queue_job(uow, kind, parameters)
            await uow.commit()
        return job_id

    async def do(self, job_id: UUID, **options: Any) -> Done:
        return await do_job(job_id, MODULES, self.parts, **options)

    async def job(self, job_id: UUID) -> dict[str, Any]:
        answer = await (await self.api.as_role(Role.ADMIN)).get(f"/api/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until(self, job_id: UUID, status: str) -> None:
        async with asyncio.timeout(30):
            while (await self.job(job_id))["status"] != status:  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.02)

    async def messages(self) -> list[str]:
        return [json.loads(item.record.body)["job_id"] for item in await self.queue.receive()]


@pytest.fixture
async def workshop(database: Database, clock: FixedClock, emulator: EmulatedAws) -> Any:
    workshop = Workshop(database, clock, emulator)
    async with workshop.api:
        yield workshop


async def test_a_job_is_done_by_its_kind_and_once(workshop: Workshop) -> None:
    job_id = await workshop.ask("count_up", to=3)
    message = {"messageId": "1", "body": json.dumps({"job_id": str(job_id)})}

    answers = [await job_messages({"Records": [message]}, MODULES, workshop.parts) for _ in range(2)]

    assert answers == [{"batchItemFailures": []}] * 2
    job = await workshop.job(job_id)
    assert (job["kind"], job["status"], job["output_summary"], job["attempt"]) == (
        *("count_up", "completed", {"reached": 3}),
        1,
    )


async def test_long_work_pauses_and_goes_on_with_the_message_that_it_sends_itself(workshop: Workshop) -> None:
    job_id = await workshop.ask("count_up", to=3)

    done = [await workshop.do(job_id, pause_after_seconds=0) for _ in range(3)]
    assert done == [Done.PAUSED] * 3
    assert await workshop.messages() == [str(job_id)] * 3
    assert await workshop.do(job_id, pause_after_seconds=0) is Done.ENDED

    assert (await workshop.job(job_id))["output_summary"] == {"reached": 3}


async def test_what_a_dead_worker_has_noted_is_not_done_again_and_it_can_note_no_more(workshop: Workshop) -> None:
    job_id, dead = await workshop.ask("count_up", to=5), uuid7()
    async with SharedJobsUnitOfWork(workshop.parts.database, clock=workshop.clock) as uow:
        await uow.jobs.claim(job_id, dead, uow.now + LEASE)
        await uow.jobs.save_checkpoint(job_id, dead, {"reached": 4}, {})
        await uow.commit()
    assert await workshop.do(job_id) is Done.BUSY
    workshop.clock.advance(LEASE + timedelta(seconds=1))
    maintenance = workshop.api.platform_of("maintenance")

    assert await queue_lost_jobs(maintenance) == {"requeued": 1, "forgotten": 0}
    assert await workshop.messages() == [str(job_id)]
    assert await workshop.do(job_id) is Done.ENDED

    assert (await workshop.job(job_id))["output_summary"] == {"reached": 5}
    async with SharedJobsUnitOfWork(workshop.parts.database, clock=workshop.clock) as uow:
        with pytest.raises(JobLost):
            await uow.jobs.save_checkpoint(job_id, dead, {"reached": 1}, {})


async def test_a_job_whose_message_was_lost_is_queued_again_and_an_ended_one_is_forgotten(workshop: Workshop) -> None:
    ended, lost = await workshop.ask("count_up", to=1), await workshop.ask("count_up", to=1)
    await workshop.do(ended)
    workshop.clock.advance(KEEP_JOBS + timedelta(seconds=1))

    counts = await queue_lost_jobs(workshop.api.platform_of("maintenance"))

    assert counts == {"requeued": 1, "forgotten": 1}
    assert await workshop.messages() == [str(lost)]


async def test_a_refused_job_says_why_and_can_be_retried_by_who_asked_for_it(workshop: Workshop) -> None:
    person = await workshop.api.add_user(Role.ANALYST)
    client = await workshop.api.as_user(person, Role.ANALYST)
    job_id = await workshop.ask("refuse", by=person)
    assert (await client.post(f"/api/jobs/{job_id}/retry")).json()["code"] == "job_not_retryable"
    await workshop.do(job_id)

    failed = (await client.get(f"/api/jobs/{job_id}")).json()
    retried = await client.post(f"/api/jobs/{job_id}/retry")

    assert (failed["status"], failed["error"]["detail"]) == ("failed", "There is no room.")
    assert (retried.status_code, retried.json()["status"]) == (202, "pending")
    assert retried.headers["Location"].endswith(f"/api/jobs/{job_id}")
    assert await workshop.messages() == [str(job_id)]


async def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_step(workshop: Workshop) -> None:
    admin = await workshop.api.as_role(Role.ADMIN)
    waiting, running = await workshop.ask("wait"), await workshop.ask("wait")
    work = asyncio.create_task(workshop.do(running, heartbeat_seconds=0.05))
    await workshop.until(running, "running")

    answers = [(await admin.post(f"/api/jobs/{job_id}/cancel")).json() for job_id in (waiting, running)]

    assert [(answer["status"], answer["cancel_requested"]) for answer in answers] == [
        ("cancelled", True),
        ("running", True),
    ]
    assert [await workshop.do(waiting), await work] == [Done.ENDED] * 2
    assert (await workshop.job(running))["status"] == "cancelled"


async def test_jobs_are_for_who_asked_for_them_and_for_administrators(workshop: Workshop) -> None:
    mine, other = [await workshop.api.add_user(Role.ANALYST) for _ in range(2)]
    job_id = await workshop.ask("count_up", by=mine, to=1)
    client, stranger = await workshop.api.as_user(mine, Role.ANALYST), await workshop.api.as_user(other, Role.ANALYST)

    assert [job["id"] for job in (await client.get("/api/jobs?kind=count_up&status=pending")).json()["items"]] == [
        str(job_id)
    ]
    assert (await stranger.get("/api/jobs")).json()["items"] == []
    for request in (stranger.get(f"/api/jobs/{job_id}"), stranger.post(f"/api/jobs/{job_id}/cancel")):
        answer = await request
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
    assert len((await (await workshop.api.as_role(Role.ADMIN)).get("/api/jobs")).json()["items"]) == 1
    assert (await client.get("/api/jobs?kind=another")).json()["items"] == []


async def test_a_job_of_a_kind_that_this_release_does_not_know_waits(workshop: Workshop) -> None:
    job_id = await workshop.ask("of_the_next_release")

    assert await workshop.do(job_id) is Done.AGAIN

    assert (await workshop.job(job_id))["status"] == "pending"


def test_no_kind_of_job_has_two_contexts() -> None:
    named = [kind for module in modules() for kind in module.job_kinds()]

    assert sorted(named) == sorted(job_kinds(modules()))
