"""Our own addresses as the client knows them, whatever stands before us."""

from typing import Any

import pytest

from dataforge.http.addresses import PUBLIC_BASE_URL, own_address, this_address

LAPTOP = "http://127.0.0.1:4566/_aws/execute-api/a1/local/"


def scope(path: str = "/api/users", *, outside: str | None = None, base: str = "", **headers: str) -> dict[str, Any]:
    """A request as Mangum hands it over."""
    return {
        "type": "http",
        "path": path,
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "aws.event": {"path": path, "requestContext": {"stage": "local", "path": outside}},
        PUBLIC_BASE_URL: base,
    }


@pytest.mark.parametrize(
    ("request_scope", "expected"),
    [
        (scope(outside="/local/api/users"), "/local"),
        (scope(outside="/local/api/users/"), "/local"),
        (scope("/", outside="/local/"), "/local"),
        (scope("/", outside="/local"), "/local"),
        (scope("/api/a b", outside="/local/api/a%20b"), "/local"),
        # A custom domain: the stage is not part of the address.
        (scope(outside="/api/users"), ""),
        (scope(outside=None), ""),
        (scope(outside="/local/api/users", base="https://school.example"), ""),
        (scope(outside="/local/api/users", base="https://school.example/data/"), "/data"),
        (scope(outside="/local/api/users", base=LAPTOP), "/_aws/execute-api/a1/local"),
        # A proxy that says what it took off the path; a configured address is stronger.
        (scope(outside="/local/api/users", x_forwarded_prefix="/lrs"), "/lrs"),
        (scope(outside="/local/api/users", x_forwarded_prefix="/a/b/"), "/a/b"),
        (scope(base="https://school.example/data", x_forwarded_prefix="/lrs"), "/data"),
        # What is no prefix of a path is not believed, and the host a proxy names plays no part.
        (scope(outside="/local/api/users", x_forwarded_prefix="//evil.example"), "/local"),
        (scope(outside="/local/api/users", x_forwarded_prefix="/a\r\nX: y"), "/local"),
        (scope(outside="/local/api/users", x_forwarded_prefix="https://evil.example/"), "/local"),
        (scope(outside="/api/users", x_forwarded_host="evil.example", x_forwarded_proto="http"), ""),
    ],
)
def test_an_address_starts_where_the_client_knows_the_api(request_scope: dict[str, Any], expected: str) -> None:
    assert own_address(request_scope, "/api/courses", 7) == f"{expected}/api/courses/7"


def test_without_a_gateway_there_is_nothing_before_our_paths() -> None:
    assert own_address({"type": "http", "path": "/api/users", "headers": []}, "/errors") == "/errors"


def test_every_part_is_percent_encoded() -> None:
    assert own_address(scope(), "/api/oneroster/v1p2/users", "a/b c?") == "/api/oneroster/v1p2/users/a%2Fb%20c%3F"
    assert this_address(scope("/api/\u0142\r\nX: y")) == "/api/%C5%82%0D%0AX:%20y"


def test_the_query_of_the_request_is_kept_but_for_what_is_replaced() -> None:
    asked = {**scope(outside="/local/api/users"), "query_string": b"tag=a&tag=b%26&cursor=old&empty="}

    assert this_address(asked, cursor="new") == "/local/api/users?tag=a&tag=b%26&empty=&cursor=new"
    assert this_address(asked) == "/local/api/users"
