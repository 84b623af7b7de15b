"""Exports and erasures of people: who may ask, what is in the file, and what is left afterwards."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from dataforge.contexts.identity.data_requests.archives import Archive
from dataforge.contexts.identity.passwords.hashing import hash_password
from dataforge.kernel.principal import Role
from dataforge.platform.aws.clients import client as aws_client
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.control import JobControl
from dataforge.platform.jobs.shared import SharedJobs
from dataforge.platform.jobs.worker import Done
from dataforge.platform.personal_data import PersonalDataRegister
from infra.local.mailbox import Mailbox
from tests.builders.browser import person as browse
from tests.builders.browser import send
from tests.builders.desk import RecordsDesk
from tests.builders.emulator import EmulatedAws
from tests.builders.mail import PUBLIC, deliver
from tests.builders.second_factor import Phone
from tests.builders.statements import statement
from tests.builders.workspaces import Person, Space, join, new_workspace, person

PREVIEW, APPLY, EXPORTS = "/api/erasures/preview", "/api/erasures", "/api/personal-exports"
HERS = ("ada.lovelace@", "lovelace_ada", "augusta", "enchantress-1815")
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


class Killed(BaseException):
    """What a worker sees of its end: nothing that the code around its work could catch."""


def killed(*_: object) -> None:
    raise Killed


async def objects_of(desk: RecordsDesk, prefix: str = "") -> dict[str, bytes]:
    """What the bucket has, by key."""
    s3, bucket = aws_client("s3"), desk.store.bucket
    listed = await asyncio.to_thread(s3.list_objects_v2, Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for item in listed.get("Contents", [])]
    return {key: (await asyncio.to_thread(s3.get_object, Bucket=bucket, Key=key))["Body"].read() for key in keys}


async def left_of(desk: RecordsDesk) -> list[str]:
    """Where Ada is still named: `table: word`, or the key of an object."""
    tables = await desk.store.rows(
        "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    found = []
    for table in tables:
        rows = await desk.store.rows(f"SELECT row_to_json(t)::text FROM {table.name} t")
        written = "\n".join(str(row[0]) for row in rows).lower()
        found += [f"{table.name}: {word}" for word in HERS if word in written or word.encode().hex() in written]
    for key, body in (await objects_of(desk)).items():
        found += [f"{key}: {word}" for word in HERS if word in body.decode(errors="replace").lower()]
    return found


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

    assert await left_of(desk) == []
    rows = await desk.store.rows(
        "SELECT erased_at, suspended_at, password_hash FROM identity.users WHERE id = :i", i=user_id
    )
    assert rows[0].erased_at is not None
    assert rows[0].password_hash is None


@pytest.mark.parametrize("asks", [Role.LEARNER, Role.ADMIN])
async def test_a_person_hears_by_mail_of_an_export_that_is_ready(
    database: Database, emulator: EmulatedAws, mailbox: Mailbox, asks: Role
) -> None:
    async with RecordsDesk(database, emulator, public_base_url=PUBLIC) as desk:
        user_id, ada = await ada_of(desk)
        client = ada if asks is Role.LEARNER else desk.admin
        job_id = (await posted(client, EXPORTS, 202, user_id=str(user_id)))["job_id"]
        early = await deliver(desk.api, mailbox)
        assert await desk.do(job_id) is Done.ENDED

        mails = await deliver(desk.api, mailbox)

        assert (early, await deliver(desk.api, mailbox)) == ([], [])
        assert [(mail.recipients, str(mail.message["Subject"])) for mail in mails] == [
            (("ada.lovelace@example.org",), "The export of your data is ready")
        ]
        assert f"{PUBLIC}/ui/account/data" in mails[0].text.split()
        assert [word for word in ("X-Amz", "my-data.zip", "exports/people", job_id) if word in mails[0].text] == []


@pytest.mark.parametrize("state", ["suspended_at = now()", "password_hash = NULL, email_confirmed_at = NULL"])
async def test_nobody_hears_of_an_export_who_could_not_download_it(
    database: Database, emulator: EmulatedAws, mailbox: Mailbox, state: str
) -> None:
    async with RecordsDesk(database, emulator, public_base_url=PUBLIC) as desk:
        user_id, _ = await ada_of(desk)
        job_id = (await posted(desk.admin, EXPORTS, 202, user_id=str(user_id)))["job_id"]
        assert await desk.do(job_id) is Done.ENDED
        await desk.store.change(f"UPDATE identity.users SET {state} WHERE id = :id", id=user_id)

        assert await deliver(desk.api, mailbox) == []


async def test_an_export_is_for_its_person_and_administrators_and_ends(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    stranger = await desk.api.as_role(Role.LEARNER)
    job_id = (await posted(ada, EXPORTS, 202))["job_id"]
    assert (await posted(ada, EXPORTS, 202))["job_id"] == job_id, "one at a time"
    early = await ada.post(f"{EXPORTS}/{job_id}/link")

    await archive_of(desk, ada, job_id)

    assert (early.status_code, early.json()["code"]) == (409, "personal_export_not_ready")
    answers = [await client.post(f"{EXPORTS}/{job_id}/link") for client in (stranger, desk.admin)]
    assert [answer.status_code for answer in answers] == [404, 200]
    assert (await stranger.get(EXPORTS, params={"user_id": str(user_id)})).status_code == 403
    assert (await stranger.post(EXPORTS, json={"user_id": str(user_id)})).status_code == 403
    job = (await ada.get(f"/api/jobs/{job_id}")).json()
    assert (job.get("download_url"), "s3_key" in job["output_summary"]) == (None, False)
    downloads = await desk.store.rows("SELECT actor_id FROM platform.audit_log WHERE action = 'export_downloaded'")
    assert len(downloads) == len({row.actor_id for row in downloads}) == 2

    await desk.store.change("UPDATE platform.jobs SET completed_at = completed_at - interval '7 days'")

    expired = await ada.post(f"{EXPORTS}/{job_id}/link")
    assert (expired.status_code, expired.json()["code"]) == (404, "personal_export_not_found")


async def test_a_worker_that_dies_leaves_no_file_and_the_next_one_begins_again(
    desk: RecordsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, ada = await ada_of(desk)
    job_id = (await posted(ada, EXPORTS, 202))["job_id"]
    with monkeypatch.context() as patched:
        patched.setattr(Archive, "close", killed)
        with pytest.raises(Killed):
            await desk.do(job_id)
    assert await objects_of(desk, f"exports/people/{user_id}/") == {}
    await desk.store.change("UPDATE platform.jobs SET lease_until = now() - interval '1 second'")

    archive = await archive_of(desk, ada, job_id)

    assert archive.testzip() is None
    assert "identity/account.json" in archive.namelist()


async def test_a_worker_that_is_killed_at_each_step_erases_once(
    desk: RecordsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ada = await ada_of(desk)
    await desk.sent({"actor": {"mbox": "mailto:ada.lovelace@example.org"}})
    plan = await posted(ada, PREVIEW, 200)
    job_id = (await posted(ada, APPLY, 202, plan_hash=plan["plan_hash"], password=PASSWORD))["job_id"]
    kills = 0
    save, pause = SharedJobs.save_checkpoint, JobControl.pause_if_due

    async def before_the_commit(jobs: SharedJobs, *given: Any) -> None:
        await save(jobs, *given)
        killed()

    def after_the_commit(control: JobControl[Any]) -> None:
        pause(control)
        killed()

    steps = 2 * len(desk.worker.get(PersonalDataRegister).contributions())
    for _ in range(steps):
        for place, name, dies in (
            (SharedJobs, "save_checkpoint", before_the_commit),
            (JobControl, "pause_if_due", after_the_commit),
        ):
            with monkeypatch.context() as patched:
                patched.setattr(place, name, dies)
                with pytest.raises(Killed):
                    await desk.do(job_id)
            kills += 1
            await desk.store.change(
                "UPDATE platform.jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'"
            )
    assert await desk.do(job_id) is Done.ENDED

    job = await desk.job(job_id)
    assert (job["status"], kills) == ("completed", 2 * steps)
    queued = await desk.store.rows("SELECT id FROM platform.jobs WHERE kind = 'erase_person'")
    assert [str(row.id) for row in queued] == job["output_summary"]["jobs"], "the record store erases once"
    await desk.result(job["output_summary"]["jobs"][0])
    assert await left_of(desk) == []
    (row,) = await desk.store.rows("SELECT checkpoint FROM platform.jobs WHERE kind = 'erase_account'")
    assert row.checkpoint == {}


async def test_sign_ins_end_at_once_and_none_begins(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    anybody = await desk.api.client()
    login = {"username": "lovelace_ada", "password": PASSWORD}
    refresh = (await anybody.post("/api/auth/login", json=login)).json()["refresh_token"]
    made = await ada.post("/api/tokens", json={"name": "cron", "scopes": ["all"], "days": 7})
    cron = await desk.api.client(made.json()["token"])
    assert (await cron.get("/api/users/me")).status_code == 200
    plan = await posted(ada, PREVIEW, 200)

    # Sign-ins are under way while it is applied, too.
    applied, *raced = await asyncio.gather(
        ada.post(APPLY, json={"plan_hash": plan["plan_hash"], "password": PASSWORD}),
        *(anybody.post("/api/auth/login", json=login) for _ in range(4)),
    )

    assert applied.status_code == 202, applied.text
    for answer in raced:
        if answer.status_code == 200:
            late = await desk.api.client(answer.json()["access_token"])
            assert (await late.patch("/api/users/me", json={}, headers={"If-Match": "*"})).status_code in (401, 403)
            again = await anybody.post("/api/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]})
            assert again.status_code in (401, 403)
    assert (await ada.patch("/api/users/me", json={}, headers={"If-Match": "*"})).status_code in (401, 403)
    assert (await anybody.post("/api/auth/refresh", json={"refresh_token": refresh})).status_code in (401, 403)
    assert (await cron.get("/api/users/me")).status_code in (401, 403)
    assert (await anybody.post("/api/auth/login", json=login)).status_code == 403
    await desk.do(applied.json()["job_id"])
    tokens = await desk.store.rows("SELECT id FROM identity.refresh_tokens WHERE user_id = :id", id=user_id)
    assert list(tokens) == []
    assert (await anybody.post("/api/auth/login", json=login)).status_code == 401


async def test_a_statement_that_comes_while_a_person_is_erased_is_anonymised(desk: RecordsDesk) -> None:
    _, ada = await ada_of(desk)
    own = {"actor": {"mbox": "mailto:ada.lovelace@example.org", "name": "Augusta Ada King"}}
    plan = await posted(ada, PREVIEW, 200)
    applied = await posted(ada, APPLY, 202, plan_hash=plan["plan_hash"], password=PASSWORD)
    accepted = await desk.store.post([statement(**own)])
    assert accepted.status_code == 200

    await desk.do(applied["job_id"])
    await desk.store.deliver()
    await desk.result((await desk.job(applied["job_id"]))["output_summary"]["jobs"][0])
    await desk.sent(own)

    assert await left_of(desk) == []
    assert len(await desk.ids()) == 2


async def test_a_plan_goes_stale_when_what_is_held_moves(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    plan = await posted(ada, PREVIEW, 200)
    cohort = await desk.post("/api/cohorts", 201, name="Analysts")
    assert (await desk.admin.put(f"/api/cohorts/{cohort['id']}/members/{user_id}")).status_code == 204

    stale = await ada.post(APPLY, json={"plan_hash": plan["plan_hash"], "password": PASSWORD})

    assert (stale.status_code, stale.json()["code"]) == (409, "plan_stale")
    assert (await ada.get("/api/users/me")).json()["username"] == "lovelace_ada"
    again = await posted(ada, PREVIEW, 200)
    held = {(item["context"], item["what"]): (item["rows"], item["effect"]) for item in again["holdings"]}
    assert held["learning", "cohort_members"] == (1, "anonymised")
    assert held["identity", "account"] == (1, "anonymised")
    assert held["identity", "sign_ins"] == (1, "deleted")
    assert any("sql" in item["search"] for item in again["not_covered"] if item["context"] == "datasets")


async def test_a_person_shows_that_it_is_them(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    plan = (await posted(ada, PREVIEW, 200))["plan_hash"]
    stranger = await desk.api.as_role(Role.LEARNER)

    wrong = [await ada.post(APPLY, json={"plan_hash": plan, **given}) for given in ({}, {"password": "a guess"})]
    others = await stranger.post(APPLY, json={"plan_hash": plan, "password": PASSWORD})

    assert {answer.json()["code"] for answer in wrong} == {"wrong_password"}
    assert (others.status_code, others.json()["code"]) == (404, "plan_unknown")
    assert (await stranger.post(PREVIEW, json={"user_id": str(user_id)})).status_code == 403
    guesses = [await ada.post(APPLY, json={"plan_hash": plan, "password": f"guess {n}"}) for n in range(30)]
    assert guesses[-1].status_code == 429


async def test_somebody_without_a_password_has_signed_in_just_now(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    await desk.store.change("UPDATE identity.users SET password_hash = NULL WHERE id = :id", id=user_id)
    plan = (await posted(ada, PREVIEW, 200))["plan_hash"]
    await desk.store.change("UPDATE identity.refresh_tokens SET began_at = began_at - interval '11 minutes'")
    late = await ada.post(APPLY, json={"plan_hash": plan})
    assert (late.status_code, late.json()["code"]) == (403, "sign_in_too_old")

    await desk.store.change("UPDATE identity.refresh_tokens SET began_at = began_at + interval '11 minutes'")

    await posted(ada, APPLY, 202, plan_hash=plan)


async def phone_of(desk: RecordsDesk, client: httpx.AsyncClient) -> Phone:
    """The phone of somebody whose sign-ins need a code from now on."""
    begun = await posted(client, "/api/second-factor", 200, password=PASSWORD)
    phone = Phone(begun["secret"], desk.api.platform.clock)
    await posted(client, "/api/second-factor/confirm", 200, code=phone.code())
    return phone


async def test_whoever_has_a_second_factor_gives_a_code_beside_the_password(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    phone = await phone_of(desk, ada)
    plan = (await posted(ada, PREVIEW, 200))["plan_hash"]

    async def refused(**given: str) -> tuple[int, str]:
        answer = await ada.post(APPLY, json={"plan_hash": plan, **given})
        return answer.status_code, answer.json()["code"]

    assert await refused(password=PASSWORD) == (401, "wrong_code")
    assert await refused(password=PASSWORD, code=phone.wrong()) == (401, "wrong_code")
    assert await refused(password="a guess", code=phone.code(1)) == (401, "wrong_password")
    assert await desk.store.rows("SELECT 1 FROM identity.users WHERE erased_at IS NOT NULL") == []
    (factor,) = await desk.store.rows("SELECT failures FROM identity.second_factors WHERE user_id = :i", i=user_id)
    assert factor.failures == 1  # the guess; none was made without a code, and none beside a wrong password

    await posted(ada, APPLY, 202, plan_hash=plan, password=PASSWORD, code=phone.code(1))

    assert len(await desk.store.rows("SELECT 1 FROM identity.users WHERE erased_at IS NOT NULL")) == 1


async def test_an_administrator_who_erases_somebody_else_gives_no_code(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    await phone_of(desk, ada)
    admin = await desk.api.as_role(Role.ADMIN)
    plan = (await posted(admin, PREVIEW, 200, user_id=str(user_id)))["plan_hash"]

    await posted(admin, APPLY, 202, plan_hash=plan)


async def test_the_page_asks_for_the_code_of_whoever_has_a_second_factor(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    browser, page = await browse(desk.api, user_id, Role.LEARNER), "/ui/account/data"
    without = await send(browser, f"{page}/erasure-plan", {}, form_of=page)
    phone = await phone_of(desk, ada)

    shown = await send(browser, f"{page}/erasure-plan", {}, form_of=page)
    plan = shown.text.partition('name="plan_hash" value="')[2].partition('"')[0]
    fields = {"plan_hash": plan, "password": PASSWORD}
    guessed = await send(browser, f"{page}/erasure", {**fields, "code": phone.wrong()}, form_of=page)
    done = await send(browser, f"{page}/erasure", {**fields, "code": phone.code(1)}, form_of=page)

    assert ['name="code"' in answer.text for answer in (without, shown, guessed)] == [False, True, True]
    assert (guessed.status_code, "The code is wrong." in guessed.text) == (401, True)
    assert (done.status_code, done.headers["location"]) == (303, "/ui/sign-in")


async def test_a_personal_token_neither_exports_nor_erases(desk: RecordsDesk) -> None:
    _, ada = await ada_of(desk)
    made = await ada.post("/api/tokens", json={"name": "cron", "scopes": ["all"], "days": 7})
    assert made.status_code == 201, made.text
    cron = await desk.api.client(made.json()["token"])

    answers = [await cron.post(path, json={}) for path in (PREVIEW, EXPORTS)]
    answers.append(await cron.post(APPLY, json={"plan_hash": "0" * 64}))
    answers.append(await cron.get(EXPORTS))

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "sign_in_required")}


async def test_the_last_administrator_is_not_erased(desk: RecordsDesk) -> None:
    alone = await desk.admin.post(PREVIEW, json={})
    assert (alone.status_code, alone.json()["code"]) == (400, "last_admin")

    other_id = await desk.api.add_user(Role.ADMIN)
    other = await desk.api.as_user(other_id, Role.ADMIN)
    me = (await desk.admin.get("/api/users/me")).json()["id"]
    # Each erases the other at the same moment: one of them stays.
    plans = [
        (desk.admin, await posted(desk.admin, PREVIEW, 200, user_id=str(other_id))),
        (other, await posted(other, PREVIEW, 200, user_id=me)),
    ]
    answers = await asyncio.gather(
        *(client.post(APPLY, json={"plan_hash": plan["plan_hash"]}) for client, plan in plans)
    )

    assert min(answer.status_code for answer in answers) == 202
    refused = [answer.json()["code"] for answer in answers if answer.status_code != 202]
    assert refused in (["last_admin"], ["account_suspended"], ["already_erased"])
    admins = await desk.store.rows("SELECT id FROM identity.users WHERE role = 'admin' AND suspended_at IS NULL")
    assert len(admins) == 1


async def test_nobody_is_erased_twice(desk: RecordsDesk) -> None:
    user_id, _ = await ada_of(desk)
    plan = await posted(desk.admin, PREVIEW, 200, user_id=str(user_id))
    first, second = await asyncio.gather(
        *(desk.admin.post(APPLY, json={"plan_hash": plan["plan_hash"]}) for _ in range(2))
    )
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["job_id"] == second.json()["job_id"]
    again = await desk.admin.post(PREVIEW, json={"user_id": str(user_id)})
    assert (again.status_code, again.json()["code"]) == (409, "already_erased")

    await desk.do(first.json()["job_id"])

    for path in (PREVIEW, EXPORTS):
        answer = await desk.admin.post(path, json={"user_id": str(user_id)})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_erased")
    woken = await desk.admin.patch(f"/api/users/{user_id}", json={"suspended": False}, headers={"If-Match": "*"})
    assert (woken.status_code, woken.json()["code"]) == (409, "already_erased")
    people = (await desk.admin.get("/api/users")).json()["items"]
    assert str(user_id) not in {person["id"] for person in people}


async def test_an_address_that_is_not_proved_erases_nothing_of_its_owner(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    await desk.store.change("UPDATE identity.users SET email_confirmed_at = NULL WHERE id = :id", id=user_id)
    (own,) = await desk.sent({"actor": {"mbox": "mailto:ada.lovelace@example.org"}})

    await erased(desk, ada)

    (row,) = await desk.store.rows("SELECT payload FROM lrs.statements WHERE statement_id = :id", id=own)
    assert row.payload["actor"] == {"mbox": "mailto:ada.lovelace@example.org"}


async def test_workspaces_are_handed_over_and_what_nobody_else_has_goes(desk: RecordsDesk) -> None:
    user_id, ada = await ada_of(desk)
    me = Person(user_id, "", ada)
    alone, shared = await new_workspace(me, "Diary"), await new_workspace(me, "Engine")
    bob = await person(desk.api, "babbage")
    assert await new_workspace(bob, "Engine")
    await join(Space(desk.api, shared, {"owner": me}), bob, "editor")

    await erased(desk, ada)

    rows = await desk.store.rows("SELECT id, name, owner_id FROM workspaces.workspaces")
    found = {str(row.id): row for row in rows}
    assert alone not in found
    assert (found[shared].owner_id, found[shared].name) == (bob.id, f"Engine ({shared[:8]})")
    members = await desk.store.rows("SELECT user_id, role FROM workspaces.members WHERE workspace_id = :id", id=shared)
    assert [(row.user_id, row.role) for row in members] == [(bob.id, "owner")]
