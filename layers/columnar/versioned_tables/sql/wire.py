"""What the function and the child that runs a statement say to each other, over a pair of sockets.

A frame is one byte of kind, eight bytes of length, and the content. The child asks for rows batch by batch, so that
neither side holds more than one batch of a table.

    function → child    REQUEST  JSON: the statement, its caps, the tables with their Arrow schemas
                        BATCH    one record batch of the scan asked for, as an Arrow IPC message
                        END      the scan has no more rows; nothing is kept of what MAP asks for
                        MAPPED   JSON: bytes of each column that MAP asks for; the descriptors of their memory follow
    child → function    READY    the child runs
                        ZONES    JSON: name of a table; the answer is a BATCH that is an Arrow stream
                        MAP      JSON: name of a table, indexes of columns
                        OPEN     JSON: number of a new scan, name of its table, indexes of its columns, ranges of rows
                        NEXT     JSON: number of a scan
                        CLOSE    JSON: number of a scan that is read no further
                        ANSWER   JSON: columns, rows, truncated; or, asked for a table, a byte that says whether it was
                                 truncated and an Arrow stream
                        REFUSED  JSON: a sentence, and the line and column of the statement where known
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence

REQUEST, BATCH, END, MAPPED = b"Q", b"B", b"E", b"M"
READY, ZONES, MAP, OPEN, NEXT, CLOSE, ANSWER, REFUSED = b"R", b"Z", b"P", b"O", b"N", b"C", b"A", b"F"

_HEAD = struct.Struct(">cQ")
# The kernel takes 253 with one message.
_MOST_DESCRIPTORS = 200


class Closed(Exception):
    """The other side is gone."""


class FrameTooLarge(Exception):
    """A frame is longer than the one who reads it allows."""


class Channel:
    """Sends and receives frames, until `deadline` on the monotonic clock if there is one."""

    def __init__(self, connection: socket.socket, deadline: float | None = None) -> None:
        self.connection = connection
        self._deadline = deadline

    def send(self, kind: bytes, content: bytes | memoryview = b"") -> None:
        """Send one frame; raises Closed, and TimeoutError at the deadline."""
        try:
            self._wait()
            self.connection.sendall(_HEAD.pack(kind, len(content)))
            if len(content):
                self._wait()
                self.connection.sendall(content)
        except (BrokenPipeError, ConnectionError) as error:
            raise Closed from error

    def receive(self, most: int) -> tuple[bytes, bytearray]:
        """Read one frame; raises Closed, FrameTooLarge beyond `most` bytes, and TimeoutError at the deadline."""
        kind, length = _HEAD.unpack(self._exactly(_HEAD.size))
        if length > most:
            raise FrameTooLarge
        return kind, self._exactly(length)

    def send_descriptors(self, descriptors: Sequence[int]) -> None:
        """Hand over open files; raises as `send` does."""
        try:
            for start in range(0, len(descriptors), _MOST_DESCRIPTORS):
                self._wait()
                socket.send_fds(self.connection, [b"!"], descriptors[start : start + _MOST_DESCRIPTORS])
        except (BrokenPipeError, ConnectionError) as error:
            raise Closed from error

    def receive_descriptors(self, count: int) -> list[int]:
        """Take over as many open files; raises Closed, and TimeoutError at the deadline."""
        taken: list[int] = []
        while len(taken) < count:
            self._wait()
            try:
                content, descriptors, _, _ = socket.recv_fds(self.connection, 1, _MOST_DESCRIPTORS)
            except ConnectionError as error:
                raise Closed from error
            if not content:
                raise Closed
            taken += descriptors
        return taken

    def _exactly(self, size: int) -> bytearray:
        content = bytearray(size)
        view, at = memoryview(content), 0
        while at < size:
            self._wait()
            try:
                count = self.connection.recv_into(view[at:])
            except ConnectionError as error:
                raise Closed from error
            if not count:
                raise Closed
            at += count
        return content

    def _wait(self) -> None:
        if self._deadline is None:
            return
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)
