"""State and profile documents: items 41 to 43 of the xAPI checklist, in both versions."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from dataforge.contexts.lrs.documents.domain import MAX_DOCUMENT_BYTES
from dataforge.contexts.lrs.statements.domain import format_timestamp
from dataforge.kernel.clock import SystemClock
from tests.builders.lrs import StoreUnderTest
from tests.integration.lrs.test_database_away import AWAY

AGENT = {"objectType": "Agent", "mbox": "mailto:ana.roux@example.org"}
ACTIVITY = "https://example.org/courses/42"
STATE = {"activityId": ACTIVITY, "agent": orjson.dumps(AGENT).decode(), "stateId": "bookmark"}
ACTIVITY_PROFILE = {"activityId": ACTIVITY, "profileId": "layout"}
AGENT_PROFILE = {"agent": orjson.dumps(AGENT).decode(), "profileId": "preferences"}
RESOURCES = [
    ("/xapi/activities/state", STATE),
    ("/xapi/activities/profile", ACTIVITY_PROFILE),
    ("/xapi/agents/profile", AGENT_PROFILE),
]
PROFILES = RESOURCES[1:]
VERSIONS = ("1.0.3", "2.0.0")
CREATE = {"If-None-Match": "*"}

COMBINATIONS = [("1.0.3", *RESOURCES[0]), ("2.0.0", *RESOURCES[0]), ("1.0.3", *RESOURCES[1]), ("2.0.0", *RESOURCES[2])]
each_resource = pytest.mark.parametrize(
    ("version", "path", "params"), COMBINATIONS, ids=("state-1.0", "state-2.0", "activity-1.0", "agent-2.0")
)
each_profile = pytest.mark.parametrize(("path", "params"), PROFILES, ids=("activity", "agent"))
each_version = pytest.mark.parametrize("version", VERSIONS)


class Client:
    """An activity provider that speaks one version."""

    def __init__(self, store: StoreUnderTest, version: str) -> None:
        self._store, self._version = store, version

    async def __call__(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: Any = None,
        **headers: str,
    ) -> httpx.Response:
        content = body if isinstance(body, bytes | None) else orjson.dumps(body)
        given = {"X-Experience-API-Version": self._version, "Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._store.lms.request(method, path, params=params, content=content, headers=given)


@pytest.fixture
def client(records: StoreUnderTest, version: str) -> Client:
    """The version is the test's."""
    return Client(records, version)


async def put(client: Client, path: str, params: Mapping[str, str], body: Any, **headers: str) -> httpx.Response:
    return await client("PUT", path, params, body, **{"If_None_Match": "*", **headers})


def named(params: Mapping[str, str], name: str) -> dict[str, str]:
    """Another document of the same activity or agent."""
    return {key: name if key in ("stateId", "profileId") else value for key, value in params.items()}


@each_resource
async def test_41_a_document_comes_back_as_it_was_put_and_goes_when_deleted(
    client: Client, path: str, params: dict[str, str]
) -> None:
    body = b'{ "page":  7.10, "seen": [1] }'

    answers = [
        await client("GET", path, params),
        await put(client, path, params, body),
        read := await client("GET", path, params),
        await client("DELETE", path, params),
        await client("GET", path, params),
        await client("DELETE", path, params),
    ]

    assert [answer.status_code for answer in answers] == [404, 204, 200, 204, 404, 204]
    assert (read.content, read.headers["content-type"]) == (body, "application/json")
    assert read.headers["last-modified"].endswith(" GMT")


@each_resource
async def test_41_any_content_type_is_stored_verbatim(client: Client, path: str, params: dict[str, str]) -> None:
    body = bytes(range(256))

    for kind in ("application/octet-stream", "text/plain; charset=utf-16", "image/png"):
        stored = await client("PUT", path, named(params, kind), body, If_None_Match="*", Content_Type=kind)
        read = await client("GET", path, named(params, kind))

        assert stored.status_code == 204
        assert (read.content, read.headers["content-type"]) == (body, kind)


@each_resource
async def test_41_the_names_of_documents_are_listed_those_since_an_instant_only(
    client: Client, path: str, params: dict[str, str]
) -> None:
    name = "stateId" if "stateId" in params else "profileId"
    group = {key: value for key, value in params.items() if key != name}
    await put(client, path, {**group, name: "first"}, {"n": 1})
    since = format_timestamp(SystemClock().now())
    await put(client, path, {**group, name: "second"}, {"n": 2})

    everything = await client("GET", path, group)
    later = await client("GET", path, {**group, "since": since})
    never = await client("GET", path, {**group, "since": "2999-01-01T00:00:00Z"})

    assert [everything.json(), later.json(), never.json()] == [["first", "second"], ["second"], []]


@each_resource
async def test_41_a_post_merges_the_members_of_objects_one_level_deep(
    client: Client, path: str, params: dict[str, str]
) -> None:
    created = await client("POST", path, params, {"a": {"x": 1}, "b": 0.30, "c": 3})
    merged = await client("POST", path, params, {"a": {"y": 2}, "d": 12345678901234567890})

    read = await client("GET", path, params)

    assert (created.status_code, merged.status_code) == (204, 204)
    assert orjson.loads(read.content) == {"a": {"y": 2}, "b": 0.3, "c": 3, "d": 12345678901234567890}


UNMERGEABLE = [
    (("application/json", b'{"a":1}'), ("text/plain", b"text")),
    (("text/plain", b"text"), ("application/json", b'{"a":1}')),
    (("application/json", b'{"a":1}'), ("application/json", b"[1]")),
    (("application/json", b"[1]"), ("application/json", b'{"a":1}')),
    (("application/json", b'{"a":1}'), ("application/json", b'{"a":')),
]


@each_resource
async def test_41_what_cannot_be_merged_is_refused_and_changes_nothing(
    client: Client, path: str, params: dict[str, str]
) -> None:
    for number, (stored, sent) in enumerate(UNMERGEABLE):
        key = named(params, str(number))
        await put(client, path, key, stored[1], Content_Type=stored[0])

        refused = await client("POST", path, key, sent[1], Content_Type=sent[0])

        assert refused.status_code == 400
        assert (await client("GET", path, key)).content == stored[1]


@each_resource
async def test_41_what_is_labelled_json_and_is_not_is_refused(
    client: Client, path: str, params: dict[str, str]
) -> None:
    answer = await put(client, path, params, b"{")

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert (await client("GET", path, params)).status_code == 404


@each_version
async def test_41_state_is_kept_by_registration_and_deleted_as_a_whole(client: Client) -> None:
    path, group = "/xapi/activities/state", {key: value for key, value in STATE.items() if key != "stateId"}
    one, two = str(uuid4()), str(uuid4())
    await put(client, path, STATE, {"of": "none"})
    await put(client, path, {**STATE, "registration": one}, {"of": "one"})
    await put(client, path, {**group, "stateId": "other", "registration": two}, {"of": "two"})

    read = [(await client("GET", path, {**STATE, **more})).json() for more in ({}, {"registration": one})]
    listed = [(await client("GET", path, {**group, **more})).json() for more in ({}, {"registration": one})]
    gone = await client("DELETE", path, {**group, "registration": one})
    left = (await client("GET", path, group)).json()
    await client("DELETE", path, group)

    assert read == [{"of": "none"}, {"of": "one"}]
    assert listed == [["bookmark", "other"], ["bookmark"]]
    assert (gone.status_code, left) == (204, ["bookmark", "other"])
    assert (await client("GET", path, group)).json() == []


@each_resource
async def test_42_the_etag_is_the_quoted_sha_1_and_saves_the_content(
    client: Client, path: str, params: dict[str, str]
) -> None:
    await put(client, path, params, b"abc", Content_Type="text/plain")

    read = await client("GET", path, params)
    again = await client("GET", path, params, If_None_Match=read.headers["etag"])

    assert read.headers["etag"] == '"a9993e364706816aba3e25717850c26c9cd0d89d"'
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", read.headers["etag"])


@each_resource
async def test_42_a_wrong_if_match_is_refused_and_changes_nothing(
    client: Client, path: str, params: dict[str, str]
) -> None:
    for method in ("PUT", "POST", "DELETE"):
        key = named(params, method)
        absent = await client(method, path, key, {"n": 2}, If_Match='"1234"')
        await put(client, path, key, {"n": 1})

        present = await client(method, path, key, {"n": 2}, If_Match='"1234"')

        assert [absent.status_code, present.status_code] == [412, 412]
        assert (await client("GET", path, key)).json() == {"n": 1}


@each_resource
async def test_42_the_right_if_match_is_taken_with_and_without_quotes(
    client: Client, path: str, params: dict[str, str]
) -> None:
    for number, form in enumerate(('"{}"', "{}", 'W/"{}"', '"x", "{}"', "*")):
        key = named(params, str(number))
        await put(client, path, key, {"n": 1})
        tag = (await client("GET", path, key)).headers["etag"].strip('"')

        answer = await client("PUT", path, key, {"n": 2}, If_Match=form.format(tag))

        assert answer.status_code == 204
        assert (await client("GET", path, key)).json() == {"n": 2}


@each_resource
async def test_42_if_none_match_creates_and_never_overwrites(client: Client, path: str, params: dict[str, str]) -> None:
    first = await put(client, path, params, {"n": 1})
    second = await put(client, path, params, {"n": 2})

    assert [first.status_code, second.status_code] == [204, 412]
    assert (await client("GET", path, params)).json() == {"n": 1}


@each_version
@each_profile
async def test_42_a_profile_is_not_put_without_either_header(client: Client, path: str, params: dict[str, str]) -> None:
    absent = await client("PUT", path, params, {"n": 1})
    await put(client, path, params, {"n": 1})
    present = await client("PUT", path, params, {"n": 2})

    assert (absent.status_code, absent.json()["code"]) == (400, "document_precondition_missing")
    assert (present.status_code, present.json()["code"]) == (409, "document_exists")
    assert (await client("GET", path, params)).json() == {"n": 1}


@pytest.mark.parametrize(("version", "status"), [("1.0.3", 204), ("2.0.0", 409)])
async def test_42_state_is_overwritten_without_a_header_under_1_0_only(client: Client, status: int) -> None:
    path = "/xapi/activities/state"
    created = await client("PUT", path, STATE, {"n": 1})

    again = await client("PUT", path, STATE, {"n": 2})

    assert [created.status_code, again.status_code] == [204, status]


@each_resource
async def test_42_a_put_whose_answer_was_lost_may_be_repeated(
    client: Client, path: str, params: dict[str, str]
) -> None:
    await put(client, path, params, {"n": 1})
    before = (await client("GET", path, params)).headers["etag"]
    await client("PUT", path, params, {"n": 2}, If_Match=before)

    repeated = await client("PUT", path, params, {"n": 2}, If_Match=before)
    other = await client("PUT", path, params, {"n": 3}, If_Match=before)

    assert [repeated.status_code, other.status_code] == [204, 412]


@each_version
async def test_42_of_many_writers_with_one_tag_one_wins(client: Client) -> None:
    path = "/xapi/activities/profile"
    created = await asyncio.gather(*(put(client, path, ACTIVITY_PROFILE, {"n": n}) for n in range(8)))
    tag = (await client("GET", path, ACTIVITY_PROFILE)).headers["etag"]

    changed = await asyncio.gather(*(client("PUT", path, ACTIVITY_PROFILE, {"m": n}, If_Match=tag) for n in range(8)))

    assert sorted(answer.status_code for answer in created) == [204] + [412] * 7
    assert sorted(answer.status_code for answer in changed) == [204] + [412] * 7


MALFORMED: list[dict[str, str | None]] = [
    {"agent": None},
    {"agent": "not JSON"},
    {"agent": '{"mbox":"ana"}'},
    {"agent": '{"objectType":"Agent"}'},
    {"agent": '{"objectType":"Group","member":[{"mbox":"mailto:a@b.org"}]}'},
    {"registration": "not-a-uuid"},
    {"activityId": None},
    {"activityId": "course 42"},
    {"since": "yesterday", "stateId": None},
    {"StateId": "x"},
]


@each_version
async def test_43_parameters_that_are_not_what_they_should_be_are_refused(client: Client) -> None:
    for changes in MALFORMED:
        params = {name: value for name, value in {**STATE, **changes}.items() if value is not None}

        answer = await client("GET", "/xapi/activities/state", params)

        assert (answer.status_code, answer.json()["code"]) == (400, "xapi_parameter"), changes


@each_resource
async def test_43_a_write_names_its_document(client: Client, path: str, params: dict[str, str]) -> None:
    for method in ("PUT", "POST"):
        for missing in params:
            fewer = {name: value for name, value in params.items() if name != missing}
            answer = await client(method, path, fewer, {"n": 1}, If_None_Match="*")
            assert answer.status_code == 400, (method, missing)


@each_version
async def test_43_a_repeated_parameter_is_refused_and_a_cachebuster_ignored(
    client: Client, records: StoreUnderTest, version: str
) -> None:
    headers = {"X-Experience-API-Version": version}
    twice = await records.lms.get(
        "/xapi/activities/profile", params=[*ACTIVITY_PROFILE.items(), ("profileId", "b")], headers=headers
    )
    busted = await client("GET", "/xapi/activities/profile", {"activityId": ACTIVITY, "cachebuster": "17"})

    assert [twice.status_code, busted.status_code] == [400, 200]


@each_version
async def test_documents_belong_to_people_however_they_are_written(client: Client) -> None:
    path = "/xapi/agents/profile"
    await put(client, path, AGENT_PROFILE, {"n": 1})
    same = {"name": "Ana", "mbox": "mailto:Ana.Roux@example.org"}

    answer = await client("GET", path, {**AGENT_PROFILE, "agent": orjson.dumps(same).decode()})

    assert answer.json() == {"n": 1}


@each_resource
async def test_a_document_over_the_limit_is_refused_with_the_limit(
    client: Client, path: str, params: dict[str, str]
) -> None:
    half = "x" * (MAX_DOCUMENT_BYTES // 2)
    fits = await client("POST", path, params, {"a": half})

    merged = await client("POST", path, params, {"b": half})

    assert (fits.status_code, merged.status_code) == (204, 413)
    assert merged.json()["limit_bytes"] == MAX_DOCUMENT_BYTES


@pytest.mark.parametrize(
    ("scopes", "may_read", "may_write"),
    [
        (("state",), True, True),
        (("all/read",), True, False),
        (("profile", "statements/write", "statements/read"), False, False),
    ],
)
async def test_scopes_say_who_may_read_and_write_state(
    records: StoreUnderTest, scopes: tuple[str, ...], *, may_read: bool, may_write: bool
) -> None:
    auth = await records.credential(scopes=scopes)
    headers = {"X-Experience-API-Version": "2.0.0", "If-None-Match": "*"}

    written = await records.lms.put("/xapi/activities/state", params=STATE, content=b"x", headers=headers, auth=auth)
    read = await records.lms.get("/xapi/activities/state", params=STATE, headers=headers, auth=auth)

    assert written.status_code == (204 if may_write else 403)
    assert (read.status_code == 403) is not may_read


@each_version
async def test_documents_wait_for_the_database_with_retry_after(client: Client, records: StoreUnderTest) -> None:
    records.front.platform.database = AWAY

    answer = await client("GET", "/xapi/activities/state", STATE)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
