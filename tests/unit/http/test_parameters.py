"""Query parameters that a route does not take are refused, with the one that may be meant."""

from typing import Annotated

import httpx
import pytest
from fastapi import Depends, Query
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.requests import Request

from dataforge.http.app import context_router, create_app
from dataforge.http.parameters import UnknownParameter, query_parameters, refuse_unknown_parameters
from dataforge.kernel.errors import Violation
from dataforge.platform.services import Platform

router = context_router("sample")


class Window(BaseModel):
    first_day: str = ""
    last_day: str = ""


def paging(cursor: str | None = None) -> str | None:
    return cursor


@router.get(
    "/api/rows/{row_id}",
    openapi_extra={"parameters": [{"name": "where", "in": "query"}, {"name": "X-Trace", "in": "header"}]},
)
async def rows(
    row_id: int,
    cursor: Annotated[str | None, Depends(paging)],
    window: Annotated[Window, Query()],
    kind: Annotated[str, Query(alias="type")] = "",
) -> dict[str, int]:
    return {"rows": row_id}


@pytest.fixture
def client() -> httpx.AsyncClient:
    _, asgi = create_app(platform=Platform(None), owners={"/api/rows": __name__})
    return httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://test")


def request(query: str) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": []})


def refused(query: str, *known: str) -> tuple[Violation, ...]:
    with pytest.raises(UnknownParameter) as caught:
        refuse_unknown_parameters(request(query), known)
    return caught.value.violations


def test_a_route_takes_what_it_its_dependencies_its_models_and_its_document_declare() -> None:
    (route,) = router.routes

    assert sorted(query_parameters(route)) == ["cursor", "first_day", "last_day", "type", "where"]  # type: ignore[arg-type]  # an APIRoute


async def test_the_answer_names_what_is_unknown_and_what_may_be_meant(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/rows/1?typ=a&cursor=b&zoom=3")

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")
    assert answer.json()["errors"] == [
        {
            "pointer": "query:typ",
            "detail": 'is not a query parameter of this address, did you mean "type"?',
            "rule": "unknown",
        },
        {"pointer": "query:zoom", "detail": "is not a query parameter of this address", "rule": "unknown"},
    ]
    assert answer.json()["detail"] == (
        'query:typ: is not a query parameter of this address, did you mean "type"? '
        "It takes cursor, first_day, last_day, type and where."
    )


@pytest.mark.parametrize("query", ["", "?type=a", "?where=x&where=y", "?first_day=2026-01-01&cursor="])
async def test_known_ones_pass(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/api/rows/1{query}")).json() == {"rows": 1}


@pytest.mark.parametrize(
    ("given", "meant"),
    [("courseId", "course_id"), ("course-id", "course_id"), ("limits", "limit"), ("Cursor", "cursor")],
)
def test_other_spellings_are_near(given: str, meant: str) -> None:
    (violation,) = refused(f"{given}=1", "course_id", "limit", "cursor")

    assert violation.message.endswith(f'did you mean "{meant}"?')


def test_a_route_without_parameters_says_so() -> None:
    with pytest.raises(UnknownParameter, match=r"It takes none\.$"):
        refuse_unknown_parameters(request("a=1"), ())


def test_many_and_long_names_make_no_long_answer() -> None:
    violations = refused("&".join(f"{'n' * 5000}{number}=1" for number in range(50)), "limit")

    assert len(violations) == 10
    assert max(len(violation.pointer) for violation in violations) < 120


@given(st.lists(st.text(max_size=8), max_size=5), st.sets(st.text(max_size=8), max_size=5))
@example(["a", "b"], {"a"})
def test_exactly_the_unknown_are_refused(given: list[str], known: set[str]) -> None:
    sent = httpx.QueryParams([(name, "1") for name in given])
    seen = {name for name, _ in httpx.QueryParams(str(sent)).multi_items()}
    if seen <= known:
        refuse_unknown_parameters(request(str(sent)), known)
    else:
        assert {item.pointer.removeprefix("query:") for item in refused(str(sent), *known)} == seen - known
