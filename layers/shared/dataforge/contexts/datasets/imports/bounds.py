"""How much of an import a request does itself, before the queue takes it over."""

from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.jobs import JobPaused
from dataforge.platform.jobs.control import JobControl, Progress

# API Gateway waits 29 seconds, and a cold start and the commit need some of them.
MOST_SECONDS = 15.0
# What a small file may unfold to: the function has less memory and disk than the one behind the queue.
MOST_BYTES = 64 << 20
MOST_ROWS = 1_000_000


class RequestControl(JobControl[DatasetsUnitOfWork]):
    """Pauses an import that turns out to be more than a request can do; whoever takes it over begins anew."""

    def report(self, progress: Progress) -> None:
        """Note progress; raises JobPaused too."""
        super().report(progress)
        if progress.bytes_done > MOST_BYTES or progress.rows > MOST_ROWS:
            raise JobPaused
        self.pause_if_due()

    def stage(self, name: str) -> None:
        """Note the stage; raises JobPaused too."""
        super().stage(name)
        self.pause_if_due()
