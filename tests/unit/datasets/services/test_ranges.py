"""The importer's and the worker's side of the range queue, without a cloud: a queue in memory, objects on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.bootstrap import Container
from dataforge.contexts.datasets.consumers import range_messages
from dataforge.contexts.datasets.domain.jobs import Job, JobCancelled, JobLost, JobStatus, RunType
from dataforge.contexts.datasets.engine.fanout import import_ranges
from dataforge.contexts.datasets.engine.fanout_tasks import Stage
from dataforge.contexts.datasets.engine.importing import import_file
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.stores import LocalDirectoryStore
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.model.imports import ImportOptions, Progress
from dataforge.contexts.datasets.parsing import formats
from dataforge.contexts.datasets.parsing.sources import ObjectSource
from dataforge.contexts.datasets.ports import ObjectStore
from dataforge.contexts.datasets.services.ranges import (
    FanoutLimits,
    ImportStalled,
    QueuedRanges,
    RangeMessage,
    RangeWorker,
    forget_answers,
    job_folder,
)
from dataforge.contexts.datasets.services.versions import chunk_prefix
from dataforge.kernel.clock import SystemClock
from dataforge.kernel.errors import BadRequest, Unavailable
from dataforge.kernel.ids import uuid7
from dataforge.settings import ApiSettings, WorkerSettings

# What a late row says about a type is nothing the first rows tell.
LATE = 3_700
DATA = b"id,v,n\r\n" + b"".join(
    b'%d,"line\r\n%d",%b\r\n' % (n, n % 7, b"late" if n == LATE else b"1") for n in range(4_000)
)
LIMITS = FanoutLimits(1, import_seconds=100, range_seconds=10, range_bytes=10_000)
OPTIONS = ImportOptions(key=("id",))


class Stack:
    """An importer, its queue and its workers, moved on by the importer's pauses; time passes only there."""

    def __init__(self, folder: Path) -> None:
        self.objects: ObjectStore = LocalDirectoryStore(folder)
        self.dataset, self.job_id = uuid7(), uuid7()
        self.queue: list[str] = []
        self.sent: list[str] = []
        self.time = SystemClock().now().timestamp()
        self.worker = RangeWorker(self.objects)
        self.on_pause: Callable[[], None] = self.work
        self.noted: list[str] = []
        self.put(DATA)

    def put(self, data: bytes) -> None:
        """The file."""
        self.objects.delete("uploads/f.csv")
        self.objects.put_if_absent("uploads/f.csv", data)

    def send(self, bodies: Sequence[str]) -> None:
        self.queue += bodies
        self.sent += bodies

    def work(self) -> None:
        """One worker takes one message."""
        if self.queue:
            message = RangeMessage.decode(json.loads(self.queue.pop(0)))
            self.worker._run(message)

    def pause(self, seconds: float) -> None:
        self.time += seconds
        self.on_pause()

    def call(self, check: Callable[[], None] = lambda: None) -> QueuedRanges:
        job = Job(
            self.job_id, RunType.IMPORT, JobStatus.RUNNING, self.dataset, "main", "c", None, {}, SystemClock().now()
        )
        return QueuedRanges(
            job,
            self.objects,
            self.send,
            check,
            self.noted.extend,
            LIMITS,
            now=lambda: self.time,
            pause=self.pause,
        )

    @property
    def tables(self) -> TableStore:
        return TableStore(self.objects, chunk_prefix(self.dataset))

    def imported(self, call: QueuedRanges | None = None) -> Manifest:
        """The table as the importer makes it."""
        source = ObjectSource(self.objects, "uploads/f.csv", "f.csv")
        found = import_ranges(
            self.tables, source, OPTIONS, call or self.call(), key="uploads/f.csv", length=LIMITS.range_bytes
        )
        assert found.report.notes == []
        return found.tables["data"]

    def expected(self) -> Manifest:
        source = ObjectSource(self.objects, "uploads/f.csv", "f.csv")
        return import_file(self.tables, source, OPTIONS).tables["data"]

    def answers(self) -> list[str]:
        return sorted(found.key for found in self.objects.list(job_folder(self.job_id)))


@pytest.fixture(autouse=True)
def _short_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """The importer itself sees only the first rows."""
    monkeypatch.setattr(formats, "BLOCK", 5_000)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def test_one_worker_is_enough(stack: Stack) -> None:
    made = stack.imported()

    assert made.content == stack.expected().content
    assert len(stack.sent) == len(set(stack.sent)) > 15
    stages = [json.loads(body)["stage"] for body in stack.sent]
    assert list(dict.fromkeys(stages)) == ["scan", "write", "evidence"]
    assert stages.count("write") == 2 * stages.count("evidence")


def test_rows_like_the_first_ones_are_parsed_once(stack: Stack) -> None:
    stack.put(DATA.replace(b"late", b"7"))

    made = stack.imported()

    assert made.content == stack.expected().content
    assert {json.loads(body)["stage"] for body in stack.sent} == {"scan", "write"}


def test_messages_may_come_twice_and_in_any_order(stack: Stack) -> None:
    send = stack.send
    stack.send = lambda bodies: send([*reversed(bodies), *bodies])  # type: ignore[method-assign]

    made = stack.imported()
    before = stack.answers()
    while stack.queue:
        stack.work()

    assert made.content == stack.expected().content
    assert stack.answers() == before


def test_an_importer_that_starts_again_asks_only_for_what_is_missing(stack: Stack) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        if len(stack.answers()) > 12:
            raise Killed
        stack.work()

    stack.on_pause = die
    with pytest.raises(Killed):
        stack.imported()
    done = [key for key in stack.answers() if not key.endswith("/task")]
    stack.queue.clear()
    stack.sent.clear()
    stack.on_pause = stack.work

    made = stack.imported()

    asked = {(body["stage"], body["task"], body["number"]) for body in map(json.loads, stack.sent)}
    assert made.content == stack.expected().content
    assert len(done) > 5
    assert not asked & {(*key.split("/")[2:4], int(key.split("/")[4])) for key in done}


def test_a_lost_message_is_sent_again_when_nothing_moves_for_as_long_as_a_worker_may_run(stack: Stack) -> None:
    lost: list[str] = []

    def lose_the_third() -> None:
        if len(stack.sent) > 3 and not lost:
            lost.append(stack.queue.pop(2))
        stack.work()

    stack.on_pause = lose_the_third
    began = stack.time

    made = stack.imported()

    assert made.content == stack.expected().content
    assert stack.sent.count(lost[0]) == 2
    assert LIMITS.range_seconds < stack.time - began < LIMITS.import_seconds


def test_an_importer_without_workers_gives_up_in_time_and_keeps_what_there_is(stack: Stack) -> None:
    served = 0

    def work_thrice() -> None:
        nonlocal served
        served += 1
        if served <= 3:
            stack.work()

    stack.on_pause = work_thrice
    began = stack.time

    with pytest.raises(ImportStalled, match="Retry the job") as stalled:
        stack.imported()

    assert stalled.value.facts["missing"][0] == 4  # type: ignore[index]
    assert 3 * LIMITS.range_seconds < stack.time - began < 0.5 * LIMITS.import_seconds
    assert stack.sent.count(stack.sent[-1]) == 3
    assert len([key for key in stack.answers() if not key.endswith("/task")]) == 3


def test_an_importer_that_runs_out_of_time_while_answers_come_leaves_the_rest_to_its_next_attempt(stack: Stack) -> None:
    def work_slowly() -> None:
        stack.time += 8
        stack.work()

    stack.on_pause = work_slowly
    began = stack.time

    with pytest.raises(Unavailable, match="another attempt goes on"):
        stack.imported()
    stopped = stack.time
    stack.on_pause = stack.work

    assert 0.6 * LIMITS.import_seconds < stopped - began < 0.9 * LIMITS.import_seconds
    assert stack.imported().content == stack.expected().content


def test_a_fallback_calls_its_workers_off(stack: Stack) -> None:
    rows = [b"%d,x\r\n" % n for n in range(8_000)]
    data = b"id,v\r\n" + b"".join([*rows[:2_000], *reversed(rows[2_000:3_000]), *rows[3_000:]])
    stack.put(data)
    source = ObjectSource(stack.objects, "uploads/f.csv", "f.csv")

    found = import_ranges(stack.tables, source, OPTIONS, stack.call(), key="uploads/f.csv", length=LIMITS.range_bytes)

    assert "not in key order" in found.report.notes[0]
    assert stack.queue
    before = stack.answers()
    while stack.queue:
        stack.work()
    assert stack.answers() == before
    assert not [key for key in before if "/write/" in key and key.endswith("/task")]


def test_a_job_that_shall_stop_stops_while_it_waits(stack: Stack) -> None:
    pauses = 0

    def check() -> None:
        if pauses == 5:
            raise JobCancelled("stop")

    def pause() -> None:
        nonlocal pauses
        pauses += 1

    stack.on_pause = pause

    with pytest.raises(JobCancelled):
        stack.imported(stack.call(check))

    assert pauses == 5


def test_a_worker_drops_what_nobody_waits_for_any_more(stack: Stack) -> None:
    stack.imported()
    forget_answers(stack.objects, stack.job_id)
    stack.queue = list(stack.sent)

    while stack.queue:
        stack.work()

    assert stack.answers() == []


def test_answers_that_another_attempt_removed_are_asked_for_again(stack: Stack) -> None:
    removed: list[str] = []

    def remove_once() -> None:
        stack.work()
        if len(stack.answers()) == 6 and not removed:
            removed.extend(stack.answers())
            forget_answers(stack.objects, stack.job_id)

    stack.on_pause = remove_once
    began = stack.time

    assert stack.imported().content == stack.expected().content
    assert removed
    assert stack.time - began < 6 * LIMITS.range_seconds


@pytest.mark.parametrize(("stop", "stays"), [(JobLost, True), (None, False)])
def test_an_importer_that_lost_its_job_leaves_the_task_to_the_one_that_has_it(
    stack: Stack, stop: type[JobLost] | None, stays: bool
) -> None:
    stopped: list[JobLost] = []

    def progress(_: Progress) -> None:
        stopped.extend([stop("another worker has it")] if stop else [])
        raise RuntimeError

    def check() -> None:
        if stopped:
            raise stopped[0]

    source = ObjectSource(stack.objects, "uploads/f.csv", "f.csv")

    with pytest.raises(RuntimeError):
        import_ranges(
            stack.tables,
            source,
            OPTIONS,
            stack.call(check),
            key="uploads/f.csv",
            length=LIMITS.range_bytes,
            progress=progress,
        )

    assert any(key.endswith("/task") for key in stack.answers()) is stays


def test_answers_from_long_ago_are_not_trusted(stack: Stack) -> None:
    stack.imported()
    asked = len(stack.sent)
    stack.time += 21 * 3600

    made = stack.imported()

    # Those of the first stage were looked at first, and so on: all of them were made again.
    assert len(stack.sent) == 2 * asked
    assert made.content == stack.expected().content


def test_packs_that_were_there_already_are_named_so_that_the_commit_looks_again(stack: Stack) -> None:
    made = stack.imported()
    first = list(stack.noted)
    forget_answers(stack.objects, stack.job_id)

    again = stack.imported()

    assert first == []
    assert {source.place.pack for source in again.sources if source.place} <= set(stack.noted)
    assert again.content == made.content


class Services:
    def __init__(self, worker: RangeWorker) -> None:
        self.range_worker = worker


def event(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": str(at), "body": body, "attributes": {}} for at, body in enumerate(bodies)]}


async def test_a_message_that_fails_for_another_reason_is_given_back_and_the_others_are_done(stack: Stack) -> None:
    stack.on_pause = lambda: None
    with pytest.raises(ImportStalled):
        stack.imported()
    good, bad = stack.sent[:2]
    foreign = json.dumps({**json.loads(bad), "v": 1})
    broken = json.loads(bad)
    (task,) = stack.answers()
    stack.objects.put_if_absent(task.replace(broken["task"], "0" * 32), stack.objects.get(task))
    misnamed = json.dumps({**broken, "task": "0" * 32})

    answer = await range_messages(event(foreign, good, misnamed, "no json"), Services(stack.worker))

    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ["0", "2", "3"]
    assert f"{task.removesuffix('task')}0" in stack.answers()


@given(
    st.uuids(),
    st.uuids(),
    st.sampled_from(Stage),
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.integers(0),
)
def test_a_message_comes_back_as_it_went(dataset: UUID, job: UUID, stage: Stage, task: str, number: int) -> None:
    message = RangeMessage(v=2, dataset=dataset, job=job, stage=stage, task=task, number=number)

    assert RangeMessage.decode(json.loads(message.model_dump_json())) == message
    assert len(message.model_dump_json()) < 10_000


@pytest.mark.parametrize(
    "change", [{"v": 1}, {"number": -1}, {"number": "1"}, {"stage": "x"}, {"task": "../x"}, {"job": "x"}, {"more": 1}]
)
def test_a_message_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    message = RangeMessage(v=2, dataset=uuid7(), job=uuid7(), stage=Stage.SCAN, task="0" * 32, number=0)

    with pytest.raises(BadRequest, match="no message about a range"):
        RangeMessage.decode({**json.loads(message.model_dump_json()), **change})


def test_a_queue_for_ranges_turns_the_fan_out_on() -> None:
    settings = WorkerSettings(
        import_ranges_queue_url="url", import_fanout_bytes=5, import_timeout_seconds=60, import_range_timeout_seconds=7
    )

    fanout = Container(settings).fanout

    assert fanout is not None
    assert (fanout.limits.import_seconds, fanout.limits.range_seconds) == (60, 7)
    assert [fanout.wanted(size) for size in (4, 5)] == [False, True]
    assert Container(WorkerSettings()).fanout is None
    assert Container(ApiSettings(import_ranges_queue_url="url")).fanout is None
