"""What would need a network fails in unit tests, whichever library asks."""

import asyncio
import http.client
import socket

import pytest
from botocore.exceptions import HTTPClientError

from dataforge.platform.aws.clients import client


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "example.org"])
def test_no_host_is_reached(host: str) -> None:
    with pytest.raises(AssertionError, match="opens no network connection"):
        http.client.HTTPConnection(host, 80).request("GET", "/")


def test_nothing_listens() -> None:
    with socket.socket() as listener, pytest.raises(AssertionError, match="opens no network connection"):
        listener.bind(("127.0.0.1", 0))


def test_nothing_is_sent_without_a_connection() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sender,
        pytest.raises(AssertionError, match="opens no network connection"),
    ):
        sender.sendto(b"", ("127.0.0.1", 9))


async def test_event_loops_cannot_connect_either() -> None:
    with pytest.raises(AssertionError, match="opens no network connection"):
        await asyncio.open_connection("127.0.0.1", 9)


def test_clients_of_aws_are_not_let_through() -> None:
    with pytest.raises(HTTPClientError, match="opens no network connection"):
        client("sqs").list_queues()


def test_a_process_may_talk_to_its_children() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"hello")

        assert there.recv(5) == b"hello"
