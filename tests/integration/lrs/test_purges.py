"""Purges: a preview, its hash, and a job that deletes exactly what was previewed."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest

from dataforge.contexts.lrs.purges import consumers
from dataforge.kernel.errors import ObjectMissing
from dataforge.kernel.principal import Role
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.desk import RecordsDesk
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION
from tests.builders.statements import statement

ADA, BOB = {"mbox": "mailto:ada@example.org"}, {"mbox": "mailto:bob@example.org"}
PREVIEW, APPLY = "/api/xapi/purges/preview", "/api/xapi/purges"


@pytest.fixture
async def desk(database: Database, emulator: EmulatedAws) -> AsyncIterator[RecordsDesk]:
    async with RecordsDesk(database, emulator) as desk:
        yield desk


OLD = "2021-02-03T04:05:06Z"


async def purged(desk: RecordsDesk, **asked: Any) -> dict[str, Any]:
    plan = await desk.post(PREVIEW, 200, **asked)
    job = await desk.post(APPLY, 202, plan_hash=plan["plan_hash"])
    return await desk.result(job["job_id"])


async def rows_left(desk: RecordsDesk) -> dict[str, int]:
    tables = (
        *("records.statements_raw", "records.statements_flat", "records.statement_claims", "lrs.statement_bodies"),
        *("lrs.statement_keys", "lrs.statement_references"),
    )
    return {name: (await desk.store.rows(f"SELECT count(*) FROM {name}"))[0][0] for name in tables}


async def test_a_preview_counts_and_deletes_nothing(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, {"actor": ADA}, stored="2021-02-28T23:59:59Z")
    await desk.sent({"actor": BOB}, stored="2021-03-01T00:00:00Z")

    plan = await desk.post(PREVIEW, 200, until="2021-12-31T00:00:00Z")

    assert (plan["statements"], plan["by_month"]) == (3, {"2021-02": 2, "2021-03": 1})
    assert plan["by_credential"] == {desk.store.key: 3}
    assert list(plan["by_verb"].values()) == [3]
    assert plan["whole_months"][:2] == ["2021-02", "2021-03"]
    assert len(await desk.ids()) == 3


async def test_a_purge_by_agent_and_date_leaves_nothing_of_it_and_all_of_the_others(desk: RecordsDesk) -> None:
    gone = await desk.sent({"actor": ADA, "id": "3f1e8a55-7d3a-4f0b-9c52-6d9d1d0b7a01"}, {"actor": ADA}, stored=OLD)
    kept = await desk.sent({"actor": BOB}, stored=OLD)
    kept += await desk.sent({"actor": ADA})

    result = await purged(desk, agent=ADA, until="2022-01-01T00:00:00Z")

    assert (result["statements"], result["partitions_dropped"]) == (2, [])
    assert await desk.ids() == kept
    left = await rows_left(desk)
    assert {left["records.statements_raw"], left["records.statements_flat"], left["lrs.statement_bodies"]} == {2}
    assert left["records.statement_claims"] == 0
    again = await desk.store.post([{**statement(actor=BOB), "id": gone[0]}])
    assert again.status_code == 200, "a purged id belongs to nobody"


async def test_what_is_selected_by_time_alone_goes_with_its_partitions(desk: RecordsDesk) -> None:
    await desk.sent(*[{"actor": ADA}] * 5, stored=OLD)
    kept = await desk.sent({"actor": ADA}, stored="2021-03-01T00:00:00Z")
    await desk.store.change("SELECT lrs.make_statement_partition('2021-02-01')")

    result = await purged(desk, until="2021-02-28T23:59:59.999999Z")
    assert result["partitions_dropped"] == [], "the last microsecond of a month is not its end"
    await desk.sent(*[{"actor": ADA}] * 5, stored=OLD)
    result = await purged(desk, until="2021-03-01T00:00:00Z", since="2021-01-01T00:00:00Z")

    assert result["partitions_dropped"] == ["2021-02"]
    assert await desk.ids() == []
    assert kept
    assert set((await rows_left(desk)).values()) == {0}


async def test_a_plan_is_refused_when_its_set_has_changed(desk: RecordsDesk) -> None:
    (first, _) = await desk.sent({"actor": ADA}, {"actor": ADA}, stored=OLD)
    plan = await desk.post(PREVIEW, 200, agent=ADA)
    await desk.store.change("DELETE FROM records.statements_raw WHERE statement_id = :id", id=first)

    answer = await desk.admin.post(APPLY, json={"plan_hash": plan["plan_hash"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "plan_stale")
    assert (await desk.admin.post(APPLY, json={"plan_hash": "0" * 64})).json()["code"] == "plan_unknown"


async def test_a_plan_that_went_stale_on_its_way_to_the_worker_deletes_nothing(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, {"actor": ADA}, stored=OLD)
    plan = await desk.post(PREVIEW, 200, agent=ADA)
    job = await desk.post(APPLY, 202, plan_hash=plan["plan_hash"])
    (late,) = await desk.sent({"actor": ADA}, stored=OLD)

    assert await desk.do(job["job_id"]) is Done.ENDED

    assert (await desk.job(job["job_id"]))["error"]["code"] == "plan_stale"
    assert len(await desk.ids()) == 3
    assert late in await desk.ids()


async def test_a_plan_is_applied_once_and_expires(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, stored=OLD)
    plan = await desk.post(PREVIEW, 200, agent=ADA)
    jobs = [(await desk.post(APPLY, 202, plan_hash=plan["plan_hash"]))["job_id"] for _ in range(2)]
    assert jobs[0] == jobs[1]
    other = await desk.post(PREVIEW, 200, agent=ADA, until="2022-01-01T00:00:00Z")
    await desk.store.change("UPDATE platform.plans SET expires_at = now() - interval '1 second'")

    answer = await desk.admin.post(APPLY, json={"plan_hash": other["plan_hash"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "plan_expired")


async def test_a_purge_that_is_cut_off_goes_on_behind_its_last_page(
    desk: RecordsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PAGE", 2)
    await desk.sent(*[{"actor": ADA}] * 5, stored=OLD)
    plan = await desk.post(PREVIEW, 200, agent=ADA)
    job = await desk.post(APPLY, 202, plan_hash=plan["plan_hash"])

    done = [await desk.do(job["job_id"], pause_after_seconds=0) for _ in range(4)]

    assert done == [Done.PAUSED, Done.PAUSED, Done.PAUSED, Done.ENDED]
    assert (await desk.job(job["job_id"]))["output_summary"]["statements"] == 5
    assert await desk.ids() == []


async def test_references_and_voids_are_what_is_left_says(desk: RecordsDesk) -> None:
    (target,) = await desk.sent({"actor": ADA}, stored=OLD)
    (about,) = await desk.sent({"actor": BOB, "object": {"objectType": "StatementRef", "id": target}})
    voids = {
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": target},
    }
    await desk.sent({"actor": BOB, **voids})
    assert await desk.ids(agent=json.dumps(ADA)), "through the statement that refers to hers"

    await purged(desk, agent=ADA, until="2022-01-01T00:00:00Z")

    assert await desk.ids(agent=json.dumps(ADA)) == []
    assert about in await desk.ids()
    await desk.store.post([{**statement(actor=ADA), "id": target}])
    await desk.store.deliver()
    assert target not in await desk.ids(), "what voided it is still here"
    assert about in await desk.ids(agent=json.dumps(ADA))


async def send_with_data(desk: RecordsDesk, data: bytes, *actors: dict[str, Any]) -> None:
    digest = sha256(data).hexdigest()
    named = {"usageType": "https://e.org/c", "display": {"en": "C"}, "contentType": "text/plain", "length": len(data)}
    for actor in actors:
        body = json.dumps(statement(actor=actor, attachments=[{**named, "sha2": digest}])).encode()
        parts = [b"Content-Type: application/json\r\n\r\n" + body]
        parts.append(
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n"
            b"X-Experience-API-Hash: " + digest.encode() + b"\r\n\r\n" + data
        )
        mixed = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
        answer = await desk.store.post(mixed, headers={**VERSION, "Content-Type": "multipart/mixed; boundary=b"})
        assert answer.status_code == 200, answer.text
    await desk.store.deliver()


async def test_attachments_go_with_the_last_statement_that_names_them(desk: RecordsDesk) -> None:
    data = b"a certificate"
    await send_with_data(desk, data, ADA, BOB)
    (stored,) = await AsyncObjects(desk.store.bucket).oldest("attachments/", limit=5)

    plan = await desk.post(PREVIEW, 200, credential=desk.store.key)
    while plan["statements"] < 2:  # the bound keeps two seconds from now
        plan = await desk.post(PREVIEW, 200, credential=desk.store.key)
    assert plan["attachments"] == 1
    assert (await purged(desk, agent=ADA))["attachments"] == 0
    assert await AsyncObjects(desk.store.bucket).get(stored.key) == data
    assert (await purged(desk, agent=BOB))["attachments"] == 1
    with pytest.raises(ObjectMissing):
        await AsyncObjects(desk.store.bucket).get(stored.key)


async def test_data_that_is_sent_again_while_a_purge_pauses_stays(
    desk: RecordsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PAGE", 1)
    await send_with_data(desk, b"a certificate", ADA)
    await desk.move(await desk.ids(), OLD)
    (stored,) = await AsyncObjects(desk.store.bucket).oldest("attachments/", limit=5)
    plan = await desk.post(PREVIEW, 200, agent=ADA, until="2022-01-01T00:00:00Z")
    job = await desk.post(APPLY, 202, plan_hash=plan["plan_hash"])
    assert await desk.do(job["job_id"], pause_after_seconds=0) is Done.PAUSED
    assert await AsyncObjects(desk.store.bucket).oldest("attachments/", limit=5) == [], (
        "before it pauses or is cancelled"
    )
    await send_with_data(desk, b"a certificate", BOB)

    assert await desk.do(job["job_id"]) is Done.ENDED

    assert await AsyncObjects(desk.store.bucket).get(stored.key) == b"a certificate"


async def test_documents_go_only_when_they_are_asked_for(desk: RecordsDesk) -> None:
    where = {"activityId": "https://e.org/a", "agent": json.dumps(ADA), "stateId": "s"}
    answer = await desk.store.lms.put("/xapi/activities/state", params=where, content=b"x", headers=VERSION)
    assert answer.status_code == 204, answer.text

    assert (await purged(desk, agent=ADA, since="2021-01-01T00:00:00Z"))["documents"] == 0
    await desk.store.change("UPDATE lrs.documents SET updated_at = '2021-02-01T00:00:00Z'")
    assert (await desk.post(PREVIEW, 200, agent=ADA, documents=True))["documents"] == 1
    assert (await purged(desk, agent=ADA, documents=True))["documents"] == 1

    assert (await desk.store.lms.get("/xapi/activities/state", params=where, headers=VERSION)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "purge_too_wide"),
        ({"documents": True, "verb": "https://e.org/v"}, "purge_of_documents"),
        ({"agent": {"name": "Ada"}}, "validation_failed"),
        ({"verb": "no iri"}, "validation_failed"),
        ({"since": "2021-01-01T00:00:00Z", "until": "2021-01-01T00:00:00Z"}, "validation_failed"),
    ],
)
async def test_a_purge_that_means_nothing_is_refused(desk: RecordsDesk, asked: dict[str, Any], code: str) -> None:
    answer = await desk.admin.post(PREVIEW, json=asked)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_purges_are_for_administrators_and_audited_without_the_person(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, stored=OLD)
    registrar = await desk.api.as_role(Role.REGISTRAR)
    assert (await registrar.post(PREVIEW, json={"agent": ADA})).status_code == 403
    assert (await registrar.post(APPLY, json={"plan_hash": "0" * 64})).status_code == 403

    await purged(desk, agent=ADA)

    (entry,) = await desk.store.rows("SELECT action, after FROM platform.audit_log WHERE entity = 'statement_purge'")
    assert (entry.action, entry.after["statements"]) == ("applied", 1)
    assert "ada@" not in json.dumps(entry.after)
