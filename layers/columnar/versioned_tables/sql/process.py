"""The process that has the engine loaded, as the function sees it: started ahead, asked for a child per statement.

Loading Arrow and DuckDB takes most of a second, a fork a few milliseconds. So the function starts one process that
loads them and waits; for every statement it forks a child with a pair of sockets. A statement's memory, crash and end
are its child's alone. Nothing here needs shared memory or semaphores, which Lambda does not have.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from typing import TYPE_CHECKING

from dataforge.kernel.errors import Unavailable
from dataforge.kernel.texts import Text
from versioned_tables.sql.wire import Channel, Closed

if TYPE_CHECKING:
    from versioned_tables.sql.kept import KeptColumns

log = logging.getLogger(__name__)

# Children at once; a function serves one request at a time, the in-process server of tests and tools several.
MOST_AT_ONCE = 2
# How long a killed child may take to be gone, and a process to have loaded the engine.
_GONE_SECONDS = 1.0
_LOADED_SECONDS = 30.0
_ATTEMPTS = 3
# The engine gets no credentials: of the environment only what the loader and the clock need.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")
_SERVER = "versioned_tables.sql.server"


class EngineProcess:
    """Starts the process, replaces it when it is gone, and asks it for children; has the columns kept for them, of
    `keep_bytes` at most unless of the usual number.
    """

    def __init__(self, keep_bytes: int | None = None) -> None:
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._started = 0.0

    @cached_property
    def kept(self) -> KeptColumns:
        """Columns that children may be handed; loaded late, since the process is started before Arrow is."""
        from versioned_tables.sql.kept import MOST_BYTES, KeptColumns

        return KeptColumns(MOST_BYTES if self._keep_bytes is None else self._keep_bytes)

    def start(self) -> None:
        """Start the process if it does not run; returns at once."""
        with self._lock:
            self._ensure()

    def stop(self) -> None:
        """End the process and all its children."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @contextmanager
    def child(self, deadline: float) -> Iterator[Channel]:
        """A new child until the end of the block, when it is killed if it still runs.

        Raises TimeoutError when there is none at the deadline, and Unavailable when none can be made.
        """
        if not self._turns.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise Unavailable(
                Text("Other statements are running; try again in a few seconds."), headers={"Retry-After": "5"}
            )
        try:
            number, channel = self._open(deadline)
            try:
                yield channel
            finally:
                self._kill(number, channel.connection)
        finally:
            self._turns.release()

    def _open(self, deadline: float) -> tuple[int, Channel]:
        for attempt in range(_ATTEMPTS):
            number, process, connection = self._fork()
            channel = Channel(connection, deadline)
            try:
                channel.receive(0)
            except Closed:  # the child that was made ahead had died, or the process ends, or can make no child
                connection.close()
                if attempt:  # not at once: it may have children with other statements
                    self._discard(process)
                continue
            except TimeoutError:
                connection.close()
                self._end_if_stuck()
                raise
            return number, channel
        log.error("the SQL engine's process does not start")
        raise Unavailable(Text("The SQL engine does not start at the moment; try again later."))

    def _fork(self) -> tuple[int, subprocess.Popen[bytes], socket.socket]:
        with self._lock:
            number = next(self._numbers)
            process, control = self._ensure()
            ours, theirs = socket.socketpair()
            with theirs, suppress(OSError):  # of a process that just ended; the closed socket tells `_open`
                socket.send_fds(control, [message(FORK, number)], [theirs.fileno()])
            return number, process, ours

    def _discard(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            if self._process is process:
                self._end()

    def _kill(self, number: int, connection: socket.socket) -> None:
        """Have the child killed and wait until it is gone; its end closes the connection."""
        with connection:
            try:
                with self._lock:
                    if self._control is not None:
                        self._control.sendall(message(KILL, number))
                give_up = time.monotonic() + _GONE_SECONDS
                while True:
                    connection.settimeout(max(0.001, give_up - time.monotonic()))
                    if not connection.recv(1 << 16):
                        return
            except ConnectionError:
                return
            except TimeoutError:
                log.exception("the SQL engine's process does not end its child; all are ended")
                self.stop()

    def _end_if_stuck(self) -> None:
        if time.monotonic() - self._started > _LOADED_SECONDS:
            self.stop()

    def _ensure(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        if self._process is not None and self._control is not None and self._process.poll() is None:
            return self._process, self._control
        self._end()
        ours, theirs = socket.socketpair()
        ours.settimeout(_GONE_SECONDS)
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-I", "-c", _program(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                cwd="/",
                start_new_session=True,
            )
        self._process, self._control, self._started = process, ours, time.monotonic()
        return process, ours

    def _end(self) -> None:
        process, control = self._process, self._control
        self._process = self._control = None
        if control is not None:
            control.close()
        if process is not None:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@cache
def shared_engine() -> EngineProcess:
    """The engine of this process; not started yet."""
    engine = EngineProcess()
    atexit.register(engine.stop)
    return engine


FORK, KILL = b"F", b"K"
MESSAGE_BYTES = 9


def message(kind: bytes, number: int) -> bytes:
    """A message to the process: fork a child of this number (its socket goes along), or kill it."""
    return kind + number.to_bytes(MESSAGE_BYTES - 1, "big")


def _program(descriptor: int) -> str:
    return f"import sys; sys.path[:] = {sys.path!r}; from {_SERVER} import serve; serve({descriptor})"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # One thread per child process for numpy's linear algebra, which nothing here uses: threads do not survive a fork.
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}
