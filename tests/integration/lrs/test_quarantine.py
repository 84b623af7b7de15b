"""What could not become a statement: found, understood, replayed and discarded by an administrator."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from dataforge.contexts.lrs.quarantine import replays
from dataforge.contexts.lrs.quarantine.consumers import forget_served
from dataforge.contexts.lrs.quarantine.domain import KEEP_REFUSED, MAX_REFUSED_A_DAY, MAX_REFUSED_BYTES
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.sqs import Queue
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.datasets import ok
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.statements import statement

QUARANTINE = "/api/xapi/quarantine"
MIXED = {"Content-Type": "multipart/mixed; boundary=frontier"}


@pytest.fixture
async def admin(records: StoreUnderTest, database: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the store's API."""
    async with ApiUnderTest(database, clock, data_bucket=records.bucket, statements_queue_url=records.queue_url) as api:
        yield await api.as_role(Role.ADMIN)


class Killed(BaseException):
    """The process ends here."""


async def entries(admin: httpx.AsyncClient, **asked: str) -> list[dict[str, Any]]:
    return list(ok(await admin.get(QUARANTINE, params=asked))["items"])


async def the_entry(admin: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    (found,) = await entries(admin, **asked)
    return dict(ok(await admin.get(f"{QUARANTINE}/{found['id']}")))


async def replay(admin: httpx.AsyncClient, entry: dict[str, Any], **body: Any) -> httpx.Response:
    return await admin.post(f"{QUARANTINE}/{entry['id']}/replay", json=body)


async def test_a_refused_request_is_kept_with_each_place_its_body_and_its_sender(
    records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    sent = [statement(actor={"mbox": "ana@example.org"}), statement(verb={"id": "done"}, stored=None)]

    refused = await records.post(sent)

    assert refused.status_code == 400
    entry = await the_entry(admin)
    assert (entry["reason"], entry["state"], entry["credential"]) == ("refused", "waiting", records.key)
    assert (
        {item["pointer"] for item in entry["violations"]}
        == {item["pointer"] for item in refused.json()["errors"]}
        >= {"/0/actor/mbox", "/1/verb/id"}
    )
    assert orjson.loads(entry["body"]) == sent
    assert (await records.count("statements_raw"), await Queue(records.queue_url).receive()) == (0, [])


async def test_a_corrected_replay_is_stored_under_the_authority_of_the_sender(
    records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    good, bad = statement(), statement(actor={"mbox": "ana@example.org"})
    await records.post([good, bad])
    entry = await the_entry(admin)

    refused = await replay(admin, entry)
    done = ok(await replay(admin, entry, body=[good, statement()]))
    again = ok(await replay(admin, entry, body=[statement(verb={"id": "https://e.org/other"})]))
    await records.deliver()

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/1/actor/mbox")
    assert (done["state"], done["repeated"], len(done["statement_ids"])) == ("replayed", False, 2)
    assert (again["repeated"], again["statement_ids"]) == (True, done["statement_ids"])
    rows = await records.rows("SELECT statement_id::text, payload FROM lrs.statements")
    assert {row.statement_id for row in rows} == set(done["statement_ids"])
    assert {row.payload["authority"]["account"]["name"] for row in rows} == {records.key}
    # It is when the sender said it, not when somebody corrected it.
    assert {row.payload["timestamp"][:19] for row in rows} == {entry["received_at"][:19]}
    audit = await records.rows("SELECT action, after FROM platform.audit_log WHERE entity = 'quarantine_entry'")
    assert [(row.action, row.after) for row in audit] == [("replayed", {"state": "replayed", "corrected": True})]


async def test_a_replay_that_was_killed_ends_with_the_next_one(
    records: StoreUnderTest, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await records.post(statement(actor={"mbox": "ana@example.org"}))
    entry, good = await the_entry(admin), statement()

    async def kill(*_: object) -> bool:
        raise Killed

    monkeypatch.setattr(replays, "end_replay", kill)
    with pytest.raises(Killed):
        await replay(admin, entry, body=good)
    monkeypatch.undo()
    await records.deliver()
    other = ok(await replay(admin, entry, body=statement(verb={"id": "https://e.org/other"})))
    await records.deliver()

    assert (other["state"], other["repeated"]) == ("replayed", True)
    rows = await records.rows("SELECT statement_id::text FROM records.statements_raw")
    assert [row.statement_id for row in rows] == other["statement_ids"]


async def test_a_conflict_found_by_the_loader_is_replayed_under_another_id(
    records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    first, second = (statement(id=str(uuid4()), verb={"id": f"https://e.org/{word}"}) for word in ("a", "b"))
    second["id"] = first["id"]
    await records.post(first)
    await records.change("TRUNCATE records.statement_claims")  # as if the database had been away
    await records.post(second)
    await records.deliver()
    entry = await the_entry(admin, reason="conflict")

    refused = await replay(admin, entry)
    del second["id"]
    done = ok(await replay(admin, entry, body=second))
    await records.deliver()

    assert (refused.status_code, refused.json()["code"]) == (409, "statement_conflict")
    assert [item["pointer"] for item in entry["violations"]] == ["/id"]
    assert done["statement_ids"] != [first["id"]]
    assert await records.count("statements_raw") == 2


async def test_an_unreadable_message_goes_back_into_the_queue(
    records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    await Queue(records.queue_url).send('{"schema": 99}')
    await records.deliver()
    entry = await the_entry(admin, reason="unreadable")

    done = ok(await replay(admin, entry))
    await records.deliver()

    assert (done["state"], entry["body"]) == ("replayed", '{"schema": 99}')
    # It is as unreadable as before, and so it waits again.
    again = await the_entry(admin, reason="unreadable")
    assert (again["state"], again["repeats"]) == ("waiting", 2)


async def test_a_dead_statement_is_flattened_again(records: StoreUnderTest, admin: httpx.AsyncClient) -> None:
    answer = await records.post(statement())
    await records.deliver()
    (statement_id,) = answer.json()
    await records.change("DELETE FROM records.statements_flat")
    await records.change("UPDATE records.statements_raw SET state = 'dead', error = 'once wrong'")
    await records.change(
        "INSERT INTO records.quarantine (id, body_sha256, reason, error, statement_id, credential, received_at) "
        "VALUES (:id, 'x', 'unflattenable', 'once wrong', :statement_id, :key, now())",
        id=uuid4(),
        statement_id=statement_id,
        key=records.key,
    )
    entry = await the_entry(admin, reason="unflattenable")

    done = ok(await replay(admin, entry))
    await records.back.incremental_etl.run()

    assert orjson.loads(entry["body"])["id"] == statement_id
    assert done["statement_ids"] == [statement_id]
    assert await records.flat(statement_id) is not None


async def test_several_are_replayed_and_one_that_cannot_be_stops_no_other(
    records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    await records.post(statement(actor={"mbox": "ana@example.org"}))
    await Queue(records.queue_url).send("not ours")
    await records.deliver()
    ids = [item["id"] for item in await entries(admin)]

    answer = ok(await admin.post(f"{QUARANTINE}/replays", json={"ids": [*ids, str(uuid4())]}))

    outcomes = [item["state"] or item["error"]["code"] for item in answer["items"]]
    assert sorted(outcomes) == ["invalid_statements", "not_found", "replayed"]


async def test_attachments_come_along_with_a_corrected_statement(
    records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    data = b"the data"
    sha2 = hashlib.sha256(data).hexdigest()
    named = {"usageType": "https://e.org/u", "display": {"en": "A"}, "contentType": "text/plain", "length": len(data)}
    good = statement(attachments=[{**named, "sha2": sha2}])
    bad = {**good, "actor": {"mbox": "ana@example.org"}}
    part = f"X-Experience-API-Hash: {sha2}\r\nContent-Transfer-Encoding: binary\r\nContent-Type: text/plain\r\n\r\n"
    body = (
        b"--frontier\r\nContent-Type: application/json\r\n\r\n"
        + orjson.dumps(bad)
        + b"\r\n--frontier\r\n"
        + part.encode()
        + data
        + b"\r\n--frontier--\r\n"
    )
    assert (await records.post(body, headers={"X-Experience-API-Version": "1.0.3", **MIXED})).status_code == 400
    entry = await the_entry(admin)

    (statement_id,) = ok(await replay(admin, entry, body=good))["statement_ids"]

    found = await records.lms.get(
        "/xapi/statements",
        params={"statementId": statement_id, "attachments": "true"},
        headers={"X-Experience-API-Version": "1.0.3"},
    )
    assert data in found.content


async def test_a_discarded_entry_has_no_body_and_is_not_replayed(
    records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    sent = statement(actor={"mbox": "ana@example.org"})
    await records.post(sent)
    (entry,) = await entries(admin)

    gone = [await admin.delete(f"{QUARANTINE}/{entry['id']}") for _ in range(2)]
    after = ok(await admin.get(f"{QUARANTINE}/{entry['id']}"))
    refused = await replay(admin, entry, body=statement())
    await records.post(sent)

    assert [answer.status_code for answer in gone] == [204, 204]
    assert (after["state"], after["body"]) == ("discarded", None)
    assert (refused.status_code, refused.json()["code"]) == (409, "quarantine_ended")
    back = await the_entry(admin)
    assert (back["state"], back["repeats"], orjson.loads(back["body"])) == ("waiting", 2, sent)


async def test_the_list_is_filtered_and_paged(records: StoreUnderTest, admin: httpx.AsyncClient) -> None:
    for number in range(3):
        await records.post(statement(actor={"mbox": f"ana{number}@example.org"}))
    await Queue(records.queue_url).send("not ours")
    await records.deliver()
    entry = (await entries(admin, reason="unreadable"))[0]
    ok(await admin.delete(f"{QUARANTINE}/{entry['id']}"), 204)

    first = ok(await admin.get(QUARANTINE, params={"limit": 2}))
    second = ok(await admin.get(QUARANTINE, params={"limit": 2, "cursor": first["next_cursor"]}))

    every = [item["id"] for item in first["items"] + second["items"]]
    assert (len(every), second["next_cursor"]) == (4, None)
    assert [item["id"] for item in await entries(admin)] == every
    assert len(await entries(admin, credential=records.key, state="waiting")) == 3
    assert len(await entries(admin, state="discarded")) == 1
    middle = first["items"][1]["received_at"]
    assert [item["id"] for item in await entries(admin, since=middle)] == every[:2]
    assert [item["id"] for item in await entries(admin, until=middle)] == every[2:]


async def test_what_is_kept_of_refusals_is_bounded(records: StoreUnderTest, admin: httpx.AsyncClient) -> None:
    large = statement(actor={"mbox": "x"}, result={"response": "a" * MAX_REFUSED_BYTES})
    await records.post(large)
    await records.change("UPDATE lrs.kept_refusals SET kept = :most", most=MAX_REFUSED_A_DAY)
    await records.post(statement(actor={"mbox": "y"}))

    entry = await the_entry(admin)
    assert (entry["body"], entry["violations"][0]["pointer"]) == (None, "/actor/mbox")


async def test_bodies_are_not_kept_where_that_is_switched_off(
    emulator: EmulatedAws, database: Database, clock: FixedClock
) -> None:
    async with StoreUnderTest(emulator, database, front={"keep_refused": False}) as records:
        await records.post(statement(actor={"mbox": "x"}))

        assert await records.count("quarantine") == 0


async def test_refused_requests_are_forgotten_and_accepted_ones_never(
    records: StoreUnderTest, admin: httpx.AsyncClient
) -> None:
    await records.post(statement(actor={"mbox": "x"}))
    await Queue(records.queue_url).send("not ours")
    await records.deliver()
    old = KEEP_REFUSED + timedelta(hours=1)
    await records.change("UPDATE records.quarantine SET received_at = now() - CAST(:old AS interval)", old=old)
    keys = [row.s3_key for row in await records.rows("SELECT s3_key FROM records.quarantine WHERE reason = 'refused'")]

    assert await forget_served(records.back) == {"forgotten": 1}

    assert [item["reason"] for item in await entries(admin)] == ["unreadable"]
    assert await records.back.platform.objects.oldest(keys[0], limit=1) == []


async def test_the_refusal_is_answered_while_the_database_is_away(records: StoreUnderTest) -> None:
    records.front.platform.database = Database("postgresql://nobody@127.0.0.1:9/none", connect_timeout_seconds=1)

    answers = [await records.post(statement(actor={"mbox": "x"})) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [400, 400]
