"""Rules of suppression: who said, by whatever means, that they want no more mail."""

import hashlib
from enum import StrEnum

from dataforge.kernel.errors import BadRequest


class Scope(StrEnum):
    """What is no longer sent: reminders, or everything."""

    REMINDER = "reminder"
    ALL = "all"


class Reason(StrEnum):
    """Why: the person said so, the address does not exist, or the person called it spam."""

    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class InvalidUnsubscribeLink(BadRequest):
    """The link was not made by us, or is not whole."""

    code = "invalid_unsubscribe_link"
    title = "The link cannot be used"


def email_hash(address: str) -> str:
    """SHA-256 of the address in lower case: enough to recognise it, and not the address."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()
