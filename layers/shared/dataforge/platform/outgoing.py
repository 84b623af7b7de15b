"""Requests to addresses that people of ours have entered: to public hosts only, and to the very address checked.

Whoever may enter an address must not reach through us what only we can reach (server-side request forgery). So a name
is resolved here, every address of it is checked, and the connection goes to one of those; redirects are not followed,
answers are read to a bound, and the whole takes a bounded time.
"""

import asyncio
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from dataforge.kernel.texts import Text

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool
    from urllib3.connection import HTTPConnection

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
MAX_ANSWER_BYTES = 64 * 1024
_MAX_URL = 2000
_PORTS = {"http": 80, "https": 443}
# Networks that Python calls global, and through which an IPv4 address is reached that may be none; of those it calls
# reserved (::/8 with its written-out IPv4 addresses is one) none is sent to.
_TRANSLATED = tuple(
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10", "192.88.99.0/24")
)


class AddressForbidden(ValueError):
    """The address is not one that we send to; the message says why, for whoever entered it."""


class NoAnswer(Exception):
    """Nobody answered, or not in time; the message says what happened."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the beginning of the body, headers by lower-case name."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def check_url(url: str, *, private: bool = False) -> SplitResult:
    """The parts of an address we may send to; raises AddressForbidden. Names are resolved when a request is sent.

    `private` permits http and the machine itself: for a laptop and for tests.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        message = Text("is not a URL")
        raise AddressForbidden(message) from error
    if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        message = Text("must be printable ASCII of at most 2,000 characters")
        raise AddressForbidden(message)
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        message = Text("must begin with https://")
        raise AddressForbidden(message)
    if not parts.hostname or "@" in parts.netloc or parts.fragment or port == 0:
        message = Text("must name a host, and neither a user nor a fragment")
        raise AddressForbidden(message)
    literal = _literal(parts.hostname)
    if literal is not None:
        _check_address(literal, private=private)
    return parts


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as, also as resolvers read it: 2130706433 and 0x7f.1 are 127.0.0.1."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _check_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, private: bool) -> None:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    usual = address.is_global and not address.is_multicast and not address.is_reserved
    public = usual and not any(address in net for net in _TRANSLATED)
    if not public and not (private and address.is_loopback):
        message = Text("leads to {address}, which is no public address", address=address)
        raise AddressForbidden(message)


async def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    private: bool = False,
    most_bytes: int = MAX_ANSWER_BYTES,
    seconds: float = TOTAL_SECONDS,
) -> Answer:
    """Send one request; raises AddressForbidden and NoAnswer. A redirect is an answer like any other.

    Of the body of the answer `most_bytes` are read, and the others passed over; the whole takes `seconds` at most.
    """
    exchange = partial(send_blocking, headers=headers, body=body, private=private)
    return await asyncio.to_thread(exchange, method, url, most_bytes=most_bytes, seconds=seconds)


def send_blocking(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    private: bool = False,
    most_bytes: int = MAX_ANSWER_BYTES,
    seconds: float = TOTAL_SECONDS,
) -> Answer:
    """As `send`, for a thread that may wait."""
    from urllib3.exceptions import HTTPError

    parts = check_url(url, private=private)
    deadline = time.monotonic() + seconds
    address = _resolve(parts, private=private)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        with _pool(parts, address, seconds) as pool, _cut_off(pool, seconds):
            response = pool.urlopen(
                method,
                target,
                body=body,
                headers={"Host": parts.netloc, "User-Agent": "DataForge", **headers},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=True,
            )
            try:
                content = _read(response, deadline, most_bytes, seconds)
            finally:
                response.close()
            return Answer(response.status, content, {key.lower(): value for key, value in response.headers.items()})
    except (HTTPError, OSError, ValueError) as error:
        late = time.monotonic() >= deadline
        raise NoAnswer(_too_late(seconds) if late else _what_happened(error, seconds)) from error


@contextmanager
def _cut_off(pool: "HTTPConnectionPool", seconds: float) -> Iterator[None]:
    """End the connections of the pool after so many seconds: timeouts of sockets begin anew with every byte."""
    opened: list[HTTPConnection] = []
    kind: Any = pool.ConnectionCls

    class Watched(kind):  # type: ignore[misc]  # a class that is known when it runs
        def connect(self) -> None:
            opened.append(self)
            super().connect()

    def cut() -> None:
        for connection in opened:
            with suppress(OSError, AttributeError):  # not connected yet, or closed meanwhile
                connection.sock.shutdown(socket.SHUT_RDWR)

    pool.ConnectionCls = Watched
    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _too_late(seconds: float) -> str:
    return f"No answer within {seconds:.0f} seconds"


def _what_happened(error: Exception, seconds: float) -> str:
    """A sentence for whoever has to see to it; what the libraries call it stays in the cause."""
    from urllib3 import exceptions

    if isinstance(error, exceptions.NewConnectionError):  # one of those below, too
        return "The connection was refused, or there is no way to the host"
    if isinstance(error, exceptions.ConnectTimeoutError):
        return f"No connection within {min(CONNECT_SECONDS, seconds):.0f} seconds"
    if isinstance(error, exceptions.ReadTimeoutError | TimeoutError):
        return _too_late(seconds)
    if isinstance(error, exceptions.SSLError | ssl.SSLError):
        return f"TLS failed: {str(error)[:200]}"
    return f"The connection broke off: {str(error)[:200]}"


def _resolve(parts: SplitResult, *, private: bool) -> str:
    """An address of the host; every one that the name has must be one we may send to."""
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = Text("The name {host} cannot be resolved: {error}", host=host, error=error)
        raise NoAnswer(message) from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        _check_address(address, private=private)
    # Functions have no way out by IPv6.
    return str(min(addresses, key=lambda address: address.version))


def _pool(parts: SplitResult, address: str, seconds: float) -> "HTTPConnectionPool":
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout

    timeout = Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds)
    port = parts.port or _PORTS[parts.scheme]
    if parts.scheme == "http":
        return HTTPConnectionPool(address, port, timeout=timeout)
    host = parts.hostname
    return HTTPSConnectionPool(
        address, port, timeout=timeout, ssl_context=_tls(), server_hostname=host, assert_hostname=host
    )


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _read(response: "BaseHTTPResponse", deadline: float, most_bytes: int, seconds: float) -> bytes:
    """The beginning of the body; raises NoAnswer from a host that takes too long over it."""
    content = bytearray()
    more = True
    while more and len(content) < most_bytes:
        piece = response.read1(8192)
        content += piece
        more = bool(piece)
        # Asked behind the last piece, too: what was cut off looks like the end of a body without a length.
        if time.monotonic() >= deadline:
            message = Text("The answer took longer than {seconds:.0f} seconds", seconds=seconds)
            raise NoAnswer(message)
    return bytes(content[:most_bytes])
