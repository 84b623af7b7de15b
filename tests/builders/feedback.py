"""Reports of SES in both of its forms, and in the envelope of SNS."""

import json
from typing import Any

from dataforge.kernel.ids import uuid7

TRIED = "Successfully validated SNS topic for Amazon SES event publishing."


def mail_object(*addresses: str) -> dict[str, Any]:
    return {
        "timestamp": "2026-05-04T09:00:00.000Z",
        "messageId": str(uuid7()),
        "source": "no-reply@dataforge.example",
        "sourceArn": "arn:aws:ses:us-east-1:123456789012:identity/dataforge.example",
        "sendingAccountId": "123456789012",
        "destination": list(addresses),
        "headersTruncated": False,
        "headers": [{"name": "From", "value": "no-reply@dataforge.example"}],
        "commonHeaders": {"from": ["no-reply@dataforge.example"], "subject": "1 lesson to do"},
    }


def bounce(
    *addresses: str, kind: str = "Permanent", subtype: str = "General", member: str = "notificationType"
) -> dict[str, Any]:
    """A bounce; `member` is `eventType` in an event of a configuration set."""
    recipients = [
        {"emailAddress": item, "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 unknown"}
        for item in addresses
    ]
    return {
        member: "Bounce",
        "bounce": {
            "feedbackId": str(uuid7()),
            "bounceType": kind,
            "bounceSubType": subtype,
            "bouncedRecipients": recipients,
            "timestamp": "2026-05-04T09:00:01.000Z",
            "reportingMTA": "dsn; a8-70.smtp-out.amazonses.com",
        },
        "mail": mail_object(*addresses),
    }


def complaint(*addresses: str, kind: str | None = "abuse", member: str = "notificationType") -> dict[str, Any]:
    """A complaint; `kind` is missing where the provider tells none."""
    found: dict[str, Any] = {
        "feedbackId": str(uuid7()),
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": item} for item in addresses],
        "timestamp": "2026-05-04T09:00:01.000Z",
        "userAgent": "ExampleCorp Feedback Loop (V0.01)",
        "arrivalDate": "2026-05-04T09:00:00.000Z",
    }
    if kind is not None:
        found["complaintFeedbackType"] = kind
    return {member: "Complaint", "complaint": found, "mail": mail_object(*addresses)}


def delivery(*addresses: str, member: str = "notificationType", kind: str = "Delivery") -> dict[str, Any]:
    """What changes nothing."""
    recipients = {"recipients": list(addresses), "smtpResponse": "250 2.0.0 OK"}
    return {member: kind, kind.lower(): recipients, "mail": mail_object(*addresses)}


def in_envelope(report: dict[str, Any] | str) -> str:
    """The body of a message as SNS writes it without raw delivery."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": str(uuid7()),
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:dataforge-feedback",
            "Subject": "Amazon SES Email Event Notification",
            "Message": report if isinstance(report, str) else json.dumps(report),
            "Timestamp": "2026-05-04T09:00:02.000Z",
            "SignatureVersion": "1",
            "Signature": "AAAA",
            "SigningCertURL": "https://sns.us-east-1.amazonaws.com/cert.pem",
            "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
        }
    )


def raw(report: dict[str, Any] | str) -> str:
    """The body of a message with raw delivery."""
    return report if isinstance(report, str) else json.dumps(report)
