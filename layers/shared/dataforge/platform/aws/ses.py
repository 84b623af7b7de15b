"""Mail through SES."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Protocol

from dataforge.platform.aws.clients import client


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in plain text to one person; `headers` are added as they are (List-Unsubscribe, say)."""

    to: str
    subject: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


class MailSender(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> str:
        """Hand the message over; returns the provider's id."""
        ...


class SesSender:
    """Sends through the SES API (v1, which emulators have too) from one verified address."""

    def __init__(self, sender: str) -> None:
        self._sender = sender

    async def send(self, mail: Mail) -> str:
        """Hand the message over; raises botocore's ClientError when SES refuses it, ValueError for a bad header."""
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2] or None)
        for name, value in mail.headers.items():
            message[name] = value
        message.set_content(mail.text)
        answer = await asyncio.to_thread(
            client("ses").send_raw_email,
            Source=self._sender,
            Destinations=[mail.to],
            RawMessage={"Data": message.as_bytes()},
        )
        return str(answer["MessageId"])
