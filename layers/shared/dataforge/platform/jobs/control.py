"""What the work of a job sees of its job."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.jobs import JobPaused
from dataforge.platform.jobs.repository import JobsUnitOfWork

Uow = TypeVar("Uow", bound=JobsUnitOfWork)


class Progress(Protocol):
    """How far work is, as whatever does it reports."""

    @property
    def stage(self) -> str:
        """What is done now."""
        ...

    @property
    def rows(self) -> int:
        """Rows done."""
        ...

    @property
    def bytes_done(self) -> int:
        """Bytes done."""
        ...

    @property
    def bytes_total(self) -> int | None:
        """Bytes in all when known."""
        ...


@dataclass(frozen=True, slots=True)
class Steps:
    """Progress of work that counts what it has done, of no number known before."""

    stage: str
    rows: int
    bytes_done: int = 0
    bytes_total: int | None = None


class JobControl(Generic[Uow]):
    """Takes reports of progress, stops work that shall stop, and gives it transactions.

    `unit_of_work` makes one of now, on behalf of who asked for the job. Reports may come from any thread. Work that can
    outlast an invocation notes its steps and asks `pause_if_due` between them.
    """

    def __init__(
        self, worker: UUID, unit_of_work: Callable[[], Uow], *, pause_after_seconds: float | None = None
    ) -> None:
        self.worker = worker
        self.unit_of_work = unit_of_work
        self._pause_at = None if pause_after_seconds is None else time.monotonic() + pause_after_seconds
        self.progress: dict[str, Any] = {"stage": "starting", "rows": 0, "bytes_done": 0, "bytes_total": None}
        self.stopped: DataForgeError | None = None
        self._lock = threading.Lock()

    def report(self, progress: Progress) -> None:
        """Note progress; raises JobCancelled or JobLost when the work shall stop."""
        with self._lock:
            self.progress = {
                "stage": progress.stage,
                "rows": progress.rows,
                "bytes_done": progress.bytes_done,
                "bytes_total": progress.bytes_total,
            }
        self.check()

    def stage(self, name: str) -> None:
        """Note the stage alone; raises as `report`."""
        with self._lock:
            self.progress = {**self.progress, "stage": name}
        self.check()

    def pause_if_due(self) -> None:
        """Raise JobPaused when the invocation has lasted long enough; only after what was done has been saved."""
        self.check()
        if self._pause_at is not None and time.monotonic() >= self._pause_at:
            raise JobPaused

    def check(self) -> None:
        """Raise JobCancelled or JobLost when the work shall stop."""
        if self.stopped is not None:
            raise self.stopped
