"""Erasing a person: from what is stored, from documents, and from what is still on its way."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from dataforge.contexts.lrs.contract import PEOPLE, PersonErasure
from dataforge.contexts.lrs.erasures import consumers
from dataforge.contexts.lrs.erasures.domain import HOME_PAGE
from dataforge.kernel.principal import SYSTEM, Role
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.database import Database
from dataforge.platform.jobs.worker import Done
from tests.builders.desk import RecordsDesk
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION
from tests.builders.statements import statement

ADA, BOB = {"mbox": "mailto:ada@example.org", "name": "Ada Lovelace"}, {"mbox": "mailto:bob@example.org"}
ACCOUNT = {"account": {"homePage": "https://moodle.example.org", "name": "person-1742"}}
PREVIEW, APPLY = "/api/xapi/erasures/preview", "/api/xapi/erasures"


@pytest.fixture
async def desk(database: Database, emulator: EmulatedAws) -> AsyncIterator[RecordsDesk]:
    async with RecordsDesk(database, emulator) as desk:
        yield desk


async def begun(desk: RecordsDesk, *agents: dict[str, Any], **options: Any) -> str:
    plan = await desk.post(PREVIEW, 200, agents=list(agents), **options)
    return str((await desk.post(APPLY, 202, plan_hash=plan["plan_hash"]))["job_id"])


async def everything(desk: RecordsDesk) -> str:
    """All that the database has, but the list of what is to be erased."""
    tables = await desk.store.rows(
        "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND n.nspname IN ('lrs', 'records', 'platform')"
    )
    found = []
    for table in tables:
        found += [str(row[0]) for row in await desk.store.rows(f"SELECT row_to_json(t)::text FROM {table.name} t")]
    return "\n".join(found).lower()


async def read(desk: RecordsDesk, statement_id: str) -> dict[str, Any]:
    answer = await desk.store.lms.get("/xapi/statements", params={"statementId": statement_id}, headers=VERSION)
    return dict(answer.json())


async def test_nothing_of_the_person_is_left_in_the_database(desk: RecordsDesk) -> None:
    own, account = await desk.sent({"actor": ADA, "result": {"response": "x"}}, {"actor": ACCOUNT})
    group = {"objectType": "Group", "member": [ADA, BOB]}
    contexts = ({"instructor": ADA}, {"team": group})
    elsewhere = await desk.sent(*({"actor": BOB, "context": context} for context in contexts))
    (reference,) = await desk.sent({"actor": BOB, "object": {"objectType": "StatementRef", "id": own}})
    where = {"activityId": "https://e.org/a", "agent": json.dumps(ADA), "stateId": "s"}
    await desk.store.lms.put("/xapi/activities/state", params=where, content=b"Ada's", headers=VERSION)
    plan = await desk.post(PREVIEW, 200, agents=[ADA, ACCOUNT])
    assert {name: plan[name] for name in ("statements", "as_actor", "documents")} == {
        "statements": 4,
        "as_actor": 2,
        "documents": 1,
    }

    result = await desk.result(await begun(desk, ADA, ACCOUNT))

    assert (result["statements"], result["documents"]) == (4, 1)
    left = await everything(desk)
    assert [word for word in ("ada@example", "lovelace", "person-1742") if word in left] == []
    assert len(await desk.ids()) == 5
    assert await desk.ids(agent=json.dumps({"mbox": ADA["mbox"]}), related_agents="true") == []
    names = {(await read(desk, item))["actor"]["account"]["name"] for item in (own, account)}
    assert len(names) == 1
    pseudonym = json.dumps({"account": {"homePage": HOME_PAGE, "name": names.pop()}})
    assert set(await desk.ids(agent=pseudonym)) == {own, account, reference}
    assert set(await desk.ids(agent=pseudonym, related_agents="true")) == {own, account, reference, *elsewhere}
    flat = await desk.store.flat(own)
    assert (flat.actor_email, flat.actor_name, flat.user_id, flat.response) == (None, None, None, "x")


async def test_the_audit_log_does_not_keep_an_identifier_that_was_linked(desk: RecordsDesk) -> None:
    me = (await desk.admin.get("/api/users/me")).json()["id"]
    await desk.post("/api/agent-identifiers", 201, user_id=me, agent=ACCOUNT)
    other = await desk.post("/api/agent-identifiers", 201, user_id=me, agent=ADA)
    assert (await desk.admin.delete(f"/api/agent-identifiers/{other['id']}")).status_code == 204

    await desk.result(await begun(desk, ADA, ACCOUNT))

    left = await everything(desk)
    assert [word for word in ("ada@example", "person-1742") if word in left] == []
    audited = await desk.store.rows(
        "SELECT action FROM platform.audit_log WHERE entity = 'agent_identifier' ORDER BY id"
    )
    assert [row.action for row in audited] == ["linked", "linked", "unlinked"]


async def test_who_is_linked_is_erased_by_all_that_they_are_known_by(desk: RecordsDesk) -> None:
    me = (await desk.admin.get("/api/users/me")).json()
    await desk.post("/api/agent-identifiers", 201, user_id=me["id"], agent=ACCOUNT)
    launched = {"account": {"homePage": PEOPLE, "name": me["avatar"]}}
    own = await desk.sent({"actor": ACCOUNT}, {"actor": {"mbox": f"mailto:{me['email']}"}}, {"actor": launched})
    (other,) = await desk.sent({"actor": BOB})
    plan = await desk.post(PREVIEW, 200, agents=[ACCOUNT])

    await desk.result(await begun(desk, ACCOUNT))

    assert (plan["identifiers"], plan["statements"]) == (3, 3)
    names = {json.dumps((await read(desk, item))["actor"]) for item in own}
    assert len(names) == 1
    assert HOME_PAGE in names.pop()
    assert (await read(desk, other))["actor"] == {**BOB}


async def test_responses_go_when_asked(desk: RecordsDesk) -> None:
    own, others = await desk.sent(
        {"actor": ADA, "result": {"response": "mine"}},
        {"actor": BOB, "result": {"response": "his"}, "context": {"instructor": ADA}},
    )

    await desk.result(await begun(desk, ADA, responses=True))

    assert "response" not in (await read(desk, own))["result"]
    assert (await read(desk, others))["result"]["response"] == "his"
    assert (await desk.store.flat(own)).response is None


async def test_what_was_on_its_way_and_what_comes_later_is_caught(desk: RecordsDesk) -> None:
    (before,) = (await desk.store.post([statement(actor=ADA)])).json()
    assert (await read(desk, before))["actor"]["mbox"] == ADA["mbox"]

    await desk.result(await begun(desk, ADA))
    assert (await desk.store.lms.get(f"/xapi/statements?statementId={before}", headers=VERSION)).status_code == 404
    await desk.store.deliver()
    (after,) = await desk.sent({"actor": ADA, "context": {"extensions": {"https://e.org/x": "ada@example.org"}}})

    for statement_id in (before, after):
        assert (await read(desk, statement_id))["actor"]["account"]["homePage"] == HOME_PAGE
    assert "ada@" not in await everything(desk)


async def test_sessions_and_links_of_the_person_go_too(desk: RecordsDesk) -> None:
    names = "session_id, registration, activity_id, actor, launch_mode, move_on, publisher_id, opened_at, expires_at"
    for actor in (ADA, BOB):
        await desk.store.change(
            f"INSERT INTO lrs.sessions ({names}) VALUES (gen_random_uuid(), gen_random_uuid(), 'https://e.org/au', "
            "CAST(:actor AS jsonb), 'Normal', 'Passed', 'https://e.org/p', now(), now() + interval '1 day')",
            actor=json.dumps(actor),
        )
    await desk.store.change(
        "INSERT INTO lrs.session_statements (statement_id, session_id, statement, decided_at) "
        "SELECT gen_random_uuid(), session_id, jsonb_build_object('actor', actor), now() FROM lrs.sessions"
    )
    link = {"user_id": str(await desk.api.add_user(Role.LEARNER)), "agent": {"mbox": ADA["mbox"]}}
    await desk.post("/api/agent-identifiers", 201, **link)

    await desk.result(await begun(desk, ADA))

    assert [row.actor for row in await desk.store.rows("SELECT actor FROM lrs.sessions")] == [BOB]
    for table in ("lrs.session_statements", "lrs.agent_identifiers"):
        assert "ada@" not in str(await desk.store.rows(f"SELECT row_to_json(t)::text FROM {table} t"))


async def test_a_message_that_comes_twice_is_no_conflict_with_itself(desk: RecordsDesk) -> None:
    await desk.result(await begun(desk, ADA))
    assert (await desk.store.post([statement(actor=ADA)])).status_code == 200
    records = [item.record for item in await Queue(desk.store.queue_url).receive()]

    for _ in range(2):
        assert await desk.store.back.statement_loader.load(records) == []

    assert await desk.store.count("statements_raw") == 1
    assert await desk.store.count("quarantine") == 0


async def test_responses_of_others_stay_in_whatever_batch_they_come(desk: RecordsDesk) -> None:
    await desk.result(await begun(desk, ADA))
    await desk.result(await begun(desk, BOB, responses=True))

    result = {"result": {"response": "x"}}
    ids = await desk.sent(
        {"actor": ADA, **result}, {"actor": BOB, **result}, {"actor": ADA, "context": {"instructor": BOB}, **result}
    )

    assert [(await read(desk, item))["result"].get("response") for item in ids] == ["x", None, "x"]


async def test_a_body_in_quarantine_goes_too(desk: RecordsDesk) -> None:
    (stored,) = await desk.sent({"actor": BOB, "id": "3f1e8a55-7d3a-4f0b-9c52-6d9d1d0b7a02"})
    key = "quarantine/test.json"
    await AsyncObjects(desk.store.bucket).put(key, json.dumps(statement(actor=ADA)).encode())
    await desk.store.change(
        "INSERT INTO records.quarantine (id, body_sha256, s3_key, reason, error, received_at) "
        "VALUES (gen_random_uuid(), 'x', :key, 'refused', 'e', now())",
        key=key,
    )

    result = await desk.result(await begun(desk, ADA))

    assert result["bodies"] == 1
    assert await desk.store.count("quarantine") == 0
    assert await AsyncObjects(desk.store.bucket).oldest("quarantine/", limit=5) == []
    assert await desk.ids() == [stored]


async def test_an_erasure_that_is_cut_off_goes_on_and_one_that_is_repeated_changes_nothing(
    desk: RecordsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "PAGE", 2)
    ids = await desk.sent(*[{"actor": ADA}] * 3)
    job_id = await begun(desk, ADA)

    assert [await desk.do(job_id, pause_after_seconds=0) for _ in range(2)] == [Done.PAUSED] * 2
    assert await desk.do(job_id, pause_after_seconds=0) is Done.ENDED
    bodies = [await read(desk, item) for item in ids]
    again = await desk.result(await begun(desk, ADA))

    assert len({body["actor"]["account"]["name"] for body in bodies}) == 1
    assert again["statements"] == 0
    assert [await read(desk, item) for item in ids] == bodies


async def test_two_plans_of_one_person_are_both_carried_out(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA})
    jobs = [await begun(desk, ADA) for _ in range(2)]

    assert [(await desk.result(job))["statements"] for job in jobs] == [1, 0]
    assert await desk.store.rows("SELECT * FROM platform.plans") == []


async def test_other_contexts_ask_by_the_contract_and_the_audit_names_nobody(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA})
    eraser = desk.api.platform.get(PersonErasure)  # type: ignore[type-abstract]  # found by its Protocol

    job_id = await eraser.erase_person([ADA], responses=False, on_behalf_of=SYSTEM)
    await desk.result(str(job_id))

    rows = await desk.store.rows("SELECT action, after FROM platform.audit_log WHERE entity = 'erasure' ORDER BY id")
    assert [row.action for row in rows] == ["requested", "completed"]
    audited = json.dumps([dict(row.after) for row in rows]).lower()
    assert [word for word in ("ada@example", "lovelace") if word in audited] == []


async def test_erasures_are_for_administrators_and_name_an_agent(desk: RecordsDesk) -> None:
    registrar: httpx.AsyncClient = await desk.api.as_role(Role.REGISTRAR)

    assert (await registrar.post(PREVIEW, json={"agents": [ADA]})).status_code == 403
    assert (await registrar.post(APPLY, json={"plan_hash": "0" * 64})).status_code == 403
    refused = await desk.admin.post(PREVIEW, json={"agents": [{"name": "Ada"}]})
    assert (refused.status_code, refused.json()["code"]) == (400, "validation_failed")
