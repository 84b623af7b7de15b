"""Requests to real servers on the loopback interface: the name is checked, the address pinned, the answer bounded."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dataforge.platform.outgoing import MAX_ANSWER_BYTES, NoAnswer, send
from tests.builders.tls import Resolver, certificate_for, trust

NAME = "receiver.test"


class Handler(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answers = {
            "/echo?a=1": (200, {"X-Host": self.headers["Host"]}, body),
            "/away": (302, {"Location": "http://169.254.169.254/"}, b""),
            "/large": (200, {}, b"x" * (4 * MAX_ANSWER_BYTES)),
            "/slow": (200, {}, None),
        }
        if self.path == "/slow-headers":
            self.trickle(b"HTTP/1.1 200 OK\r\nX-Long: ")
            return
        status, headers, content = answers[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if content is not None:
            self.wfile.write(content)
            return
        self.trickle(b"")

    def trickle(self, head: bytes) -> None:
        with suppress(OSError):  # whoever asked has gone
            for piece in (head, *[b"x"] * 200):
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for NAME, with its key."""
    return certificate_for(NAME, tmp_path_factory.mktemp("tls"))


def serve(certificate: Path | None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture
def port() -> Iterator[int]:
    """A server without TLS."""
    yield from serve(None)


@pytest.fixture
def tls_port(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server with TLS, whose certificate is trusted, and whose name and others lead to it."""
    trust(certificate, monkeypatch)
    Resolver(monkeypatch)
    yield from serve(certificate)


post = partial(send, "POST", headers={"Content-Type": "text/plain"}, private=True)


async def test_a_request_arrives_as_it_is(port: int) -> None:
    answer = await post(f"http://127.0.0.1:{port}/echo?a=1", body=b"\x00\xff")

    assert (answer.status, answer.body, answer.headers["x-host"]) == (200, b"\x00\xff", f"127.0.0.1:{port}")


async def test_a_redirect_is_not_followed(port: int) -> None:
    answer = await post(f"http://127.0.0.1:{port}/away", body=b"")

    assert (answer.status, answer.headers["location"]) == (302, "http://169.254.169.254/")


async def test_no_more_of_an_answer_is_read_than_is_looked_at(port: int) -> None:
    assert len((await post(f"http://127.0.0.1:{port}/large", body=b"")).body) == MAX_ANSWER_BYTES


async def test_an_answer_that_trickles_is_given_up(port: int) -> None:
    with pytest.raises(NoAnswer, match=r"longer than|No answer within"):
        await post(f"http://127.0.0.1:{port}/slow", body=b"", seconds=0.5)


async def test_headers_that_trickle_are_given_up(port: int) -> None:
    with pytest.raises(NoAnswer, match=r"longer than|No answer within"):
        await post(f"http://127.0.0.1:{port}/slow-headers", body=b"", seconds=0.5)


async def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match="refused"):
        await post("http://127.0.0.1:9/", body=b"")


async def test_the_certificate_must_have_the_name_that_was_entered(tls_port: int) -> None:
    answer = await post(f"https://{NAME}:{tls_port}/echo?a=1", body=b"hello")

    assert (answer.status, answer.headers["x-host"]) == (200, f"{NAME}:{tls_port}")
    with pytest.raises(NoAnswer, match=r"TLS failed: .*doesn't match"):
        await post(f"https://other.test:{tls_port}/echo?a=1", body=b"hello")
