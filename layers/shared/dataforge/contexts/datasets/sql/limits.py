"""What one statement may take of the process: time, and memory that DuckDB does not count itself."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_PAGE = resource.getpagesize()
_STATM = Path("/proc/self/statm")
_AGAIN = 0.1


class Deadline:
    """Makes the calls once the time is over, again and again: an interrupt between two steps of DuckDB is lost."""

    def __init__(self, seconds: float, *calls: Callable[[], None]) -> None:
        self._seconds = seconds
        self._calls = calls
        self._over = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sql-deadline", daemon=True)

    @property
    def over(self) -> bool:
        """Whether the time has run out."""
        return self._over.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        if self._done.wait(self._seconds):
            return
        self._over.set()
        while True:
            for call in self._calls:
                call()
            if self._done.wait(_AGAIN):
                return


@contextmanager
def memory_ceiling(extra: int) -> Iterator[None]:
    """Let the process take at most `extra` bytes more than it has; what goes beyond fails in the one who asks for it.

    DuckDB counts its own tables and sorts, but not what a result becomes in Arrow: `repeat('x', 50000000)` over a few
    thousand rows would be 100 GB there, and the end of the process.
    """
    if not _STATM.exists():  # a laptop without Linux's /proc: what the process has is not known, nor is it a function
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _data_bytes() + extra
    known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([wanted, *known]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    """Private writable memory of the process, as the limit counts it."""
    return int(_STATM.read_text(encoding="ascii").split()[5]) * _PAGE
