"""From the queue into the tables: once each, in any order, and the bad ones aside."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import text

from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials.commands import CreateXapiCredential, create_xapi_credential
from dataforge.contexts.identity.xapi_credentials.published import StoredCredentialUses
from dataforge.contexts.lrs.statements.domain.messages import message_json
from dataforge.events.sqs import batch_response, queue_records
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import SYSTEM
from dataforge.platform.aws.sqs import Queue, QueueRecord
from dataforge.platform.db.database import Database
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.statements import statement

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
LESSON = "https://example.org/courses/42"


def voiding(target: str, **changes: Any) -> dict[str, Any]:
    return statement(verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": target}, **changes)


def stored(sent: dict[str, Any]) -> dict[str, Any]:
    """As the endpoint would have completed it, without its checks."""
    return {"id": str(uuid4()), "stored": "2026-05-04T10:00:00Z", "timestamp": "2026-05-04T10:00:00Z", **sent}


def queued(*statements: dict[str, Any], message_id: str = "m1") -> QueueRecord:
    """A message that did not come through the endpoint."""
    items = [
        {"sha": hashlib.sha256(orjson.dumps(item)).hexdigest(), "statement": item} for item in map(stored, statements)
    ]
    body = message_json(
        request_id=uuid7(),
        authority="key",
        stored_at=datetime(2026, 5, 4, 10, tzinfo=UTC),
        registered=False,
        statements=orjson.dumps(items),
    )
    return QueueRecord(message_id, body.decode())


async def person(records: StoreUnderTest, email: str, avatar: str = "avatar-1") -> Any:
    user_id = uuid7()
    await records.change(
        "INSERT INTO identity.users (id, username, email, email_vouched, avatar, display_name, role, created_at, "
        "updated_at) VALUES (:id, :name, :email, true, :avatar, 'Somebody', 'learner', now(), now())",
        id=user_id,
        name=f"u{user_id.hex[-12:]}",
        email=email,
        avatar=avatar,
    )
    return user_id


async def lesson(records: StoreUnderTest, url: str = LESSON) -> Any:
    lesson_id = uuid7()
    await records.change(
        "WITH made AS (INSERT INTO records.lessons (id, lesson_url, title, created_at, updated_at) "
        "VALUES (:id, :url, 'L', now(), now()) RETURNING id, lesson_url) "
        "INSERT INTO records.lesson_addresses (address, lesson_id, alias) SELECT lesson_url, id, false FROM made",
        id=lesson_id,
        url=url,
    )
    return lesson_id


async def events(records: StoreUnderTest) -> list[Any]:
    rows = await records.rows("SELECT payload FROM platform.outbox WHERE name = 'records.lesson_completed' ORDER BY id")
    return [row.payload for row in rows]


async def test_a_message_that_comes_twice_lands_once(records: StoreUnderTest) -> None:
    await records.post(statement())
    received = await Queue(records.queue_url).receive()
    batch = [item.record for item in received]

    first = await records.back.statement_loader.load(batch)
    again = await records.back.statement_loader.load(batch)

    assert (first, again) == ([], [])
    assert (await records.count("statements_raw"), await records.count("statements_flat")) == (1, 1)


async def test_a_completion_of_a_known_lesson_by_a_known_person_is_announced_once(records: StoreUnderTest) -> None:
    user_id, lesson_id = await person(records, "ana.roux@example.org"), await lesson(records)
    sent = statement(id=str(uuid4()), result={"score": {"scaled": 0.8}}, timestamp="2026-05-04T10:00:00Z")
    await records.post(sent)
    await records.post(sent)

    await records.deliver()

    row = await records.flat(sent["id"])
    assert (row.user_id, row.lesson_id) == (user_id, lesson_id)
    assert await events(records) == [
        {
            "user_id": str(user_id),
            "lesson_id": str(lesson_id),
            "section_id": None,
            "statement_id": sent["id"],
            "score": "0.8",
            "occurred_at": "2026-05-04T10:00:00+00:00",
            "workspace_id": None,
        }
    ]


async def test_a_person_is_found_by_the_pseudonym_that_is_the_name_of_an_account(records: StoreUnderTest) -> None:
    user_id = await person(records, "x@example.org", avatar="blue-otter")
    actor = {"account": {"homePage": "https://lms.example.org", "name": "blue-otter"}}

    answer = await records.post(statement(actor=actor))
    await records.deliver()

    assert (await records.flat(answer.json()[0])).user_id == user_id


@pytest.mark.parametrize(("home_page", "found"), [("https://lms.example.org", True), ("https://other.example", False)])
async def test_an_account_name_is_an_address_where_its_home_page_is_trusted(
    emulator: EmulatedAws, database: Database, home_page: str, found: bool
) -> None:
    async with StoreUnderTest(emulator, database, trusted_home_pages=("https://lms.example.org",)) as records:
        user_id = await person(records, "ana@example.org")
        actor = {"account": {"homePage": home_page, "name": "Ana@Example.org"}}

        answer = await records.post(statement(actor=actor))
        await records.deliver()

        assert (await records.flat(answer.json()[0])).user_id == (user_id if found else None)


async def last_used(records: StoreUnderTest) -> datetime | None:
    async with records.database.read_only() as connection:
        query = text("SELECT last_used_at FROM identity.xapi_credentials WHERE key_id = :key")
        found: datetime | None = await connection.scalar(query, {"key": records.key})
        return found


async def test_a_credential_tells_when_it_was_last_used_to_the_minute(records: StoreUnderTest) -> None:
    assert await last_used(records) is None

    answer = await records.post(statement())
    await records.deliver()
    first, stored = await last_used(records), (await records.flat(answer.json()[0])).stored_at
    await records.post(statement())
    await records.deliver()

    assert first == stored
    assert await last_used(records) == first


async def test_a_use_is_noted_again_after_a_minute_and_never_moves_back(database: Database) -> None:
    uses, start = StoredCredentialUses(database), datetime(2026, 5, 4, 10, tzinfo=UTC)
    async with IdentityUnitOfWork(database, principal=SYSTEM) as uow:
        key = (await create_xapi_credential(CreateXapiCredential(name="LMS"), uow)).key_id
        await uow.commit()

    async def noted(seconds: int, uses: StoredCredentialUses = uses) -> datetime:
        await uses.note({key: start + timedelta(seconds=seconds), "unknown": start})
        async with database.read_only() as connection:
            query = text("SELECT last_used_at FROM identity.xapi_credentials WHERE key_id = :key")
            found: datetime = await connection.scalar(query, {"key": key})
            return found

    assert await noted(0) == start
    assert await noted(59) == start
    assert await noted(60) == start + timedelta(seconds=60)
    # Another worker, which remembers nothing, with an older batch.
    assert await noted(10, StoredCredentialUses(database)) == start + timedelta(seconds=60)


async def test_voiding_takes_a_statement_that_is_there(records: StoreUnderTest) -> None:
    target = (await records.post(statement())).json()[0]
    await records.deliver()

    await records.post(voiding(target))
    await records.deliver()

    assert (await records.flat(target)).voided is True


async def test_voiding_takes_a_statement_that_comes_later_and_no_completion_is_announced(
    records: StoreUnderTest,
) -> None:
    await person(records, "ana.roux@example.org")
    await lesson(records)
    target = str(uuid4())
    await records.post(voiding(target))
    await records.deliver()

    await records.post(statement(id=target))
    await records.deliver()

    assert (await records.flat(target)).voided is True
    assert await events(records) == []


async def test_a_voiding_statement_cannot_be_voided(records: StoreUnderTest) -> None:
    target = (await records.post(statement())).json()[0]
    first = (await records.post(voiding(target))).json()[0]

    await records.post(voiding(first))
    await records.deliver()

    assert (await records.flat(first)).voided is False
    assert (await records.flat(target)).voided is True


async def test_another_content_for_a_stored_id_goes_to_quarantine_and_changes_nothing(
    records: StoreUnderTest,
) -> None:
    given = str(uuid4())
    await records.back.statement_loader.load([queued(statement(id=given))])
    other = queued(statement(id=given, actor={"mbox": "mailto:b@example.org"}))

    failed = [await records.back.statement_loader.load([other]) for _ in range(2)]

    (kept,) = await records.rows("SELECT * FROM records.quarantine")
    assert failed == [[], []]
    assert (kept.reason, str(kept.statement_id), kept.pointer) == ("conflict", given, "/id")
    assert (await records.flat(given)).actor_key == "mailto:ana.roux@example.org"
    assert b"b@example.org" in await records.back.platform.objects.get(kept.s3_key)


async def test_two_contents_for_one_id_in_one_batch_keep_the_first(records: StoreUnderTest) -> None:
    given = str(uuid4())
    other = statement(id=given, actor={"mbox": "mailto:b@example.org"})

    await records.back.statement_loader.load([queued(statement(id=given)), queued(other, message_id="m2")])

    assert (await records.flat(given)).actor_key == "mailto:ana.roux@example.org"
    assert await records.count("quarantine") == 1


async def test_a_statement_that_cannot_be_flattened_is_set_aside_and_the_others_land(records: StoreUnderTest) -> None:
    bad, good = str(uuid4()), str(uuid4())
    message = queued(
        statement(id=bad, result={"duration": 17}, context={"registration": "no uuid"}), statement(id=good)
    )

    failed = await records.back.statement_loader.load([message])

    (raw,) = await records.rows("SELECT state, error FROM records.statements_raw WHERE statement_id = :id", id=bad)
    (kept,) = await records.rows("SELECT * FROM records.quarantine")
    assert failed == []
    assert await records.flat(good) is not None
    assert raw.state == "dead"
    assert raw.error.startswith("/")
    assert (str(kept.statement_id), kept.reason) == (bad, "unflattenable")
    assert kept.pointer.startswith("/")


async def test_a_value_the_database_refuses_is_found_by_halving_and_the_others_land(records: StoreUnderTest) -> None:
    ids = [str(uuid4()) for _ in range(9)]
    bodies = [statement(id=given) for given in ids]
    # Text the endpoint would refuse: PostgreSQL cannot hold it.
    bodies[5]["actor"] = {"mbox": "mailto:a@example.org", "name": "nul \u0000"}

    failed = await records.back.statement_loader.load([queued(*bodies)])

    (kept,) = await records.rows("SELECT * FROM records.quarantine")
    assert failed == []
    assert await records.count("statements_flat") == 8
    assert str(kept.statement_id) == ids[5]
    assert await records.count("intake") == 0


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", '{"schema": 99}', '{"schema":1,"request_id":"x"}', '{"schema":1}', "\ud800"]
)
async def test_a_message_that_cannot_be_read_is_acknowledged_once_it_is_kept(
    records: StoreUnderTest, body: str
) -> None:
    failed = await records.back.statement_loader.load([QueueRecord("m1", body), queued(statement(), message_id="m2")])

    (kept,) = await records.rows("SELECT * FROM records.quarantine")
    assert failed == []
    assert kept.reason == "unreadable"
    assert await records.back.platform.objects.get(kept.s3_key) == body.encode(errors="surrogatepass")
    assert await records.count("statements_flat") == 1


async def test_a_message_that_cannot_be_kept_is_not_acknowledged(records: StoreUnderTest) -> None:
    records.back.platform.objects._bucket = "no-such-bucket"

    failed = await records.back.statement_loader.load(
        [QueueRecord("m1", "no json"), queued(statement(), message_id="m2")]
    )

    assert failed == ["m1"]
    assert await records.count("statements_flat") == 1


async def test_a_message_whose_body_is_missing_comes_again(records: StoreUnderTest) -> None:
    body = message_json(
        request_id=uuid7(),
        authority="key",
        stored_at=datetime(2026, 5, 4, 10, tzinfo=UTC),
        registered=True,
        body_key="queue-bodies/missing.json",
    )

    failed = await records.back.statement_loader.load([QueueRecord("m1", body.decode())])

    assert failed == ["m1"]


async def test_without_the_database_nothing_is_acknowledged(records: StoreUnderTest, database: Database) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/nothing")
    records.back.statement_loader._database = away

    failed = await records.back.statement_loader.load([queued(statement()), queued(statement(), message_id="m2")])

    assert failed == ["m1", "m2"]


def test_the_answer_names_the_messages_that_must_come_again() -> None:
    event = {"Records": [{"messageId": "a", "body": "x", "attributes": {"ApproximateReceiveCount": "3"}}]}

    assert queue_records(event) == [QueueRecord("a", "x", receive_count=3)]
    assert batch_response(["b", "a", "a"]) == {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}
