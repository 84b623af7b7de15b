"""Shared libraries (64-bit, little-endian ELF) made smaller: what the loader never reads, and libraries nobody calls.

Uses the standard library only, because layers are built with whatever Python there is, on any machine.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRINGS, _SYMBOLS, _GNU_HASH = 1, 5, 6, 0x6FFFFEF5
_SYMBOL_BYTES = 24
_UNDEFINED = 0
_WEAK = 2


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


class SharedLibrary:
    """The image of one library, to be looked at and changed in memory."""

    def __init__(self, image: bytes) -> None:
        self.image = bytearray(image)
        self._segments = list(self._read_segments())
        self._dynamic = list(self._read_dynamic())
        self._tags = {tag: value for tag, value, _ in reversed(self._dynamic)}

    @classmethod
    def of(cls, file: Path) -> SharedLibrary | None:
        """The library in a file; None for a file that is none."""
        image = file.read_bytes()
        return cls(image) if image.startswith(_MAGIC) else None

    def cut(self) -> bool:
        """Cut what lies behind the last byte that the loader maps: symbol tables and debug sections. False if nothing
        does.
        """
        table, size, count = self._table()
        end = max([table + size * count, *(segment.offset + segment.size for segment in self._segments)])
        if end >= len(self.image):
            return False
        del self.image[end:]
        self.image[40:48] = bytes(8)  # e_shoff: the section headers went as well; only linkers and debuggers read them
        self.image[58:64] = bytes(6)  # e_shentsize, e_shnum, e_shstrndx
        return True

    def needed(self) -> list[str]:
        """Libraries that the loader loads with this one, in order."""
        return [self._string(value) for tag, value, _ in self._dynamic if tag == _NEEDED]

    def without(self, names: Collection[str]) -> bool:
        """Have the loader not load these libraries; False if it would load none of them.

        An entry cannot be taken out of its table, so it names another library that is needed anyway.
        """
        needed = [(value, at) for tag, value, at in self._dynamic if tag == _NEEDED]
        kept = [value for value, _ in needed if self._string(value) not in names]
        dropped = [at for value, at in needed if self._string(value) in names]
        for at in dropped:
            struct.pack_into("<Q", self.image, at + 8, kept[0])
        self._dynamic = list(self._read_dynamic())
        return bool(dropped)

    def symbols(self) -> tuple[set[str], set[str]]:
        """Names that must be found elsewhere when the library is loaded, and those that it defines."""
        wanted, defined = set[str](), set[str]()
        start = self._offset(self._tags[_SYMBOLS])
        for at in range(start, start + _SYMBOL_BYTES * self._count(), _SYMBOL_BYTES):
            name, info, _, section = struct.unpack_from("<IBBH", self.image, at)
            if section != _UNDEFINED:
                defined.add(self._string(name))
            elif name and info >> 4 != _WEAK:
                wanted.add(self._string(name))
        return wanted, defined

    def _table(self) -> tuple[int, int, int]:
        (table,) = struct.unpack_from("<Q", self.image, 32)
        size, count = struct.unpack_from("<HH", self.image, 54)
        return table, size, count

    def _read_segments(self) -> Iterator[_Segment]:
        table, size, count = self._table()
        for at in range(table, table + size * count, size):
            kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", self.image, at)
            yield _Segment(kind, offset, address, length)

    def _read_dynamic(self) -> Iterator[tuple[int, int, int]]:
        for segment in self._segments:
            if segment.kind == _DYNAMIC:
                for at in range(segment.offset, segment.offset + segment.size, 16):
                    tag, value = struct.unpack_from("<QQ", self.image, at)
                    if not tag:
                        return
                    yield tag, value, at

    def _offset(self, address: int) -> int:
        for segment in self._segments:
            if segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
                return segment.offset + address - segment.address
        message = f"No segment of the library has the address {address:#x}."
        raise ValueError(message)

    def _string(self, index: int) -> str:
        start = self._offset(self._tags[_STRINGS]) + index
        return self.image[start : self.image.index(0, start)].decode()

    def _count(self) -> int:
        """Entries of the symbol table, whose length only its hash table tells: the last chain's end is the last one."""
        at = self._offset(self._tags[_GNU_HASH])
        buckets, first, words, _ = struct.unpack_from("<IIII", self.image, at)
        bucket_table = at + 16 + 8 * words
        chains = bucket_table + 4 * buckets
        last = max(struct.unpack_from(f"<{buckets}I", self.image, bucket_table))
        if last < first:
            return int(first)
        while not struct.unpack_from("<I", self.image, chains + 4 * (last - first))[0] & 1:
            last += 1
        return int(last) + 1
