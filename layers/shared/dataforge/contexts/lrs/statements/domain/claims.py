"""What a client claims before its statements are accepted."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claim:
    """An id a client chose, and the hash of the content it is sent with."""

    statement_id: UUID
    content_sha256: bytes
