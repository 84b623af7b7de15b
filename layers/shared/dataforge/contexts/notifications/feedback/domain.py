"""What SES reports of mails it has taken, and which addresses get none from then on.

SES has two forms of the same report: notifications of an identity (`notificationType`) and events of a configuration
set (`eventType`). SNS puts either into an envelope of its own, unless the subscription asks for raw delivery.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from dataforge.contexts.notifications.suppressions.domain import Reason
from dataforge.kernel.texts import Text

# What is reported and changes nothing here. SES writes some of them in one form only, and with a space or without.
_PASSED_OVER = frozenset(
    {
        *("delivery", "send", "open", "click", "reject", "renderingfailure", "deliverydelay", "subscription"),
        # What SES sends to try a topic.
        "amazonsnssubscriptionsucceeded",
    }
)
_TRIED = "Successfully validated SNS topic"
_NO_COMPLAINT = "not-spam"  # somebody took it out of the spam folder (RFC 6650 §3.3)


class FeedbackUnreadable(ValueError):
    """The message is no report of SES; it comes again and is put aside in the end."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """Addresses that get no more mail, and why; none where the report changes nothing."""

    kind: str
    reason: Reason | None = None
    addresses: tuple[str, ...] = field(default=(), repr=False)


def read_feedback(body: str) -> Feedback:
    """The report in the body of a message; raises FeedbackUnreadable."""
    report = _without_envelope(body)
    if report is None:
        return Feedback("test")
    kind = str(report.get("notificationType") or report.get("eventType") or "")
    match kind:
        case "Bounce":
            return _bounce(_member(report, "bounce"))
        case "Complaint":
            return _complaint(_member(report, "complaint"))
    if kind.replace(" ", "").lower() not in _PASSED_OVER:
        message = Text("A report of the unknown kind {kind!r}.", kind=kind[:40])
        raise FeedbackUnreadable(message)
    return Feedback(kind)


def _without_envelope(body: str) -> Mapping[str, Any] | None:
    """The report; None for what SES sends to try a topic."""
    if body.startswith(_TRIED):
        return None
    found = _object(body)
    if found.get("Type") == "Notification" and "Message" in found:
        text = found["Message"]
        if isinstance(text, str) and text.startswith(_TRIED):
            return None
        return _object(text)
    return found


def _object(text: object) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError) as error:
        message = Text("The message is not JSON.")
        raise FeedbackUnreadable(message) from error
    if not isinstance(found, Mapping):
        message = Text("The message is not a JSON object.")
        raise FeedbackUnreadable(message)
    return found


def _member(report: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = report.get(name)
    if not isinstance(found, Mapping):
        message = Text("The report has no object {name!r}.", name=name)
        raise FeedbackUnreadable(message)
    return found


def _bounce(bounce: Mapping[str, Any]) -> Feedback:
    """A permanent bounce says that the address does not exist; any other, that a later mail may well arrive."""
    kind = f"Bounce/{bounce.get('bounceType')}/{bounce.get('bounceSubType')}"[:80]
    if bounce.get("bounceType") not in ("Permanent", "Transient", "Undetermined"):
        message = Text("The bounce has no known type.")
        raise FeedbackUnreadable(message)
    addresses = _addresses(bounce.get("bouncedRecipients"))
    return Feedback(kind, Reason.BOUNCE, addresses) if bounce["bounceType"] == "Permanent" else Feedback(kind)


def _complaint(complaint: Mapping[str, Any]) -> Feedback:
    kind = f"Complaint/{complaint.get('complaintFeedbackType')}"[:80]
    addresses = _addresses(complaint.get("complainedRecipients"))
    if complaint.get("complaintFeedbackType") == _NO_COMPLAINT:
        return Feedback(kind)
    return Feedback(kind, Reason.COMPLAINT, addresses)


def _addresses(recipients: object) -> tuple[str, ...]:
    """Their addresses, each once; raises FeedbackUnreadable without one."""
    given: Iterable[Any] = recipients if isinstance(recipients, list) else ()
    found = [parseaddr(str(item.get("emailAddress", "")))[1] for item in given if isinstance(item, Mapping)]
    addresses = tuple(dict.fromkeys(address.lower() for address in found if "@" in address))
    if not addresses:
        message = Text("The report names no recipient.")
        raise FeedbackUnreadable(message)
    return addresses
