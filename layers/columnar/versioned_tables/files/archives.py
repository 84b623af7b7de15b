"""gzip, zip and zstd as streams of blocks, with limits on bytes, ratio and entries; names inside are labels, never
paths.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from versioned_tables.errors import ArchiveRefused
from versioned_tables.files.sources import BLOCK, FileSource

MOST_BYTES = 64 << 30
MOST_RATIO = 200
RATIO_AFTER = 64 << 20
MOST_ENTRIES = 1000
_OUT = 6 << 20
_EOCD, _CENTRAL, _LOCAL = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_ENCRYPTED = 1


@dataclass(slots=True)
class Budget:
    """What may come out of an archive: absolute bytes, and a ratio once `RATIO_AFTER` bytes are out."""

    name: str
    packed: int = 0
    out: int = 0
    most: int = MOST_BYTES

    def count(self, packed: int, out: int) -> None:
        """Add a step; raises ArchiveRefused when the archive explodes."""
        self.packed += packed
        self.out += out
        if self.out > self.most:
            raise ArchiveRefused(f"{self.name}: more than {self.most >> 20} MB come out of the archive.")
        if self.out > RATIO_AFTER and self.out > self.packed * MOST_RATIO:
            raise ArchiveRefused(
                f"{self.name}: {self.out >> 20} MB come out of {self.packed >> 10} KB; "
                "this is no table but an archive bomb."
            )


def gzip_blocks(source: FileSource) -> Iterator[bytes]:
    """The content of a gzip file, all its members. Raises ArchiveRefused naming the byte where it breaks or ends
    too soon.
    """
    budget = Budget(source.name)
    engine = zlib.decompressobj(wbits=31)
    at = 0
    held: list[bytes] = []
    size = 0
    fresh = True
    for data in source.stream(0, source.size, BLOCK):
        pending = data
        while pending:
            if fresh and not pending.strip(b"\x00"):
                break
            try:
                out = engine.decompress(pending, _OUT)
            except zlib.error as error:
                raise ArchiveRefused(
                    f"{source.name}: the gzip data is damaged near byte {at + len(data) - len(pending) + 1} ({error})."
                ) from error
            fresh = False
            rest = engine.unused_data if engine.eof else engine.unconsumed_tail
            budget.count(len(pending) - len(rest), len(out))
            pending = rest
            held.append(out)
            size += len(out)
            if size >= _OUT:
                yield b"".join(held)
                held, size = [], 0
            if engine.eof:
                engine, fresh = zlib.decompressobj(wbits=31), True
        at += len(data)
    if not fresh:
        raise ArchiveRefused(
            f"{source.name}: the gzip data ends at byte {source.size}, before its end mark; the file is truncated."
        )
    if held:
        yield b"".join(held)


class _Reads:
    """A file object over a source, as Arrow's streams want one; counts the bytes it gave."""

    def __init__(self, source: FileSource) -> None:
        self._blocks = source.stream(0, source.size, BLOCK)
        self._held = b""
        self.at = 0
        self.closed = False

    def read(self, size: int) -> bytes:
        while len(self._held) < size and (block := next(self._blocks, b"")):
            self._held += block
        data, self._held = self._held[:size], self._held[size:]
        self.at += len(data)
        return data

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def zstd_blocks(source: FileSource) -> Iterator[bytes]:
    """The content of a zstd file. Raises ArchiveRefused when it is damaged or ends too soon."""
    budget = Budget(source.name)
    reads = _Reads(source)
    before = 0
    try:
        with pa.CompressedInputStream(pa.PythonFile(reads, mode="r"), "zstd") as stream:
            while True:
                out = stream.read(_OUT)
                if not out:
                    break
                budget.count(reads.at - before, len(out))
                before = reads.at
                yield out
    except OSError as error:
        raise ArchiveRefused(
            f"{source.name}: the zstd data is damaged or truncated near byte {reads.at} ({error})."
        ) from error


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file in a zip archive: its label, where its local header is, how it is packed, and what the directory
    claims.
    """

    name: str
    offset: int
    method: int
    packed: int
    size: int
    crc: int
    encrypted: bool


def zip_entries(source: FileSource) -> list[ZipEntry]:
    """The central directory of a zip archive. Raises ArchiveRefused on a damaged, split, encrypted or overfull one."""
    tail_start = max(0, source.size - (65_557 + 20))
    tail = source.read(tail_start, source.size - tail_start)
    at = tail.rfind(_EOCD)
    if at < 0 or len(tail) - at < 22:
        raise ArchiveRefused(
            f"{source.name}: the zip archive has no directory at its end; it is truncated after byte {source.size}."
        )
    disk, _, _, count, size, start = struct.unpack("<HHHHII", tail[at + 4 : at + 20])
    if 0xFFFF in {count, disk} or 0xFFFFFFFF in {size, start}:
        count, size, start = _zip64(source, tail, at)
    if count > MOST_ENTRIES:
        raise ArchiveRefused(f"{source.name}: the archive has {count} entries; at most {MOST_ENTRIES} are allowed.")
    if start + size > source.size:
        raise ArchiveRefused(f"{source.name}: the directory of the archive lies outside of the file.")
    return _directory(source, source.read(start, size), count)


def _zip64(source: FileSource, tail: bytes, at: int) -> tuple[int, int, int]:
    if at < 20 or tail[at - 20 : at - 16] != b"PK\x06\x07":
        raise ArchiveRefused(f"{source.name}: the zip64 directory of the archive is missing.")
    place = struct.unpack("<Q", tail[at - 12 : at - 4])[0]
    record = source.read(place, 56)
    if len(record) < 56 or record[:4] != b"PK\x06\x06":
        raise ArchiveRefused(f"{source.name}: the zip64 directory of the archive is damaged.")
    count, size, start = struct.unpack("<QQQ", record[32:56])
    return count, size, start


def _directory(source: FileSource, data: bytes, count: int) -> list[ZipEntry]:
    entries: list[ZipEntry] = []
    at = 0
    for _ in range(count):
        if data[at : at + 4] != _CENTRAL or len(data) < at + 46:
            raise ArchiveRefused(f"{source.name}: the directory of the archive is damaged at entry {len(entries) + 1}.")
        flags, method = struct.unpack("<HH", data[at + 8 : at + 12])
        crc, packed, size, name_size, extra_size, note_size = struct.unpack("<IIIHHH", data[at + 16 : at + 34])
        offset = struct.unpack("<I", data[at + 42 : at + 46])[0]
        raw = data[at + 46 : at + 46 + name_size]
        extra = data[at + 46 + name_size : at + 46 + name_size + extra_size]
        size, packed, offset = _wide_sizes(extra, size, packed, offset)
        name = raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
        entries.append(ZipEntry(name, offset, method, packed, size, crc, bool(flags & _ENCRYPTED)))
        at += 46 + name_size + extra_size + note_size
    return entries


def _wide_sizes(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Sizes from the zip64 extra field where the directory has only the mark."""
    at = 0
    values = [size, packed, offset]
    while at + 4 <= len(extra):
        tag, length = struct.unpack("<HH", extra[at : at + 4])
        if tag == 1:
            body = extra[at + 4 : at + 4 + length]
            for index in range(3):
                if values[index] == 0xFFFFFFFF and len(body) >= 8:
                    values[index] = struct.unpack("<Q", body[:8])[0]
                    body = body[8:]
        at += 4 + length
    return values[0], values[1], values[2]


def zip_blocks(source: FileSource, entry: ZipEntry, *, most: int = MOST_BYTES) -> Iterator[bytes]:
    """The content of an entry; what comes out is counted, whatever the directory claims. Raises ArchiveRefused."""
    if entry.encrypted:
        raise ArchiveRefused(f"{label(entry.name)} in {source.name} is encrypted; upload it without a password.")
    if entry.method not in {0, 8}:
        raise ArchiveRefused(
            f"{label(entry.name)} in {source.name} is packed by method {entry.method}; "
            "only stored and deflate are read."
        )
    header = source.read(entry.offset, 30)
    if header[:4] != _LOCAL or len(header) < 30:
        raise ArchiveRefused(f"{label(entry.name)} in {source.name}: there is no entry at byte {entry.offset + 1}.")
    name_size, extra_size = struct.unpack("<HH", header[26:30])
    start = entry.offset + 30 + name_size + extra_size
    engine = zlib.decompressobj(wbits=-15) if entry.method == 8 else None
    budget = Budget(f"{label(entry.name)} in {source.name}", most=most)
    crc = 0
    for data in source.stream(start, start + entry.packed, BLOCK):
        for out in _inflated(engine, data, budget, start):
            crc = zlib.crc32(out, crc)
            yield out
        start += len(data)
    if (engine is not None and not engine.eof) or budget.out != entry.size:
        raise ArchiveRefused(
            f"{budget.name}: {budget.out} bytes came out and the directory says {entry.size}; "
            "the entry is truncated or forged."
        )
    if crc != entry.crc:
        raise ArchiveRefused(f"{budget.name}: the checksum does not match; the entry is damaged.")


def _inflated(engine: zlib._Decompress | None, data: bytes, budget: Budget, at: int) -> Iterator[bytes]:
    if engine is None:
        budget.count(len(data), len(data))
        yield data
        return
    pending = data
    while pending and not engine.eof:
        try:
            out = engine.decompress(pending, _OUT)
        except zlib.error as error:
            raise ArchiveRefused(
                f"{budget.name}: the data is damaged near byte {at + len(data) - len(pending) + 1} ({error})."
            ) from error
        budget.count(len(pending) - len(engine.unconsumed_tail), len(out))
        pending = engine.unconsumed_tail
        if out:
            yield out


def label(name: str) -> str:
    """The last part of a name without control characters: good for a message or a table name, never used as a path."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:200] or "unnamed"
