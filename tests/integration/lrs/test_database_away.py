"""Statements while PostgreSQL is away, and the bound that never overtakes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from dataforge.contexts.lrs.statements.domain import parse_timestamp
from dataforge.contexts.lrs.statements.repository import EPOCH, Intake, register_arrival
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database
from tests.builders.lrs import StoreUnderTest
from tests.builders.statements import statement

BOUND = "X-Experience-API-Consistent-Through"
AWAY = Database("postgresql://nobody@127.0.0.1:9/nothing")


def without_database(records: StoreUnderTest) -> None:
    """From now on the endpoint cannot reach PostgreSQL; the loader can."""
    records.front.acceptor._intake = records.front.__dict__["intake"] = Intake(AWAY)


async def test_statements_are_accepted_and_land_when_it_is_back(records: StoreUnderTest) -> None:
    without_database(records)

    answer = await records.post([statement(id=str(uuid4())), statement()])

    assert answer.status_code == 200
    await records.deliver()
    assert await records.count("statements_flat") == 2


async def test_the_bound_stands_still_at_what_is_known(records: StoreUnderTest) -> None:
    without_database(records)

    answer = await records.post(statement())

    assert parse_timestamp(answer.headers[BOUND]) == EPOCH


async def test_a_repeated_statement_lands_once_and_another_content_goes_to_quarantine(
    records: StoreUnderTest,
) -> None:
    without_database(records)
    given = str(uuid4())

    for sent in (statement(id=given), statement(id=given), statement(id=given, actor={"mbox": "mailto:b@example.org"})):
        assert (await records.post(sent)).status_code == 200

    await records.deliver()
    assert await records.count("statements_flat") == 1
    assert await records.count("quarantine") == 1


async def test_a_statement_accepted_without_the_database_is_stored_after_every_bound_given_before(
    records: StoreUnderTest,
) -> None:
    known = Intake(records.database)
    before = records.front.intake
    without_database(records)
    answer = await records.post(statement())
    records.front.__dict__["intake"] = before
    bound = await known.consistent_through()

    await records.deliver()

    assert (await records.flat(answer.json()[0])).stored_at > bound


async def test_the_bound_does_not_pass_a_statement_that_is_still_queued(records: StoreUnderTest) -> None:
    await records.post(statement())
    await records.change("UPDATE records.intake SET stored_at = stored_at - interval '1 hour'")

    held = await Intake(records.database).consistent_through()
    await records.deliver()
    freed = await Intake(records.database).consistent_through()

    assert held < datetime.now(UTC) - timedelta(minutes=59)
    assert freed > held + timedelta(minutes=59)


async def test_a_request_too_old_to_be_noted_is_not(records: StoreUnderTest) -> None:
    old = datetime.now(UTC) - timedelta(seconds=30)

    registration = await Intake(records.database).register(uuid7(), old, (), {}, b"[]")

    assert registration.registered is False
    assert await records.count("intake") == 0


async def test_a_note_that_was_cleaned_up_is_made_anew_and_stored_moves(records: StoreUnderTest) -> None:
    answer = await records.post(statement())
    await records.change("DELETE FROM records.intake")
    accepted_by = datetime.now(UTC)

    await records.deliver()

    assert (await records.flat(answer.json()[0])).stored_at > accepted_by - timedelta(milliseconds=100)
    assert await records.count("intake") == 0


async def test_noting_again_replaces_the_note(records: StoreUnderTest) -> None:
    request = uuid7()
    first = await register_arrival(records.database, [request])

    second = await register_arrival(records.database, [request])

    assert second[request] > first[request]
    assert await records.count("intake") == 1


async def test_after_a_failure_the_database_is_left_alone_for_some_seconds(records: StoreUnderTest) -> None:
    now = [100.0]
    intake = Intake(AWAY, monotonic=lambda: now[0])
    await intake.register(uuid7(), datetime.now(UTC), (), {}, b"[]")
    intake._database = records.database

    resting = await intake.register(uuid7(), datetime.now(UTC), (), {}, b"[]")
    now[0] += 6
    working = await intake.register(uuid7(), datetime.now(UTC), (), {}, b"[]")

    assert (resting.registered, working.registered) == (False, True)


async def test_when_the_queue_is_away_nothing_is_acknowledged_and_the_request_may_be_repeated(
    records: StoreUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = statement(id=str(uuid4()))
    url = records.front.statements_queue._url
    monkeypatch.setattr(records.front.statements_queue, "_url", url + "-missing")

    refused = await records.post(sent)
    monkeypatch.setattr(records.front.statements_queue, "_url", url)
    repeated = await records.post(sent)

    await records.deliver()
    assert (refused.status_code, refused.json()["code"]) == (503, "queue_unavailable")
    assert refused.headers["Retry-After"] == "5"
    assert repeated.status_code == 200
    assert await records.count("statements_flat") == 1
    assert await records.count("intake") == 0
