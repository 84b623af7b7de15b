"""Pages of zips: a vault exported, a zip imported by the plan that was seen."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
from sqlalchemy import text

from dataforge.bootstrap import modules
from dataforge.events.worker import do_job
from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.workspaces import Space, open_space, taken
from tests.integration.workspaces.test_pages import Pages, shown
from tests.integration.workspaces.test_vault_zips import unzipped, zipped


@pytest.fixture
async def space(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[Space]:
    bucket, queue = emulator.bucket(), emulator.queue()
    async with ApiUnderTest(database, clock, data_bucket=bucket, jobs_queue_url=queue) as api:
        yield await open_space(api)


async def work(space: Space) -> None:
    """Do what is queued, as the worker does."""
    async with space.api.database.read_only() as connection:
        ids = list(await connection.scalars(text("SELECT id FROM platform.jobs WHERE status = 'pending' ORDER BY id")))
    for job_id in ids:
        await do_job(UUID(str(job_id)), modules(), space.api.platform_of("worker"))


async def test_a_vault_is_exported_by_whoever_reads_it(space: Space) -> None:
    pages, vault = Pages(space), await space.vault()
    await space.post(f"{vault}/notes", path="a/b", body_md="one")

    asked = await pages.send(f"{vault}/zips/export", by="viewer", folder="")
    waiting = await pages.get(f"{vault}/zips", by="viewer")
    await work(space)
    page = await pages.get(f"{vault}/zips", by="viewer")
    [link] = re.findall(rf'href="{pages.path}({vault}/zips/[^"]+)"', page.text)
    answer = await pages.get(link, by="viewer")
    with await asyncio.to_thread(urlopen, answer.headers["location"], timeout=30) as stored:
        files = unzipped(stored.read())
    foreign = await pages.get(link, by="editor")
    wrong = await pages.send(f"{vault}/zips/export", by="viewer", folder="../x")

    assert asked.status_code == 303
    assert "Something is under way" in waiting.text
    assert "data-upload" not in waiting.text
    assert "; 128 MiB at most." in (await pages.get(f"{vault}/zips")).text
    assert "1 note, " in shown(page)
    assert files == {"a/b.md": b"one"}
    assert (foreign.status_code, wrong.status_code) == (404, 400)


async def test_a_zip_is_imported_as_its_plan_says(space: Space) -> None:
    pages, vault = Pages(space), await space.vault()
    data = zipped({"Projects/plan.md": "[[kick-off]]", "picture.png": b"x", "con.md": "refused"})
    size = {"size_bytes": str(len(data)), "sha256": hashlib.sha256(data).hexdigest()}

    page = await pages.get(f"{vault}/zips", by="editor")
    announced = await pages.send(f"{vault}/zips/uploads", by="editor", **size)
    place = json.loads(announced.text)
    request = Request(place["url"], data=data, method="PUT", headers=place["headers"])
    with await asyncio.to_thread(urlopen, request, timeout=30) as stored:
        assert stored.status == 200
    planned = await pages.send(f"{vault}/zips/plan", by="editor", upload_key=place["upload_key"], mode="merge")
    await work(space)
    plan = await pages.get(f"{vault}/zips", by="editor")
    [plan_hash] = re.findall(r'name="plan_hash" value="([0-9a-f]{64})"', plan.text)
    before = taken(await space["editor"].get(f"{space.path}{vault}/notes"))["items"]
    applied = await pages.send(f"{vault}/zips/apply", by="editor", plan_hash=plan_hash)
    await work(space)
    done = await pages.get(f"{vault}/zips", by="editor")
    after = taken(await space["editor"].get(f"{space.path}{vault}/notes"))["items"]

    store = re.match(r"https?://[^/]+", place["url"])
    assert store
    assert f"connect-src 'self' {store[0]};" in page.headers["content-security-policy"]
    assert (planned.status_code, applied.status_code) == (303, 303)
    assert "New (1) Projects/plan.md" in shown(plan)
    assert "Windows keeps for itself" in shown(plan)
    assert (before, [row["path"] for row in after]) == ([], ["Projects/plan.md"])
    assert 'name="plan_hash"' not in done.text


async def test_an_import_is_for_who_may_write_and_refused_in_words(space: Space) -> None:
    pages, vault = Pages(space), await space.vault()
    size = {"size_bytes": "3", "sha256": "0" * 64}

    viewer = await pages.send(f"{vault}/zips/uploads", by="viewer", **size)
    large = await pages.send(f"{vault}/zips/uploads", by="editor", size_bytes="999999999", sha256="0" * 64)
    foreign = await pages.send(f"{vault}/zips/plan", by="editor", upload_key="uploads/vaults/x", mode="merge")
    unknown = await pages.send(f"{vault}/zips/apply", by="editor", plan_hash="0" * 64)
    await space.post(f"{vault}/lock", 200)
    locked = await pages.get(f"{vault}/zips", by="editor")

    assert (viewer.status_code, json.loads(viewer.text)["detail"][:10]) == (403, "This needs")
    assert (large.status_code, json.loads(large.text)["detail"]) == (
        400,
        "Size bytes must be at most 128 MiB (134,217,728 bytes).",
    )
    assert (foreign.status_code, unknown.status_code) == (400, 404)
    assert "There is no such upload of yours" in foreign.text
    assert "data-upload" not in locked.text
