"""Roster files that are uploaded: announced with size and checksum, and checked against both when they are used."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dataforge.contexts.academics.rosters.domain.files import RosterUnreadable
from dataforge.kernel.texts import Text

UPLOAD_PREFIX = "uploads/rosters/"
MAX_FILE_BYTES = 256 * 1024 * 1024
# As long as the presigned address takes a file; what was uploaded stays for the bucket's retention.
EXPIRES_AFTER = timedelta(minutes=15)
UPLOAD_SECONDS = int(EXPIRES_AFTER.total_seconds())
SUBJECT = "rosters"  # whose quota uploads count in


@dataclass(frozen=True, slots=True)
class AnnouncedUpload:
    """A file that was announced: its key, its size in bytes and its SHA-256 in hex."""

    id: UUID
    key: str
    size_bytes: int
    sha256: str

    def check(self, size_bytes: int, sha256: str) -> None:
        """Raise RosterUnreadable unless the file that arrived is the one announced."""
        if (size_bytes, sha256) != (self.size_bytes, self.sha256):
            message = Text(
                "The upload is not the file that was announced: it has {size_bytes:,} bytes and SHA-256 {sha256}, "
                "announced were {size_bytes_2:,} bytes and {sha256_2}. Upload it again.",
                size_bytes=size_bytes,
                sha256=sha256,
                size_bytes_2=self.size_bytes,
                sha256_2=self.sha256,
            )
            raise RosterUnreadable(message)


def upload_key(person: UUID | None, upload_id: UUID, file_name: str) -> str:
    """Where the file goes; its own name is a label and never part of a path."""
    suffix = ".zip" if file_name.lower().endswith(".zip") else ".csv"
    return f"{UPLOAD_PREFIX}{person or 'system'}/{upload_id}{suffix}"
