"""Addresses of our own: made in one place, served with and without a slash at the end, never redirected."""

import ast
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import dataforge
from dataforge.bootstrap import build_platform, xapi_app
from dataforge.http.registry import ERRORS
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.errors import registered_errors
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.settings import XapiSettings
from infra.openapi.generate import error_registry
from tests.builders.api import ApiUnderTest
from tests.builders.routes import APPS, app_under_test, routes_of

PACKAGE = Path(dataforge.__path__[0])
MADE_IN = PACKAGE / "http" / "addresses.py"
MAKERS = ("own_address", "this_address", ".address")
OURS = ("/api", "/xapi", "/errors", "/ui", "/.well-known", "/oauth")
SAMPLE = "00000000-0000-7000-8000-000000000000"
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != MADE_IN]


def built_addresses(tree: ast.AST) -> Iterator[int]:
    """Lines where an address of ours is put together, or where the request's own is taken from the framework."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and node.values:
            first = node.values[0]
            if isinstance(first, ast.Constant) and str(first.value).startswith(OURS):
                yield node.lineno
        if isinstance(node, ast.Attribute) and node.attr in ("url", "base_url", "url_for", "url_path_for"):
            if isinstance(node.value, ast.Name) and node.value.id == "request":
                yield node.lineno
            if isinstance(node.value, ast.Attribute) and node.value.attr == "request":
                yield node.lineno
        if isinstance(node, ast.Dict):
            yield from (line for line in _headers(node))


def _headers(node: ast.Dict) -> Iterator[int]:
    for key, value in zip(node.keys, node.values, strict=True):
        named = isinstance(key, ast.Constant) and key.value in ("Location", "Content-Location")
        made = isinstance(value, ast.Call) and ast.unparse(value.func).endswith(
            ("own_address", "this_address", ".address")
        )
        described = isinstance(value, ast.Dict)  # of a header in the OpenAPI document
        if named and not made and not described:
            yield node.lineno


def test_one_module_makes_our_addresses() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in SOURCES
        for line in built_addresses(ast.parse(path.read_text()))
    ]

    assert found == []


@pytest.mark.parametrize(
    "code",
    ['f"/api/courses/{id}"', "request.url.path", "self.request.url", 'x = {"Location": location}', "request.base_url"],
)
def test_the_rule_sees_what_it_forbids(code: str) -> None:
    assert list(built_addresses(ast.parse(code)))


def test_the_limit_of_bodies_is_set_in_one_place() -> None:
    limits = [
        path.relative_to(PACKAGE).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MAX_BODY_BYTES"
    ]

    assert limits == ["kernel/limits.py"]


def test_no_address_of_somebody_else_stands_in_an_answer() -> None:
    assert [path.name for path in SOURCES if "github.com" in path.read_text()] == []


@pytest.fixture(params=APPS)
async def api(request: pytest.FixtureRequest, database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """Each of our apps in turn."""
    async with app_under_test(request.param, database, clock) as api:
        yield api


def shape(response: httpx.Response) -> tuple[int, object]:
    """What must not depend on the slash."""
    if response.headers.get("content-type", "").startswith("text/html"):  # a form is made anew each time
        return response.status_code, None
    if response.headers.get("content-type") != "application/problem+json" or not response.content:
        content_type = response.headers.get("content-type", "")
        body = response.json() if content_type.startswith("application/json") and response.content else response.content
        # What is known grows between two requests, and what is measured changes.
        changing = {"watermark": None, "gauges": None}
        return response.status_code, {**body, **changing} if isinstance(body, dict) else body
    document = response.json()
    return response.status_code, (document["code"], document["detail"], document["instance"])


@pytest.mark.slow
async def test_each_route_is_the_same_with_a_slash_at_its_end(api: ApiUnderTest) -> None:
    client = await api.as_role(Role.ADMIN)
    walked = 0
    for method, route in routes_of(api):
        path = route.path_format.format(**dict.fromkeys(route.param_convertors, SAMPLE))
        # A body that may be left out is sent broken: nothing is made, whose id would differ.
        sent: dict[str, Any] = (
            {"content": b"{", "headers": {"Content-Type": "application/json"}} if path.startswith("/api") else {}
        )
        without = await client.request(method, path, **sent)
        slashed = await client.request(method, path.rstrip("/") + "/", **sent)
        assert shape(slashed) == shape(without), (method, path)
        assert slashed.headers.get("location") == without.headers.get("location")
        assert path.startswith("/ui") or path == "/" or not slashed.is_redirect
        walked += 1
    assert walked > 30


async def test_each_xapi_route_is_the_same_with_a_slash_at_its_end(database: Database) -> None:
    parts = build_platform(XapiSettings(data_bucket="unused"))
    parts.database = database
    asgi = xapi_app(parts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://xapi.test") as client:
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"):
            for path in ("/xapi/about", "/xapi/statements", "/api/xapi/statements", "/api/health/xapi", "/xapi"):
                without = await client.request(method, path)
                slashed = await client.request(method, path + "/")
                assert shape(slashed) == shape(without), (method, path)
                assert not slashed.is_redirect


async def test_the_type_of_every_error_answers_as_json_and_as_a_page(database: Database, clock: FixedClock) -> None:
    async with ApiUnderTest(database, clock) as api:
        client = await api.client()
        listed = (await client.get(ERRORS)).json()["items"]

        for error in listed:
            one = await client.get(error["type"])
            page = await client.get(error["type"], headers={"Accept": "text/html"})
            assert one.json() == error
            assert error["description"]
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert error["title"] in page.text

    error_registry()  # imports every module of the package
    assert [error["code"] for error in listed] == list(registered_errors())
    assert "gateway_error" in {error["code"] for error in listed}


async def test_a_problem_points_to_its_explanation(database: Database, clock: FixedClock) -> None:
    async with ApiUnderTest(database, clock) as api:
        client = await api.client()
        problem = (await client.get("/api/nowhere")).json()
        explained = await client.get(problem["type"])

        assert (explained.status_code, explained.json()["code"]) == (200, problem["code"])
        unknown = await client.get(f"{ERRORS}/no_such_code")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
