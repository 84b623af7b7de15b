"""What is known of something in quarantine."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """Something that could not become a statement; the body is whole in S3."""

    body_sha256: str
    s3_key: str
    reason: str
    error: str
    pointer: str | None = None
    statement_id: UUID | None = None
    request_id: UUID | None = None
