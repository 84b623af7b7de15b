"""A real SMTP server that keeps what it is given, and the delivery of what the API has to mail."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller

from dataforge.bootstrap import modules
from dataforge.contexts.notifications.messages.consumers import send_waiting
from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.platform.mail.senders import SmtpSender
from infra.local.mailbox import Mailbox, ReceivedMail
from infra.local.ports import LOOPBACK, free_port
from tests.builders.api import ApiUnderTest

PUBLIC = "https://forge.example.org/v1"
FOOTER = {
    "unsubscribe_page": "https://learn.example.org/ui/unsubscribe?token=abc",
    "preferences_page": "https://learn.example.org/ui/notification-preferences",
}
_LINK = re.compile(r"https://\S+/ui/[a-z-]+\?token=([A-Za-z0-9_-]+)")


@contextmanager
def receiving(directory: Path) -> Iterator[Mailbox]:
    """A mailbox that listens until the block ends."""
    mailbox = Mailbox(directory)
    mailbox.start()
    try:
        yield mailbox
    finally:
        mailbox.stop()


class _Refusing:
    """Takes no recipient."""

    def __init__(self, reply: str) -> None:
        self._reply = reply

    async def handle_RCPT(self, *_: object) -> str:  # noqa: N802 - aiosmtpd's name
        return self._reply


@contextmanager
def refusing(reply: str) -> Iterator[SmtpSender]:
    """Sends to an SMTP server that answers each recipient like this, until the block ends."""
    server = Controller(_Refusing(reply), hostname=LOOPBACK, port=free_port())
    server.start()
    try:
        yield SmtpSender(f"smtp://{LOOPBACK}:{server.port}", "no-reply@forge.example.org")
    finally:
        server.stop()


async def deliver(api: ApiUnderTest, mailbox: Mailbox) -> list[ReceivedMail]:
    """Relay the outbox and send what it leads to, as `maintenance` does; returns the new mails, oldest first."""
    before = {mail.id for mail in mailbox.mails()}
    platform = api.platform_of("maintenance")
    platform.mailer = SmtpSender(mailbox.smtp_url, "no-reply@forge.example.org")
    counts = await relay_outbox(platform, subscribers(modules(), platform))
    assert (counts["failed"], counts["dead"]) == (0, 0)
    await send_waiting(platform.get(NotificationsServices))
    return sorted((mail for mail in mailbox.mails() if mail.id not in before), key=lambda mail: mail.id)


def token_in(mail: ReceivedMail) -> str:
    """The token of the link in a mail."""
    found = _LINK.search(mail.text)
    assert found, mail.text
    return found[1]
