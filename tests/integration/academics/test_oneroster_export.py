"""The whole school as a zip of OneRoster files, which a roster takes again without a change."""

import asyncio
import csv
import io
import zipfile
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.types import Message

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.clients import client as aws_client
from dataforge.platform.db.database import Database
from tests.builders.academics import Campus
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.rosters import apply, changes, oneroster_zip, plan, rows, school

EXPORT = "/api/oneroster/v1p2/export"
KINDS = ("session", "org", "course", "class", "user", "enrollment")


@pytest.fixture
async def registrar(api: ApiUnderTest) -> httpx.AsyncClient:
    return await api.as_role(Role.REGISTRAR)


async def exported(client: httpx.AsyncClient) -> bytes:
    answer = await client.get(EXPORT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="oneroster.zip"'
    return answer.content


def files_of(content: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))
            for name in archive.namelist()
        }


async def enroll_many(database: Database) -> None:
    """Students whose files take more than an answer holds."""
    statement = (
        "INSERT INTO academics.students (id, number, first_name, last_name, created_at, updated_at) "
        "SELECT gen_random_uuid(), number, md5(number || 'a') || md5(number || 'b'), md5(number || 'c'), now(), now() "
        "FROM generate_series(1, 60000) number"
    )
    async with database.transaction() as connection:
        await connection.execute(text(statement))


async def assert_nothing_to_do(campus: Campus, content: bytes) -> None:
    for mode in ("additive", "full"):
        made = await plan(campus, content, "oneroster", mode=mode)
        assert changes(made) == {}, made["counts"]
        decided = [row for kind in KINDS for row in await rows(campus, made, kind)]
        assert [row["reason"] for row in decided if row["action"] == "conflict"] == []


async def fill(campus: Campus, api: ApiUnderTest) -> dict[str, Any]:
    """A section with a teacher, one seat taken and one waiting; one who dropped; a closed section; another semester."""
    teacher = await api.add_user(Role.INSTRUCTOR, display_name="Grace Brewster Hopper", email="grace@example.org")
    alone = await api.add_user(Role.INSTRUCTOR, display_name="Plato", email="plato@example.org")
    section = await campus.section(instructor_id=teacher, capacity=1, waitlist_capacity=5)
    closed = await campus.section(course=await campus.course("CLOSED"), code="Z", instructor_id=alone)
    seated, waiting, gone = [
        await campus.student(first_name=f'="{number}"', last_name="Müller, Ada", number=f"N-{number}")
        for number in range(3)
    ]
    enrollments = [await campus.enroll(student, section) for student in (seated, waiting)]
    dropped = await campus.enroll(gone, closed)
    await campus.drop(dropped.enrollment.id)
    kept = await campus.enroll(seated, closed)
    other = await campus.section(course=await campus.course("OTHER"), semester_id=await campus.semester(code="OTHER"))
    return {"section": section, "waiting": waiting, "enrollments": enrollments, "kept": kept, "other": other}


async def test_the_zip_has_a_manifest_and_the_files_it_names(
    registrar: httpx.AsyncClient, campus: Campus, api: ApiUnderTest
) -> None:
    made = await fill(campus, api)

    files = files_of(await exported(registrar))

    modes = {row["propertyName"]: row["value"] for row in files.pop("manifest")}
    assert (modes["manifest.version"], modes["oneroster.version"]) == ("1.0", "1.2")
    bulk = {name.removeprefix("file.") for name, mode in modes.items() if mode == "bulk"}
    assert bulk == set(files) == {"orgs", "academicSessions", "courses", "classes", "users", "roles", "enrollments"}
    assert {row["status"] + row["dateLastModified"] for rows in files.values() for row in rows} == {""}
    names = {row["identifier"]: (row["givenName"], row["familyName"]) for row in files["users"]}
    assert names["N-0"] == ('="0"', "Müller, Ada")
    assert ("Grace Brewster", "Hopper") in names.values()
    by_user = {(row["userSourcedId"], row["classSourcedId"]): row["role"] for row in files["enrollments"]}
    assert by_user[str(made["waiting"]), str(made["section"])] == "ext:waitlisted"
    assert sorted(by_user.values()) == ["ext:waitlisted", "student", "student", "teacher", "teacher"]


async def test_what_is_exported_is_imported_without_a_change(
    registrar: httpx.AsyncClient, campus: Campus, api: ApiUnderTest
) -> None:
    await fill(campus, api)

    await assert_nothing_to_do(campus, await exported(registrar))


async def test_what_came_by_a_roster_is_imported_without_a_change(
    registrar: httpx.AsyncClient, campus: Campus, api: ApiUnderTest
) -> None:
    await api.add_user(Role.INSTRUCTOR, email="grace@example.org")
    campus._semester = await campus.semester(code="FALL")
    await apply(campus, await plan(campus, oneroster_zip(**school()), "oneroster"))

    content = await exported(registrar)

    assert {row["sourcedId"] for row in files_of(content)["users"]} >= {"u1", "u2", "u3", "u4"}
    await assert_nothing_to_do(campus, content)


async def test_what_the_files_are_changed_in_is_changed_and_nothing_else(
    registrar: httpx.AsyncClient, campus: Campus, api: ApiUnderTest
) -> None:
    await fill(campus, api)
    files = files_of(await exported(registrar))
    changed = next(row for row in files["users"] if row["identifier"] == "N-1")
    changed["familyName"] = "Lovelace"
    columns = {name: ",".join(rows[0]) for name, rows in files.items() if name != "manifest"}

    made = await plan(campus, oneroster_zip(columns, **files), "oneroster", mode="full")

    assert changes(made) == {"user": {"change": 1}}
    await apply(campus, made)
    [student] = await campus.rows("SELECT last_name, sourced_id FROM academics.students WHERE number = 'N-1'")
    assert student["last_name"] == "Lovelace"
    await assert_nothing_to_do(campus, await exported(registrar))


async def test_an_empty_school_has_all_files(registrar: httpx.AsyncClient) -> None:
    files = files_of(await exported(registrar))

    assert [name for name, rows in files.items() if rows] == ["manifest"]


async def test_only_registrars_take_everything(api: ApiUnderTest) -> None:
    for role in (Role.LEARNER, Role.VIEWER, Role.INSTRUCTOR, Role.ANALYST):
        assert (await (await api.as_role(role)).get(EXPORT)).status_code == 403


async def test_a_large_school_is_an_object_that_the_answer_points_to(
    database: Database, clock: FixedClock, campus: Campus, emulator: EmulatedAws
) -> None:
    await enroll_many(database)
    async with ApiUnderTest(database, clock, data_bucket=emulator.bucket()) as api:
        answer = await (await api.as_role(Role.REGISTRAR)).get(EXPORT)

    assert answer.status_code == 303
    async with httpx.AsyncClient() as anybody:
        file = await anybody.get(answer.headers["Location"])
    assert len(files_of(file.content)["users"]) == 60_000


async def test_a_client_that_goes_away_leaves_no_file_and_no_transaction_behind(
    database: Database, clock: FixedClock, emulator: EmulatedAws
) -> None:
    await enroll_many(database)
    bucket = emulator.bucket()
    async with ApiUnderTest(database, clock, data_bucket=bucket) as api:
        client = await api.as_role(Role.REGISTRAR)
        messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"authorization", client.headers["Authorization"].encode()), (b"accept", b"*/*")]
        scope = {"type": "http", "method": "GET", "path": EXPORT, "raw_path": EXPORT.encode(), "headers": headers}
        scope |= {"query_string": b"", "scheme": "http", "server": ("api.test", 80), "root_path": ""}
        await api.asgi({**scope, "http_version": "1.1", "client": ("127.0.0.1", 1)}, receive, send)

    assert sent[0]["status"] == 204
    assert "Contents" not in await asyncio.to_thread(lambda: aws_client("s3").list_objects_v2(Bucket=bucket))
    async with database.read_only() as connection:
        busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        assert (await connection.execute(text(busy))).scalar_one() == 0
