"""Attachments that no request has room for: uploaded ahead of their statements, and read where their fileUrl points."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import orjson
import pytest

from dataforge.platform.db.database import Database
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement

LARGE = b"\x89video" * 800_000


@pytest.fixture
async def store(emulator: EmulatedAws, database: Database) -> AsyncIterator[StoreUnderTest]:
    async with StoreUnderTest(emulator, database) as store:
        yield store


def described(content: bytes, **changes: Any) -> dict[str, Any]:
    return {
        "usageType": "https://example.org/usage/recording",
        "display": {"en-US": "Recording"},
        "contentType": "video/mp4",
        "length": len(content),
        "sha2": hashlib.sha256(content).hexdigest(),
        **changes,
    }


def recorded(*contents: bytes) -> dict[str, Any]:
    return statement(id=str(uuid4()), attachments=[described(content) for content in contents])


async def announced(client: httpx.AsyncClient, content: bytes, **changes: Any) -> httpx.Response:
    body = {"sha2": hashlib.sha256(content).hexdigest(), "length": len(content), "contentType": "video/mp4", **changes}
    return await client.post("/xapi/attachments", json=body, headers=VERSION)


async def upload(client: httpx.AsyncClient, content: bytes) -> dict[str, Any]:
    answer = await announced(client, content)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    way = told["upload"]
    async with httpx.AsyncClient() as outside:
        stored = await outside.request(way["method"], way["url"], content=content, headers=way["headers"])
    assert stored.status_code == 200, stored.text
    return told


async def test_a_body_with_a_large_attachment_is_refused_with_the_way_to_send_it(store: StoreUnderTest) -> None:
    headers = {**VERSION, "Content-Type": "multipart/mixed; boundary=abc"}

    answer = await store.lms.post("/xapi/statements", content=LARGE, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "attachments_too_large")
    assert answer.json()["uploads"] == "/xapi/attachments"
    assert "/xapi/attachments" in answer.json()["detail"]
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"


async def test_uploaded_data_is_named_by_its_hash_alone_and_read_at_its_file_url(store: StoreUnderTest) -> None:
    made = recorded(LARGE)
    assert (await store.post(made)).status_code == 400

    told = await upload(store.lms, LARGE)
    sent = await store.post(made)
    again = await store.post(made)
    await store.deliver()

    assert (sent.status_code, again.status_code) == (200, 200)
    read = await store.lms.get("/xapi/statements", params={"statementId": made["id"]}, headers=VERSION)
    file_url = read.json()["attachments"][0]["fileUrl"]
    assert file_url == told["fileUrl"]
    found = await store.lms.get(file_url, headers=VERSION)
    assert found.status_code == 307
    async with httpx.AsyncClient() as outside:
        assert (await outside.get(found.headers["location"])).content == LARGE
    assert (await announced(store.lms, LARGE)).json()["uploaded"] is True


async def test_s3_refuses_data_with_another_hash(store: StoreUnderTest) -> None:
    way = (await announced(store.lms, b"data")).json()["upload"]

    async with httpx.AsyncClient() as outside:
        answer = await outside.request(way["method"], way["url"], content=b"fake", headers=way["headers"])

    assert answer.status_code == 400
    assert (await store.post(recorded(b"data"))).status_code == 400


async def test_a_read_with_attachments_leaves_out_what_it_has_no_room_for(store: StoreUnderTest) -> None:
    small = b"\x89small"
    for content in (LARGE, small):
        await upload(store.lms, content)
    made, other = recorded(LARGE, small), recorded(small)
    await store.post([made, other])
    await store.deliver()

    one = await store.lms.get(
        "/xapi/statements", params={"statementId": made["id"], "attachments": "true"}, headers=VERSION
    )
    page = await store.lms.get("/xapi/statements", params={"attachments": "true"}, headers=VERSION)

    for answer in (one, page):
        assert answer.status_code == 200
        assert len(answer.content) < 4_500_000
        assert answer.content.count(b"X-Experience-API-Hash:") == 1
        assert small in answer.content
    assert page.content.count(b'"fileUrl"') == 3


async def test_a_part_of_the_request_goes_before_what_was_uploaded(store: StoreUnderTest) -> None:
    await upload(store.lms, b"data")
    made = recorded(b"data")
    head = f"X-Experience-API-Hash: {hashlib.sha256(b'data').hexdigest()}\r\nContent-Transfer-Encoding: binary"
    first = b"Content-Type: application/json\r\n\r\n" + orjson.dumps(made)
    second = b"Content-Type: video/mp4\r\n" + head.encode() + b"\r\n\r\ndata"
    body = b"--abc\r\n" + first + b"\r\n--abc\r\n" + second + b"\r\n--abc--"
    headers = {**VERSION, "Content-Type": "multipart/mixed; boundary=abc"}

    answer = await store.lms.post("/xapi/statements", content=body, headers=headers)

    assert answer.status_code == 200, answer.text
    read = await store.lms.get("/xapi/statements", params={"statementId": made["id"]}, headers=VERSION)
    assert "fileUrl" not in read.json()["attachments"][0]


async def test_what_one_credential_uploaded_is_nothing_to_another(store: StoreUnderTest) -> None:
    told = await upload(store.lms, b"data")
    key, secret = await store.credential(scopes=("statements/write", "statements/read/mine"))
    owner = parse_qs(urlsplit(told["fileUrl"]).query)["owner"][0]
    hers = {"auth": (key, secret), "headers": VERSION}

    named = await store.lms.post("/xapi/statements", json=recorded(b"data"), **hers)
    read = await store.lms.get("/xapi/attachments", params={"sha2": told["sha2"], "owner": owner}, **hers)
    unknown = await store.lms.get("/xapi/attachments", params={"sha2": "0" * 64}, headers=VERSION)

    assert named.status_code == 400
    assert (read.status_code, read.json()["code"]) == (404, "attachment_not_found")
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"sha2": "abc"}, "/sha2"),
        ({"sha2": "0" * 128}, "/sha2"),
        ({"length": 0}, "/length"),
        ({"length": True}, "/length"),
        ({"length": 6 * 1024**3}, "/length"),
        ({"contentType": "video"}, "/contentType"),
        ({"contentType": "video/mp4\r\nx: y"}, "/contentType"),
    ],
)
async def test_a_description_that_is_none_is_refused_with_its_place(
    store: StoreUnderTest, changes: dict[str, Any], pointer: str
) -> None:
    answer = await announced(store.lms, b"data", **changes)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_uploading_needs_the_scope_of_writing_statements(store: StoreUnderTest) -> None:
    key, secret = await store.credential(scopes=("statements/read",))

    answer = await store.lms.post("/xapi/attachments", json={}, auth=(key, secret), headers=VERSION)

    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
