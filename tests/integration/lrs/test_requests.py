"""HEAD, CORS, the alternate request syntax and About: items 1, 3 and 45 to 48 of the xAPI checklist."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import orjson
import pytest

from tests.builders.lrs import StoreUnderTest
from tests.builders.statements import statement

AGENT = '{"mbox":"mailto:ana.roux@example.org"}'
ACTIVITY = "https://example.org/courses/42"
STATE = {"activityId": ACTIVITY, "agent": AGENT, "stateId": "bookmark"}
READABLE: list[tuple[str, dict[str, str]]] = [
    ("/xapi/about", {}),
    ("/xapi/activities", {"activityId": ACTIVITY}),
    ("/xapi/agents", {"agent": AGENT}),
    ("/xapi/activities/state", STATE),
    ("/xapi/activities/profile", {"activityId": ACTIVITY}),
    ("/xapi/agents/profile", {"agent": AGENT}),
]
RESOURCES = [path for path, _ in READABLE] + ["/xapi/statements"]
SAYS = "X-Experience-API-Version"
V1, V2 = {SAYS: "1.0.3"}, {SAYS: "2.0.0"}
each_version = pytest.mark.parametrize("version", [V1, V2], ids=("1.0.3", "2.0.0"))


@each_version
async def test_1_and_3_every_answer_says_its_version_and_a_request_without_one_is_refused(
    records: StoreUnderTest, version: dict[str, str]
) -> None:
    for path, params in READABLE[1:]:
        answers = [
            await records.lms.get(path, params=params, headers=version),
            await records.lms.get(path, headers=version),
            await records.lms.get(path, params=params, headers=version, auth=("nobody", "x")),
            await records.lms.get(path, params=params),
        ]

        assert [answer.headers[SAYS] for answer in answers] == [version[SAYS]] * 3 + ["0.95"], path
        assert [answer.status_code for answer in answers[1:]] == [400, 401, 400], path


@each_version
async def test_credential_and_version_come_before_unknown_resources_and_methods(
    records: StoreUnderTest, version: dict[str, str]
) -> None:
    for method, path, status in (("GET", "/xapi/nothing", 404), ("PATCH", "/xapi/agents", 405)):
        asked = [
            await records.lms.request(method, path, headers=version),
            await records.lms.request(method, path, headers=version, auth=("nobody", "x")),
            await records.lms.request(method, path),
        ]

        assert [answer.status_code for answer in asked] == [status, 401, 400]


@each_version
async def test_45_head_is_get_without_the_content(records: StoreUnderTest, version: dict[str, str]) -> None:
    await records.lms.put("/xapi/activities/state", params=STATE, json={"page": 7}, headers=version)

    for path, params in READABLE:
        got = await records.lms.get(path, params=params, headers=version)
        head = await records.lms.head(path, params=params, headers=version)

        assert (head.status_code, head.content) == (200, b""), path
        assert unstamped(head) == unstamped(got), path


def unstamped(answer: httpx.Response) -> dict[str, str]:
    """Headers but those of the very request."""
    return {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}


async def test_46_a_preflight_needs_no_credential_and_allows_what_clients_send(records: StoreUnderTest) -> None:
    wanted = "authorization,content-type,if-match,if-none-match,x-experience-api-version,accept-language"
    for path in RESOURCES:
        asked = {
            "Origin": "https://content.example.com",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": wanted,
        }
        answer = await records.lms.options(path, headers=asked, auth=None)

        assert answer.status_code == 200, path
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert all(name in allowed for name in wanted.split(",")), path


async def test_46_scripts_may_read_the_headers_of_the_standard(records: StoreUnderTest) -> None:
    headers = {**V1, "Origin": "https://content.example.com"}

    answer = await records.lms.get("/xapi/activities/state", params=STATE, headers=headers)

    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"ETag", "Last-Modified", SAYS, "X-Experience-API-Consistent-Through"} <= exposed
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_46_options_outside_cors_says_what_may_be_done(records: StoreUnderTest) -> None:
    found = {path: (await records.lms.options(path, auth=None)).headers["allow"] for path in RESOURCES}

    assert found["/xapi/about"] == found["/xapi/agents"] == found["/xapi/activities"] == "GET, HEAD, OPTIONS"
    assert found["/xapi/activities/state"] == found["/xapi/agents/profile"] == "GET, HEAD, POST, PUT, DELETE, OPTIONS"


class Form:
    """Sends the alternate syntax as an old browser does: with nothing but a form."""

    def __init__(self, records: StoreUnderTest) -> None:
        self._records = records

    async def __call__(self, path: str, method: str, /, query: str = "", **fields: Any) -> httpx.Response:
        auth = httpx.BasicAuth(self._records.key, self._records.secret)
        signed = next(auth.auth_flow(httpx.Request("GET", "http://x")))
        form = {SAYS: "1.0.3", "Authorization": signed.headers["Authorization"], **fields}
        return await self._records.lms.post(
            f"{path}?method={method}{query}",
            content=urlencode({name: value for name, value in form.items() if value is not None}),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            auth=None,
        )


@pytest.fixture
def form(records: StoreUnderTest) -> Form:
    """The alternate syntax."""
    return Form(records)


async def test_47_a_form_stands_for_the_request(form: Form) -> None:
    path, document = "/xapi/activities/state", '{"name": "é+&="}'

    stored = await form(path, "PUT", content=document, **STATE)
    refused = await form(path, "PUT", content="{}", **STATE, **{"If-Match": '"1234"'})
    read = await form(path, "GET", **STATE)
    deleted = await form(path, "DELETE", **STATE)
    gone = await form(path, "GET", **STATE)

    assert [item.status_code for item in (stored, refused, read, deleted, gone)] == [204, 412, 200, 204, 404]
    assert (read.content.decode(), read.headers["content-type"]) == (document, "application/json")


async def test_47_statements_go_by_form(form: Form, records: StoreUnderTest) -> None:
    given = str(uuid4())

    put = await form("/xapi/statements", "PUT", statementId=given, content=orjson.dumps(statement()).decode())
    await records.deliver()

    assert put.status_code == 204
    assert await records.flat(given) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"query": "&stateId=other"},
        {SAYS: "0.8"},
        {SAYS: "2.0.0"},
        {"content": None},
        {"content": "{"},
        {"unknown": "x"},
    ],
)
async def test_47_a_form_that_stands_for_no_request_is_refused(form: Form, changes: dict[str, Any]) -> None:
    answer = await form("/xapi/activities/state", "PUT", **{**STATE, "content": "{}", **changes})

    assert answer.status_code == 400


async def test_47_only_a_form_that_is_posted_is_taken(records: StoreUnderTest) -> None:
    as_put = await records.lms.put("/xapi/statements?method=POST", json=statement(), headers=V1)
    as_json = await records.lms.post("/xapi/statements?method=PUT", json=statement(), headers=V1)
    unreadable = await records.lms.post(
        "/xapi/statements?method=PUT",
        content=b'{"statementId":"x"}',
        headers={**V1, "Content-Type": "application/x-www-form-urlencoded"},
    )
    of_2_0 = await records.lms.post(
        "/xapi/statements?method=GET",
        content="limit=1",
        headers={**V2, "Content-Type": "application/x-www-form-urlencoded"},
    )

    assert [item.status_code for item in (as_put, as_json, unreadable, of_2_0)] == [400] * 4


async def test_48_about_needs_nothing_and_names_both_versions(records: StoreUnderTest) -> None:
    answer = await records.lms.get("/xapi/about", auth=None)

    assert answer.json()["version"] == ["1.0.3", "2.0.0"]
    assert answer.headers[SAYS] == "1.0.3"
