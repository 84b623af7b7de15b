"""Every list is also CSV: the whole of it, in memory that does not grow, for programs and for spreadsheets."""

import asyncio
import csv
import io
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text
from starlette.types import Message

from dataforge.http import file_answers
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.clients import client as aws_client
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws

COURSES = "/api/courses"


@pytest.fixture
async def registrar(api: ApiUnderTest) -> httpx.AsyncClient:
    return await api.as_role(Role.REGISTRAR)


@pytest.fixture
async def bucket(emulator: EmulatedAws) -> str:
    return await asyncio.to_thread(emulator.bucket)


@pytest.fixture
async def stored(database: Database, clock: FixedClock, bucket: str) -> AsyncIterator[ApiUnderTest]:
    """The API with a bucket that there is."""
    async with ApiUnderTest(database, clock, data_bucket=bucket) as api:
        yield api


async def add_departments(database: Database, count: int, name: str = "Department") -> None:
    statement = (
        "INSERT INTO academics.departments (id, code, name, created_at, updated_at) "
        "SELECT gen_random_uuid(), 'D' || lpad(number::text, 7, '0'), :name || ' ' || number, now(), now() "
        "FROM generate_series(1, :count) number"
    )
    async with database.transaction() as connection:
        await connection.execute(text(statement), {"count": count, "name": name})


async def get_csv(client: httpx.AsyncClient, path: str, **query: Any) -> httpx.Response:
    answer = await client.get(path, params=query, headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    return answer


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


async def test_a_list_as_csv_is_whole(database: Database, registrar: httpx.AsyncClient) -> None:
    await add_departments(database, 1_203)

    answer = await get_csv(registrar, "/api/departments")

    rows = rows_of(answer)
    assert [row["code"] for row in rows] == [f"D{number:07}" for number in range(1, 1_204)]
    assert "Link" not in answer.headers
    assert answer.headers["Content-Disposition"] == 'attachment; filename="departments.csv"'
    assert [item.strip().lower() for item in answer.headers["Vary"].split(",")].count("accept") == 1


async def test_a_page_that_is_named_is_that_page(database: Database, registrar: httpx.AsyncClient) -> None:
    await add_departments(database, 5)

    codes, path = [], "/api/departments?format=csv&limit=2"
    while path:
        answer = await registrar.get(path)
        codes.append([row["code"] for row in rows_of(answer)])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
        assert not path or "format=csv" in path

    assert codes == [["D0000001", "D0000002"], ["D0000003", "D0000004"], ["D0000005"]]


async def test_a_cursor_of_json_continues_as_csv(database: Database, registrar: httpx.AsyncClient) -> None:
    await add_departments(database, 3)
    cursor = (await registrar.get("/api/departments", params={"limit": 2})).json()["next_cursor"]

    answer = await registrar.get("/api/departments", params={"cursor": cursor, "format": "csv"})

    assert [row["code"] for row in rows_of(answer)] == ["D0000003"]


async def test_an_empty_list_has_its_columns(registrar: httpx.AsyncClient) -> None:
    answer = await get_csv(registrar, COURSES)

    assert answer.text == (
        "id,sourced_id,revision,created_at,updated_at,code,title,description,credits,capacity,department_id,state\r\n"
    )


async def test_filters_hold_for_csv(database: Database, registrar: httpx.AsyncClient) -> None:
    await add_departments(database, 2)
    ids = [row["id"] for row in rows_of(await get_csv(registrar, "/api/departments"))]
    body = {"title": "T", "credits": 3}
    for number, department_id in enumerate(ids):
        made = await registrar.post(COURSES, json={**body, "code": f"C{number}", "department_id": department_id})
        assert made.status_code == 201

    answer = await get_csv(registrar, COURSES, department_id=ids[1])

    assert [(row["code"], row["credits"], row["description"]) for row in rows_of(answer)] == [("C1", "3", "")]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
async def test_formulas_are_made_harmless_for_spreadsheets_only(registrar: httpx.AsyncClient, sign: str) -> None:
    name = f'{sign}HYPERLINK("https://evil.example.org")'
    assert (await registrar.post("/api/departments", json={"code": "X", "name": name})).status_code == 201

    plain = await get_csv(registrar, "/api/departments")
    excel = await get_csv(registrar, "/api/departments", excel="true")

    assert rows_of(plain)[0]["name"] == name
    assert excel.content.startswith(b"\xef\xbb\xbfid,")
    assert next(csv.DictReader(io.StringIO(excel.content.decode("utf-8-sig"))))["name"] == f"'{name}"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"format": "xlsx"}, "query:format"),
        ({"format": ""}, "query:format"),
        ({"format": "parquet"}, "query:format"),
        ({"format": "csv", "excel": "maybe"}, "query:excel"),
    ],
)
async def test_a_format_that_there_is_not_is_refused(
    registrar: httpx.AsyncClient, query: dict[str, str], pointer: str
) -> None:
    answer = await registrar.get(COURSES, params=query)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_excel_is_for_csv(registrar: httpx.AsyncClient) -> None:
    answer = await registrar.get(COURSES, params={"excel": "true"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "format=csv" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/json", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.9, application/json;q=0.5", "text/csv"),
        ("TEXT/CSV", "text/csv"),
    ],
)
async def test_accept_decides(registrar: httpx.AsyncClient, accept: str, media_type: str) -> None:
    answer = await registrar.get(COURSES, headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].partition(";")[0] == media_type


async def test_format_weighs_more_than_accept(registrar: httpx.AsyncClient) -> None:
    answer = await registrar.get(COURSES, params={"format": "json"}, headers={"Accept": "text/csv"})

    assert answer.json()["items"] == []


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        (COURSES, "application/json and text/csv"),
        ("/api/users/me", "application/json"),
        ("/api/oneroster/v1p2/export", "application/zip"),
        ("/api/rosters/template.csv", "text/csv"),
        ("/api/calendar.ics", "text/calendar"),
    ],
)
async def test_an_accept_that_fits_nothing_is_refused_with_what_there_is(
    registrar: httpx.AsyncClient, path: str, offered: str
) -> None:
    answer = await registrar.get(path, headers={"Accept": "application/vnd.ms-excel"})

    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert offered in answer.json()["detail"]


async def test_a_client_that_says_nothing_or_takes_all_gets_what_has_one_form(registrar: httpx.AsyncClient) -> None:
    for accept in ("", "*/*", "text/html, */*;q=0.1", "text/*"):
        answer = await registrar.get("/api/rosters/template.csv", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/csv")


async def test_csv_needs_the_rights_of_the_list(api: ApiUnderTest) -> None:
    learner, nobody = await api.as_role(Role.LEARNER), await api.client()

    assert (await learner.get("/api/students", params={"format": "csv"})).status_code == 403
    assert (await nobody.get("/api/students", params={"format": "csv"})).status_code == 401


async def test_what_does_not_fit_is_an_object_that_the_answer_points_to(
    database: Database, stored: ApiUnderTest, bucket: str
) -> None:
    await add_departments(database, 20_000, "x" * 190)
    client = await stored.as_role(Role.REGISTRAR)

    answer = await client.get("/api/departments", params={"format": "csv", "excel": "true"})

    assert (answer.status_code, answer.content) == (303, b"")
    assert urlsplit(answer.headers["Location"]).path.endswith("/departments.csv")
    async with httpx.AsyncClient() as anybody:
        file = await anybody.get(answer.headers["Location"])
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert len(rows_of(file)) == 20_000
    objects = await asyncio.to_thread(lambda: aws_client("s3").list_objects_v2(Bucket=bucket)["Contents"])
    assert [item["Key"].startswith(file_answers.PREFIX) for item in objects] == [True]


async def test_a_client_that_goes_away_leaves_nothing_behind(
    database: Database, stored: ApiUnderTest, bucket: str
) -> None:
    await add_departments(database, 20_000, "x" * 190)
    client = await stored.as_role(Role.REGISTRAR)
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    path, headers = "/api/departments", [(b"authorization", client.headers["Authorization"].encode())]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": headers}
    scope |= {"query_string": b"format=csv", "scheme": "http", "server": ("api.test", 80), "root_path": ""}
    await stored.asgi({**scope, "http_version": "1.1", "client": ("127.0.0.1", 1)}, receive, send)

    assert sent[0]["status"] == 204
    assert "Contents" not in await asyncio.to_thread(lambda: aws_client("s3").list_objects_v2(Bucket=bucket))


async def test_a_list_that_takes_too_long_is_refused_with_what_to_do(
    database: Database, registrar: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_departments(database, 600)
    monkeypatch.setattr(file_answers, "MOST_SECONDS", 0.0)

    answer = await registrar.get("/api/departments", params={"format": "csv"})

    assert (answer.status_code, answer.json()["code"]) == (422, "list_too_long")
    assert answer.json()["lines"] == 500
    assert "`limit`" in answer.json()["detail"]


async def test_a_long_list_is_written_in_flat_memory(
    database: Database, stored: ApiUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_answers, "MOST_SECONDS", 600.0)  # measuring memory takes several times as long
    client = await stored.as_role(Role.REGISTRAR)
    peaks = []
    for count in (2_000, 98_000):
        await add_departments(database, count, f"{count}")
        await client.get("/api/departments", params={"format": "csv", "limit": 1})
        tracemalloc.start()
        answer = await client.get("/api/departments", params={"format": "csv"})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        if count == 2_000:
            assert answer.status_code == 200
            async with database.transaction() as connection:
                await connection.execute(text("DELETE FROM academics.departments"))
    assert answer.status_code == 303
    assert peaks[1] < peaks[0] + 8 * 2**20, peaks
