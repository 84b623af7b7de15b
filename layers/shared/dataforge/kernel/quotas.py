"""How much may be uploaded: what is claimed for one upload, and the limits (see platform.db.upload_quota)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.kernel.errors import Conflict

GIB = 1024**3


class UploadQuotaExceeded(Conflict):
    """The upload would exceed what a person or a dataset may upload in a day."""

    code = "upload_quota_exceeded"
    title = "The upload quota is used up"


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Bytes a day by one person and into one subject (a dataset, the rosters), and files a day for each of the two."""

    person_bytes: int = 1024 * GIB
    subject_bytes: int = 1024 * GIB
    files: int = 10_000


@dataclass(frozen=True, slots=True)
class UploadClaim:
    """An upload of `size` bytes; it counts until `expires_at`, and for a day at least once it is complete."""

    id: UUID
    person: UUID | None
    subject: str
    size: int
    expires_at: datetime
