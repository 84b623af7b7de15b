"""A roster planned from a commit of a dataset: real import, real export, one database."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from dataforge.bootstrap import rest_app
from dataforge.contexts.datasets.exports.reader import FAILURE_STANDS
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.aws.clients import client as aws
from dataforge.platform.db.database import Database
from tests.builders.academics import Campus
from tests.builders.datasets import (
    DatasetsUnderTest,
    branch,
    commit_rows,
    csv,
    head,
    import_file,
    new_dataset,
    ok,
    refused,
)
from tests.builders.emulator import EmulatedAws

HEADER = (" Student_Number", "FIRST_NAME", "last_name", "Course_Code", "section_code", "favourite colour")
ROSTER = csv([HEADER, ("S1", "Ada", "Lovelace", "CS1", "A", "red"), ("S2", "Grace", "Hopper", "CS1", "A", "blue")])


class Registry:
    """A registrar with a client of each app, and a dataset with a roster in it."""

    def __init__(self, datasets: DatasetsUnderTest, campus: Campus) -> None:
        self.datasets = datasets
        self.campus = campus
        self.registrar: httpx.AsyncClient
        self.analyst: httpx.AsyncClient
        self.dataset_id = ""

    async def open(self, content: bytes = ROSTER, **options: Any) -> None:
        """Sign in, and import the file on main."""
        user_id = await self.datasets.add_user(Role.REGISTRAR)
        token = await self.datasets.token(user_id, Role.REGISTRAR)
        _, asgi = rest_app("api", self.datasets.platform_of("api"))
        self.registrar = await self.datasets.client(token, asgi)
        self.analyst = await self.datasets.client(token)
        self.dataset_id = await new_dataset(self.analyst)
        await import_file(self.datasets, self.analyst, self.dataset_id, content, **options)

    async def ask(self, version: str = "main", client: httpx.AsyncClient | None = None, **more: Any) -> httpx.Response:
        """Ask for a plan of the campus's semester."""
        body = {"dataset_id": self.dataset_id, "version": version, **more}
        path = f"/api/rosters/{await self.campus.semester()}/plans"
        return await (client or self.registrar).post(path, json=body)

    async def plan(self, version: str = "main", **more: Any) -> dict[str, Any]:
        """A plan, after the export that makes the rows readable."""
        first = await self.ask(version, **more)
        if first.status_code == 202:
            await self.datasets.work_on(UUID(first.json()["job_id"]), "export")
            first = await self.ask(version, **more)
        return dict(ok(first, 201))

    async def rows(self, plan: dict[str, Any]) -> list[dict[str, Any]]:
        """The enrolment rows of a plan."""
        path = f"/api/rosters/plans/{plan['id']}/rows"
        return list(ok(await self.registrar.get(path, params={"kind": "enrollment"}))["items"])


@pytest.fixture
async def registry(
    emulator: EmulatedAws, database: Database, clock: FixedClock, campus: Campus
) -> AsyncIterator[Registry]:
    """A registry with nothing imported yet, and section A of CS1."""
    await campus.section(course=await campus.course("CS1"), code="A")
    async with DatasetsUnderTest(database, clock, emulator) as datasets:
        yield Registry(datasets, campus)


async def test_a_plan_waits_for_the_rows_and_then_names_the_commit_it_came_from(registry: Registry) -> None:
    await registry.open()
    at = await head(registry.analyst, registry.dataset_id)

    waiting = await registry.ask()
    still = await registry.ask()
    plan = await registry.plan()

    body = ok(waiting, 202)
    assert waiting.headers["Retry-After"] == "2"
    assert (body["status"], body["commit_id"], body["sheet"], body["row_count"]) == ("preparing", at, "data", 2)
    assert ok(still, 202)["job_id"] == body["job_id"]
    source = plan["source"]
    assert (source["kind"], source["dataset_id"], source["commit_id"]) == ("dataset", registry.dataset_id, at)
    assert (source["version"], source["sheet"], source["row_count"]) == ("main", "data", 2)
    assert source["content_sha256"] == plan["inputs_sha256"]
    assert plan["counts"] == {"enrollment": {"create": 2}, "user": {"create": 2}}
    assert [(row["file"], row["line"], row["data"]["number"]) for row in await registry.rows(plan)] == [
        ("data", 2, "S1"),
        ("data", 3, "S2"),
    ]


async def test_rows_that_cannot_be_exported_are_told_so_and_not_queued_on_every_poll(
    registry: Registry, clock: FixedClock
) -> None:
    await registry.open()
    job_id = ok(await registry.ask(), 202)["job_id"]
    bucket = registry.datasets.services.settings.data_bucket
    for item in aws("s3").list_objects_v2(Bucket=bucket, Prefix=f"chunks/{registry.dataset_id}/packs/")["Contents"]:
        aws("s3").delete_object(Bucket=bucket, Key=item["Key"])
    await registry.datasets.work_on(UUID(job_id), "export")

    answers = [await registry.ask() for _ in range(3)]
    jobs = ok(await registry.analyst.get(f"/api/datasets/{registry.dataset_id}/jobs", params={"run_type": "export"}))
    clock.advance(FAILURE_STANDS)
    later = await registry.ask()

    assert {refused(answer) for answer in answers} == {(400, "roster_unreadable")}
    assert {answer.json()["job_id"] for answer in answers} == {job_id}
    assert "is not in the" in answers[0].json()["detail"]
    assert [(job["id"], job["status"]) for job in jobs["items"]] == [(job_id, "failed")]
    assert ok(later, 202)["job_id"] != job_id


async def test_a_plan_from_a_dataset_is_applied_like_any_other(registry: Registry) -> None:
    await registry.open()
    plan = await registry.plan()

    applied = await registry.registrar.post(
        f"/api/rosters/plans/{plan['id']}/apply", json={"plan_hash": plan["plan_hash"]}
    )
    again = await registry.plan()

    assert ok(applied)["state"] == "applied"
    assert again["counts"]["enrollment"] == {"unchanged": 2}
    names = await registry.campus.rows("SELECT number, first_name FROM academics.students ORDER BY number")
    assert [(row["number"], row["first_name"]) for row in names] == [("S1", "Ada"), ("S2", "Grace")]


async def test_the_same_commit_plans_to_the_same_hash_by_whatever_name(registry: Registry) -> None:
    await registry.open()
    at = await branch(registry.analyst, registry.dataset_id, "autumn")

    plans = [await registry.plan(version) for version in ("main", "autumn", at, "main")]

    assert len({plan["plan_hash"] for plan in plans}) == 1
    assert len({plan["id"] for plan in plans}) == 4


async def test_a_branch_that_moved_plans_from_its_new_commit_and_the_old_one_by_its_id(registry: Registry) -> None:
    await registry.open(content=ROSTER.replace(b" Student_Number", b"Student_Number"), key=["Student_Number"])
    before = await registry.plan()
    moved = ok(
        await commit_rows(registry.analyst, registry.dataset_id, [{"op": "delete", "key": {"Student_Number": "S1"}}]),
        201,
    )

    after = await registry.plan()
    pinned = await registry.plan(before["source"]["commit_id"])

    assert after["source"]["commit_id"] == moved["new_commit_id"]
    assert after["counts"]["enrollment"] == {"create": 1}
    assert after["plan_hash"] != before["plan_hash"] == pinned["plan_hash"]


async def test_options_are_those_of_an_upload(registry: Registry) -> None:
    await registry.open()
    [section] = await registry.campus.rows("SELECT id FROM academics.sections")
    await registry.campus.enroll(await registry.campus.student(number="S9"), section["id"])

    full, additive = await registry.plan(mode="full"), await registry.plan()

    assert (full["drops"], full["implied_drops"], additive["drops"]) == (1, 1, 0)
    assert full["plan_hash"] != additive["plan_hash"]


async def test_numbers_become_the_texts_a_file_would_have(registry: Registry) -> None:
    content = csv([("student_number", "course_code", "section_code", "status"), (17, "CS1", 2, ""), (18, "CS1", 2, "")])
    await registry.open(content)
    [course] = await registry.campus.rows("SELECT id FROM academics.courses")
    await registry.campus.section(course=course["id"], code="2")
    await registry.campus.student(number="17")

    plan = await registry.plan()

    assert [(row["action"], row["data"]["number"]) for row in await registry.rows(plan)] == [
        ("create", "17"),
        ("conflict", "18"),
    ]


async def test_a_column_that_a_roster_needs_and_the_table_lacks_is_named(registry: Registry) -> None:
    await registry.open(csv([("student_number", "course_code", "room"), ("S1", "CS1", "A")]))

    answer = await registry.ask()

    assert refused(answer) == (400, "roster_unreadable")
    said = "data lacks the column section_code; it needs student_number, course_code"
    assert answer.json()["detail"].startswith(said)


async def test_a_cell_that_is_no_roster_is_a_conflict_with_its_row(registry: Registry) -> None:
    content = csv([("student_number", "course_code", "section_code"), ("S1", "CS1", "A"), ("", "CS1", "A")])
    await registry.open(content)

    rows = await registry.rows(await registry.plan())

    assert rows[1]["reason"] == {"rule": "unreadable", "message": "Line 3: student_number is empty."}


async def test_a_dataset_is_planned_by_those_who_may_read_it_only(registry: Registry) -> None:
    await registry.open()
    _, asgi = rest_app("api", registry.datasets.platform_of("api"))

    async def asked_as(role: Role, level: str | None = None) -> httpx.Response:
        user_id = await registry.datasets.add_user(role)
        if level is not None:
            path = f"/api/datasets/{registry.dataset_id}/permissions/user/{user_id}"
            ok(await registry.analyst.put(path, json={"level": level}))
        return await registry.ask(
            client=await registry.datasets.client(await registry.datasets.token(user_id, role), asgi)
        )

    answers = [await asked_as(Role.REGISTRAR), await asked_as(Role.REGISTRAR, "read"), await asked_as(Role.ANALYST)]

    assert [answer.status_code for answer in answers] == [404, 202, 403]


async def test_what_is_not_there_is_said_before_anything_is_prepared(registry: Registry) -> None:
    await registry.open()
    nowhere = f"/api/rosters/{uuid7()}/plans"

    refusals = [
        refused(await registry.ask("nope")),
        refused(await registry.ask(sheet="nope")),
        refused(await registry.ask(dataset_id=str(uuid7()))),
        refused(await registry.registrar.post(nowhere, json={"dataset_id": registry.dataset_id, "version": "main"})),
    ]

    assert refusals == [
        (404, "ref_not_found"),
        (404, "sheet_not_found"),
        (404, "dataset_not_found"),
        (404, "not_found"),
    ]
    jobs = await registry.campus.rows("SELECT 1 FROM datasets.jobs WHERE run_type = 'export'")
    assert jobs == []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"version": "main", "dataset_id": "x"}, "/dataset_id"),
        ({"version": "main"}, "/dataset_id"),
        ({"dataset_id": str(uuid7())}, "/version"),
        ({"dataset_id": str(uuid7()), "version": ""}, "/version"),
        ({"dataset_id": str(uuid7()), "version": "v" * 1000}, "/version"),
        ({"dataset_id": str(uuid7()), "version": "main", "ref": "main"}, "/ref"),
        ({"dataset_id": str(uuid7()), "version": "main", "waive": ["hold"]}, ""),
        ([], ""),
    ],
)
async def test_a_body_that_is_no_request_is_refused_with_its_place(registry: Registry, body: Any, place: str) -> None:
    client = await registry.datasets.client(
        await registry.datasets.token(await registry.datasets.add_user(Role.REGISTRAR), Role.REGISTRAR),
        rest_app("api", registry.datasets.platform_of("api"))[1],
    )

    answer = await client.post(f"/api/rosters/{await registry.campus.semester()}/plans", json=body)

    assert refused(answer) == (400, "validation_failed")
    assert [error["pointer"] for error in answer.json()["errors"]] == [place]


async def test_options_in_the_address_are_refused_with_json(registry: Registry) -> None:
    await registry.open()
    path = f"/api/rosters/{await registry.campus.semester()}/plans?mode=additive"

    answer = await registry.registrar.post(path, json={"dataset_id": registry.dataset_id, "version": "main"})

    assert refused(answer) == (400, "bad_request")
