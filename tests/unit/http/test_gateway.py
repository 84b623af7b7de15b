"""The app behind API Gateway's REST events, as the Lambda sees them."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import Response

from dataforge.bootstrap import build_platform, rest_app
from dataforge.http.app import context_router, create_app
from dataforge.http.gateway import http_handler
from dataforge.platform.services import Platform
from dataforge.settings import ApiSettings

BODIES = {
    "application/json": b"{}",
    "application/problem+json": b"{}",
    "application/jwk-set+json": b"{}",
    "application/x-ndjson": b"{}",
    "application/xml": b"<a/>",
    "text/csv; charset=utf-8": "größe\r\n".encode(),
    "text/calendar; charset=utf-8": b"BEGIN:VCALENDAR",
    "text/html; charset=utf-8": b"<p>",
    "text/plain": b"plain",
    "text/vtt": b"WEBVTT",
    "application/octet-stream": b"plain",
    "multipart/mixed; boundary=x": "--x\r\n\r\ngröße\r\n--x--".encode(),
    # Not in UTF-8: these go out in Base64, which is the one way for bytes.
    "application/zip": b"PK\xff",
    "image/png": b"\x89PNG",
    "multipart/mixed; boundary=y": b"--y\r\n\r\n\x89PNG\r\n--y--",
    "text/csv; charset=windows-1252": b"gr\xf6\xdfe",
}
router = context_router("sample")


@router.get("/api/bodies")
async def body_of(number: int) -> Response:
    media_type = list(BODIES)[number]
    return Response(BODIES[media_type], headers={"Content-Type": media_type})


def rest_event(
    method: str, path: str, *, body: bytes | None = None, query: dict[str, str] | None = None, **more: str
) -> dict[str, Any]:
    headers = {"content-type": "application/json", "Host": "api.example", **more}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
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
    _, asgi = rest_app("api", build_platform(ApiSettings()))
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


def body_answer(media_type: str, **headers: str) -> dict[str, Any]:
    _, asgi = create_app(platform=Platform(None), owners={"/api/bodies": __name__})
    handler = http_handler(asgi)
    try:
        event = rest_event("GET", "/api/bodies", query={"number": str(list(BODIES).index(media_type))}, **headers)
        answer: dict[str, Any] = handler(event, None)
    finally:
        asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)
    return answer


@pytest.mark.parametrize("media_type", BODIES)
def test_text_goes_out_as_text_and_bytes_in_base64(media_type: str) -> None:
    answer = body_answer(media_type, accept="application/json")

    binary = media_type in list(BODIES)[-4:]
    sent = base64.b64decode(answer["body"]) if binary else answer["body"].encode()
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, binary)
    assert sent == BODIES[media_type]


@pytest.mark.parametrize("media_type", BODIES)
def test_a_client_without_accept_gets_text_or_is_asked_to_send_it(media_type: str) -> None:
    answer = body_answer(media_type)

    assert answer["isBase64Encoded"] is False
    if media_type in list(BODIES)[-4:]:
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (406, "accept_missing")
        assert "x-request-id" in answer["headers"]
    else:
        assert (answer["statusCode"], answer["body"].encode()) == (200, BODIES[media_type])


@pytest.mark.parametrize("text", ['"' * 4_000_000, "д" * 2_000_000], ids=["quotation marks", "Cyrillic"])
def test_text_that_would_grow_beyond_what_lambda_answers_goes_out_in_base64(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BODIES, "text/plain", text.encode())

    answer, refusal = body_answer("text/plain", accept="*/*"), body_answer("text/plain")

    assert (answer["isBase64Encoded"], len(json.dumps(answer)) < 6_291_556) == (True, True)
    assert base64.b64decode(answer["body"]).decode() == text
    assert (refusal["statusCode"], json.loads(refusal["body"])["code"]) == (406, "accept_missing")


def test_an_error_is_readable_and_its_addresses_have_the_stage(invoke: Any) -> None:
    answer = invoke("GET", "/api/nowhere")

    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["content-type"] == "application/problem+json"
    problem = json.loads(answer["body"])
    assert (problem["type"], problem["instance"]) == ("/local/errors/not_found", "/local/api/nowhere")
