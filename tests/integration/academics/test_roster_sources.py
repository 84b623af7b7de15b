"""Where rosters come from: S3 as the emulator plays it, request bodies, archives of every kind."""

import hashlib
import io
import zipfile
from urllib.error import HTTPError

import pytest

from dataforge.contexts.academics.rosters import sources
from dataforge.contexts.academics.rosters.domain.files import RosterTable, RosterUnreadable
from dataforge.contexts.academics.rosters.domain.uploads import AnnouncedUpload, upload_key
from dataforge.kernel.ids import uuid7
from dataforge.platform.aws.clients import client
from dataforge.platform.aws.s3 import AsyncObjects
from tests.builders.datasets import put
from tests.builders.emulator import EmulatedAws

CONTENT = b"student_number,course_code,section_code\n1,CS1,A\n"


@pytest.fixture
def bucket(emulator: EmulatedAws) -> str:
    """A bucket of this test alone."""
    return emulator.bucket()


def announced(content: bytes) -> AnnouncedUpload:
    """An upload that was announced for this content."""
    upload_id = uuid7()
    key = upload_key(uuid7(), upload_id, "roster.csv")
    return AnnouncedUpload(upload_id, key, len(content), hashlib.sha256(content).hexdigest())


async def address_of(upload: AnnouncedUpload, bucket: str) -> tuple[str, dict[str, str]]:
    """Where it goes, and with which headers."""
    sha256 = bytes.fromhex(upload.sha256)
    return await AsyncObjects(bucket).upload_url(upload.key, sha256=sha256, length=upload.size_bytes)


async def content_of(source: sources.FileSource) -> dict[str, list[tuple[int, list[str]]]]:
    found = {}
    try:
        async for table in source.tables():
            found[table.name] = [(line, list(values)) async for line, values in table.lines]
    finally:
        source.close()
    return found


async def test_what_was_put_to_the_presigned_address_is_read_from_its_key(bucket: str) -> None:
    upload = announced(CONTENT)
    url, headers = await address_of(upload, bucket)
    assert put(url, CONTENT, headers) == 200

    source = await sources.from_upload(bucket, upload)

    assert source.describe() == {"kind": "upload", "key": upload.key, "size_bytes": len(CONTENT)}
    assert await content_of(source) == {"roster.csv": [(2, ["1", "CS1", "A"])]}


@pytest.mark.parametrize("other", [CONTENT.replace(b"CS1", b"CS2"), CONTENT + b"2,CS1,A\n", b""])
async def test_s3_refuses_another_file_than_the_one_announced(bucket: str, other: bytes) -> None:
    url, headers = await address_of(announced(CONTENT), bucket)

    with pytest.raises(HTTPError) as refusal:
        put(url, other, {**headers, "Content-Length": str(len(other))})

    refusal.value.close()
    assert refusal.value.code in (400, 403)


@pytest.mark.parametrize("other", [CONTENT.replace(b"CS1", b"CS2"), CONTENT + b"2,CS1,A\n"])
async def test_another_file_than_the_one_announced_is_not_used(bucket: str, other: bytes) -> None:
    upload = announced(CONTENT)
    client("s3").put_object(Bucket=bucket, Key=upload.key, Body=other)

    with pytest.raises(RosterUnreadable, match="not the file that was announced"):
        await sources.from_upload(bucket, upload)


async def test_an_upload_that_never_came_is_refused(bucket: str) -> None:
    with pytest.raises(RosterUnreadable, match="PUT the file to the presigned URL first"):
        await sources.from_upload(bucket, announced(CONTENT))


async def test_the_same_content_has_the_same_hash_wherever_it_comes_from(bucket: str) -> None:
    upload = announced(CONTENT)
    client("s3").put_object(Bucket=bucket, Key=upload.key, Body=CONTENT)

    uploaded, sent = await sources.from_upload(bucket, upload), sources.from_bytes(CONTENT)

    assert uploaded.sha256() == sent.sha256()
    uploaded.close()
    sent.close()


async def test_a_field_may_hold_quotes_line_ends_and_separators() -> None:
    nasty = 'a,b\r\n"x\r\ny","say ""hi"", \u2028 you"\r\n'.encode()

    assert await content_of(sources.from_bytes(nasty)) == {"roster.csv": [(2, ["x\r\ny", 'say "hi", \u2028 you'])]}


async def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    source = sources.from_bytes(b"\xef\xbb\xbf" + CONTENT)
    tables: list[RosterTable] = [table async for table in source.tables()]
    source.close()

    assert tables[0].header[0] == "student_number"


@pytest.mark.parametrize(
    "content",
    [
        b"student_number;course_code;section_code\n1,5;CS1;A\n",
        b"student_number\tcourse_code\tsection_code\n1,5\tCS1\tA\n",
        b"student_number|course_code|section_code\n1,5|CS1|A\n",
    ],
)
async def test_columns_may_be_separated_as_spreadsheets_do(content: bytes) -> None:
    assert await content_of(sources.from_bytes(content)) == {"roster.csv": [(2, ["1,5", "CS1", "A"])]}


@pytest.mark.parametrize("separator", [b";", b",", b"\t", b"|"])
async def test_a_first_line_that_only_names_the_separator_is_counted_and_passed_over(separator: bytes) -> None:
    rows = b"student_number;course_code;section_code\r\n1;CS1;A\r\n".replace(b";", separator)
    content = b"\xef\xbb\xbfsep=" + separator + b"\r\n" + rows

    assert await content_of(sources.from_bytes(content)) == {"roster.csv": [(3, ["1", "CS1", "A"])]}


async def test_a_source_can_be_read_twice() -> None:
    source = sources.from_bytes(CONTENT)

    first = [table.name async for table in source.tables()]
    second = [table.name async for table in source.tables()]
    source.close()

    assert first == second == ["roster.csv"]


async def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_UNPACKED_BYTES", 1_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", "a,b\n" + "0" * 2_000)

    with pytest.raises(RosterUnreadable, match="bytes unpacked"):
        await content_of(sources.from_bytes(out.getvalue()))


async def test_a_file_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 10)
    source = sources.FileSource({"kind": "body"})

    with pytest.raises(RosterUnreadable, match="at most 10 bytes"):
        source.add(CONTENT)
    source.close()
