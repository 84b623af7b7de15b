"""What the function and the child that runs a statement say to each other, over a pair of sockets.

A frame is one byte of kind, eight bytes of length, and the content. The child asks for rows batch by batch, so that
neither side holds more than one batch of a table.

    function → child    REQUEST  JSON: the statement, its caps, the tables with their Arrow schemas
                        BATCH    one record batch of the scan asked for, as an Arrow IPC message
                        END      the scan has no more rows
    child → function    READY    the child runs
                        OPEN     JSON: number of a new scan, name of its table, indexes of its columns
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

REQUEST, BATCH, END = b"Q", b"B", b"E"
READY, OPEN, NEXT, CLOSE, ANSWER, REFUSED = b"R", b"O", b"N", b"C", b"A", b"F"

_HEAD = struct.Struct(">cQ")


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
