"""The boundary where whatever a file provokes becomes a refusal, at the first attempt.

Two kinds of failure meet in an import. What the content of a file brings about (a reader of Arrow, zlib, expat or ours
that stumbles) is as certain at the next attempt as at this one: `refusing` makes it an ImportRefused that names the
file, its part and the row reached. What the platform brings about (storage that does not answer) may pass by itself:
`Storage` marks what comes out of the reads of a file as Unavailable, which is tried again, and errors of writes
(OSError, the client of S3) go through as they are.
"""

from __future__ import annotations

import binascii
import csv
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from xml.parsers import expat

import pyarrow as pa

from dataforge.kernel.errors import DataForgeError, Unavailable
from dataforge.kernel.texts import Text, joined
from versioned_tables.errors import ImportRefused
from versioned_tables.files.archives import label
from versioned_tables.files.sources import FileSource
from versioned_tables.progress import Progress, ProgressCallback

# What readers raise about content, and say in words that help.
_SPEAKING = (
    pa.ArrowException,
    UnicodeError,
    zlib.error,
    zipfile.BadZipFile,
    expat.ExpatError,
    csv.Error,
    struct.error,
    binascii.Error,
    OverflowError,
)
# What a reader raises that content took by surprise; its words are about code.
_MUTE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
_MOST_WORDS = 300


@dataclass(slots=True)
class Place:
    """Where an import is: the file, the member of an archive or the sheet, and the rows read so far."""

    file: str
    part: str = ""
    rows: int = 0

    def enter(self, part: str) -> None:
        """Go to the next table of the file."""
        self.part, self.rows = part, 0

    def watching(self, progress: ProgressCallback) -> ProgressCallback:
        """The callback that also notes how far the import is."""

        def watch(step: Progress) -> None:
            self.rows = step.rows
            progress(step)

        return watch

    def __str__(self) -> str:
        return f"{self.file}, {self.part}" if self.part else self.file


@contextmanager
def refusing(place: Place) -> Iterator[None]:
    """Let refusals through with the place in front, and make refusals of what content provoked."""
    try:
        yield
    except ImportRefused as refused:
        _located(refused, place)
        raise
    except _SPEAKING as error:
        words = " ".join(str(error).split())[:_MOST_WORDS].rstrip(".")
        raise _unforeseen(Text("cannot be read: {words}.", words=words), place) from error
    except _MUTE as error:
        what = Text("they need more memory than there is") if isinstance(error, MemoryError) else type(error).__name__
        raise _unforeseen(Text("cannot be read ({what}).", what=what), place) from error


def _unforeseen(what: str, place: Place) -> ImportRefused:
    rows = Text("The rows after row {rows}", rows=place.rows) if place.rows else Text("The rows")
    refused = ImportRefused(joined([rows, what]))
    refused.unforeseen = True
    return _located(refused, place)


def _located(refused: ImportRefused, place: Place) -> ImportRefused:
    refused.facts.setdefault("file", place.file)
    if place.part:
        refused.facts.setdefault("part", place.part)
    if place.file not in refused.detail:
        refused.detail = joined([str(place), refused.detail], ": ")
        refused.args = (refused.detail,)
    return refused


class Storage:
    """A file source whose faults are the platform's: they are tried again and never blamed on the file."""

    def __init__(self, source: FileSource) -> None:
        self._source = source
        self.name = label(source.name)
        self.size = source.size

    def read(self, start: int, length: int) -> bytes:
        """Bytes of the file. Raises Unavailable."""
        with _platform():
            return self._source.read(start, length)

    def stream(self, start: int, stop: int, step: int) -> Iterator[bytes]:
        """Blocks of the file. Raises Unavailable."""
        with _platform():
            yield from self._source.stream(start, stop, step)


@contextmanager
def _platform() -> Iterator[None]:
    try:
        yield
    except DataForgeError:
        raise
    except Exception as error:
        message = Text("The storage of the uploaded file does not answer.")
        raise Unavailable(message) from error
