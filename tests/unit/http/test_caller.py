"""Where a request comes from."""

from typing import Any

import pytest
from starlette.requests import Request

from dataforge.http.caller import client_address


def request(**scope: Any) -> Request:
    spoofed = [(b"x-forwarded-for", b"198.51.100.1"), (b"forwarded", b"for=198.51.100.1"), (b"x-real-ip", b"1.1.1.1")]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": spoofed, "query_string": b"", **scope})


def test_the_gateway_says_where_a_request_comes_from_whatever_headers_claim() -> None:
    event = {
        "requestContext": {"identity": {"sourceIp": "203.0.113.9"}},
        "headers": {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"},
    }

    assert client_address(request(client=("198.51.100.1", 0), **{"aws.event": event})) == "203.0.113.9"


@pytest.mark.parametrize("context", [{}, {"identity": {}}, {"identity": {"sourceIp": None}}])
def test_an_event_without_an_address_has_none(context: dict[str, Any]) -> None:
    assert client_address(request(client=("198.51.100.1", 0), **{"aws.event": {"requestContext": context}})) == ""


def test_without_a_gateway_it_is_the_connection() -> None:
    assert client_address(request(client=("192.0.2.1", 5))) == "192.0.2.1"
    assert client_address(request(client=None)) == ""
