"""How large a request may be, and what the refusal of a larger one says."""

from dataforge.kernel.errors import PayloadTooLarge
from dataforge.kernel.texts import Text

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Lambda takes an event of 6 MB, which is about 4.5 MB of body once it is Base64-encoded."""


def body_too_large(limit: int = MAX_BODY_BYTES) -> PayloadTooLarge:
    """The refusal of a body of more than `limit` bytes, with what to do instead."""
    message = Text(
        "The body is over the limit of {limit:,} bytes. Split it into several requests with fewer statements or "
        "operations each, or upload a file through a presigned URL.",
        limit=limit,
    )
    return PayloadTooLarge(message, facts={"limit_bytes": limit})
