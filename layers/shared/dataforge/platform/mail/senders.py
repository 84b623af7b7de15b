"""Who takes mail from us: SES, or an SMTP server."""

import asyncio
import re
import smtplib
import ssl
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client
from dataforge.platform.mail.message import Mail, mime_message

_TIMEOUT_SECONDS = 20


class UndeliverableAddress(Exception):
    """The other side says for good that it has no such recipient: trying again does not help."""


class MailSender(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> str:
        """Hand the message over; returns the id it is known by at the other side. Raises UndeliverableAddress."""
        ...


# What an endpoint answers that has no v2 of the API, or whose v2 does not know who was verified with v1.
_NOT_HERE = frozenset(
    {
        *("404", "405", "501", "NotFoundException", "UnknownOperationException"),
        *("InvalidAction", "NotImplemented", "UnsupportedOperation", "MethodNotAllowed"),
    }
)
_UNVERIFIED = "is not verified"
# No such mailbox or domain (RFC 5321 §4.2.3, RFC 3463 §3.2); other refusals for good are of the sender or the message,
# and somebody may put them right.
_NO_MAILBOX, _OF_THE_ADDRESS = (550, 551, 553), re.compile(rb"5\.1\.(?:1|2|3|6|10)\b")
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")


class SesSender:
    """Sends through the SES API from one verified address: by v2 where the endpoint has it, else by v1.

    Both take the whole message, and both say by the same id what became of it. What `configuration_set` names reports
    bounces and complaints.
    """

    def __init__(self, sender: str, configuration_set: str = "") -> None:
        self._sender = sender
        self._configuration_set = configuration_set
        self._v1_only = False

    async def send(self, mail: Mail) -> str:
        """Hand the message over; raises botocore's ClientError when SES refuses it, ValueError for a bad header."""
        content = mime_message(mail, self._sender).as_bytes()
        return await asyncio.to_thread(self._send, mail.to, content)

    def _send(self, to: str, content: bytes) -> str:
        from botocore.exceptions import ClientError

        if self._v1_only:
            return self._by_v1(to, content)
        try:
            return self._by_v2(to, content)
        except ClientError as error:
            # It was refused, so that nothing has been sent twice when v1 takes it.
            refusal = error.response.get("Error", {})
            message = str(refusal.get("Message"))
            # A configuration set that is not there is not found either.
            absent = refusal.get("Code") in _NOT_HERE and "onfiguration set" not in message
            if not absent and _UNVERIFIED not in message:
                raise
            self._v1_only = absent
            return self._by_v1(to, content)

    def _by_v2(self, to: str, content: bytes) -> str:
        answer = client("sesv2").send_email(
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [to]},
            Content={"Raw": {"Data": content}},
            **self._options(),
        )
        return str(answer["MessageId"])

    def _by_v1(self, to: str, content: bytes) -> str:
        answer = client("ses").send_raw_email(
            Source=self._sender, Destinations=[to], RawMessage={"Data": content}, **self._options()
        )
        return str(answer["MessageId"])

    def _options(self) -> dict[str, Any]:
        return {"ConfigurationSetName": self._configuration_set} if self._configuration_set else {}


class SmtpSender:
    """Sends through an SMTP server (RFC 5321).

    `url` is `smtp://host:port`, which is plain; `smtp+starttls://` or `smtps://`, which are encrypted and may carry
    `user:password@`. Raises ValueError for another one.
    """

    def __init__(self, url: str, sender: str) -> None:
        self._server = urlsplit(url)
        self._sender = sender
        if self._server.scheme not in ("smtp", "smtp+starttls", "smtps") or not self._server.hostname:
            message = Text("A mail server is given as smtp://, smtp+starttls:// or smtps:// with its host.")
            raise ValueError(message)
        if self._server.username and self._server.scheme == "smtp":
            message = Text("A password is not sent over a plain connection; use smtp+starttls:// or smtps://.")
            raise ValueError(message)

    async def send(self, mail: Mail) -> str:
        """Hand the message over; raises smtplib's SMTPException or OSError when the server does not take it, and
        UndeliverableAddress when it knows no such recipient.
        """
        return await asyncio.to_thread(self._send, mail)

    def _send(self, mail: Mail) -> str:
        message = mime_message(mail, self._sender)
        with self._connect() as server:
            try:
                server.send_message(message, self._sender, [mail.to])
            except smtplib.SMTPRecipientsRefused as error:
                code, answer = error.recipients[mail.to]
                if is_unknown_recipient(code, answer):
                    raise UndeliverableAddress(str(code)) from error
                raise
        return str(message["Message-ID"])

    def _connect(self) -> smtplib.SMTP:
        host, port = self._server.hostname or "", self._server.port or 0
        if self._server.scheme == "smtps":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
        if self._server.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        if self._server.username:
            server.login(unquote(self._server.username), unquote(self._server.password or ""))
        return server


def is_unknown_recipient(code: int, answer: bytes) -> bool:
    """Whether an SMTP reply says for good that there is no such recipient (RFC 5321 §4.2.3, RFC 3463 §3.2)."""
    if _ENHANCED.match(answer):
        return code >= 500 and _OF_THE_ADDRESS.match(answer) is not None
    return code in _NO_MAILBOX
