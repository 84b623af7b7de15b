"""Roster files that are uploaded: announced with size and checksum, and checked against both when they are used."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dataforge.contexts.academics.rosters.domain.files import RosterUnreadable

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
            message = (
                f"The upload is not the file that was announced: it has {size_bytes:,} bytes and SHA-256 {sha256}, "
                f"announced were {self.size_bytes:,} bytes and {self.sha256}. Upload it again."
            )
            raise RosterUnreadable(message)


def upload_key(person: UUID | None, upload_id: UUID, file_name: str) -> str:
    """Where the file goes; its own name is a label and never part of a path."""
    suffix = ".zip" if file_name.lower().endswith(".zip") else ".csv"
    return f"{UPLOAD_PREFIX}{person or 'system'}/{upload_id}{suffix}"
