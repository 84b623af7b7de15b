"""Zips of vaults: export, preview, apply; what comes back is what went out, byte for byte."""

import asyncio
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataforge.bootstrap import modules
from dataforge.contexts.workspaces.notes import commands as note_commands
from dataforge.contexts.workspaces.notes.domain.paths import note_path_mistake, path_key
from dataforge.events.worker import do_job
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.text import composed
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.workspaces import Space, open_space, refusal, taken

LINKS = "---\naliases: [Home]\n---\r\n[[Daily/Plan|plan]] and ![[picture.png]]\n\ufeffend without a line end"


class Vault:
    """A vault with notes, and its zips."""

    def __init__(self, space: Space, below: str) -> None:
        self.space, self.path = space, f"{space.path}{below}"

    @classmethod
    async def of(cls, space: Space, notes: Mapping[str, str], name: str = "Handbook") -> "Vault":
        vault = cls(space, await space.vault(name))
        for path, body in notes.items():
            taken(await space["editor"].post(f"{vault.path}/notes", json={"path": path, "body_md": body}), 201)
        return vault

    async def uploaded(self, data: bytes, by: str = "editor") -> str:
        body = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        upload = taken(await self.space[by].post(f"{self.path}/imports/uploads", json=body), 201)
        request = Request(upload["url"], data=data, method="PUT", headers=upload["headers"])
        with await asyncio.to_thread(urlopen, request, timeout=30) as answer:
            assert answer.status == 200
        return str(upload["upload_key"])

    async def done(self, path: str, by: str = "editor", **body: Any) -> dict[str, Any]:
        """The job that a POST has queued, after the worker has done it."""
        asked = taken(await self.space[by].post(f"{self.path}/{path}", json=body), 202)
        await do_job(UUID(asked["job_id"]), modules(), self.space.api.platform_of("worker"))
        return dict(taken(await self.space[by].get(asked["href"])))

    async def preview(self, data: bytes, **body: Any) -> dict[str, Any]:
        job = await self.done("imports/preview", upload_key=await self.uploaded(data), **body)
        assert job["status"] == "completed", job
        return dict(job["output_summary"])

    async def imported(self, data: bytes, **body: Any) -> dict[str, Any]:
        plan = await self.preview(data, **body)
        job = await self.done("imports", plan_hash=plan["plan_hash"])
        assert job["status"] == "completed", job
        return dict(job["output_summary"])

    async def exported(self, by: str = "viewer", **body: Any) -> bytes:
        job = await self.done("exports", by, **body)
        assert job["status"] == "completed", job
        with await asyncio.to_thread(urlopen, job["download_url"], timeout=30) as answer:
            return bytes(answer.read())

    async def notes(self) -> dict[str, str]:
        """The texts of the notes by path."""
        listed, cursor = [], None
        while True:
            asked = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            page = taken(await self.space["viewer"].get(f"{self.path}/notes", params=asked))
            listed += page["items"]
            if (cursor := page["next_cursor"]) is None:
                break
        return {
            item["path"]: taken(await self.space["viewer"].get(f"{self.path}/notes/{item['id']}"))["body_md"]
            for item in listed
        }


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
async def space(database: Database, clock: FixedClock, emulator: EmulatedAws) -> AsyncIterator[Space]:
    bucket, queue = emulator.bucket(), emulator.queue()
    async with ApiUnderTest(database, clock, data_bucket=bucket, jobs_queue_url=queue) as api:
        yield await open_space(api)


async def test_an_export_without_a_body_is_of_the_whole_vault(space: Space) -> None:
    vault = await Vault.of(space, {"Home.md": "x"})

    job = taken(await space["viewer"].post(f"{vault.path}/exports"), 202)

    await do_job(UUID(job["job_id"]), modules(), space.api.platform_of("worker"))
    assert taken(await space["viewer"].get(job["href"]))["status"] == "completed"


async def test_an_export_has_every_byte_of_the_notes(space: Space) -> None:
    vault = await Vault.of(space, {"Home.md": LINKS, "Daily/Café.md": "", "Daily/Plan.md": "x"})
    trashed = taken(await space["editor"].post(f"{vault.path}/notes", json={"path": "old.md", "body_md": "o"}), 201)
    taken(await space["editor"].delete(f"{vault.path}/notes/{trashed['id']}"), 204)

    whole, folder = await vault.exported(), await vault.exported(folder="daily")

    assert unzipped(whole) == {"Home.md": LINKS.encode(), "Daily/Café.md": b"", "Daily/Plan.md": b"x"}
    assert unzipped(folder) == {"Café.md": b"", "Plan.md": b"x"}


async def test_an_export_that_comes_back_changes_nothing(space: Space) -> None:
    notes = {"Home.md": LINKS, "Daily/Café.md": "é", "Daily/plan b.md": "a\r\n" * 100}
    vault = await Vault.of(space, notes)
    other = await Vault.of(space, {}, "Copy")
    data = await vault.exported()

    same = await vault.imported(data, mode="replace")
    copied = await other.imported(data)

    assert same["counts"] == {**dict.fromkeys(same["counts"], 0), "unchanged": 3}
    assert copied["counts"]["created"] == 3
    assert await vault.notes() == await other.notes() == notes
    assert unzipped(await other.exported()) == unzipped(data)


paths = st.lists(st.text("aÄ\u0308é ßİ.-[]", min_size=1, max_size=5), min_size=1, max_size=3).map("/".join)
bodies = st.text(max_size=40) | st.just(LINKS)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=st.dictionaries(paths, bodies, max_size=6))
async def test_whatever_a_vault_has_its_export_brings_back(notes: dict[str, str], space: Space) -> None:
    for made in taken(await space["viewer"].get(f"{space.path}/vaults"))["items"]:
        taken(await space["admin"].delete(f"{space.path}/vaults/{made['id']}"), 204)
    good, keys = {}, set()
    for path, body in notes.items():
        named = composed(path) + ".md"
        if note_path_mistake(named) is None and path_key(named) not in keys and "\0" not in body:
            keys.add(path_key(named))
            good[named] = body
    vault, other = await Vault.of(space, good, str(uuid4())), await Vault.of(space, {}, str(uuid4()))
    data = await vault.exported()

    assert (await vault.preview(data, mode="replace"))["counts"]["unchanged"] == len(good)
    await other.imported(data)
    assert await other.notes() == good


async def test_a_preview_changes_nothing_and_says_what_would(space: Space) -> None:
    vault = await Vault.of(space, {"same.md": "1", "other.md": "2", "left.md": "3"})
    files = {"same.md": "1", "OTHER.md": "x", "new.md": "n", "p.png": b"\x89", "bad.md": b"\xff", ".obsidian/a": "x"}

    plan = await vault.preview(zipped(files), mode="replace")

    assert plan["counts"] == {
        "created": 1,
        "changed": 1,
        "unchanged": 1,
        "trashed": 1,
        "refused": 1,
        "skipped": 1,
        "ignored": 1,
    }
    assert plan["paths"]["changed"] == [{"path": "other.md"}]
    assert plan["paths"]["refused"] == [{"path": "bad.md", "reason": "is no text in UTF-8"}]
    assert await vault.notes() == {"same.md": "1", "other.md": "2", "left.md": "3"}


async def test_an_import_does_what_its_plan_says(space: Space) -> None:
    vault = await Vault.of(space, {"In/same.md": "1", "In/other.md": "2", "In/left.md": "3", "out.md": "4"})
    data = zipped({"same.md": "1", "OTHER.md": "x", "new/er.md": "n"})

    result = await vault.imported(data, mode="replace", folder="In")
    trash = taken(await space["viewer"].get(f"{vault.path}/notes", params={"trashed": "true"}))["items"]

    assert result["counts"] == {
        "created": 1,
        "changed": 1,
        "unchanged": 1,
        "trashed": 1,
        "refused": 0,
        "skipped": 0,
        "ignored": 0,
    }
    assert await vault.notes() == {"In/same.md": "1", "In/other.md": "x", "In/new/er.md": "n", "out.md": "4"}
    assert [item["path"] for item in trash] == ["In/left.md"]


async def test_merging_leaves_what_the_zip_does_not_have(space: Space) -> None:
    vault = await Vault.of(space, {"left.md": "3"})

    await vault.imported(zipped({"new.md": "n"}))

    assert await vault.notes() == {"left.md": "3", "new.md": "n"}


async def test_a_plan_is_applied_once_and_only_to_the_notes_that_it_saw(space: Space) -> None:
    vault = await Vault.of(space, {"a.md": "1"})
    stale = await vault.preview(zipped({"b.md": "2"}))
    await Vault.done(vault, "imports", plan_hash=stale["plan_hash"])
    again = taken(await space["editor"].post(f"{vault.path}/imports", json={"plan_hash": stale["plan_hash"]}), 202)
    plan = await vault.preview(zipped({"a.md": "x"}))
    taken(await space["editor"].post(f"{vault.path}/notes", json={"path": "c.md", "body_md": "3"}), 201)
    refused = await space["editor"].post(f"{vault.path}/imports", json={"plan_hash": plan["plan_hash"]})
    job = taken(await space["editor"].get(again["href"]))

    assert job["status"] == "completed"
    assert refusal(refused) == (409, "plan_stale")
    assert await vault.notes() == {"a.md": "1", "b.md": "2", "c.md": "3"}


async def test_notes_that_change_between_apply_and_the_job_end_it_with_nothing_done(space: Space) -> None:
    vault = await Vault.of(space, {"a.md": "1"})
    plan = await vault.preview(zipped({"a.md": "x", "b.md": "y"}))
    asked = taken(await space["editor"].post(f"{vault.path}/imports", json={"plan_hash": plan["plan_hash"]}), 202)
    taken(await space["editor"].post(f"{vault.path}/notes", json={"path": "c.md", "body_md": "3"}), 201)

    await do_job(UUID(asked["job_id"]), modules(), space.api.platform_of("worker"))
    job = taken(await space["editor"].get(asked["href"]))

    assert (job["status"], job["error"]["code"]) == ("failed", "plan_stale")
    assert await vault.notes() == {"a.md": "1", "c.md": "3"}


async def test_an_import_that_breaks_in_the_middle_leaves_nothing_and_is_done_again(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = await Vault.of(space, {"a.md": "1"})
    plan = await vault.preview(zipped({"a.md": "x", "b.md": "y"}))
    asked = taken(await space["editor"].post(f"{vault.path}/imports", json={"plan_hash": plan["plan_hash"]}), 202)
    real, calls = note_commands.body_sha256, []

    def breaking(body: str) -> str:
        calls.append(body)
        if len(calls) == 2:
            message = "the worker dies here"
            raise RuntimeError(message)
        return real(body)

    with monkeypatch.context() as patch:
        patch.setattr("dataforge.contexts.workspaces.zips.consumers.body_sha256", breaking)
        first = await do_job(UUID(asked["job_id"]), modules(), space.api.platform_of("worker"))
    between = await vault.notes()
    await do_job(UUID(asked["job_id"]), modules(), space.api.platform_of("worker"))

    assert (first, between) == (Done.AGAIN, {"a.md": "1"})
    assert await vault.notes() == {"a.md": "x", "b.md": "y"}


@pytest.mark.parametrize(
    "files", [{"../a.md": "x"}, {"/a.md": "x"}, {"C:\\a.md": "x"}, {f"{n}.md": "a" * 1_000_000 for n in range(20)}]
)
async def test_what_looks_like_an_attack_is_refused_whole(files: dict[str, str], space: Space) -> None:
    vault = await Vault.of(space, {})

    job = await vault.done("imports/preview", upload_key=await vault.uploaded(zipped({"good.md": "x", **files})))

    assert (job["status"], job["error"]["code"]) == ("failed", "zip_refused")
    assert await vault.notes() == {}


async def test_what_is_no_zip_or_has_not_arrived_is_refused(space: Space) -> None:
    vault = await Vault.of(space, {})
    body = {"size_bytes": 5, "sha256": "0" * 64}
    announced = taken(await space["editor"].post(f"{vault.path}/imports/uploads", json=body), 201)

    jobs = [
        await vault.done("imports/preview", upload_key=key)
        for key in (await vault.uploaded(b"no zip"), announced["upload_key"])
    ]

    assert [job["error"]["code"] for job in jobs] == ["zip_refused", "zip_refused"]


async def test_an_upload_of_somebody_else_or_of_another_vault_is_none(space: Space) -> None:
    vault, other = await Vault.of(space, {}), await Vault.of(space, {}, "Other")
    key = await vault.uploaded(zipped({"a.md": "x"}))

    answers = [
        await space["admin"].post(f"{vault.path}/imports/preview", json={"upload_key": key}),
        await space["editor"].post(f"{other.path}/imports/preview", json={"upload_key": key}),
    ]

    assert {refusal(answer) for answer in answers} == {(400, "zip_refused")}


async def test_a_plan_of_another_vault_is_none(space: Space) -> None:
    vault, other = await Vault.of(space, {}), await Vault.of(space, {}, "Other")
    plan = await vault.preview(zipped({"a.md": "x"}))

    answer = await space["editor"].post(f"{other.path}/imports", json={"plan_hash": plan["plan_hash"]})

    assert refusal(answer) == (404, "plan_unknown")


async def test_a_locked_vault_and_an_archived_workspace_take_nothing_and_give_everything(space: Space) -> None:
    vault = await Vault.of(space, {"a.md": "1"})
    plan = await vault.preview(zipped({"b.md": "x"}))
    body = {"plan_hash": plan["plan_hash"]}
    taken(await space["admin"].post(f"{vault.path}/lock"))
    locked = await space["editor"].post(f"{vault.path}/imports", json=body)
    taken(await space["admin"].post(f"{vault.path}/unlock"))
    await space.post("/archive", 200)
    archived = await space["editor"].post(f"{vault.path}/imports", json=body)

    assert (refusal(locked), refusal(archived)) == ((423, "vault_locked"), (409, "workspace_archived"))
    assert unzipped(await vault.exported()) == {"a.md": b"1"}


async def test_a_zip_that_is_too_large_is_refused_in_the_words_of_its_page(space: Space) -> None:
    vault = await Vault.of(space, {})
    body = {"size_bytes": 128 * 1024 * 1024 + 1, "sha256": "0" * 64}
    answer = await space["editor"].post(f"{vault.path}/imports/uploads", json=body)

    assert answer.status_code == 400
    assert "must be at most 128 MiB (134,217,728 bytes)" in answer.text


async def test_viewers_export_and_do_not_import(space: Space) -> None:
    vault = await Vault.of(space, {})
    body = {"size_bytes": 5, "sha256": "0" * 64}

    assert refusal(await space["viewer"].post(f"{vault.path}/imports/uploads", json=body)) == (
        403,
        "workspace_role_missing",
    )
    assert unzipped(await vault.exported("viewer")) == {}


async def test_a_vault_takes_no_more_notes_than_it_may_have(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataforge.contexts.workspaces.zips.commands.MAX_NOTES", 2)
    vault = await Vault.of(space, {"a.md": "1"})

    job = await vault.done("imports/preview", upload_key=await vault.uploaded(zipped({"b.md": "x", "c.md": "y"})))

    assert (job["status"], job["error"]["code"]) == ("failed", "note_limit_exceeded")
