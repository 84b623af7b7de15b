"""Somebody who has done something everywhere is exported, erased, and then named nowhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from dataforge.bootstrap import modules
from dataforge.contexts.academics.students import commands as students
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.events.worker import do_job
from dataforge.kernel.clock import SystemClock
from dataforge.platform.aws.clients import client as aws_client
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.datasets import commit_rows, head, ok
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.rosters import simple_csv
from tests.builders.statements import statement
from tests.builders.whole_api import WholeApi
from tests.builders.workspaces import Person, Space, join, new_workspace

HERS = ("ada.lovelace@", "lovelace_ada", "augusta", "enchantress-1815")
EMAIL, NAME, AVATAR, PASSWORD = "Ada.Lovelace@example.org", "Augusta Ada King", "enchantress-1815", "nine purple ferns"
ACTOR = {"mbox": "mailto:ada.lovelace@example.org", "name": NAME}
ACCOUNT = {"account": {"homePage": "https://moodle.example.org", "name": "augusta"}}
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
async def world(database: Database, emulator: EmulatedAws) -> AsyncIterator[WholeApi]:
    world = WholeApi(database, SystemClock(), emulator)
    await world.start()
    yield world
    await world.close()


async def change(world: WholeApi, sql: str, **values: Any) -> None:
    from sqlalchemy import text

    async with world.database.transaction() as connection:
        await connection.execute(text(sql), values)


async def newcomer(world: WholeApi) -> Person:
    """She signs up, proves her address and signs in, as people do."""
    anybody = await world.api.client()
    body = {"username": "lovelace_ada", "email": EMAIL, "password": PASSWORD, "display_name": NAME, "avatar": AVATAR}
    ok(await world.client.post("/api/invitations", json={"email": EMAIL, "role": "analyst"}), 201)
    made = ok(await anybody.post("/api/signup", json=body, headers={"Idempotency-Key": "sign-up"}), 201)
    await change(world, "UPDATE identity.users SET email_confirmed_at = now() WHERE id = :id", id=made["id"])
    login = {"username": EMAIL, "password": PASSWORD}
    issued = ok(await anybody.post("/api/auth/login", json=login, headers={"User-Agent": "Augusta's phone"}))
    ok(await anybody.post("/api/passwords/resets", json={"email": EMAIL}), 202)
    return Person(UUID(made["id"]), EMAIL, await world.api.client(issued["access_token"], world.gateway))


async def live(world: WholeApi, ada: Person, store: StoreUnderTest) -> None:
    """Something in every context."""
    client, admin = ada.client, world.client
    ok(await client.patch("/api/users/me", json={"time_zone": "Europe/London"}, headers={"If-Match": "*"}))
    ok(await client.post("/api/tokens", json={"name": "augusta's cron", "scopes": ["all:read"], "days": 7}), 201)
    await _study(world, ada)
    await _work(world, ada)
    # Records: loaded, waiting, a document, a linked account, and what could not be read.
    own = [statement(actor=ACTOR), statement(actor=ACCOUNT), statement(context={"instructor": ACTOR})]
    ok(await store.post(own))
    ok(await admin.post("/api/agent-identifiers", json={"user_id": str(ada.id), "agent": ACCOUNT}), 201)
    await store.deliver()
    where = {"activityId": "https://e.org/a", "agent": json.dumps(ACTOR), "stateId": "s"}
    await store.lms.put("/xapi/activities/state", params=where, content=b"Augusta's notes", headers=VERSION)
    ok(await store.post([statement(actor={**ACTOR, "objectType": "Nonsense"})]), 400)
    operator = world.api.platform_of("maintenance")
    await relay_outbox(operator, subscribers(modules(), operator))


async def _study(world: WholeApi, ada: Person) -> None:
    campus, admin = world.campus, world.client
    student = await campus.student(
        user_id=ada.id, number="enchantress-1815", first_name="Augusta", last_name="King", email=EMAIL.lower()
    )
    await campus.enroll(student, await campus.section())
    await campus.run(students.place_hold, students.PlaceHold(student, "LIB", "Augusta has books"))
    semester, course = await campus.semester(), await campus.course("CRS1")
    await campus.section(course=course, semester_id=semester, code="A")
    row = {"student_number": "enchantress-1815", "first_name": "Augusta", "last_name": "King", "course_code": "CRS1"}
    data = simple_csv({**row, "email": EMAIL, "section_code": "A", "status": "active"})
    ok(await admin.post(f"/api/rosters/{semester}/plans", content=data, headers=CSV), 201)
    cohort = await world.post("/api/cohorts", 201, name="Analysts")
    ok(await admin.put(f"/api/cohorts/{cohort['id']}/members/{ada.id}"), 204)
    unit = {"title": "Unit", "content_url": "https://content.example.org/unit", "cohort_id": cohort["id"]}
    lesson = await world.post("/api/lessons", 201, lesson_url="https://e.org/unit", **unit)
    ok(await ada.client.post(f"/api/lessons/{lesson['id']}/launches", json={}), 201)


async def _work(world: WholeApi, ada: Person) -> None:
    client, admin = ada.client, world.client
    ok(await client.put("/api/notification-preferences/lesson_reminder", json={"wanted": False}), 200)
    alone = await new_workspace(ada, "Augusta's diary")
    space = Space(world.api, alone, {"owner": ada})
    await space.vault("augusta's vault")
    theirs = Person(world.user_id, "", admin)
    shared = Space(world.api, await new_workspace(theirs, "Engine"), {"owner": theirs})
    await join(shared, ada, "editor")
    resource = {"resource_type": "snippet", "name": "augusta's snippet"}
    ok(await client.post(f"/api/user-profiles/{ada.id}/resources", json=resource), 201)
    ok(await client.patch(f"/api/user-profiles/{ada.id}", json={"about": NAME}, headers={"If-Match": "*"}))
    dataset = await world.dataset()
    ok(await admin.put(f"/api/datasets/{dataset}/permissions/user/{ada.id}", json={"level": "write"}))
    await head(client, dataset)
    ok(await commit_rows(client, dataset, [{"op": "insert", "values": {"id": 7, "name": "a row"}}]), 201)


async def written(world: WholeApi) -> list[str]:
    """Where she is named: `table: word`, or an object's key."""
    tables = await world.campus.rows(
        "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    found = []
    for table in tables:
        rows = await world.campus.rows(f"SELECT row_to_json(t)::text AS row FROM {table['name']} t")
        text = "\n".join(str(row["row"]) for row in rows).lower()
        found += [f"{table['name']}: {word}" for word in HERS if word in text or word.encode().hex() in text]
    s3 = aws_client("s3")
    listed = await asyncio.to_thread(s3.list_objects_v2, Bucket=world.bucket)
    for item in listed.get("Contents", []):
        body = (await asyncio.to_thread(s3.get_object, Bucket=world.bucket, Key=item["Key"]))["Body"].read()
        found += [f"{item['Key']}: {word}" for word in HERS if word in body.decode(errors="replace").lower()]
    return found


async def done(world: WholeApi, job_id: str) -> dict[str, Any]:
    assert await do_job(UUID(job_id), modules(), world.api.platform_of("worker")) is Done.ENDED
    job = ok(await world.client.get(f"/api/jobs/{job_id}"))
    assert job["status"] == "completed", job
    return dict(job["output_summary"])


async def test_who_has_been_everywhere_is_named_nowhere(world: WholeApi, emulator: EmulatedAws) -> None:
    ada = await newcomer(world)
    async with StoreUnderTest(emulator, world.database, queue_url=world.statements_queue, bucket=world.bucket) as store:
        await live(world, ada, store)
        places = {place.partition(": ")[0] for place in await written(world)}
        assert {
            "academics.holds",
            "academics.roster_rows",
            "academics.students",
            "identity.invitations",
            "identity.personal_tokens",
            "identity.refresh_tokens",
            "identity.users",
            "lrs.agent_identifiers",
            "lrs.documents",
            "lrs.sessions",
            "notifications.messages",
            "platform.idempotency_keys",
            "platform.outbox",
            "records.quarantine",
            "records.statements_flat",
            "workspaces.global_resources",
            "workspaces.profiles",
            "workspaces.vaults",
            "workspaces.workspaces",
        } <= places | {"records.quarantine"}  # its body is in the bucket

        exported = await done(world, ok(await ada.client.post("/api/personal-exports", json={}), 202)["job_id"])
        plan = ok(await ada.client.post("/api/erasures/preview", json={}))
        body = {"plan_hash": plan["plan_hash"], "password": PASSWORD}
        erased = await done(world, ok(await ada.client.post("/api/erasures", json=body), 202)["job_id"])
        for job_id in erased["jobs"]:
            await done(world, job_id)

        assert exported["files"] >= 15
        assert await written(world) == []
        students_left = await world.campus.rows("SELECT count(*) AS n FROM academics.enrollments")
        assert students_left[0]["n"] == 1, "what was reached stays"
