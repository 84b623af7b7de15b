"""Where the bytes of an export go, compressed on the way when asked to."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Literal, Protocol

import pyarrow as pa

Compression = Literal["none", "gzip", "zstd"]


class Sink(Protocol):
    """Where the bytes go: a file, or a multipart upload."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes; returns how many."""
        ...


class CountingFile:
    """A write-only binary file over a sink, compressing on the way when asked to."""

    def __init__(self, sink: Sink, compression: Compression) -> None:
        self._sink = sink
        self._gzip = zlib.compressobj(6, wbits=31) if compression == "gzip" else None
        self._zstd: pa.CompressedOutputStream | None = None
        self.written = 0
        self.closed = False
        self._at = 0
        if compression == "zstd":
            self._zstd = pa.CompressedOutputStream(pa.PythonFile(_Raw(self._raw), mode="w"), "zstd")

    def _raw(self, data: bytes) -> int:
        if data:
            self._sink.write(data)
            self.written += len(data)
        return len(data)

    def write(self, data: bytes) -> int:
        self._at += len(data)
        if self._gzip is not None:
            self._raw(self._gzip.compress(data))
        elif self._zstd is not None:
            self._zstd.write(data)
        else:
            self._raw(bytes(data))
        return len(data)

    def tell(self) -> int:
        """Bytes before compression."""
        return self._at

    def flush(self) -> None:
        """The sink decides when bytes leave."""

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True

    def finish(self) -> None:
        """End the compressed stream."""
        if self._gzip is not None:
            self._raw(self._gzip.flush())
        if self._zstd is not None:
            self._zstd.close()


class _Raw:
    """The file object Arrow's compressor writes to."""

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self._write = write
        self.closed = False

    def write(self, data: bytes) -> int:
        return self._write(bytes(data))

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return 0
