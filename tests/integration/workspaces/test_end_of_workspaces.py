"""The end of workspaces: deleted, exported, restored or erased, and what of them is left nowhere."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.request import urlopen
from uuid import UUID

import pytest
from sqlalchemy import text

from dataforge.bootstrap import modules
from dataforge.contexts.schemas.deployments.consumers import deployment_messages, end_schema
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.contexts.workspaces.exports import consumers as exports
from dataforge.contexts.workspaces.exports.commands import KeepExport, keep_export
from dataforge.contexts.workspaces.exports.domain import PATIENCE
from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces import consumers as workspaces
from dataforge.events.worker import do_job
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.services import Platform
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.schemas import SchemasUnderTest, table
from tests.builders.workspaces import Space, maintenance, new_workspace, open_space, refusal, taken

DAYS = timedelta(days=30)


class Ending:
    """A workspace, and the functions that see to its end."""

    def __init__(self, space: Space, aws: EmulatedAws, bucket: str) -> None:
        self.space, self.bucket = space, bucket
        queues = {"jobs_queue_url": aws.queue(), "deployments_queue_url": aws.queue()}
        self.maintenance: Platform = maintenance(space.api, data_bucket=bucket, **queues)

    async def fill(self) -> str:
        """Notes, a repo, a shared resource; the path of the vault."""
        space, owner = self.space, self.space.people["owner"]
        vault = await space.vault("Handbook")
        taken(
            await owner.client.post(f"{space.path}{vault}/notes", json={"path": "a/b.md", "body_md": "# Hi\r\n"}), 201
        )
        await space.post("/repos", name="site", remote_url="https://git.example.org/acme/site.git")
        body = {"resource_type": "snippet", "name": "Greeting", "resource_data": {"text": "Hello"}}
        resource = taken(await owner.client.post(f"/api/user-profiles/{owner.id}/resources", json=body), 201)
        taken(await owner.client.put(f"{space.path}/resources/{resource['id']}", json={"access_level": "read"}))
        return vault

    async def delete(self) -> None:
        await self.space.post("/archive", 200)
        taken(await self.space["owner"].delete(self.space.path), 204)

    async def work(self) -> list[UUID]:
        """Do the jobs that wait; their ids."""
        async with self.space.api.database.transaction() as connection:
            query = text("SELECT id FROM platform.jobs WHERE status = 'pending' ORDER BY id")
            waiting = list((await connection.scalars(query)).all())
        for job_id in waiting:
            await do_job(job_id, modules(), self.space.api.platform_of("worker"))
        return waiting

    async def maintain(self) -> dict[str, int]:
        services = self.maintenance.get(WorkspacesServices)
        return {**await exports.maintain(services), **await workspaces.maintain(services)}

    async def pass_time(self, time: timedelta) -> None:
        """Later, with everybody signed in anew."""
        self.space.api.platform.clock.advance(time)  # type: ignore[attr-defined]
        for who in self.space.people.values():
            who.client = await self.space.api.as_user(who.id, Role.LEARNER)

    async def export(self, by: str = "owner") -> dict[str, Any]:
        return dict(taken(await self.space[by].get(f"{self.space.path}/export")))

    async def is_left(self) -> bool:
        async with self.space.api.database.transaction() as connection:
            query = text("SELECT EXISTS (SELECT FROM workspaces.workspaces WHERE id = :id)")
            return bool(await connection.scalar(query, {"id": self.space.id}))


async def unzipped(url: str) -> dict[str, bytes]:
    with (
        await asyncio.to_thread(urlopen, url, timeout=30) as answer,
        zipfile.ZipFile(io.BytesIO(answer.read())) as found,
    ):
        return {name: found.read(name) for name in found.namelist()}


@pytest.fixture
async def ending(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[Ending]:
    bucket = emulator.bucket()
    async with ApiUnderTest(database, clock, data_bucket=bucket, jobs_queue_url=emulator.queue()) as api:
        yield Ending(await open_space(api), emulator, bucket)


async def test_an_export_has_everything_of_the_workspace(ending: Ending) -> None:
    await ending.fill()
    asked = taken(await ending.space["owner"].post(f"{ending.space.path}/export"), 202)
    await ending.work()
    job = taken(await ending.space["owner"].get(asked["href"]))

    files = await unzipped(job["download_url"])
    read = {
        name: json.loads(files[f"{name}.json"]) for name in ("workspace", "members", "repos", "vaults", "resources")
    }

    assert files["vaults/Handbook/a/b.md"] == b"# Hi\r\n"
    assert (read["workspace"]["name"], read["workspace"]["format"]) == ("Acme", "dataforge-workspace/1")
    assert sorted(member["role"] for member in read["members"]) == ["admin", "editor", "owner", "viewer"]
    assert read["repos"][0]["remote_url"] == "https://git.example.org/acme/site.git"
    assert read["vaults"][0]["folder"] == "vaults/Handbook"
    assert read["resources"][0]["resource_data"] == {"text": "Hello"}
    assert b"webhook_secret" not in b"".join(files.values())
    assert b"@example.org" not in files["members.json"]


async def test_a_deleted_workspace_is_exported_for_its_owner_until_it_is_erased(ending: Ending) -> None:
    await ending.fill()
    before = await ending.export()
    await ending.delete()
    pending = await ending.export()
    await ending.work()
    ready = await ending.export()
    files = await unzipped(ready["download_url"])
    await ending.pass_time(DAYS + timedelta(seconds=1))
    erased = await ending.maintain()

    assert [state["status"] for state in (before, pending, ready)] == ["none", "pending", "ready"]
    assert files["vaults/Handbook/a/b.md"] == b"# Hi\r\n"
    assert (erased["erased_workspaces"], await ending.is_left()) == (1, False)


async def test_nobody_but_its_owners_sees_the_export_of_a_deleted_workspace(ending: Ending) -> None:
    refused = [refusal(await ending.space[role].get(f"{ending.space.path}/export")) for role in ("admin", "viewer")]
    await ending.delete()
    hidden = [
        refusal(await ending.space[role].get(f"{ending.space.path}/export")) for role in ("admin", "viewer", "stranger")
    ]

    assert set(refused) == {(403, "workspace_not_owned")}
    assert set(hidden) == {(404, "workspace_not_found")}


async def test_without_its_export_nothing_is_erased_and_the_export_is_made_after_all(ending: Ending) -> None:
    await ending.fill()
    await ending.delete()
    async with ending.space.api.database.transaction() as connection:
        await connection.execute(text("DELETE FROM platform.jobs"))  # as if it had been lost for good
    await ending.pass_time(DAYS + PATIENCE)
    first = await ending.maintain()
    again = await ending.maintain()
    left = await ending.is_left()
    await ending.work()
    last = await ending.maintain()

    assert (first["queued_exports"], first["erased_workspaces"], left) == (1, 0, True)
    assert again["queued_exports"] == 0
    assert (last["erased_workspaces"], await ending.is_left()) == (1, False)


async def test_an_export_that_failed_is_tried_again_after_an_hour(ending: Ending) -> None:
    await ending.delete()
    async with ending.space.api.database.transaction() as connection:
        now = {"now": ending.space.api.platform.clock.now()}
        await connection.execute(text("UPDATE platform.jobs SET status = 'failed', completed_at = :now"), now)
    await ending.pass_time(PATIENCE + timedelta(seconds=1))
    soon = await ending.maintain()
    await ending.pass_time(timedelta(hours=1))
    later = await ending.maintain()

    assert (soon["queued_exports"], later["queued_exports"]) == (0, 1)


async def test_a_deletion_can_be_taken_back_within_thirty_days(ending: Ending) -> None:
    vault = await ending.fill()
    owner = ending.space.people["owner"]
    await ending.delete()
    await ending.work()
    path = f"/api/user-profiles/{owner.id}/workspaces"
    listed = taken(await owner.client.get(path, params={"deleted": "true"}))["items"]
    await ending.pass_time(DAYS - timedelta(seconds=1))
    restored = taken(await owner.client.post(f"{ending.space.path}/restore"))
    again = taken(await owner.client.post(f"{ending.space.path}/restore"))
    await ending.pass_time(timedelta(days=2))
    erased = await ending.maintain()

    assert [item["id"] for item in listed] == [ending.space.id]
    assert listed[0]["deleted_at"] is not None
    assert (restored["id"], restored["archived_at"] is not None) == (ending.space.id, True)
    assert again["revision"] == restored["revision"]
    assert erased["erased_workspaces"] == 0
    assert (await ending.export())["status"] == "none"
    assert taken(await ending.space["viewer"].get(f"{ending.space.path}{vault}/notes"))["items"]


async def test_nobody_else_takes_a_deletion_back_and_nobody_too_late(ending: Ending) -> None:
    living = refusal(await ending.space["admin"].post(f"{ending.space.path}/restore"))
    await ending.delete()
    others = [refusal(await ending.space[role].post(f"{ending.space.path}/restore")) for role in ("admin", "stranger")]
    await ending.pass_time(DAYS)
    late = refusal(await ending.space["owner"].post(f"{ending.space.path}/restore"))

    assert living == (403, "workspace_not_owned")
    assert {*others, late} == {(404, "workspace_not_found")}


async def test_a_name_that_another_workspace_has_meanwhile_is_in_the_way(ending: Ending) -> None:
    await ending.delete()
    await new_workspace(ending.space.people["owner"], "ACME")

    assert refusal(await ending.space["owner"].post(f"{ending.space.path}/restore")) == (409, "already_exists")


async def test_a_restored_workspace_gets_no_export_from_the_job_of_its_deletion(ending: Ending) -> None:
    await ending.delete()
    taken(await ending.space["owner"].post(f"{ending.space.path}/restore"))
    await ending.work()

    assert (await ending.export())["status"] == "none"
    assert list(await AsyncObjects(ending.bucket).oldest("workspaces/", limit=5)) == []


async def test_a_workspace_that_is_deleted_again_waits_for_an_export_of_its_own(
    ending: Ending, clock: FixedClock
) -> None:
    await ending.delete()
    deleted_at = clock.now()
    taken(await ending.space["owner"].post(f"{ending.space.path}/restore"))
    clock.advance(timedelta(minutes=1))
    taken(await ending.space["owner"].delete(ending.space.path, headers={"If-Match": "*"}), 204)
    services = ending.maintenance.get(WorkspacesServices)
    late, own = (KeepExport(UUID(ending.space.id), at, "workspaces/key", 1) for at in (deleted_at, clock.now()))

    kept = [await run(services.unit_of_work(WorkspacesUnitOfWork), keep_export, item) for item in (late, own)]

    assert kept == [False, True]


async def test_an_export_whose_worker_dies_is_made_by_the_next_one(
    ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ending.fill()
    await ending.delete()

    async def dying(*_: object) -> bool:
        message = "the worker dies here"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr(exports, "keep_export", dying)
        await ending.work()
    between, objects = await ending.export(), await AsyncObjects(ending.bucket).oldest("workspaces/", limit=5)
    await ending.work()

    assert (between["status"], list(objects)) == ("pending", [])
    assert (await ending.export())["status"] == "ready"


async def test_the_objects_of_a_workspace_go_with_it_and_those_of_others_stay(ending: Ending) -> None:
    objects = AsyncObjects(ending.bucket)
    event = WorkspaceDeleted(UUID(ending.space.id))
    for key in (f"workspaces/{ending.space.id}/exports/a.zip", "workspaces/other/exports/a.zip"):
        await objects.put(key, b"x")

    for _ in range(2):
        await exports.delete_objects(event, ending.maintenance.get(WorkspacesServices))

    assert [item.key for item in await objects.oldest("workspaces/", limit=5)] == ["workspaces/other/exports/a.zip"]


async def test_what_was_deployed_for_a_workspace_is_dropped_with_it(ending: Ending) -> None:
    space, database = ending.space, ending.space.api.database
    schemas = SchemasUnderTest(space.api, space.people["owner"], database, UUID(space.id))
    await schemas.deploy(await schemas.preview(table("people")))
    services = space.api.platform.get(SchemasServices)
    services.__dict__["deployer"] = schemas.deployer
    name, event = f"ws_{UUID(space.id).hex[16:]}", WorkspaceDeleted(UUID(space.id))
    message = {"Records": [{"messageId": "1", "body": json.dumps({"deleted_workspace": space.id}), "attributes": {}}]}

    async def left() -> tuple[int, ...]:
        async with database.transaction() as connection:
            query = text(
                "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = :name), "
                "(SELECT count(*) FROM pg_roles WHERE rolname = :name), (SELECT count(*) FROM schemas.plans), "
                "(SELECT count(*) FROM schemas.deployments), (SELECT count(*) FROM schemas.revisions)"
            )
            return tuple((await connection.execute(query, {"name": name})).one())

    too_early = await deployment_messages(message, services)
    there = await left()
    async with database.transaction() as connection:
        await connection.execute(text("DELETE FROM workspaces.workspaces WHERE id = :id"), {"id": space.id})
    await end_schema(event, ending.maintenance.get(SchemasServices))
    answers = [await deployment_messages(message, services) for _ in range(2)]

    assert too_early == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert there == (1, 1, 1, 1, 1)
    assert answers == [{"batchItemFailures": []}] * 2
    assert await left() == (0, 0, 0, 0, 0)
