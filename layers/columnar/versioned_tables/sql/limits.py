"""What the child of one statement may take of the machine, set before it sees the statement."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
from pathlib import Path

_PAGE = resource.getpagesize()
_STATM = Path("/proc/self/statm")
_OOM_SCORE = Path("/proc/self/oom_score_adj")
_SET_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None)


def die_with(parent: int) -> None:
    """Be killed when the process that forked this one dies; elsewhere than on Linux it kills its children itself."""
    if sys.platform == "linux":
        _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)


def confine(*, seconds: float, threads: int, memory: int) -> None:
    """Limit this process for good: processor time, `memory` bytes more than it has, no file written, no core left.

    DuckDB counts its own tables and sorts, but not what a result becomes in Arrow: `repeat('x', 50000000)` over a few
    thousand rows would be 100 GB there. What goes beyond fails in the one who asks for it. The function's deadline
    ends a statement; the limit of processor time is for the case that nobody is left to do so.
    """
    _limit(resource.RLIMIT_CPU, math.ceil(seconds * threads) + 10)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    if _STATM.exists():  # a laptop without Linux's /proc: what the process has is not known, nor is it a function
        _limit(resource.RLIMIT_DATA, _data_bytes() + memory)
        _OOM_SCORE.write_text("1000", encoding="ascii")  # if the machine runs out of memory, this process goes first


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _data_bytes() -> int:
    """Private writable memory of the process, as the limit counts it."""
    return int(_STATM.read_text(encoding="ascii").split()[5]) * _PAGE
