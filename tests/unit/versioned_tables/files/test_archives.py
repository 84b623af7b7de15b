"""Zip archives: read in order from storage, and hostile ones refused before they cost anything."""

import io
import struct
import zipfile
from collections.abc import Iterator

import pytest

from versioned_tables.errors import ArchiveRefused
from versioned_tables.files.archives import BLOCK, ZipArchive
from versioned_tables.files.sources import BytesSource

_DIRECTORY = b"PK\x01\x02"


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytearray:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return bytearray(out.getvalue())


def opened(data: bytes | bytearray) -> ZipArchive:
    return ZipArchive(BytesSource(bytes(data), "a.zip"))


class Counted(BytesSource):
    """A source that notes what is asked of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, "a.zip")
        self.streams: list[tuple[int, int]] = []
        self.given = 0

    def stream(self, start: int, stop: int, step: int) -> Iterator[bytes]:
        self.streams.append((start, stop))
        for block in super().stream(start, stop, step):
            self.given += len(block)
            yield block


def test_an_entry_is_read_in_one_stream_that_ends_behind_it() -> None:
    large = bytes(range(256)) * (9 << 12)
    source = Counted(bytes(packed({"a": b"a" * 10, "b": large, "c": large}, zipfile.ZIP_STORED)))
    archive = ZipArchive(source)
    source.streams.clear()

    assert b"".join(archive.blocks(archive.entries[1])) == large
    [(start, stop)] = source.streams
    assert start == archive.entries[1].header_offset
    assert len(large) < stop - start < len(large) + (1 << 18)


def test_entries_may_be_read_by_turns() -> None:
    one, other = bytes(range(256)) * (5 << 13), bytes(range(255, -1, -1)) * (5 << 13)
    archive = opened(packed({"a": one, "b": other}, zipfile.ZIP_STORED))
    first, second = (archive.blocks(entry) for entry in archive.entries)

    pairs = list(zip(first, second, strict=True))

    assert b"".join(left for left, _ in pairs) == one
    assert b"".join(right for _, right in pairs) == other
    assert len(one) > BLOCK


def test_zip64_archives_are_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w", force_zip64=True) as file:
        file.write(b"content")

    read = opened(out.getvalue())

    assert b"".join(read.blocks(read.entries[0])) == b"content"


def test_a_directory_of_too_many_entries_is_refused() -> None:
    with pytest.raises(ArchiveRefused, match="has 1001 entries; at most 1000"):
        opened(packed({f"{number}.csv": b"" for number in range(1001)}))


def test_a_directory_of_too_many_bytes_is_not_read() -> None:
    data = bytes(packed({f"{number:0200}.csv": b"" for number in range(5_000)}))
    source = Counted(data)

    with pytest.raises(ArchiveRefused, match=r"directory of the archive has 1,[0-9]{3},[0-9]{3} bytes; at most"):
        ZipArchive(source)
    assert source.given < 1 << 18


def test_entries_that_share_bytes_are_refused() -> None:
    data = packed({"a": b"0" * 1_000, "b": b"1" * 1_000})
    second = data.rindex(_DIRECTORY)
    data[second + 42 : second + 46] = struct.pack("<I", 5)

    with pytest.raises(ArchiveRefused, match="begins at byte 6, inside of another entry"):
        opened(data)


def test_an_entry_outside_of_the_file_is_refused() -> None:
    data = packed({"a": b"0" * 1_000})
    directory = data.rindex(_DIRECTORY)
    data[directory + 20 : directory + 24] = struct.pack("<I", 1 << 30)

    with pytest.raises(ArchiveRefused, match="lies outside of the file"):
        opened(data)


def test_a_method_that_unpacks_without_limit_is_refused() -> None:
    archive = opened(packed({"a": b"0" * 1_000}, zipfile.ZIP_BZIP2))

    with pytest.raises(ArchiveRefused, match="packed by method 12; only stored and deflate"):
        list(archive.blocks(archive.entries[0]))


def test_an_archive_bomb_is_stopped_before_it_is_unpacked() -> None:
    archive = opened(packed({"a": bytes(80 << 20)}))

    unpacked: list[int] = []
    with pytest.raises(ArchiveRefused, match="archive bomb"):
        unpacked.extend(len(block) for block in archive.blocks(archive.entries[0]))
    assert sum(unpacked) <= 72 << 20


def test_more_than_the_caller_allows_is_refused() -> None:
    archive = opened(packed({"a": b"0" * 1_000}))

    with pytest.raises(ArchiveRefused, match="come out of the archive"):
        list(archive.blocks(archive.entries[0], most=999))


@pytest.mark.parametrize("change", ["data", "checksum", "name", "size"])
def test_a_forged_entry_is_refused_with_its_place(change: str) -> None:
    data = packed({"a.csv": bytes(range(256)) * 40})
    directory = data.rindex(_DIRECTORY)
    if change == "data":
        data[60:70] = bytes(10)
    if change == "checksum":
        data[directory + 16] ^= 1
    if change == "name":
        data[30:31] = b"z"
    if change == "size":
        data[directory + 24 : directory + 28] = struct.pack("<I", 1 << 20)
    archive = opened(data)

    with pytest.raises(ArchiveRefused, match=r"a\.csv in a\.zip: .*(at byte 1 is damaged|truncated or forged)"):
        list(archive.blocks(archive.entries[0]))


def test_a_name_that_is_not_the_text_it_claims_to_be_is_refused() -> None:
    data = packed({"ä.csv": b"content"})
    place = data.rindex("ä".encode())
    data[place : place + 1] = b"\xff"

    with pytest.raises(ArchiveRefused, match="no sound directory"):
        opened(data)
