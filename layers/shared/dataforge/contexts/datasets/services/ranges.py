"""A large import's ranges over a queue: the importer asks and waits, `dataset_import_range` answers with objects.

Keys: `imports/{job}/{stage}/{task}/task` says what to do with all ranges, `…/{number}` is the answer of one. A task is
named by its bytes, so that an answer always belongs to the very plan it is read with: whoever runs again, importer or
worker, finds what is done and does the rest.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dataforge.contexts.datasets.domain.jobs import Job
from dataforge.contexts.datasets.engine.fanout import Answers
from dataforge.contexts.datasets.engine.fanout_codec import (
    VERSION,
    decode_answer,
    decode_task,
    encode_answer,
    encode_task,
    task_id,
)
from dataforge.contexts.datasets.engine.fanout_tasks import RangeAnswer, RangeRows, RangeTask, Stage, do_range
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import CorruptStorage
from dataforge.contexts.datasets.parsing.ranges import RANGE_BYTES
from dataforge.contexts.datasets.parsing.sources import FileSource, ObjectSource
from dataforge.contexts.datasets.ports import JobQueue, ObjectStore
from dataforge.contexts.datasets.services.versions import Versions, WatchedStore, chunk_prefix
from dataforge.contexts.datasets.services.working import JobControl
from dataforge.kernel.errors import BadRequest, DataForgeError, Unavailable
from dataforge.platform.objects import ObjectMissing
from dataforge.platform.observability import logger

# Answers name chunks that nothing else names yet, so they are used only while garbage collection (two days of grace)
# is still far from those.
KEEP_ANSWERS_SECONDS = 20 * 3600
# What is left for a sequential reading, the commit and the end of the job when an importer stops waiting.
WAIT_SHARE = 0.7
# Without any new answer for this many times as long as a worker may run, asking again is in vain.
ASKED_IN_VAIN = 3
_AT_ONCE = 10


class ImportStalled(DataForgeError):
    """Parts of a large file were not read in time; parts that were are kept for a day, so that a retry goes on."""

    code = "import_stalled"
    status = 503
    title = "The import made no progress"


@dataclass(frozen=True, slots=True)
class FanoutLimits:
    """From how many bytes on an import fans out, how long the importer and one range may run, and how ranges are
    cut.
    """

    least_bytes: int = 1 << 30
    import_seconds: float = 900
    range_seconds: float = 120
    poll_seconds: float = 0.5
    range_bytes: int = RANGE_BYTES


class RangeMessage(BaseModel):
    """A message of the queue: one range of one stage of one import."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    v: Literal[2]
    dataset: UUID
    job: UUID
    stage: Stage
    task: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    number: Annotated[int, Field(ge=0)]

    @property
    def folder(self) -> str:
        """Where the task and its answers are."""
        return f"{job_folder(self.job)}{self.stage.value}/{self.task}/"

    @staticmethod
    def decode(body: Mapping[str, object]) -> RangeMessage:
        """The message of a body; raises BadRequest on anything else."""
        try:
            return RangeMessage.model_validate_json(json.dumps(body))
        except ValidationError as error:
            message = f"This is no message about a range of an import: {error.error_count()} members are wrong."
            raise BadRequest(message) from error


def job_folder(job_id: UUID) -> str:
    """Where the tasks and answers of an import are."""
    return f"imports/{job_id}/"


def forget_answers(objects: ObjectStore, job_id: UUID) -> None:
    """Remove the tasks and answers of an import.

    The tasks go first: an answer that comes later is removed by its worker, who looks for the task again.
    """
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="forget") as pool:
        for only_tasks in (True, False):
            keys = [found.key for found in objects.list(job_folder(job_id))]
            list(pool.map(objects.delete, [key for key in keys if key.endswith("/task") or not only_tasks]))


@dataclass(frozen=True, slots=True)
class Fanout:
    """Where ranges are sent, and the limits."""

    queue: JobQueue
    limits: FanoutLimits

    def wanted(self, size: int) -> bool:
        """Whether a file of this many bytes is worth it."""
        return size >= self.limits.least_bytes

    def call(self, job: Job, versions: Versions, control: JobControl, loop: asyncio.AbstractEventLoop) -> QueuedRanges:
        """Asks the queue on behalf of a job, from a thread beside the loop."""

        async def send(bodies: Sequence[str]) -> None:
            for at in range(0, len(bodies), _AT_ONCE):
                await asyncio.gather(*(self.queue.send(body) for body in bodies[at : at + _AT_ONCE]))

        def send_and_wait(bodies: Sequence[str]) -> None:
            asyncio.run_coroutine_threadsafe(send(bodies), loop).result()

        def note(packs: Sequence[str]) -> None:
            versions.note_reused(job.dataset_id, packs)

        return QueuedRanges(job, versions.objects, send_and_wait, control.check, note, self.limits)


class QueuedRanges:
    """Does tasks over a queue (the fan-out's `Call`): sends each range, waits for its object, sends again what was
    lost.

    `check` raises when the job shall stop. Raises ImportStalled when nothing moves, and Unavailable when time runs out
    while it does.
    """

    def __init__(
        self,
        job: Job,
        objects: ObjectStore,
        send: Callable[[Sequence[str]], None],
        check: Callable[[], None],
        note_stored: Callable[[Sequence[str]], None],
        limits: FanoutLimits,
        *,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._job = job
        self._objects = objects
        self._send = send
        self._check = check
        self._note_stored = note_stored
        self._limits = limits
        self._now = now
        self._pause = pause
        self._deadline = now() + limits.import_seconds * WAIT_SHARE
        self._there: set[int] = set()
        self._moved = self._asked = now()
        self._progressed = False

    def __call__(self, task: RangeTask) -> Answers:
        """The answers in order, each as soon as it is there. Raises what a worker met."""
        asked = encode_task(task)
        named = RangeMessage(
            v=VERSION, dataset=self._job.dataset_id, job=self._job.id, stage=task.stage, task=task_id(asked), number=0
        )
        try:
            for number in range(len(task.parts)):
                yield self._answer(self._await(named, asked, number, len(task.parts)))
        except GeneratorExit:
            # Nobody wants the other answers, unless another worker has the job: without a task messages are dropped.
            with suppress(DataForgeError):
                self._check()
                self._objects.delete(f"{named.folder}task")
            raise

    def _await(self, named: RangeMessage, asked: bytes, number: int, count: int) -> bytes:
        """The bytes of an answer once they are there."""
        if number == 0:
            self._drop_stale(named.folder)
            self._there = self._listed(named.folder)
            self._ask(named, asked, count)
            self._moved = self._now()
        while (data := self._read(named, number)) is None:
            found, now = self._listed(named.folder), self._now()
            if found - self._there:
                self._there, self._moved, self._asked, self._progressed = found, now, now, True
                continue
            if now - self._moved > ASKED_IN_VAIN * self._limits.range_seconds:
                raise self._stalled(named, count)
            if now >= self._deadline:
                raise self._out_of_time(named, count)
            if now - self._asked > self._limits.range_seconds:
                # Longer than a worker may run and nothing new: what is missing was lost, or waits for its visibility
                # timeout. A message too many finds its answer there.
                logger.warning("ranges asked again", job_id=str(self._job.id), stage=named.stage.value)
                self._ask(named, asked, count)
                continue
            self._check()
            self._pause(self._limits.poll_seconds)
        self._check()
        return data

    def _ask(self, named: RangeMessage, asked: bytes, count: int) -> None:
        self._objects.put_if_absent(f"{named.folder}task", asked)
        self._asked = self._now()
        missing = [number for number in range(count) if number not in self._there]
        self._send([named.model_copy(update={"number": number}).model_dump_json() for number in missing])

    def _read(self, named: RangeMessage, number: int) -> bytes | None:
        """An answer that was listed; another attempt that ended may have removed it since."""
        if number not in self._there:
            return None
        try:
            return self._objects.get(f"{named.folder}{number}")
        except ObjectMissing:
            self._there, self._asked = self._listed(named.folder), 0.0
            return None

    def _listed(self, folder: str) -> set[int]:
        names = (found.key.removeprefix(folder) for found in self._objects.list(folder))
        return {int(name) for name in names if name.isdigit()}

    def _drop_stale(self, folder: str) -> None:
        """Answers from long ago, of a job that is tried again, name chunks that may be gone."""
        for found in list(self._objects.list(folder)):
            if found.modified < self._now() - KEEP_ANSWERS_SECONDS and not found.key.endswith("/task"):
                self._objects.delete(found.key)

    def _answer(self, data: bytes) -> RangeAnswer:
        answer = decode_answer(data)
        if isinstance(answer, DataForgeError):
            raise answer
        if isinstance(answer, RangeRows):
            self._note_stored(answer.found_stored)
        return answer

    def _out_of_time(self, named: RangeMessage, count: int) -> DataForgeError:
        """What ends this attempt; the next one goes on with what this one has got done."""
        if not self._progressed:
            return self._stalled(named, count)
        done = len(self._there)
        return Unavailable(f"{done} of {count} parts are done (stage {named.stage.value}); another attempt goes on.")

    def _stalled(self, named: RangeMessage, count: int) -> ImportStalled:
        missing = [number + 1 for number in range(count) if number not in self._there]
        return ImportStalled(
            f"{len(missing)} of {count} parts of the file were not read in time (stage {named.stage.value}, the first "
            f"is part {missing[0]}). Retry the job: it goes on with the parts that are done.",
            facts={"stage": named.stage.value, "parts": count, "missing": missing[:100]},
        )


class RangeWorker:
    """Answers one message at a time; doing one again changes nothing."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    async def run(self, message: RangeMessage) -> None:
        """Put the answer beside its task. Raises whatever is not the file's fault, so that the message comes again."""
        await asyncio.to_thread(self._run, message)

    def _run(self, message: RangeMessage) -> None:
        told = {"job_id": str(message.job), "stage": message.stage.value, "number": message.number}
        key = f"{message.folder}{message.number}"
        try:
            asked = self._objects.get(f"{message.folder}task")
        except ObjectMissing:
            logger.info("range of an import that has ended", **told)
            return
        if self._is_there(key):
            logger.info("range answered before", **told)
            return
        if task_id(asked) != message.task:
            text = "The task of a range does not match its name."
            raise CorruptStorage(text)
        answer = self._answer(message, decode_task(asked))
        self._objects.put_if_absent(key, encode_answer(answer))
        if not self._is_there(f"{message.folder}task"):
            self._objects.delete(key)
        logger.info("range answered", **told, answer=type(answer).__name__)

    def _answer(self, message: RangeMessage, task: RangeTask) -> RangeAnswer | DataForgeError:
        watched = WatchedStore(self._objects)
        tables = TableStore(watched, chunk_prefix(message.dataset))
        try:
            answer = do_range(task, message.number, self._source, tables)
        except Unavailable:
            raise
        except DataForgeError as error:
            return error
        if not isinstance(answer, RangeRows):
            return answer
        prefix = tables.key("packs", "")[:-2]
        found = (key.rpartition("/")[2] for key in watched.reused() if key.startswith(prefix))
        return replace(answer, found_stored=tuple(sorted(found)))

    def _source(self, key: str, name: str) -> FileSource:
        return ObjectSource(self._objects, key, name)

    def _is_there(self, key: str) -> bool:
        try:
            self._objects.size(key)
        except ObjectMissing:
            return False
        return True
