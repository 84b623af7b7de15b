"""Exports and erasures of people: who may ask, what is in the file, and what is left afterwards."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from dataforge.contexts.identity.passwords.hashing import hash_password
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.desk import RecordsDesk
from tests.builders.emulator import EmulatedAws

PREVIEW, APPLY, EXPORTS = "/api/erasures/preview", "/api/erasures", "/api/personal-exports"
PASSWORD = "a very long passphrase of hers"


@pytest.fixture
async def desk(database: Database, emulator: EmulatedAws) -> AsyncIterator[RecordsDesk]:
    async with RecordsDesk(database, emulator) as desk:
        yield desk


async def ada_of(desk: RecordsDesk, role: Role = Role.LEARNER) -> tuple[UUID, httpx.AsyncClient]:
    """A person who has proved her address and signed in."""
    user_id = await desk.api.add_user(
        role,
        username="lovelace_ada",
        email="ada.lovelace@example.org",
        display_name="Augusta Ada King",
        avatar="enchantress-1815",
        password_hash=hash_password(PASSWORD),
        email_confirmed_at=desk.api.platform.clock.now(),
    )
    anybody = await desk.api.client()
    issued = await anybody.post("/api/auth/login", json={"username": "lovelace_ada", "password": PASSWORD})
    assert issued.status_code == 200, issued.text
    return user_id, await desk.api.client(issued.json()["access_token"])


async def posted(client: httpx.AsyncClient, path: str, status: int, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def erased(desk: RecordsDesk, client: httpx.AsyncClient, **inputs: Any) -> str:
    """An erasure that was applied and done, with the record store's part."""
    plan = await posted(client, PREVIEW, 200, **inputs)
    applied = await posted(client, APPLY, 202, plan_hash=plan["plan_hash"], password=PASSWORD)
    assert await desk.do(applied["job_id"]) is Done.ENDED
    await desk.result((await desk.job(applied["job_id"]))["output_summary"]["jobs"][0])
    return str(applied["job_id"])


async def archive_of(desk: RecordsDesk, client: httpx.AsyncClient, job_id: str) -> zipfile.ZipFile:
    assert await desk.do(job_id) is Done.ENDED
    link = await posted(client, f"{EXPORTS}/{job_id}/link", 200)
    async with httpx.AsyncClient() as browser:
        return zipfile.ZipFile(io.BytesIO((await browser.get(link["url"])).content))


async def test_an_export_has_what_is_held_about_the_person_and_of_nobody_else(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    bob = {"mbox": "mailto:bob@example.org", "name": "Bob Babbage"}
    await desk.sent(
        {"actor": {"mbox": "mailto:ada.lovelace@example.org"}, "context": {"instructor": bob}}, {"actor": bob}
    )

    job_id = (await posted(ada, EXPORTS, 202))["job_id"]
    archive = await archive_of(desk, ada, job_id)

    parts = {name: archive.read(name).decode() for name in archive.namelist()}
    (account,) = json.loads(parts["identity/account.json"])
    assert (account["id"], account["email"]) == (str(user_id), "ada.lovelace@example.org")
    assert len(parts["lrs/statements.jsonl"].splitlines()) == 1
    assert len(json.loads(parts["identity/sign_ins.json"])) == 1
    everything = "\n".join(parts.values())
    assert [word for word in ("bob", "Babbage", "argon2", "token_hash", "password_hash") if word in everything] == []
    index = json.loads(parts["index.json"])
    assert {file["name"] for file in index["files"]} == parts.keys() - {"index.json"}
    assert any("datasets" in item["context"] for item in index["not_covered"])


async def test_an_erased_person_is_in_no_table(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    await desk.sent({"actor": {"mbox": "mailto:ada.lovelace@example.org", "name": "Augusta Ada King"}})

    await erased(desk, ada)

    rows = await desk.store.rows(
        "SELECT erased_at, suspended_at, password_hash FROM identity.users WHERE id = :i", i=user_id
    )
    assert rows[0].erased_at is not None
    assert rows[0].password_hash is None
