"""Where rosters come from: an upload in S3, the body of a request (CSV or a zip of CSV files), a dataset's commit."""

import csv
import hashlib
import io
import tempfile
import zipfile
from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from dataforge.contexts.academics.rosters.domain.files import MAX_ROWS, RosterTable, RosterUnreadable, simple_columns
from dataforge.contexts.academics.rosters.domain.uploads import MAX_FILE_BYTES, AnnouncedUpload
from dataforge.contexts.datasets.contract import DatasetReader, PreparedRows
from dataforge.kernel.csv_text import CsvTable, NotCsv, read_csv
from dataforge.kernel.text import composed
from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client

MAX_UNPACKED_BYTES = 512 * 1024 * 1024
MAX_ENTRIES = 50
# What is kept in memory before it goes to a file in /tmp.
_SPOOL_BYTES = 4 * 1024 * 1024
_CHUNK = 1024 * 1024


class FileSource:
    """A roster in a file that can be read several times; closed with `close`."""

    def __init__(self, description: Mapping[str, object]) -> None:
        self._description = dict(description)
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - see close
        self._hash = hashlib.sha256()
        self._size = 0

    def add(self, chunk: bytes) -> None:
        """Append to the file; raises RosterUnreadable above 256 MiB."""
        self._size += len(chunk)
        if self._size > MAX_FILE_BYTES:
            message = Text("A roster file has at most {max_file_bytes:,} bytes.", max_file_bytes=MAX_FILE_BYTES)
            raise RosterUnreadable(message)
        self._hash.update(chunk)
        self._file.write(chunk)

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def describe(self) -> dict[str, object]:
        """Where it came from, and how long it is."""
        return {**self._description, "size_bytes": self._size}

    def sha256(self) -> str:
        """SHA-256 of the file, 64 hex digits."""
        return self._hash.hexdigest()

    async def tables(self) -> AsyncIterator[RosterTable]:
        """The CSV files in it, one after another."""
        self._file.seek(0)
        if self._file.read(4) != b"PK\x03\x04":
            self._file.seek(0)
            yield _table("roster.csv", self._file)
            return
        self._file.seek(0)
        try:
            with zipfile.ZipFile(self._file) as archive:
                for entry in _checked_entries(archive):
                    with archive.open(entry) as file:
                        yield _table(entry.filename, file)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, RuntimeError) as error:
            message = Text("The zip file is damaged or encrypted: {error}.", error=error)
            raise RosterUnreadable(message) from error


def from_bytes(content: bytes) -> FileSource:
    """A roster that came as the body of a request."""
    source = FileSource({"kind": "body"})
    source.add(content)
    return source


async def from_upload(bucket: str, upload: AnnouncedUpload) -> FileSource:
    """The file of an upload, downloaded; raises RosterUnreadable unless it is there and is the one announced."""
    source = FileSource({"kind": "upload", "key": upload.key})
    try:
        await to_thread(_download, bucket, upload.key, source)
        upload.check(int(str(source.describe()["size_bytes"])), source.sha256())
    except BaseException:
        source.close()
        raise
    return source


class DatasetSource(FileSource):
    """A roster in one sheet of a dataset's commit; a row's number in the sheet, after a header, is its line."""

    def __init__(self, prepared: PreparedRows, version: str) -> None:
        columns = simple_columns(prepared.sheet, prepared.columns)
        if prepared.row_count > MAX_ROWS:
            message = Text(
                "{sheet} has {row_count:,} rows; a roster has at most {max_rows:,}.",
                sheet=prepared.sheet,
                row_count=prepared.row_count,
                max_rows=MAX_ROWS,
            )
            raise RosterUnreadable(message)
        super().__init__(
            {
                "kind": "dataset",
                "dataset_id": str(prepared.dataset_id),
                "version": version,
                "commit_id": prepared.commit_id,
                "sheet": prepared.sheet,
                "content_sha256": prepared.content_sha256,
                "row_count": prepared.row_count,
            }
        )
        self._prepared = prepared
        self._columns = columns

    async def fetch(self, reader: DatasetReader) -> None:
        """Copy the rows here, so that the plan's transaction waits for nobody; raises Conflict until they are ready."""
        async for batch in reader.rows(self._prepared):
            out = io.StringIO(newline="")
            writer = csv.writer(out)
            writer.writerows([_text(row.get(name)) for name in self._columns.values()] for row in batch)
            self.add(out.getvalue().encode())

    def sha256(self) -> str:
        """The hash of the commit's content, whatever the copy looks like."""
        return self._prepared.content_sha256

    async def tables(self) -> AsyncIterator[RosterTable]:
        """The sheet, with the columns of a simple roster under the names a roster has for them."""
        self._file.seek(0)
        name = self._prepared.sheet
        yield RosterTable(name, tuple(self._columns), _stored(self._file))


async def _stored(file: IO[bytes]) -> AsyncIterator[tuple[int, Sequence[str]]]:
    """The rows that `fetch` wrote; the first row of a table is the second line of a file with a header."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        for record in enumerate(csv.reader(text), 2):
            yield record
    finally:
        if not file.closed:
            text.detach()


def _text(value: object) -> str:
    """A cell as a CSV file would have it; a whole number that became a float is written as whole."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return composed(str(value))


def _download(bucket: str, key: str, source: FileSource) -> None:
    from botocore.exceptions import ClientError

    try:
        body = client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            message = Text("There is no upload {key}; PUT the file to the presigned URL first.", key=key)
            raise RosterUnreadable(message) from error
        raise
    for chunk in iter(lambda: body.read(_CHUNK), b""):
        source.add(chunk)


def _checked_entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".csv")]
    if len(archive.infolist()) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        message = Text(
            "A roster archive has at most {max_entries} files and {max_unpacked_bytes:,} bytes unpacked.",
            max_entries=MAX_ENTRIES,
            max_unpacked_bytes=MAX_UNPACKED_BYTES,
        )
        raise RosterUnreadable(message)
    # Rows refer to rows of other files by sourcedId, so any order does; this one reads well in the plan.
    order = ("orgs", "academicsessions", "courses", "classes", "users", "enrollments")
    names = {entry.filename: entry.filename.rsplit("/", 1)[-1].removesuffix(".csv").lower() for entry in entries}
    return sorted(entries, key=lambda e: order.index(names[e.filename]) if names[e.filename] in order else len(order))


def _table(name: str, file: IO[bytes]) -> RosterTable:
    with _named(name):
        table = read_csv(file)
    header = table.header
    if not any(header):
        message = Text("{name} is empty; its first line names the columns.", name=name)
        raise RosterUnreadable(message)
    # Spreadsheets write separators for columns that were used once; these have no names.
    doubled = {column for column in header if column and header.count(column) > 1}
    if doubled:
        message = Text("{name} names the column {doubled} twice.", name=name, doubled=min(doubled))
        raise RosterUnreadable(message)
    return RosterTable(name, header, _records(name, table))


async def _records(name: str, table: CsvTable) -> AsyncIterator[tuple[int, Sequence[str]]]:
    with _named(name):
        for record in table.records:
            yield record


@contextmanager
def _named(name: str) -> Iterator[None]:
    """What is no CSV is an unreadable roster, with the name of the file."""
    try:
        yield
    except NotCsv as error:
        message = f"{name} {error.reason}"
        raise RosterUnreadable(message, facts={"file": name, "line": error.line}) from error
