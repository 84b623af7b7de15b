"""The mailbox of a local stack: an SMTP server that keeps what it is given, and a page that shows it."""

from __future__ import annotations

import asyncio
import html
import re
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from aiosmtpd.controller import Controller
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from infra.local.errors import LocalStackError
from infra.local.files import write_whole
from infra.local.ports import LOOPBACK, free_port, port_is_free

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

_SHOWN = 200
_ADDRESS = re.compile(r"\bhttps?://(?:(?!&quot;|&#x27;|&lt;|&gt;)[^\s])+")
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:1em auto}}"
    "body{{padding:0 1em}}"
    "td,th{{text-align:left;padding:.2em .8em .2em 0;vertical-align:top;overflow-wrap:anywhere}}"
    "th{{overflow-wrap:normal}}pre{{white-space:pre-wrap;overflow-wrap:anywhere}}"
    "iframe{{width:100%;height:30em;border:1px solid #888}}</style></head><body>"
)
# What a mail carries must not run or load anything here.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
_LINKS_ONLY = "allow-popups allow-popups-to-escape-sandbox"


@dataclass(frozen=True)
class ReceivedMail:
    """A mail as it arrived: ``sender`` and ``recipients`` are the envelope's, ``content`` is untouched."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def arrived_at(self) -> datetime:
        """When it arrived, in UTC to the second; the id begins with it."""
        return datetime.strptime(self.id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)

    @property
    def message(self) -> EmailMessage:
        """The parsed message."""
        message = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def text(self) -> str:
        """The text part."""
        return self.part("plain")

    def part(self, subtype: str) -> str:
        """The body of a kind, ``plain`` or ``html``; empty when there is none."""
        body = self.message.get_body((subtype,))
        return "" if body is None else str(body.get_content())


class Mailbox:
    """Receives on ``smtp_url``, keeps mails as files and shows them at ``page_url``; both on the loopback interface."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._ports = directory / "ports"
        self._controller: Controller | None = None
        self._page: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.smtp_port, self.page_port = self._choose_ports()

    @property
    def smtp_url(self) -> str:
        """Where the functions send mail to."""
        return f"smtp://{LOOPBACK}:{self.smtp_port}"

    @property
    def page_url(self) -> str:
        """Where people read it."""
        return f"http://{LOOPBACK}:{self.page_port}"

    def _choose_ports(self) -> tuple[int, int]:
        # The same ones at every start: the deployed functions know the first, people's bookmarks the second.
        self.directory.mkdir(parents=True, exist_ok=True)
        if self._ports.exists():
            known = [int(port) for port in self._ports.read_text().split()]
            if len(known) == 2 and all(port_is_free(port) for port in known):
                return known[0], known[1]
        chosen = (free_port(), free_port())
        write_whole(self._ports, f"{chosen[0]} {chosen[1]}\n")
        return chosen

    def start(self) -> None:
        """Listen; raises LocalStackError when a port is taken in this very moment."""
        self._controller = Controller(self, hostname=LOOPBACK, port=self.smtp_port)
        try:
            self._controller.start()
        except OSError as error:
            raise LocalStackError(f"The local mailbox cannot listen: {error}.", "Run again.") from error
        routes = [
            Route("/", self._list_page),
            Route("/{mail}", self._mail_page),
            Route("/{mail}/html", self._html_part),
            Route("/{mail}/raw", self._raw),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host=LOOPBACK, port=self.page_port, log_config=None, lifespan="off"
        )
        self._page = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()

    async def _serve(self) -> None:
        assert self._page is not None
        await self._page.serve()

    def stop(self) -> None:
        """Stop listening; what arrived stays."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
        if self._page is not None and self._thread is not None:
            self._page.should_exit = True
            self._thread.join(timeout=10)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail; it is on disk before it is acknowledged."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        head = f"{envelope.mail_from}\n{' '.join(envelope.rcpt_tos)}\n".encode()
        path = self.directory / f"{name}.mail"
        partial = path.with_suffix(".partial")
        partial.write_bytes(head + content)
        partial.rename(path)
        return f"250 OK {name}"

    def mails(self) -> list[ReceivedMail]:
        """What arrived, oldest first."""
        return [self._read(path) for path in sorted(self.directory.glob("*.mail"))]

    def _read(self, path: Path) -> ReceivedMail:
        sender, recipients, content = path.read_bytes().split(b"\n", 2)
        return ReceivedMail(path.stem, sender.decode(), tuple(recipients.decode().split()), content)

    def _find(self, request: Request) -> ReceivedMail:
        wanted = request.path_params["mail"]
        for path in self.directory.glob("*.mail"):
            if path.stem == wanted:
                return self._read(path)
        raise HTTPException(404, "There is no such mail.")

    async def _list_page(self, _request: Request) -> Response:
        rows = "".join(
            f"<tr><td>{mail.arrived_at:%Y-%m-%d %H:%M:%S}</td><td>{_text(', '.join(mail.recipients))}</td>"
            f'<td><a href="/{mail.id}">{_text(mail.message["Subject"] or "(no subject)")}</a></td></tr>'
            for mail in reversed(self.mails()[-_SHOWN:])
        )
        body = f"<table><tr><th>Arrived (UTC)</th><th>To</th><th>Subject</th></tr>{rows}</table>"
        return _page("Mailbox", "<h1>Mailbox</h1>" + (body if rows else "<p>No mail has arrived yet.</p>"))

    async def _mail_page(self, request: Request) -> Response:
        mail = self._find(request)
        headers = "".join(f"<tr><th>{_text(k)}</th><td>{_text(v)}</td></tr>" for k, v in mail.message.items())
        envelope = f"<tr><th>Envelope</th><td>{_text(mail.sender)} → {_text(', '.join(mail.recipients))}</td></tr>"
        attached = "".join(
            f"<li>{_text(part.get_filename() or 'unnamed')} ({_text(part.get_content_type())})</li>"
            for part in mail.message.iter_attachments()
        )
        shown = (
            f'<h2>HTML</h2><iframe sandbox="{_LINKS_ONLY}" title="HTML" src="/{mail.id}/html"></iframe>'
            if mail.part("html")
            else ""
        )
        title = str(mail.message["Subject"] or "(no subject)")
        return _page(
            title,
            f'<p><a href="/">Mailbox</a> · <a href="/{mail.id}/raw">as it arrived</a></p><h1>{_text(title)}</h1>'
            f"<table>{envelope}{headers}</table><h2>Text</h2><pre>{_linked(mail.text)}</pre>{shown}"
            + (f"<h2>Attachments</h2><ul>{attached}</ul>" if attached else ""),
        )

    async def _html_part(self, request: Request) -> Response:
        return HTMLResponse(
            # A link leads out of the frame, whose pages can do nothing.
            self._find(request).part("html").replace("<head>", '<head><base target="_blank">', 1),
            headers={"Content-Security-Policy": f"{_POLICY}; sandbox {_LINKS_ONLY}"},
        )

    async def _raw(self, request: Request) -> Response:
        return Response(self._find(request).content, media_type="text/plain")


def _text(value: object) -> str:
    return html.escape(str(value))


def _linked(text: str) -> str:
    # Addresses have no quotes and no blanks, so that what is left of them after escaping stands well in an attribute.
    return _ADDRESS.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', _text(text))


def _page(title: str, body: str) -> Response:
    text = _HEAD.format(title=_text(title)) + f"<main>{body}</main></body></html>"
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})
