"""Uploads: how a file is cut into parts, and what names may do."""

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from dataforge.kernel.errors import BadRequest, Conflict
from dataforge.kernel.texts import Text

# S3's limits (Amazon S3 user guide, "multipart upload limits").
MIN_PART = 5 * 1024 * 1024
MAX_PART = 5 * 1024**3
MAX_PARTS = 10_000
# What one import reads within the 15 minutes of a function, with room to spare (ADR 8).
MAX_SIZE = 100 * 1024**3
DEFAULT_PART = 64 * 1024 * 1024
URLS_PER_REQUEST = 100
URL_SECONDS = 3600
EXPIRES_AFTER = timedelta(days=2)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class UploadState(StrEnum):
    """Where an upload is."""

    OPEN = "open"
    COMPLETING = "completing"
    COMPLETED = "completed"
    ABORTED = "aborted"


class UploadClosed(Conflict):
    """The upload is completed or aborted."""

    code = "upload_closed"
    title = "The upload takes no more parts"


class PartsIncomplete(Conflict):
    """Parts are missing or do not have the sizes they should have."""

    code = "parts_incomplete"
    title = "The upload is not complete"


class PartRefused(BadRequest):
    """A part number or checksum that does not fit the upload."""

    code = "part_refused"
    title = "The part does not fit the upload"


@dataclass(frozen=True, slots=True)
class PartPlan:
    """How a file of `size` bytes is cut: all parts have `part_size` bytes, the last one what is left."""

    size: int
    part_size: int

    @property
    def count(self) -> int:
        """Number of parts, at least one."""
        return max(1, math.ceil(self.size / self.part_size))

    def length(self, number: int) -> int:
        """Bytes of a part (1-based); raises PartRefused for a number outside of the plan."""
        if not 1 <= number <= self.count:
            message = Text(
                "The upload has parts 1 to {count}; there is no part {number}.", count=self.count, number=number
            )
            raise PartRefused(message)
        return self.part_size if number < self.count else self.size - self.part_size * (self.count - 1)


def plan_parts(size: int, wanted: int | None = None) -> PartPlan:
    """Part size for a file: the one wanted, else 64 MiB, raised until 10,000 parts are enough. Raises PartRefused."""
    if not 0 <= size <= MAX_SIZE:
        message = Text("A file may have 0 to {max_size:,} bytes; this one has {size:,}.", max_size=MAX_SIZE, size=size)
        raise PartRefused(message)
    if wanted is not None and not MIN_PART <= wanted <= MAX_PART:
        message = Text("Parts may have {min_part:,} to {max_part:,} bytes.", min_part=MIN_PART, max_part=MAX_PART)
        raise PartRefused(message)
    return PartPlan(size, max(wanted or DEFAULT_PART, math.ceil(size / MAX_PARTS)))


def safe_file_name(name: str) -> str:
    """The last component of a file name, reduced to letters, digits, `.`, `_`, `-`: a label, never a path."""
    last = PurePosixPath(name.replace("\\", "/")).name
    cleaned = _UNSAFE.sub("_", last).strip("._")[-100:]
    return cleaned or "file"
