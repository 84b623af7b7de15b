"""Unit tests open no network connection, loopback included; what needs one is an integration test."""

import sys
from collections.abc import Iterator

import pytest

_NETWORK = frozenset({"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.sendmsg"})
_blocked = False


class NetworkUsed(AssertionError):
    """A unit test wanted to resolve a name or to reach an address."""


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if _blocked and event in _NETWORK:
        # Pipes between a process and its children are sockets of the local system, which have no host and port.
        address = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        if event == "socket.getaddrinfo" or isinstance(address, tuple):
            raise NetworkUsed(f"{event} {address!r}: a unit test opens no network connection.")


# An audit hook sees what libraries do with sockets that they made themselves; it cannot be taken out again.
sys.addaudithook(_refuse)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Refuse names and addresses while the test runs."""
    global _blocked  # noqa: PLW0603 - the hook is the process's, too
    _blocked = True
    yield
    _blocked = False
