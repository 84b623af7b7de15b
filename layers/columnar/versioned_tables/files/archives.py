"""gzip, zip and zstd as streams of blocks, with limits on bytes, ratio and entries; names inside are labels, never
paths.
"""

from __future__ import annotations

import errno
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dataforge.kernel.texts import Text
from versioned_tables.errors import ArchiveRefused
from versioned_tables.files.sources import BLOCK, FileSource

MOST_BYTES = 64 << 30
MOST_RATIO = 200
RATIO_AFTER = 64 << 20
MOST_ENTRIES = 1000
_OUT = 6 << 20
# A directory of a thousand entries with names as long as file systems allow takes less.
_MOST_DIRECTORY = 1 << 20
_LOCAL_HEADER = 30
# With a name and extra fields of 64 KB each.
_LONGEST_HEADER = _LOCAL_HEADER + 2 * 0xFFFF
# What zipfile raises on a hostile archive.
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


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
            raise ArchiveRefused(
                Text("{name}: more than {most} MB come out of the archive.", name=self.name, most=self.most >> 20)
            )
        if self.out > RATIO_AFTER and self.out > self.packed * MOST_RATIO:
            raise ArchiveRefused(
                Text(
                    "{name}: {out} MB come out of {packed} KB; this is no table but an archive bomb.",
                    name=self.name,
                    out=self.out >> 20,
                    packed=self.packed >> 10,
                )
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
                    Text(
                        "{name}: the gzip data is damaged near byte {at} ({error}).",
                        name=source.name,
                        at=at + len(data) - len(pending) + 1,
                        error=error,
                    )
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
            Text(
                "{name}: the gzip data ends at byte {size}, before its end mark; the file is truncated.",
                name=source.name,
                size=source.size,
            )
        )
    if held:
        yield b"".join(held)


class _Reader:
    """A source as a file object for zipfile and Arrow: what is read in order comes out of one stream.

    A stream ends at `stop`, or where a read goes beyond it. No single read gives more than `most` bytes.
    """

    def __init__(self, source: FileSource) -> None:
        self._source = source
        self._blocks: Iterator[bytes] = iter(())
        self._block = b""
        self._used = 0
        self.at = 0
        self.stop = source.size
        self.most = MOST_BYTES
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        size = self._source.size - self.at if size < 0 else size
        if size > self.most:
            raise ArchiveRefused(
                Text(
                    "{name}: the directory of the archive has {size:,} bytes; at most {most:,} are read.",
                    name=self._source.name,
                    size=size,
                    most=self.most,
                )
            )
        parts: list[bytes] = []
        opened = False
        while size > 0:
            if self._used == len(self._block):
                self._block, self._used = next(self._blocks, b""), 0
            if not self._block:
                if opened:
                    break
                self._blocks = self._source.stream(self.at, max(self.stop, self.at + size), BLOCK)
                opened = True
                continue
            part = self._block[self._used : self._used + size]
            parts.append(part)
            self._used += len(part)
            self.at += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        target = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self._source.size}[whence]
        if target < 0:
            raise OSError(errno.EINVAL, "before the start of the file")
        used = self._used + target - self.at
        if 0 <= used <= len(self._block):
            self._used = used
        else:
            self._blocks, self._block, self._used = iter(()), b"", 0
        self.at = target
        return target

    def tell(self) -> int:
        return self.at

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


def zstd_blocks(source: FileSource) -> Iterator[bytes]:
    """The content of a zstd file. Raises ArchiveRefused when it is damaged or ends too soon."""
    budget = Budget(source.name)
    reads = _Reader(source)
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
            Text(
                "{name}: the zstd data is damaged or truncated near byte {at} ({error}).",
                name=source.name,
                at=reads.at,
                error=error,
            )
        ) from error


class ZipArchive:
    """A zip archive whose directory was read and found sound.

    Raises ArchiveRefused on one that is damaged, split or overfull, or has entries that share bytes.
    """

    def __init__(self, source: FileSource) -> None:
        self._source = source
        self._reader = _Reader(source)
        self._reader.most = _MOST_DIRECTORY
        try:
            self._file = zipfile.ZipFile(self._reader)
        except _ZIP_FAULTS as error:
            raise ArchiveRefused(
                Text(
                    "{name}: the zip archive has no sound directory at its end; it is damaged, or truncated "
                    "after byte {size} ({error}).",
                    name=source.name,
                    size=source.size,
                    error=error,
                )
            ) from error
        self._reader.most = MOST_BYTES
        self.entries: Sequence[zipfile.ZipInfo] = self._file.infolist()
        if len(self.entries) > MOST_ENTRIES:
            raise ArchiveRefused(
                Text(
                    "{name}: the archive has {count} entries; at most {most_entries} are allowed.",
                    name=source.name,
                    count=len(self.entries),
                    most_entries=MOST_ENTRIES,
                )
            )
        self._refuse_shared_bytes()

    def _refuse_shared_bytes(self) -> None:
        ends = 0
        for entry in sorted(self.entries, key=lambda entry: entry.header_offset):
            if entry.header_offset < ends:
                raise ArchiveRefused(
                    Text(
                        "{filename} in {name} begins at byte {header_offset}, inside "
                        "of another entry; this is an archive bomb.",
                        filename=label(entry.filename),
                        name=self._source.name,
                        header_offset=entry.header_offset + 1,
                    )
                )
            ends = entry.header_offset + _LOCAL_HEADER + entry.compress_size
        if ends > self._file.start_dir:
            raise ArchiveRefused(
                Text("{name}: an entry of the archive lies outside of the file.", name=self._source.name)
            )

    def blocks(self, entry: zipfile.ZipInfo, *, most: int = MOST_BYTES) -> Iterator[bytes]:
        """The content of an entry; what comes out is counted, whatever the directory claims. Raises ArchiveRefused."""
        budget = Budget(f"{label(entry.filename)} in {self._source.name}", packed=entry.compress_size, most=most)
        if is_encrypted(entry):
            raise ArchiveRefused(Text("{name} is encrypted; upload it without a password.", name=budget.name))
        # The other methods of zipfile give a block of any size out of a small one.
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ArchiveRefused(
                Text(
                    "{name} is packed by method {compress_type}; only stored and deflate are read.",
                    name=budget.name,
                    compress_type=entry.compress_type,
                )
            )
        self._reader.stop = min(self._source.size, entry.header_offset + entry.compress_size + _LONGEST_HEADER)
        try:
            with self._file.open(entry) as file:
                while out := file.read(_OUT):
                    budget.count(0, len(out))
                    yield out
        except _ZIP_FAULTS as error:
            raise ArchiveRefused(
                Text(
                    "{name}: the entry at byte {header_offset} is damaged, truncated or forged after "
                    "{out} bytes of its content ({value}).",
                    name=budget.name,
                    header_offset=entry.header_offset + 1,
                    out=budget.out,
                    value=str(error) or "it ends too soon",
                )
            ) from error
        if budget.out != entry.file_size:
            raise ArchiveRefused(
                Text(
                    "{name}: {out} bytes came out and the directory says {file_size}; "
                    "the entry is truncated or forged.",
                    name=budget.name,
                    out=budget.out,
                    file_size=entry.file_size,
                )
            )


def is_encrypted(entry: zipfile.ZipInfo) -> bool:
    """Whether reading the entry takes a password."""
    return bool(entry.flag_bits & 1)


def label(name: str) -> str:
    """The last part of a name without control characters: good for a message or a table name, never used as a path."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:200] or "unnamed"
