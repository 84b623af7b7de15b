"""The incremental ETL: what is in raw and not flat, exactly that, beside or instead of streaming."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from dataforge.platform.db.database import Database
from dataforge.settings import EtlMode, WorkerSettings
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.statements import statement
from tests.integration.lrs.test_loading import LESSON, events, lesson, person, queued, voiding


@pytest.fixture
async def batch(emulator: EmulatedAws, database: Database) -> AsyncIterator[StoreUnderTest]:
    """The same with ETL_MODE=incremental."""
    async with StoreUnderTest(emulator, database, mode=EtlMode.INCREMENTAL) as records:
        yield records


def seconds(count: int) -> list[dict[str, Any]]:
    return [statement(timestamp=f"2026-05-04T10:{n // 60:02}:{n % 60:02}Z") for n in range(count)]


@pytest.mark.parametrize(
    ("given", "mode"),
    [("streaming", "streaming"), ("stream", "streaming"), ("incremental", "incremental"), ("batch", "incremental")],
)
def test_the_mode_has_two_names_each(given: str, mode: str) -> None:
    assert WorkerSettings.model_validate({"etl_mode": given}).etl_mode == mode


async def test_in_incremental_mode_a_run_drains_the_queue_and_flattens(batch: StoreUnderTest) -> None:
    await batch.post(seconds(30))

    counts = await batch.back.incremental_etl.run()

    assert (counts["drained"], counts["flattened"]) == (1, 30)
    assert await batch.count("statements_flat") == 30
    assert await batch.deliver() == 0


async def test_in_incremental_mode_a_consumer_that_runs_all_the_same_writes_raw_only(batch: StoreUnderTest) -> None:
    await batch.post(seconds(3))

    await batch.deliver()

    assert (await batch.count("statements_raw"), await batch.count("statements_flat")) == (3, 0)


async def test_what_is_missing_in_flat_is_added_and_nothing_else(records: StoreUnderTest) -> None:
    await records.post(seconds(20))
    await records.deliver()
    before = await records.rows("SELECT statement_id, processed_at FROM records.statements_flat ORDER BY 1")
    missing = [row.statement_id for row in before[::4]]
    await records.change("DELETE FROM records.statements_flat WHERE statement_id = ANY(:ids)", ids=missing)

    counts = await records.back.incremental_etl.run()

    after = await records.rows("SELECT statement_id, processed_at FROM records.statements_flat ORDER BY 1")
    assert counts["flattened"] == 5
    assert [row.statement_id for row in after] == [row.statement_id for row in before]
    assert [a for a, b in zip(after, before, strict=True) if a != b and a.statement_id not in missing] == []


async def test_an_old_gap_is_found_by_a_run_over_everything(records: StoreUnderTest) -> None:
    await records.post(seconds(1))
    await records.deliver()
    await records.change("DELETE FROM records.statements_flat")
    for table in ("records.statements_raw", "lrs.statement_bodies"):
        await records.change(f"UPDATE {table} SET stored_at = stored_at - interval '40 days'")

    recent = await records.back.incremental_etl.run(lookback=timedelta(days=2))
    everything = await records.back.incremental_etl.run(lookback=None)

    assert (recent["flattened"], everything["flattened"]) == (0, 1)


async def test_a_second_run_does_nothing(batch: StoreUnderTest) -> None:
    await batch.post(seconds(5))
    await batch.back.incremental_etl.run()

    counts = await batch.back.incremental_etl.run()

    assert counts["flattened"] == 0


async def test_voiding_holds_whichever_order_raw_rows_are_flattened_in(batch: StoreUnderTest) -> None:
    first, second = sorted(str(uuid4()) for _ in range(2))
    late = str(uuid4())
    await batch.post([statement(id=first), voiding(first, id=second), voiding(late)])
    await batch.back.incremental_etl.run()

    await batch.post(statement(id=late))
    await batch.back.incremental_etl.run()

    assert [(await batch.flat(given)).voided for given in (first, second, late)] == [True, False, True]


async def test_streaming_and_incremental_beside_each_other_lose_and_double_nothing(records: StoreUnderTest) -> None:
    user_id = await person(records, "ana.roux@example.org")
    await lesson(records)
    batches = [[queued(*seconds(25), message_id=f"{n}-{m}") for m in range(4)] for n in range(6)]

    async def stream(batch: list[Any]) -> None:
        assert await records.back.statement_loader.load(batch) == []

    async def increment() -> None:
        for _ in range(5):
            await records.back.incremental_etl.run()

    await asyncio.gather(*(stream(batch) for batch in batches), increment(), increment())

    completed = {event["statement_id"] for event in await events(records)}
    assert await records.count("statements_raw") == await records.count("statements_flat") == 600
    assert len(await events(records)) == len(completed) == 600
    assert {event["user_id"] for event in await events(records)} == {str(user_id)}


async def test_batches_with_the_same_statements_in_other_orders_never_deadlock(records: StoreUnderTest) -> None:
    ids = [str(uuid4()) for _ in range(60)]
    bodies = [statement(id=given) for given in ids] + [voiding(given, id=str(uuid4())) for given in ids[::7]]

    async def load(turn: int) -> list[str]:
        order = bodies[turn:] + bodies[:turn]
        message = queued(*(order if turn % 2 else order[::-1]), message_id=str(turn))
        return await records.back.statement_loader.load([message])

    failed = await asyncio.gather(*(load(turn) for turn in range(0, 64, 8)))

    assert [item for item in failed if item] == []
    rows = await records.rows("SELECT count(*) AS n, count(*) FILTER (WHERE voided) AS v FROM records.statements_flat")
    assert (rows[0].n, rows[0].v) == (len(bodies), len(ids[::7]))


async def test_a_statement_that_cannot_be_flattened_is_tried_five_times_and_then_dead(batch: StoreUnderTest) -> None:
    bad = str(uuid4())
    await batch.back.statement_loader.load(
        [queued(statement(id=bad, context={"registration": "no uuid"}), statement())]
    )

    runs = [await batch.back.incremental_etl.run() for _ in range(6)]

    (row,) = await batch.rows(
        "SELECT state, attempts, error FROM records.statements_raw WHERE statement_id = :i", i=bad
    )
    assert [run["failed"] for run in runs] == [1, 1, 1, 1, 1, 0]
    assert (row.state, row.attempts) == ("dead", 5)
    assert "ValueError" in row.error
    assert await batch.count("statements_flat") == 1


async def test_a_page_the_database_refuses_is_halved_until_the_statement_stands_alone(batch: StoreUnderTest) -> None:
    ids = [str(uuid4()) for _ in range(12)]
    bodies = [statement(id=given) for given in ids]
    bodies[7]["verb"] = {"id": "https://example.org/unwelcome"}
    await batch.back.statement_loader.load([queued(*bodies)])
    await batch.change(
        "ALTER TABLE records.statements_flat ADD CONSTRAINT no CHECK (verb_id <> 'https://example.org/unwelcome')"
    )

    counts = await batch.back.incremental_etl.run()

    (row,) = await batch.rows("SELECT state FROM records.statements_raw WHERE statement_id = :i", i=ids[7])
    assert (counts["flattened"], counts["failed"], row.state) == (11, 1, "failed")


async def test_lessons_and_accounts_that_come_later_are_matched_and_announced(records: StoreUnderTest) -> None:
    answer = await records.post([statement()])
    await records.deliver()
    lesson_id, user_id = await lesson(records, LESSON), await person(records, "ana.roux@example.org")

    counts = await records.back.incremental_etl.run()

    row = await records.flat(answer.json()[0])
    assert (row.lesson_id, row.user_id, counts["matched"]) == (lesson_id, user_id, 2)
    assert [event["statement_id"] for event in await events(records)] == answer.json()


async def test_every_run_leaves_its_status(records: StoreUnderTest) -> None:
    await records.back.incremental_etl.run()

    (row,) = await records.rows("SELECT * FROM records.task_status")
    assert (row.name, row.status) == ("incremental_etl", "succeeded")
    assert row.counts["flattened"] == 0
    assert row.finished_at is not None


async def test_a_run_that_fails_leaves_its_error(records: StoreUnderTest) -> None:
    await records.change("ALTER TABLE records.statements_raw RENAME TO gone")

    with pytest.raises(Exception, match="statements_raw"):
        await records.back.incremental_etl.run()

    (row,) = await records.rows("SELECT * FROM records.task_status")
    assert row.status == "failed"
    assert "statements_raw" in row.error


async def test_notes_older_than_an_hour_are_forgotten(records: StoreUnderTest) -> None:
    await records.post(seconds(1))
    await records.change("UPDATE records.intake SET stored_at = stored_at - interval '61 minutes'")

    counts = await records.back.incremental_etl.run()

    assert counts["forgotten"] == 1
    assert await records.count("intake") == 0
