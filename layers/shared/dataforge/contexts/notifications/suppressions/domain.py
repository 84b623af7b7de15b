"""Rules of suppression: who said, by whatever means, that they want no more mail."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text


class Scope(StrEnum):
    """What is no longer sent: messages of some kinds, or all."""

    REMINDER = "reminder"
    ENROLLMENT = "enrollment"
    REVIEW = "review"
    IMPORT = "import"
    SCHEMA = "schema"
    WEBHOOK = "webhook"
    ALL = "all"


LABELS: Final = {
    Scope.REMINDER: "reminders",
    Scope.ENROLLMENT: Text("mail about enrolments"),
    Scope.REVIEW: Text("mail about reviews"),
    Scope.IMPORT: Text("mail about imports"),
    Scope.SCHEMA: Text("mail about schemas"),
    Scope.WEBHOOK: Text("mail about webhooks"),
    Scope.ALL: "mail",
}
"""What nobody gets any more who has unsubscribed, in the middle of a sentence."""


class Reason(StrEnum):
    """Why: the person said so, the address does not exist, or the person called it spam."""

    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class InvalidUnsubscribeLink(BadRequest):
    """The link was not made by us, or is not whole."""

    code = "invalid_unsubscribe_link"
    title = "The link cannot be used"


def is_silenced(suppressed: Mapping[Scope, Reason], scope: Scope | None) -> bool:
    """Whether an address takes no mail of a scope; None is mail that nobody can do without.

    The latter is kept back only where the address does not exist: who has unsubscribed, or called something spam, can
    still have the password reset.
    """
    if scope is None:
        return suppressed.get(Scope.ALL) is Reason.BOUNCE
    return scope in suppressed or Scope.ALL in suppressed


def email_hash(address: str) -> str:
    """SHA-256 of the address in lower case: enough to recognise it, and not the address."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()
