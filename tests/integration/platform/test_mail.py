"""Mail over real SMTP, and the page that shows it."""

import asyncio
import smtplib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dataforge.platform.mail.message import Attachment, Mail
from dataforge.platform.mail.senders import SmtpSender, UndeliverableAddress
from infra.local.mailbox import Mailbox
from infra.local.ports import LOOPBACK, free_port
from tests.builders.mail import receiving, refusing

SENDER = "no-reply@dataforge.example"
ADA = "ada@example.org"
LONG_LINK = "<https://example.org/api/unsubscribe?token=" + "a" * 400 + ">"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with receiving(tmp_path / "mail") as mailbox:
        yield mailbox


@pytest.fixture
def sender(mailbox: Mailbox) -> SmtpSender:
    return SmtpSender(mailbox.smtp_url, SENDER)


async def test_a_mail_arrives_with_its_envelope_and_both_bodies(mailbox: Mailbox, sender: SmtpSender) -> None:
    sent = await sender.send(Mail(ADA, "Grüße aus dem Kurs", "Hallo Ada\n", "<p>Hallo <b>Ada</b></p>"))

    [mail] = mailbox.mails()
    assert (mail.sender, mail.recipients) == (SENDER, (ADA,))
    assert (mail.message["Subject"], mail.message["From"], mail.message["To"]) == ("Grüße aus dem Kurs", SENDER, ADA)
    assert (mail.text.strip(), mail.part("html").strip()) == ("Hallo Ada", "<p>Hallo <b>Ada</b></p>")
    assert mail.message["Message-ID"] == sent
    assert mail.message["Date"].datetime is not None


async def test_a_long_unsubscribe_link_goes_out_as_it_is(mailbox: Mailbox, sender: SmtpSender) -> None:
    await sender.send(Mail(ADA, "Reminder", "Soon.\n", headers={"List-Unsubscribe": LONG_LINK}))

    assert f"List-Unsubscribe: {LONG_LINK}\r\n".encode() in mailbox.mails()[0].content


async def test_an_attachment_keeps_its_bytes_and_its_kind(mailbox: Mailbox, sender: SmtpSender) -> None:
    content = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    calendar = Attachment("invite.ics", "text/calendar; method=REQUEST; charset=utf-8", content)

    await sender.send(Mail(ADA, "Lesson", "See the attachment.\n", "<p>See the attachment.</p>", {}, (calendar,)))

    [part] = mailbox.mails()[0].message.iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part["Content-Type"].params["method"]) == (
        "invite.ics",
        "text/calendar",
        "REQUEST",
    )
    assert part.get_payload(decode=True) == content
    assert mailbox.mails()[0].text.strip() == "See the attachment."


@pytest.mark.parametrize(
    "address", ["ada@example.org, eve@example.org", "ada@example.org\nBcc: eve@example.org", "ada"]
)
async def test_a_mail_goes_to_one_person_or_to_nobody(mailbox: Mailbox, sender: SmtpSender, address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        await sender.send(Mail(address, "Hello", "Hello\n"))

    assert mailbox.mails() == []


async def test_a_line_break_makes_no_second_header(mailbox: Mailbox, sender: SmtpSender) -> None:
    with pytest.raises(ValueError, match=r"."):
        await sender.send(Mail(ADA, "Hello\r\nBcc: eve@example.org", "Hello\n"))

    assert mailbox.mails() == []


async def test_a_server_that_is_away_is_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        await SmtpSender(f"smtp://{LOOPBACK}:{free_port()}", SENDER).send(Mail(ADA, "Hello", "Hello\n"))


@pytest.mark.parametrize(
    ("reply", "known"),
    [
        ("550 5.1.1 No such user", False),
        ("553 Mailbox name not allowed", False),
        ("550 5.7.1 Relaying denied", True),
        ("450 4.2.0 Greylisted, come again", True),
        ("452 4.2.2 Mailbox full", True),
    ],
)
async def test_only_a_recipient_that_the_server_does_not_know_is_given_up(reply: str, known: bool) -> None:
    with refusing(reply) as sender, pytest.raises(smtplib.SMTPRecipientsRefused if known else UndeliverableAddress):
        await sender.send(Mail(ADA, "Hello", "Hello\n"))


async def test_many_at_once_all_arrive(mailbox: Mailbox, sender: SmtpSender) -> None:
    await asyncio.gather(*(sender.send(Mail(f"p{number}@example.org", "Hello", "Hello\n")) for number in range(40)))

    assert {mail.recipients for mail in mailbox.mails()} == {(f"p{number}@example.org",) for number in range(40)}


async def test_the_page_shows_what_arrived_and_runs_none_of_it(mailbox: Mailbox, sender: SmtpSender) -> None:
    await sender.send(Mail(ADA, "<script>alert(1)</script>", "1 < 2\n", "<script>alert(2)</script><p>Hi</p>"))
    async with httpx.AsyncClient(base_url=mailbox.page_url) as client:
        listed = await client.get("/")
        name = mailbox.mails()[0].id
        shown, framed, raw = [await client.get(f"/{name}{part}") for part in ("", "/html", "/raw")]
        missing = await client.get("/..%2Fports")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in listed.text
    assert ADA in listed.text
    assert "1 &lt; 2" in shown.text
    assert "<script>" not in listed.text + shown.text
    assert "default-src 'none'" in framed.headers["Content-Security-Policy"]
    assert "sandbox" in framed.headers["Content-Security-Policy"]
    assert raw.content == mailbox.mails()[0].content
    assert raw.headers["Content-Type"].startswith("text/plain")
    assert missing.status_code == 404


async def test_a_mailbox_keeps_its_mails_and_its_addresses(tmp_path: Path) -> None:
    with receiving(tmp_path) as first:
        addresses = (first.smtp_url, first.page_url)
        await SmtpSender(first.smtp_url, SENDER).send(Mail(ADA, "Hello", "Hello\n"))
    with receiving(tmp_path) as second:
        assert (second.smtp_url, second.page_url) == addresses
        assert [mail.message["Subject"] for mail in second.mails()] == ["Hello"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:25", "smtp://", "127.0.0.1:25"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="A mail server is given as"):
        SmtpSender(url, SENDER)


def test_a_password_is_not_sent_in_the_clear() -> None:
    with pytest.raises(ValueError, match="not sent over a plain connection"):
        SmtpSender("smtp://user:secret@mail.example.org:25", SENDER)
