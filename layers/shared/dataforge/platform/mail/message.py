"""What a mail is, and its bytes on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import formatdate, make_msgid

# A List-Unsubscribe that is folded goes out as encoded words, which no reader follows.
_UNFOLDED = frozenset({"list-unsubscribe", "list-unsubscribe-post", "message-id"})
_LONGEST_WORD = 60  # of a subject in ASCII that is folded at its spaces


class _MailPolicy(EmailPolicy):
    """Lines of 998 characters (RFC 5322 §2.1.1) where folding does harm, and else as usual.

    An encoded word has 75 characters at most (RFC 2047 §2): Python's policies make them as long as lines may be, and
    lose spaces between them, which the older `Header` does not.
    """

    def fold(self, name: str, value: str) -> str:
        if name.lower() == "subject":
            plain = value.isascii() and max(map(len, value.split()), default=0) <= _LONGEST_WORD
            header = Header(str(value), "us-ascii" if plain else "utf-8", maxlinelen=76, header_name=name)
            return f"{name}: {header.encode(linesep=self.linesep)}{self.linesep}"
        return str(super().fold(name, value) if name.lower() in _UNFOLDED else SMTP.fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _MailPolicy(linesep="\r\n", max_line_length=998)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail; `media_type` such as `text/calendar; method=REQUEST`."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to one person; `headers` are added as they are (List-Unsubscribe, say)."""

    to: str
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    id: str = ""
    """The part of the Message-ID that is ours, the same whenever the same message is handed over; made up if empty."""

    def with_id(self, name: str) -> "Mail":
        """The same mail under a name of its own."""
        return replace(self, id=name)


def mime_message(mail: Mail, sender: str) -> EmailMessage:
    """The message (RFC 5322, RFC 2045) with an id of its own; raises ValueError for an impossible address or header."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.to)  # one person: a comma would make two of what is given as a text
    message["Subject"] = mail.subject
    message["Date"] = formatdate()  # not every mail server adds one, and RFC 5322 §3.6 wants it
    domain = sender.rpartition("@")[2]
    message["Message-ID"] = f"<{mail.id}@{domain}>" if mail.id else make_msgid(domain=domain or None)
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    for attachment in mail.attachments:
        _attach(message, attachment)
    return message


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    media_type, *parameters = (part.strip() for part in attachment.media_type.split(";"))
    main, _, sub = media_type.partition("/")
    message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)
    part = list(message.iter_attachments())[-1]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        part.set_param(name, value)
