"""The app behind API Gateway's REST events, as the Lambda sees them."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from dataforge.bootstrap import Container, api_app, http_handler
from dataforge.http.app import create_app
from dataforge.http.gateway import public_path
from dataforge.settings import ApiSettings


def rest_event(
    method: str, path: str, *, body: bytes | None = None, query: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"content-type": "application/json", "Host": "api.example"},
        "multiValueHeaders": {"content-type": ["application/json"], "Host": ["api.example"]},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {key: [value] for key, value in (query or {}).items()} or None,
        "requestContext": {"stage": "local", "path": f"/local{path}", "identity": {"sourceIp": "127.0.0.1"}},
        "body": base64.b64encode(body).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }


def document(answer: dict[str, Any]) -> dict[str, Any]:
    body = answer["body"]
    found: dict[str, Any] = json.loads(base64.b64decode(body) if answer["isBase64Encoded"] else body)
    return found


@pytest.fixture
def invoke() -> Iterator[Any]:
    _, asgi = api_app(Container(ApiSettings()))
    handler = http_handler(asgi)
    yield lambda *args, **kwargs: handler(rest_event(*args, **kwargs), None)
    asyncio.get_event_loop().close()
    asyncio.set_event_loop(None)


def test_a_request_reaches_the_app_and_its_answer_the_gateway(invoke: Any) -> None:
    answer = invoke("GET", "/api/nowhere")

    assert answer["statusCode"] == 404
    assert document(answer)["code"] == "not_found"


def test_a_base64_body_is_read_as_bytes(invoke: Any) -> None:
    answer = invoke("POST", "/api/signup", body=b'{"username": "\xff"}')

    assert answer["statusCode"] == 400
    assert document(answer)["code"] == "malformed_body"


def test_eleven_megabytes_are_refused(invoke: Any) -> None:
    answer = invoke("POST", "/api/signup", body=b"x" * 11_000_000)

    assert answer["statusCode"] == 413


@pytest.mark.parametrize(("path", "query"), [("/api/a\0b", None), ("/api/users", {"search": "a\0b"})])
def test_a_nul_in_the_address_is_refused(invoke: Any, path: str, query: dict[str, str] | None) -> None:
    assert invoke("GET", path, query=query)["statusCode"] == 400


@pytest.mark.parametrize(
    ("base", "outside", "expected"),
    [
        ("", "/local/api/users", "/local/api/users"),
        ("", "/api/users", "/api/users"),
        ("", None, "/api/users"),
        ("https://school.example", "/local/api/users", "/api/users"),
        (
            "http://127.0.0.1:4566/_aws/execute-api/a1/local/",
            "/local/api/users",
            "/_aws/execute-api/a1/local/api/users",
        ),
    ],
)
def test_a_next_link_starts_where_the_client_knows_the_api(base: str, outside: str | None, expected: str) -> None:
    app, _ = create_app(services=object(), owners={}, public_base_url=base)
    event = {"requestContext": {"stage": "local", "path": outside}}

    path = public_path(Request({"type": "http", "app": app, "path": "/api/users", "aws.event": event}))

    assert path == expected


def test_a_path_in_a_link_is_percent_encoded() -> None:
    app, _ = create_app(services=object(), owners={})

    assert (
        public_path(Request({"type": "http", "app": app, "path": "/api/\u0142\r\nX: y"})) == "/api/%C5%82%0D%0AX%3A%20y"
    )
