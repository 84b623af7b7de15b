"""Every kind of answer through the Lambda handler, asked for by a client that sends no Accept at all."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dataforge.bootstrap import build_platform, xapi_app
from dataforge.http.gateway import http_handler
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.settings import XapiSettings
from tests.builders.api import ApiUnderTest
from tests.builders.roles import dispose_roles

Invoke = Callable[..., dict[str, Any]]
STUDENT = {"number": "L1", "first_name": "Ada", "last_name": "L\u00f6velace", "email": "ada@example.org"}


def event(method: str, path: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
    """What API Gateway hands over for a client such as Python's urllib."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Host": "api.example", **headers},
        "multiValueHeaders": {name: [value] for name, value in {"Host": "api.example", **headers}.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"stage": "prod", "path": f"/prod{path}", "identity": {"sourceIp": "127.0.0.1"}},
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def invoker(handler: Any, **standing: str) -> Invoke:
    def invoke(method: str, path: str, body: bytes | None = None, **headers: str) -> dict[str, Any]:
        sent = {name.replace("_", "-"): value for name, value in {**standing, **headers}.items()}
        answer: dict[str, Any] = handler(event(method, path, sent, body), None)
        return answer

    return invoke


@pytest.fixture
def loop() -> Iterator[None]:
    """Close the loop that `http_handler` makes for its worker."""
    yield
    asyncio.get_event_loop().close()
    asyncio.set_event_loop(None)


@pytest.fixture
def registrar(database_url: str, clock: FixedClock, loop: None) -> Iterator[Invoke]:
    """The function `api`, called by a registrar."""
    database = Database(database_url, pool_size=2)
    api = ApiUnderTest(database, clock)
    handler = http_handler(api.asgi)
    run = asyncio.get_event_loop().run_until_complete

    async def sign_in() -> str:
        await api.identity.private_keys.ensure()
        return await api.token(await api.add_user(Role.REGISTRAR), Role.REGISTRAR)

    yield invoker(handler, Authorization=f"Bearer {run(sign_in())}")
    run(dispose_roles(database))
    run(database.dispose())


@pytest.mark.parametrize(
    ("path", "status", "media_type", "says"),
    [
        ("/api/users/me", 200, "application/json", "registrar"),
        ("/api/nowhere", 404, "application/problem+json", "/prod/errors/not_found"),
        ("/api/users", 403, "application/problem+json", "/prod/errors/forbidden"),
        ("/api/students/x", 400, "application/problem+json", "/prod/api/students/x"),
        ("/api/oneroster/v1p2/users", 200, "application/json", '"users"'),
        ("/.well-known/jwks.json", 200, "application/json", '"keys"'),
        ("/errors", 200, "application/json", "/prod/errors/not_found"),
        ("/ui", 200, "text/html; charset=utf-8", "<html"),
    ],
)
def test_an_answer_is_text_for_a_client_without_accept(
    registrar: Invoke, path: str, status: int, media_type: str, says: str
) -> None:
    answer = registrar("GET", path)

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (status, False), answer
    assert answer["headers"]["content-type"] == media_type
    assert says in answer["body"]


def test_what_is_made_is_told_with_an_address_that_has_the_stage(registrar: Invoke) -> None:
    made = registrar("POST", "/api/students/", json.dumps(STUDENT).encode(), Content_Type="application/json")
    student = json.loads(made["body"])
    calendar = registrar("GET", f"/api/students/{student['id']}/schedule", Accept="text/calendar")

    assert (made["statusCode"], made["headers"]["location"]) == (201, f"/prod/api/students/{student['id']}")
    assert student["last_name"] == STUDENT["last_name"]
    assert calendar["isBase64Encoded"] is False
    assert calendar["body"].startswith("BEGIN:VCALENDAR")


def test_the_xapi_resources_answer_a_client_without_accept(database_url: str, loop: None) -> None:
    database = Database(database_url, pool_size=2)
    parts = build_platform(XapiSettings(data_bucket="unused"))
    parts.database = database
    lms = invoker(http_handler(xapi_app(parts)), X_Experience_API_Version="1.0.3")

    about, refused = lms("GET", "/xapi/about/"), lms("POST", "/xapi/statements/", b"[]")
    asyncio.get_event_loop().run_until_complete(database.dispose())

    assert (about["statusCode"], about["isBase64Encoded"]) == (200, False)
    assert '"1.0.3"' in about["body"]
    assert (refused["statusCode"], refused["isBase64Encoded"]) == (401, False)
    assert "/prod/errors/unauthenticated" in refused["body"]
