"""Who takes mail from us: SES, or an SMTP server."""

import asyncio
import smtplib
import ssl
from typing import Protocol
from urllib.parse import unquote, urlsplit

from dataforge.platform.aws.clients import client
from dataforge.platform.mail.message import Mail, mime_message

_TIMEOUT_SECONDS = 20


class MailSender(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> str:
        """Hand the message over; returns the id it is known by at the other side."""
        ...


class SesSender:
    """Sends through the SES API (v1, which emulators have too) from one verified address."""

    def __init__(self, sender: str) -> None:
        self._sender = sender

    async def send(self, mail: Mail) -> str:
        """Hand the message over; raises botocore's ClientError when SES refuses it, ValueError for a bad header."""
        message = mime_message(mail, self._sender)
        answer = await asyncio.to_thread(
            client("ses").send_raw_email,
            Source=self._sender,
            Destinations=[mail.to],
            RawMessage={"Data": message.as_bytes()},
        )
        return str(answer["MessageId"])


class SmtpSender:
    """Sends through an SMTP server (RFC 5321).

    `url` is `smtp://host:port`, which is plain; `smtp+starttls://` or `smtps://`, which are encrypted and may carry
    `user:password@`. Raises ValueError for another one.
    """

    def __init__(self, url: str, sender: str) -> None:
        self._server = urlsplit(url)
        self._sender = sender
        if self._server.scheme not in ("smtp", "smtp+starttls", "smtps") or not self._server.hostname:
            message = "A mail server is given as smtp://, smtp+starttls:// or smtps:// with its host."
            raise ValueError(message)
        if self._server.username and self._server.scheme == "smtp":
            message = "A password is not sent over a plain connection; use smtp+starttls:// or smtps://."
            raise ValueError(message)

    async def send(self, mail: Mail) -> str:
        """Hand the message over; raises smtplib's SMTPException or OSError when the server does not take it."""
        return await asyncio.to_thread(self._send, mail)

    def _send(self, mail: Mail) -> str:
        message = mime_message(mail, self._sender)
        with self._connect() as server:
            server.send_message(message, self._sender, [mail.to])
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
