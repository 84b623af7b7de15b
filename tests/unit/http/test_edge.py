"""What every HTTP function does with bad input and with its own failures."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from dataforge.http.app import context_router, create_app
from dataforge.http.encoding import dump_json, parse_json
from dataforge.kernel.errors import Conflict, MalformedBody, Violation
from dataforge.platform.services import Platform

router = context_router("sample")


class Thing(BaseModel):
    name: str
    size: int


@router.post("/api/things")
async def make(thing: Thing) -> dict[str, str]:
    return {"made": thing.name}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


@router.post("/api/strict")
async def make_strict(_thing: Strict) -> None: ...


@router.get("/api/things")
async def things() -> dict[str, int]:
    return {"things": 2}


@router.get("/api/things/conflict")
async def conflict() -> None:
    raise Conflict("Somebody was faster.", facts={"winner": "ada"}, violations=[Violation("/a", "taken")])


@router.get("/api/things/broken")
async def broken() -> None:
    message = "secret internals: SELECT password FROM users"
    raise RuntimeError(message)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    owners = {"/api/things": __name__, "/api/strict": __name__, "/api/lost": "dataforge.contexts.no_such.routes"}
    _, asgi = create_app(platform=Platform(None), owners=owners, cors_origins=["https://lms.example"], max_body=12_000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b'{"name": "a", "size": 1', "malformed_body", "line 1"),
        (b"not json", "malformed_body", "line 1, column 1"),
        (b"", "validation_failed", ""),
        (b'{"name": NaN, "size": 1}', "malformed_body", "line 1"),
        (b'{"name": "a\xff", "size": 1}', "malformed_body", "JSON"),
        (b'{"name": "a\x00b", "size": 1}', "malformed_body", "line 1"),
        (b'{"name": "a\\u0000b", "size": 1}', "malformed_body", "/name"),
        (b'{"name": "a", "size": "1; DROP TABLE users"}', "validation_failed", "/size"),
        (b'{"name": 7, "size": 1}', "validation_failed", "/name"),
        (b"[" * 5000, "malformed_body", ""),
        (b'"text"', "validation_failed", ""),
        (b'{"a":' * 950 + b'"\\u0000"' + b"}" * 950, "malformed_body", "NUL"),
        (b'{"name": "\\ud800", "size": 1}', "malformed_body", "line 1"),
        (b'{"name": "a", "size": 1e400}', "malformed_body", "line 1"),
        (b'{"name": "a", "size": 18446744073709551617}', "validation_failed", "/size"),
    ],
)
async def test_a_bad_body_is_a_problem_with_its_place(
    client: httpx.AsyncClient, body: bytes, code: str, says: str
) -> None:
    response = await client.post("/api/things", content=body, headers={"content-type": "application/json"})

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert says in response.text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "in Zeile 1, Spalte 2 kein gültiges JSON: er endet zu früh."),
        (b'{"name": "a",}', "nach dem letzten Wert steht ein Komma."),
        (b"{name: 1}", "der Name eines Felds muss in doppelten Anführungszeichen stehen."),
        (b'{"name": "a" "size": 1}', "eine schließende geschweifte Klammer fehlt."),
        (b"\xff", "er ist nicht in UTF-8."),
    ],
)
async def test_what_is_wrong_with_json_is_said_in_german(client: httpx.AsyncClient, body: bytes, says: str) -> None:
    headers = {"content-type": "application/json", "Accept-Language": "de"}

    response = await client.post("/api/things", content=body, headers=headers)

    assert response.json()["detail"].endswith(says)


async def test_a_body_over_the_limit_is_413_and_says_what_to_do(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/things", content=b"x" * 12_001)

    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    assert response.json()["limit_bytes"] == 12_000
    assert "presigned" in response.json()["detail"]


@pytest.mark.parametrize("path", ["/api/things?name=%00", "/api/lost"])
async def test_a_browser_may_read_a_refusal_that_comes_before_the_app(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"Origin": "https://lms.example"})

    assert response.status_code in (400, 500)
    assert response.headers["access-control-allow-origin"] == "https://lms.example"


@pytest.mark.parametrize("length", ["\u00b2", "9" * 5000, "-1"])
async def test_a_length_that_is_no_number_does_not_break_the_count(client: httpx.AsyncClient, length: str) -> None:
    headers = [(b"content-length", length.encode("latin-1")), (b"content-type", b"application/json")]

    response = await client.post("/api/things", content=b'{"name": "a", "size": 1}', headers=headers)

    assert response.status_code == 200


async def test_many_wrong_members_do_not_make_a_larger_answer(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/strict", json={f"k{number}": 1 for number in range(900)})

    assert len(response.json()["errors"]) == 100
    assert response.json()["errors_omitted"] == 800


async def test_head_answers_as_get_without_the_content(client: httpx.AsyncClient) -> None:
    head, full = await client.head("/api/things"), await client.get("/api/things")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == full.headers["content-length"]


async def test_a_streamed_body_without_a_length_is_limited_too(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1000

    response = await client.post("/api/things", content=chunks())

    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/api/things/%00", "/api/things?name=%00"])
async def test_a_nul_in_the_address_is_refused(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 400


@pytest.mark.parametrize("path", ["/", "/api", "/api/nothing", "/api/things/none", "/api/../things", "//api//things"])
async def test_an_unknown_path_is_a_404_problem(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_slash_at_the_end_changes_nothing_but_two_do(client: httpx.AsyncClient) -> None:
    with_slash = await client.get("/api/things/")
    posted = await client.post("/api/things/", json={"name": "a", "size": 1})

    assert (with_slash.status_code, with_slash.json()) == (200, {"things": 2})
    assert (posted.status_code, posted.json()) == (200, {"made": "a"})
    assert (await client.get("/api/things//")).status_code == 404


async def test_version_1_is_the_api_there_is(client: httpx.AsyncClient) -> None:
    named, posted = (
        await client.get("/api/v1/things/"),
        await client.post("/api/v1/things", json={"name": "a", "size": 1}),
    )

    assert (named.status_code, named.json()) == (200, {"things": 2})
    assert (posted.status_code, posted.json()) == (200, {"made": "a"})
    assert [(await client.get(path)).status_code for path in ("/api/v1", "/api/v2/things", "/api/v1things")] == [
        404
    ] * 3


async def test_a_wrong_method_is_a_405_problem(client: httpx.AsyncClient) -> None:
    response = await client.delete("/api/things")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


async def test_a_domain_error_carries_facts_and_violations(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/things/conflict", headers={"X-Request-Id": "abc-1"})

    assert response.status_code == 409
    body = response.json()
    assert (body["code"], body["winner"], body["request_id"]) == ("conflict", "ada", "abc-1")
    assert body["errors"] == [{"pointer": "/a", "detail": "taken", "rule": "invalid"}]
    assert response.headers["x-request-id"] == "abc-1"


async def test_an_unforeseen_error_tells_the_client_nothing(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/things/broken")

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "SELECT" not in response.text
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_a_context_that_cannot_be_loaded_is_a_500_problem_too() -> None:
    _, asgi = create_app(platform=Platform(None), owners={"/api/lost": "dataforge.contexts.no_such_context.routes"})
    transport = httpx.ASGITransport(asgi)

    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get("/api/lost")

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "no_such_context" not in response.text


async def test_a_request_id_that_could_forge_log_lines_is_replaced(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/things/none", headers={"X-Request-Id": 'x" , "level": "FORGED'})

    assert "FORGED" not in response.headers["x-request-id"]


async def test_browsers_may_call_from_listed_origins_only(client: httpx.AsyncClient) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "Authorization"}

    listed = await client.options("/api/things", headers={"Origin": "https://lms.example", **preflight})
    other = await client.options("/api/things", headers={"Origin": "https://evil.example", **preflight})

    assert listed.headers["access-control-allow-origin"] == "https://lms.example"
    assert "access-control-allow-origin" not in other.headers


async def test_one_line_is_logged_per_request_without_the_body(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.post("/api/things", json={"name": "secret-name", "size": 1})

    lines = [vars(record) for record in caplog.records]
    assert [(line["msg"], line["status"], line["route"]) for line in lines] == [("request", 200, "/api/things")]
    assert lines[0]["filename"] == "middleware.py"
    assert "secret-name" not in str(lines)


def test_json_out_never_holds_nan() -> None:
    assert json.loads(dump_json({"a": float("nan"), "b": float("inf")})) == {"a": None, "b": None}


def test_a_nul_in_a_key_is_refused() -> None:
    with pytest.raises(MalformedBody):
        parse_json(b'{"a": [{"x\\u0000": 1}]}')


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert parse_json(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}
