"""What becomes of what belongs to a workspace that is deleted for good."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from dataforge.bootstrap import modules
from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.workspaces.consumers import maintain
from dataforge.events.jobs import relay_outbox
from dataforge.events.wiring import subscribers
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.workspaces import maintenance, open_space, taken

ANY = {"If-Match": "*"}


@pytest.fixture
async def api(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[ApiUnderTest]:
    async with ApiUnderTest(database, clock, data_bucket=emulator.bucket()) as api:
        yield api


async def test_credentials_end_datasets_are_put_away_and_cohorts_and_lessons_go(
    api: ApiUnderTest, clock: FixedClock
) -> None:
    space = await open_space(api)
    admin = await api.as_role(Role.ADMIN)
    inside = {"workspace_id": space.id}
    key = taken(await admin.post("/api/xapi-credentials", json={"name": "Moodle", **inside}), 201)["key"]
    cohort = taken(await admin.post("/api/cohorts", json={"name": "Blue", **inside}), 201)["id"]
    kept = taken(await admin.post("/api/cohorts", json={"name": "Blue"}), 201)["id"]
    lesson = {"lesson_url": "https://lms.example.org/1", "title": "One", "cohort_id": cohort}
    taken(await admin.post("/api/lessons", json=lesson), 201)
    async with api.database.transaction() as connection:
        statement = text(
            "INSERT INTO datasets.datasets (id, workspace_id, name, created_at, updated_at) "
            "VALUES (gen_random_uuid(), :workspace_id, 'Rosters', now(), now())"
        )
        await connection.execute(statement, inside)
    taken(await space["owner"].post(f"{space.path}/archive"))
    taken(await space["owner"].delete(space.path, headers=ANY), 204)

    async with api.database.transaction() as connection:
        await connection.execute(text("UPDATE workspaces.workspaces SET export_key = 'written'"))
    clock.advance(timedelta(days=31))
    platform = maintenance(api, data_bucket=api.platform.settings.data_bucket)
    erased = (await maintain(platform.get(WorkspacesServices)))["erased_workspaces"]
    counts = [await relay_outbox(platform, subscribers(modules(), platform)) for _ in range(2)]

    assert erased == 1
    assert [count["failed"] for count in counts] == [0, 0]
    async with api.database.read_only() as connection:

        async def ids(query: str) -> list[object]:
            return list((await connection.scalars(text(query))).all())

        assert await ids("SELECT key_id FROM identity.xapi_credentials WHERE revoked_at IS NOT NULL") == [key]
        assert [str(item) for item in await ids("SELECT id FROM records.cohorts")] == [kept]
        assert await ids("SELECT id FROM records.lessons") == []
        query = "SELECT deleted_at IS NOT NULL AND workspace_id IS NULL FROM datasets.datasets"
        assert await ids(query) == [True]


async def test_a_deleted_workspace_reminds_nobody_until_it_is_restored(api: ApiUnderTest) -> None:
    space = await open_space(api)
    cohort = taken(await space["editor"].post("/api/cohorts", json={"name": "Blue", "workspace_id": space.id}), 201)
    member = f"/api/cohorts/{cohort['id']}/members/{space.people['viewer'].id}"
    assert (await space["editor"].put(member)).is_success
    taken(await space["owner"].post(f"{space.path}/archive"))

    async def reminded() -> int:
        async with api.database.read_only() as connection:
            return int(await connection.scalar(text("SELECT count(*) FROM learning.active_members")) or 0)

    before = await reminded()
    taken(await space["owner"].delete(space.path, headers=ANY), 204)
    deleted = await reminded()
    taken(await space["owner"].post(f"{space.path}/restore"))

    assert (before, deleted, await reminded()) == (1, 0, 1)
