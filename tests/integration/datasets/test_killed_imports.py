"""The importer dies at every step: the branch is at the old or the new commit, and the retry finishes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from dataforge.contexts.datasets.commits.versions import Versions
from dataforge.contexts.datasets.imports.commands import Importer
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.jobs import LEASE
from dataforge.kernel.principal import SYSTEM, Principal
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.aws.s3 import S3ObjectStore
from dataforge.platform.jobs.worker import Done, JobRunner
from tests.builders.datasets import (
    PEOPLE,
    DatasetsUnderTest,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    rows_of,
    upload_file,
)
from versioned_tables.objects import ObjectStore

NEW = csv([("id", "name", "age"), *((n, f"n{n}", n % 90) for n in range(1, 400))])
STEPS = 40


class Killed(BaseException):
    """Nothing of ours may catch the end of the process."""


class Countdown:
    """Dies at the given step; a step is whatever the importer does to the outside."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.died_at: str | None = None

    def step(self, name: str) -> None:
        self.left -= 1
        if self.left == 0 or self.died_at is not None:
            self.died_at = self.died_at or name
            raise Killed


class DyingStore:
    """The real object store; dies before or after what it does."""

    def __init__(self, store: ObjectStore, countdown: Countdown) -> None:
        self._store = store
        self._countdown = countdown

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._store, name)

        def call(*args: Any) -> Any:
            self._countdown.step(f"before {name}")
            answer = real(*args)
            self._countdown.step(f"after {name}")
            return answer

        return call


class DyingUnitOfWork(DatasetsUnitOfWork):
    """The real transaction; dies before it begins, before its commit, or right after."""

    countdown: Countdown

    async def __aenter__(self) -> Self:
        self.countdown.step("before a transaction")
        return await super().__aenter__()

    async def commit(self) -> None:
        self.countdown.step("before a commit")
        await super().commit()
        self.countdown.step("after a commit")


class DyingRunner(JobRunner[DatasetsUnitOfWork]):
    """Makes transactions that die."""

    def __init__(self, datasets: DatasetsUnderTest, countdown: Countdown) -> None:
        super().__init__(
            DatasetsUnitOfWork, datasets.services.database, datasets.services.clock, heartbeat_seconds=3600
        )
        self._datasets = datasets
        self._countdown = countdown

    def unit_of_work(self, principal: Principal = SYSTEM) -> DatasetsUnitOfWork:
        uow = DyingUnitOfWork(
            self._datasets.services.database, principal=principal, clock=self._datasets.services.clock
        )
        uow.countdown = self._countdown
        return uow


async def import_and_die(datasets: DatasetsUnderTest, countdown: Countdown, job_id: UUID) -> None:
    real = S3ObjectStore(aws("s3"), datasets.services.settings.data_bucket)
    store: Any = DyingStore(real, countdown)
    importer = Importer(Versions(datasets.services.database, store), files=datasets.services.files)
    await DyingRunner(datasets, countdown).run(job_id, importer.work)


async def test_a_kill_at_any_step_leaves_the_old_or_the_new_commit_and_the_retry_finishes(
    datasets: DatasetsUnderTest, clock: FixedClock
) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    await import_file(datasets, client, dataset_id, PEOPLE, key=["id"])
    old = await head(client, dataset_id)
    deaths: list[str] = []
    finished = 0

    for step in range(1, STEPS):
        name = f"b{step}"
        ok(await client.post(f"/api/datasets/{dataset_id}/refs", json={"name": name, "at": old}), 201)
        job = await upload_file(client, dataset_id, NEW, ref=name)
        countdown = Countdown(step)
        try:
            await import_and_die(datasets, countdown, UUID(job["id"]))
            finished += 1
        except Killed:
            deaths.append(str(countdown.died_at))
        killed_at = await head(client, dataset_id, name)
        seen = await rows_of(client, dataset_id, name, limit=1000)
        clock.advance(LEASE + timedelta(seconds=1))
        retried = await datasets.work_on(UUID(job["id"]))
        done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
        new = await head(client, dataset_id, name)

        assert retried is Done.ENDED
        assert (done["status"], done["output_summary"]["new_commit_id"]) == ("completed", new)
        assert killed_at in (old, new)
        assert len(seen) == (3 if killed_at == old else 399)
        assert len(await rows_of(client, dataset_id, name, limit=1000)) == 399
        history = ok(await client.get(f"/api/datasets/{dataset_id}/refs/{name}/history"))["commits"]
        assert [row["commit_id"] for row in history[:2]] == [new, old]

    # More steps were tried than there are, so that each of them was the last one once.
    assert finished > 0
    assert len(deaths) + finished == STEPS - 1
    assert {
        *("before a transaction", "before a commit", "after a commit", "before size", "after size"),
        *("before stream", "after stream", "before put_if_absent", "after put_if_absent"),
    } <= set(deaths)
    # Claimed, and published together with the end of the job; the heartbeat goes on beside, and its step is another
    # one each time.
    assert min(deaths.count("before a commit"), deaths.count("after a commit")) >= 2


async def test_a_worker_that_lost_its_lease_commits_nothing(datasets: DatasetsUnderTest, clock: FixedClock) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    job = await upload_file(client, dataset_id, PEOPLE, key=["id"])
    job_id = UUID(job["id"])
    outcomes: list[Done] = []

    class Overtaken(JobRunner[DatasetsUnitOfWork]):
        """Another worker takes the job over and finishes it just before this one commits."""

        def unit_of_work(self, principal: Principal = SYSTEM) -> DatasetsUnitOfWork:
            return OvertakenUnitOfWork(self._database, principal=principal, clock=self._clock)

    class OvertakenUnitOfWork(DatasetsUnitOfWork):
        async def __aenter__(self) -> Self:
            if self.principal is not SYSTEM and not outcomes:
                clock.advance(LEASE + timedelta(seconds=1))
                outcomes.append(await datasets.work_on(job_id))
            return await super().__aenter__()

    runner = Overtaken(DatasetsUnitOfWork, datasets.services.database, clock, heartbeat_seconds=3600)

    outcome = await runner.run(job_id, Importer(datasets.services.versions, files=datasets.services.files).work)

    done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job_id}"))
    history = ok(await client.get(f"/api/datasets/{dataset_id}/refs/main/history"))["commits"]
    assert outcomes == [Done.ENDED]
    assert outcome in (Done.BUSY, Done.ENDED)
    assert (done["status"], done["attempt"], len(history)) == ("completed", 2, 2)


async def test_a_running_job_is_stopped_by_a_cancellation(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    before = await head(client, dataset_id)
    job = await upload_file(client, dataset_id, PEOPLE)
    path = f"/api/datasets/{dataset_id}/jobs/{job['id']}"

    class Cancelled(DatasetsUnitOfWork):
        async def __aenter__(self) -> Self:
            # The transaction that would publish the commit is the first on behalf of the person.
            if self.principal is not SYSTEM:
                await client.post(f"{path}/cancel")
            return await super().__aenter__()

    class Runner(JobRunner[DatasetsUnitOfWork]):
        def unit_of_work(self, principal: Principal = SYSTEM) -> DatasetsUnitOfWork:
            return Cancelled(self._database, principal=principal, clock=self._clock)

    runner = Runner(DatasetsUnitOfWork, datasets.services.database, datasets.services.clock, heartbeat_seconds=3600)
    await runner.run(UUID(job["id"]), Importer(datasets.services.versions, files=datasets.services.files).work)

    done = ok(await client.get(path))
    assert done["status"] == "cancelled"
    assert await head(client, dataset_id) == before


async def test_an_error_of_ours_is_tried_again_and_given_up_in_the_end(datasets: DatasetsUnderTest) -> None:
    client = await datasets.analyst()
    dataset_id = await new_dataset(client)
    job = await upload_file(client, dataset_id, PEOPLE)

    class Broken:
        """Storage that answers nothing."""

        def size(self, key: str) -> int:
            raise ConnectionError(key)

    broken: Any = Broken()
    importer = Importer(Versions(datasets.services.database, broken), files=datasets.services.files)
    runner = datasets.services.job_runner

    outcomes = [await runner.run(UUID(job["id"]), importer.work) for _ in range(6)]

    done = ok(await client.get(f"/api/datasets/{dataset_id}/jobs/{job['id']}"))
    assert outcomes == [*[Done.AGAIN] * 4, Done.ENDED, Done.ENDED]
    assert (done["status"], done["error"]["code"], done["attempt"]) == ("failed", "job_gave_up", 5)
    assert "ConnectionError" not in str(done)
