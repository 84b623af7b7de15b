"""A large import by ranges through a real queue: the sequential reader's commit, whoever dies on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from dataforge.contexts.datasets.consumers import range_messages
from dataforge.contexts.datasets.domain.jobs import LEASE
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.parsing import formats
from dataforge.contexts.datasets.ports import ObjectStore
from dataforge.contexts.datasets.services.imports import Importer
from dataforge.contexts.datasets.services.ranges import Fanout, FanoutLimits, RangeWorker
from dataforge.contexts.datasets.services.versions import Versions
from dataforge.contexts.datasets.services.working import Done, JobRunner
from dataforge.kernel.clock import FixedClock
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.aws.objects import S3ObjectStore
from dataforge.platform.aws.sqs import Queue, ReceivedRecord
from tests.builders.datasets import DatasetsUnderTest, head, new_dataset, ok, run_job, upload_file
from tests.builders.emulator import EmulatedAws

RANGE = 8_000
# CRLF inside quotes everywhere, so that every boundary meets some; keys in order; a late row widens a type.
ROWS = [b'%d,"line\r\n""%d""",%b\r\n' % (n, n % 11, b"late" if n == 2_300 else b"0.5") for n in range(3_000)]
HEADER = b"id,text,amount\r\n"
DATA = HEADER + b"".join(ROWS)


class Killed(BaseException):
    """Nothing of ours may catch the end of the process."""


class DyingStore:
    """The real object store until its process is killed: at a call of this name, the `at`-th of them."""

    def __init__(self, store: ObjectStore, name: str, at: int, matching: str = "") -> None:
        self._store = store
        self._name = name
        self._left = at
        self._matching = matching
        self.died = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._store, name)

        def call(key: str, *rest: Any) -> Any:
            if name == self._name and self._matching in key:
                self._left -= 1
                if self._left == 0:
                    self.died = True
            if self.died:
                raise Killed
            return real(key, *rest)

        return call


class CountingQueue(Queue):
    """The real queue; notes what is sent, and sends it `copies` times."""

    def __init__(self, url: str, *, copies: int = 1) -> None:
        super().__init__(url)
        self.sent: list[dict[str, Any]] = []
        self._copies = copies

    async def send(self, body: str) -> None:
        self.sent.append(json.loads(body))
        for _ in range(self._copies):
            await super().send(body)


class Ranges:
    """An importer with a small threshold, its queue and its workers."""

    def __init__(self, datasets: DatasetsUnderTest, emulator: EmulatedAws, *, copies: int = 1) -> None:
        self.datasets = datasets
        self.database = datasets.container.database
        self.queue = CountingQueue(emulator.queue(visibility_seconds=2), copies=copies)
        self.store = S3ObjectStore(aws("s3"), datasets.container.settings.data_bucket)
        self.handled = 0
        self.range_worker = RangeWorker(self.store)

    def importer(self, *, store: ObjectStore | None = None, **limits: float) -> Importer:
        """An importer as its function has it; every import is large enough."""
        fanout = Fanout(self.queue, FanoutLimits(1, poll_seconds=0.02, range_bytes=RANGE, **limits))  # type: ignore[arg-type]
        runner = JobRunner(self.database, self.datasets.container.clock, heartbeat_seconds=0.1)
        return Importer(Versions(self.database, store or self.store), runner, fanout=fanout)

    @asynccontextmanager
    async def working(self, *, count: int = 1) -> AsyncIterator[None]:
        """Workers until the block ends."""
        workers = [asyncio.create_task(self._serve()) for _ in range(count)]
        try:
            yield
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            for received in await self.queue.receive(limit=1, wait_seconds=1):
                await self.take(received)

    async def take(self, received: ReceivedRecord) -> None:
        """What Lambda does with a message: what the handler finished is deleted, anything else comes again."""
        record = received.record
        event = {"Records": [{"messageId": record.message_id, "body": record.body}]}
        try:
            answer = await range_messages(event, self)
        except Killed:
            self.range_worker = RangeWorker(self.store)
            return
        self.handled += 1
        if not answer["batchItemFailures"]:
            await self.queue.delete([received.receipt_handle])

    async def job(self, client: httpx.AsyncClient, data: bytes, **options: Any) -> dict[str, Any]:
        """A job that waits, on a dataset of its own."""
        return await upload_file(client, await new_dataset(client, f"ranges {self.handled}"), data, **options)

    async def done(self, client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
        return dict(ok(await client.get(f"/api/datasets/{job['dataset_id']}/jobs/{job['id']}")))

    def left(self, job: dict[str, Any]) -> list[str]:
        """Tasks and answers of a job that are still there."""
        return [found.key for found in self.store.list(f"imports/{job['id']}/")]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what it waits for is the work of threads
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _short_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """The importer itself sees only the first rows."""
    monkeypatch.setattr(formats, "BLOCK", 2_000)


@pytest.fixture
def ranges(datasets: DatasetsUnderTest, emulator: EmulatedAws) -> Ranges:
    return Ranges(datasets, emulator)


async def table(ranges: Ranges, job: dict[str, Any]) -> Manifest:
    version = await ranges.datasets.container.dataset_versions.load(UUID(job["dataset_id"]), "main")
    return version.manifests["data"]


async def sequential(ranges: Ranges, client: httpx.AsyncClient, data: bytes, **options: Any) -> dict[str, Any]:
    """The same file imported by the reader that knows no ranges."""
    dataset_id = await new_dataset(client, "sequential")
    return await run_job(ranges.datasets, client, await upload_file(client, dataset_id, data, **options))


async def assert_like_sequential(
    ranges: Ranges, client: httpx.AsyncClient, job: dict[str, Any], data: bytes, **options: Any
) -> dict[str, Any]:
    """The job ended with the commit and the report of the sequential reader, and left nothing behind."""
    done = await ranges.done(client, job)
    assert done["status"] == "completed", done["error"]
    other = await sequential(ranges, client, data, **options)
    assert (await table(ranges, job)).content == (await table(ranges, other)).content
    for name in ("report", "rows_processed", "sheets"):
        assert done["output_summary"][name] == other["output_summary"][name]
    assert ranges.left(job) == []
    verified = await ranges.datasets.container.lifecycle.verify(UUID(job["dataset_id"]))
    assert verified["broken"] is None
    return done


async def test_a_file_by_ranges_is_the_commit_of_the_sequential_reader(ranges: Ranges) -> None:
    client = await ranges.datasets.analyst()
    job = await ranges.job(client, DATA, key=["id"])

    async with ranges.working(count=2):
        assert await ranges.importer().run(UUID(job["id"])) is Done.ENDED

    done = await assert_like_sequential(ranges, client, job, DATA, key=["id"])
    asked = [(body["stage"], body["task"], body["number"]) for body in ranges.queue.sent]
    assert len(asked) == len(set(asked)) > 30
    assert {stage for stage, _, _ in asked} == {"scan", "evidence", "write"}
    assert done["progress"]["rows"] == 3_000
    assert done["progress"]["bytes_done"] == done["progress"]["bytes_total"] - len(HEADER)


async def test_rejected_rows_keep_their_numbers(ranges: Ranges) -> None:
    client = await ranges.datasets.analyst()
    data = HEADER + b"".join(b"too,few\r\n" if n % 700 == 600 else row for n, row in enumerate(ROWS))
    job = await ranges.job(client, data, max_rejected=5)

    async with ranges.working():
        await ranges.importer().run(UUID(job["id"]))

    done = await assert_like_sequential(ranges, client, job, data, max_rejected=5)
    assert [row["row"] for row in done["output_summary"]["report"]["tables"][0]["rejected"]] == [601, 1301, 2001, 2701]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (b'2000,"caf\xe9",1\r\n', "encoding_refused"),
        (b"too,few\r\n", "too_many_rejected_rows"),
        (b'2000,"a\x00b",1\r\n', "import_refused"),
    ],
)
async def test_an_error_in_one_range_fails_the_job_as_the_sequential_reader_does(
    ranges: Ranges, broken: bytes, code: str
) -> None:
    client = await ranges.datasets.analyst()
    data = HEADER + b"".join(ROWS[:2_000]) + broken + b"".join(ROWS[2_000:])
    job = await ranges.job(client, data, encoding="utf-8")
    before = await head(client, job["dataset_id"])

    async with ranges.working():
        await ranges.importer().run(UUID(job["id"]))

    done = await ranges.done(client, job)
    other = await sequential(ranges, client, data, encoding="utf-8")
    assert (done["status"], done["error"]["code"]) == ("failed", code)
    assert done["error"] == other["error"]
    assert await head(client, job["dataset_id"]) == before
    assert ranges.left(job) == []


async def test_a_file_that_is_gone_fails_the_job_with_the_workers_own_words(ranges: Ranges) -> None:
    client = await ranges.datasets.analyst()
    job = await ranges.job(client, DATA)
    (key,) = [found.key for found in ranges.store.list(f"uploads/{job['dataset_id']}/")]
    importer = asyncio.create_task(ranges.importer().run(UUID(job["id"])))
    await until(lambda: bool(ranges.queue.sent))
    ranges.store.delete(key)

    async with ranges.working():
        await importer

    done = await ranges.done(client, job)
    assert (done["status"], done["error"]["code"]) == ("failed", "stored_object_missing")
    assert ranges.left(job) == []


@pytest.mark.parametrize("head_bytes", [2_000, 6 << 20])
async def test_rows_out_of_key_order_are_read_sequentially_and_the_report_says_why(
    ranges: Ranges, monkeypatch: pytest.MonkeyPatch, head_bytes: int
) -> None:
    client = await ranges.datasets.analyst()
    # An importer that sees only rows in order hears of the others from a worker.
    data = HEADER + b"".join([*ROWS[:2_500], *reversed(ROWS[2_500:])]).replace(b"late", b"1.5")
    monkeypatch.setattr(formats, "BLOCK", head_bytes)
    job = await ranges.job(client, data, key=["id"])

    async with ranges.working():
        await ranges.importer().run(UUID(job["id"]))

    assert bool(ranges.queue.sent) is (head_bytes < len(data))
    done = await ranges.done(client, job)
    other = await sequential(ranges, client, data, key=["id"])
    assert done["status"] == "completed", done["error"]
    assert (await table(ranges, job)).content == (await table(ranges, other)).content
    assert done["output_summary"]["report"]["notes"] == [
        "The file was read sequentially: its rows are not in key order and had to be sorted."
    ]
    assert ranges.left(job) == []


@pytest.mark.parametrize("stage", ["scan", "evidence", "write"])
async def test_a_worker_killed_in_the_middle_is_replaced_by_the_redelivery(ranges: Ranges, stage: str) -> None:
    client = await ranges.datasets.analyst()
    job = await ranges.job(client, DATA, key=["id"])
    # Its work is done (in the last stage its chunks are stored) and its answer is not.
    dying = DyingStore(ranges.store, "put_if_absent", 3, f"/{stage}/")
    ranges.range_worker = RangeWorker(dying)  # type: ignore[arg-type]

    async with ranges.working():
        await ranges.importer().run(UUID(job["id"]))

    assert dying.died
    await assert_like_sequential(ranges, client, job, DATA, key=["id"])


async def test_duplicated_messages_change_nothing(datasets: DatasetsUnderTest, emulator: EmulatedAws) -> None:
    ranges = Ranges(datasets, emulator, copies=2)
    client = await datasets.analyst()
    job = await ranges.job(client, DATA, key=["id"])

    async with ranges.working(count=2):
        await ranges.importer().run(UUID(job["id"]))
        await until(lambda: ranges.handled >= 2 * len(ranges.queue.sent))

    await assert_like_sequential(ranges, client, job, DATA, key=["id"])


@pytest.mark.parametrize("step", [2, 9, 17, 25, 33])
async def test_an_importer_killed_at_any_step_is_finished_by_the_next_with_the_answers_that_are_there(
    ranges: Ranges, clock: FixedClock, step: int
) -> None:
    client = await ranges.datasets.analyst()
    job = await ranges.job(client, DATA, key=["id"])
    # Reads of answers are spread over all stages.
    dying = DyingStore(ranges.store, "get", step, f"imports/{job['id']}/")

    async with ranges.working():
        with pytest.raises(Killed):
            await ranges.importer(store=dying).run(UUID(job["id"]))  # type: ignore[arg-type]
        kept = {tuple(key.split("/")[2:5]) for key in ranges.left(job) if not key.endswith("/task")}
        first = len(ranges.queue.sent)
        clock.advance(LEASE + timedelta(seconds=1))
        assert await ranges.importer().run(UUID(job["id"])) is Done.ENDED

    again = {(body["stage"], body["task"], str(body["number"])) for body in ranges.queue.sent[first:]}
    assert kept
    assert not kept & again
    await assert_like_sequential(ranges, client, job, DATA, key=["id"])


async def test_a_cancelled_import_stops_waiting_and_its_messages_are_dropped(ranges: Ranges) -> None:
    client = await ranges.datasets.analyst()
    job = await ranges.job(client, DATA)
    before = await head(client, job["dataset_id"])
    importer = asyncio.create_task(ranges.importer().run(UUID(job["id"])))
    await until(lambda: bool(ranges.queue.sent))

    ok(await client.post(f"/api/datasets/{job['dataset_id']}/jobs/{job['id']}/cancel"))
    assert await importer is Done.ENDED

    async with ranges.working():
        await until(lambda: ranges.handled >= len(ranges.queue.sent))
    assert (await ranges.done(client, job))["status"] == "cancelled"
    assert await head(client, job["dataset_id"]) == before
    assert ranges.left(job) == []


async def test_an_import_without_workers_gives_up_and_its_retry_goes_on(ranges: Ranges) -> None:
    client = await ranges.datasets.analyst()
    job = await ranges.job(client, DATA)

    await ranges.importer(import_seconds=1).run(UUID(job["id"]))
    stalled = await ranges.done(client, job)
    assert (stalled["status"], stalled["error"]["code"]) == ("failed", "import_stalled")
    ok(await client.post(f"/api/datasets/{job['dataset_id']}/jobs/{job['id']}/retry"), 202)
    async with ranges.working():
        await ranges.importer().run(UUID(job["id"]))

    await assert_like_sequential(ranges, client, job, DATA)


async def test_a_small_file_asks_nobody(ranges: Ranges) -> None:
    client = await ranges.datasets.analyst()
    job = await ranges.job(client, DATA)
    limits = FanoutLimits(len(DATA) + 1)
    runner = ranges.datasets.container.job_runner
    importer = Importer(ranges.datasets.container.dataset_versions, runner, fanout=Fanout(ranges.queue, limits))

    await importer.run(UUID(job["id"]))

    assert ranges.queue.sent == []
    assert (await ranges.done(client, job))["output_summary"]["report"]["notes"] == []
