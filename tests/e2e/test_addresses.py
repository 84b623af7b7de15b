"""What a deployed stack answers to clients that send no Accept, and whether the addresses it gives can be followed."""

import http.client
import json
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from infra.local.stack import LocalStack

pytestmark = pytest.mark.build


def bare(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a request with no Accept header, as Go, PHP and several xAPI libraries send it."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.putrequest(method, f"{parts.path}?{parts.query}" if parts.query else parts.path)
    for name, value in {**headers, "Content-Length": str(len(body or b""))}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


@pytest.mark.parametrize(
    ("path", "status", "media_type"),
    [
        ("/api/nowhere", 404, "application/problem+json"),
        ("/api/users", 401, "application/problem+json"),
        ("/api/datasets/", 401, "application/problem+json"),
        ("/api/v1/users", 401, "application/problem+json"),
        ("/api/v1/datasets/", 401, "application/problem+json"),
        ("/api/v1/health/xapi", 401, "application/problem+json"),
        ("/health", 200, "application/json"),
        ("/errors/not_found", 200, "application/json"),
        ("/.well-known/jwks.json", 200, "application/json"),
        ("/ui/", 200, "text/html; charset=utf-8"),
        ("/xapi/about/", 200, "application/json"),
        ("/xapi/statements", 400, "application/problem+json"),
    ],
)
def test_a_client_without_accept_can_read_the_answer(
    stack: LocalStack, path: str, status: int, media_type: str
) -> None:
    answer, headers, body = bare(stack.facts["api_url"] + path)

    assert (answer, headers["content-type"]) == (status, media_type)
    if media_type.endswith("json"):
        assert json.loads(body)
    else:
        assert b"<html" in body


@pytest.mark.parametrize(("content", "status"), [("Größe".encode(), 200), (b"\x89PNG\xff", 406)])
def test_a_document_of_any_type_is_read_without_accept_where_it_is_text(
    lms: httpx.Client, stack: LocalStack, content: bytes, status: int
) -> None:
    where = f"activityId=https://e.org/{status}&stateId=s&agent=%7B%22mbox%22%3A%22mailto%3Aa%40b.org%22%7D"
    octets = {"Content-Type": "application/octet-stream"}
    assert lms.put(f"/activities/state?{where}", content=content, headers=octets).status_code == 204
    signed = next(lms.auth.sync_auth_flow(lms.build_request("GET", "/"))).headers["Authorization"]
    headers = {"X_Experience_API_Version": "1.0.3", "Authorization": signed}

    found, answered, body = bare(f"{stack.facts['xapi_url']}/activities/state?{where}", **headers)

    assert (found, answered["x-experience-api-version"]) == (status, "1.0.3")
    assert body == content if status == 200 else json.loads(body)["code"] == "accept_missing"


def test_statements_are_taken_and_refused_with_a_slash_at_the_end(stack: LocalStack, lms: httpx.Client) -> None:
    authorization = (
        lms.build_request("GET", "/").headers.get("Authorization")
        or next(lms.auth.sync_auth_flow(lms.build_request("GET", "/"))).headers["Authorization"]
    )
    headers = {"X_Experience_API_Version": "1.0.3", "Content_Type": "application/json", "Authorization": authorization}

    status, answered, body = bare(stack.facts["xapi_url"] + "/statements/", "POST", b"[{}]", **headers)

    assert (status, "location" in answered) == (400, False)
    problem = json.loads(body)
    assert problem["code"] == "invalid_statements"
    assert bare(urljoin(stack.facts["xapi_url"], problem["type"]))[0] == 200


def test_addresses_in_answers_can_be_followed(stack: LocalStack, admin: httpx.Client) -> None:
    """Location, next, Link, instance and type, each resolved against the address that was called."""
    api = stack.facts["api_url"]
    made = admin.post("/api/datasets/", json={"name": "Followed"})
    location = urljoin(str(made.request.url), made.headers["Location"])
    for name in ("followed1", "followed2"):
        person = {"username": name, "email": f"{name}@example.org", "password": "correct horse"}
        httpx.post(f"{api}/api/signup", json=person, timeout=60)
    first = admin.get("/api/users", params={"limit": 1})
    problem = admin.get("/api/datasets/x/refs").json()

    assert (made.status_code, made.is_redirect) == (201, False)
    assert admin.get(location).json()["id"] == made.json()["id"]
    following = urljoin(str(first.request.url), first.json()["next"])
    assert admin.get(following).json()["items"] != first.json()["items"]
    assert urljoin(str(first.request.url), first.links["next"]["url"]) == following
    assert urljoin(api, problem["instance"]) == f"{api}/api/datasets/x/refs"
    explained = admin.get(urljoin(api, problem["type"]))
    assert (explained.status_code, explained.json()["code"]) == (200, problem["code"])
    page = admin.get(urljoin(api, problem["type"]), headers={"Accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
