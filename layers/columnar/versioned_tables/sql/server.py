"""The process that has the engine loaded: forks a child per statement, kills it on request, ends with the function."""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from versioned_tables.sql.process import FORK, MESSAGE_BYTES

if TYPE_CHECKING:
    import duckdb


class _WithoutPandas:
    """Finds no pandas: both libraries would import it for data frames, which nobody here asks for, in seconds."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(name)
        return None


def serve(descriptor: int) -> None:
    """Load everything, then fork and kill as the function asks, until its end of the socket is closed."""
    sys.meta_path.insert(0, _WithoutPandas())
    from versioned_tables.sql import statement

    control = socket.socket(fileno=descriptor)
    statement.warm_up()
    database = statement.empty_database()
    # What lives now lives for ever: a collection in a child would copy the pages of all of it.
    gc.collect()
    gc.freeze()
    Server(control, database).run()


@dataclass(frozen=True, slots=True)
class _Spare:
    """A child that has a locked database and waits for a statement's socket at its door."""

    pid: int
    door: socket.socket


class Server:
    """Children by their numbers, and one made ahead.

    All go on with one empty database, which takes ten times as long to make as a fork: what becomes of it in a child is
    the child's alone.
    """

    def __init__(self, control: socket.socket, database: duckdb.DuckDBPyConnection) -> None:
        self._control = control
        self._database = database
        self._children: dict[int, int] = {}
        self._spare: _Spare | None = None
        self._pid = os.getpid()
        self._woken, waker = socket.socketpair()
        waker.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        self._waker = waker
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Serve until the function is gone, however it went; its children go with it."""
        self._spare = self._make_spare()
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    self._woken.recv(1024)
                    self._reap()
                if self._control in ready and not self._obey():
                    break
        for child in [*self._children.values(), *([self._spare.pid] if self._spare else [])]:
            os.kill(child, signal.SIGKILL)

    def _obey(self) -> bool:
        try:
            content, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 1)
        except ConnectionError:
            return False
        if len(content) < MESSAGE_BYTES:
            return False
        number = int.from_bytes(content[1:], "big")
        if content[:1] == FORK:
            for descriptor in descriptors:
                self._begin(number, socket.socket(fileno=descriptor))
        else:
            self._kill(number)
        return True

    def _begin(self, number: int, connection: socket.socket) -> None:
        """Hand the socket to a child; if none can be had, its being closed tells the function."""
        spare, self._spare = self._spare or self._make_spare(), None
        if spare is not None:
            with spare.door, suppress(OSError):  # it died a moment ago
                socket.send_fds(spare.door, [b"!"], [connection.fileno()])
            self._children[number] = spare.pid
        connection.close()  # before the next fork, which would keep it open
        self._spare = self._make_spare()

    def _make_spare(self) -> _Spare | None:
        door, inner = socket.socketpair()
        try:
            child = os.fork()
        except OSError:  # no room for another process now
            door.close()
            inner.close()
            return None
        if child == 0:
            door.close()
            self._be_child(inner)
        inner.close()
        return _Spare(child, door)

    def _be_child(self, door: socket.socket) -> NoReturn:
        from versioned_tables.sql import limits, statement

        code = 1
        try:
            limits.die_with(self._pid)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in (self._control, self._woken, self._waker):
                other.close()
            statement.lock(self._database)
            _, descriptors, _, _ = socket.recv_fds(door, 1, 1)
            door.close()
            for descriptor in descriptors:
                statement.answer(socket.socket(fileno=descriptor), self._database)
            code = 0
        finally:
            os._exit(code)  # neither handlers nor destructors of what was copied from the process above

    def _reap(self) -> None:
        for number, child in list(self._children.items()):
            if os.waitpid(child, os.WNOHANG)[0]:
                del self._children[number]
        if self._spare is not None and os.waitpid(self._spare.pid, os.WNOHANG)[0]:
            self._spare.door.close()
            self._spare = None

    def _kill(self, number: int) -> None:
        """Kill a child that was not waited for yet, so that its id cannot be another's."""
        child = self._children.pop(number, None)
        if child is not None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
