"""What holds the watermark back, and what becomes of progress when statements go or their rows are made anew."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.rebuild.consumers import rebuild, renew_old_rows
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.db.database import Database
from tests.builders.desk import RecordsDesk
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest
from tests.builders.statements import statement
from tests.integration.lrs.test_loading import LESSON, lesson, person, queued, voiding

ADA = {"mbox": "mailto:ada@example.org"}
BOB = {"mbox": "mailto:bob@example.org"}
EXPERIENCED = {"id": "http://adlnet.gov/expapi/verbs/experienced"}


@pytest.fixture
async def desk(database: Database, emulator: EmulatedAws) -> AsyncIterator[RecordsDesk]:
    """Ada and Bob, and a lesson."""
    async with RecordsDesk(database, emulator) as desk:
        await person(desk.store, "ada@example.org", "ada-avatar")
        await person(desk.store, "bob@example.org", "bob-avatar")
        await lesson(desk.store)
        yield desk


async def progress(records: StoreUnderTest) -> list[tuple[Any, ...]]:
    """People by address, how many statements, and which one completed the lesson."""
    rows = await records.rows(
        "SELECT d.email, p.statements, p.completed_by FROM records.lesson_progress p "
        "JOIN identity.directory d USING (user_id) ORDER BY 1"
    )
    return [(row.email.partition("@")[0], row.statements, row.completed_by and str(row.completed_by)) for row in rows]


async def tables(records: StoreUnderTest) -> list[Any]:
    names = ("records.lesson_progress", "records.former_matches", "records.statements_flat")
    return [
        sorted(map(str, await records.rows(f"SELECT to_jsonb(t) - 'processed_at' FROM {name} t"))) for name in names
    ]


def maintenance(desk: RecordsDesk) -> LrsServices:
    return desk.api.platform_of("maintenance").get(LrsServices)


async def watermark(records: StoreUnderTest) -> datetime:
    async with records.database.read_only() as connection:
        return await records.back.matching.reported_through(connection)


async def test_no_watermark_passes_a_revision_before_its_transaction_has_ended(
    records: StoreUnderTest, database_url: str
) -> None:
    async with records.database.connect() as connection:
        revision = await records.back.matching.take_revision(connection)
        await asyncio.sleep(3)

        assert await watermark(records) < revision
        await connection.rollback()
    assert await watermark(records) >= revision


async def test_a_revision_goes_with_the_process_that_took_it(records: StoreUnderTest, database_url: str) -> None:
    killed = psycopg.connect(database_url)
    ((revision,),) = killed.execute("SELECT records.take_revision()").fetchall()
    await asyncio.sleep(2.5)
    assert await watermark(records) < revision

    await records.change("SELECT pg_terminate_backend(:pid)", pid=killed.info.backend_pid)

    assert await records.reported() > revision
    killed.close()


async def test_revisions_of_other_databases_hold_nobody_back(records: StoreUnderTest, postgres: Any) -> None:
    with psycopg.connect(postgres.url) as other:
        other.execute("SELECT pg_advisory_xact_lock_shared(4103, 1)")

        assert await watermark(records) > datetime.now(UTC) - timedelta(minutes=1)


async def test_an_erasure_takes_a_person_out_of_progress_and_is_counted(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, {"actor": ADA, "verb": EXPERIENCED})
    (of_bob,) = await desk.sent({"actor": BOB})
    before = await desk.store.reported()
    plan = await desk.post("/api/xapi/erasures/preview", 200, agents=[ADA])

    job = await desk.post("/api/xapi/erasures", 202, plan_hash=plan["plan_hash"])
    await desk.result(job["job_id"])

    assert await progress(desk.store) == [("bob", 1, of_bob)]
    removed = "SELECT learning.removed_since(:at)"
    assert (await desk.store.rows(removed, at=before))[0][0] == 2
    assert (await desk.store.rows(removed, at=await desk.store.reported()))[0][0] == 0
    assert len(await desk.store.rows("SELECT FROM learning.progress_as_of(:at, NULL, NULL)", at=before)) == 1


async def test_a_purge_takes_statements_out_of_progress_and_is_counted(desk: RecordsDesk) -> None:
    first, second = await desk.sent(
        {"actor": ADA, "timestamp": "2026-01-01T10:00:00Z"}, {"actor": ADA, "timestamp": "2026-01-02T10:00:00Z"}
    )
    assert await progress(desk.store) == [("ada", 2, first)]
    before = await desk.store.reported()

    plan = await desk.post("/api/xapi/purges/preview", 200, statement_ids=[first])
    job = await desk.post("/api/xapi/purges", 202, plan_hash=plan["plan_hash"])
    assert (await desk.result(job["job_id"]))["statements"] == 1

    assert await progress(desk.store) == [("ada", 1, second)]
    assert (await desk.store.rows("SELECT learning.removed_since(:at)", at=before))[0][0] == 1


async def test_what_many_loaders_and_jobs_write_at_once_is_what_a_rebuild_makes(desk: RecordsDesk) -> None:
    store, services = desk.store, maintenance(desk)
    actors = (ADA, BOB, {"mbox": "mailto:cem@example.org"})
    ids = [str(uuid4()) for _ in range(120)]
    sent = [
        statement(id=ids[n], actor=actors[n % 3], timestamp=f"2026-05-04T10:{n % 60:02}:00Z", object={"id": LESSON})
        for n in range(120)
    ]
    batches = [[queued(*sent[n : n + 10], message_id=f"m{n}")] for n in range(0, 120, 10)]
    batches += [[queued(*(voiding(target) for target in ids[n::40]), message_id=f"v{n}")] for n in range(6)]
    batches += batches[:4]

    async def load(batch: list[Any]) -> None:
        while await store.back.statement_loader.load(batch):
            pass

    async def maintain() -> None:
        await person(store, "cem@example.org", "cem-avatar")
        for _ in range(4):
            await services.incremental_etl.run()

    await asyncio.gather(*(load(batch) for batch in batches), maintain())
    await services.incremental_etl.run()
    found = await tables(store)

    assert (await rebuild({}, services))["done"]
    assert await tables(store) == found
    counted = {name: count for name, count, _ in await progress(store)}
    voided = {ids.index(target) % 3 for n in range(6) for target in ids[n::40]}
    assert sum(counted.values()) == 120 - len({target for n in range(6) for target in ids[n::40]})
    assert set(counted) == {"ada", "bob", "cem"}
    assert voided == {0, 1, 2}


async def test_everything_is_made_from_stored_statements_again_whenever_the_rebuild_is_killed(
    desk: RecordsDesk,
) -> None:
    await desk.sent(*({"actor": actor} for actor in (ADA, BOB, ADA)))
    found, services = await progress(desk.store), maintenance(desk)
    await desk.store.change("TRUNCATE records.statements_flat, records.lesson_progress, records.former_matches")

    calls = [await rebuild({}, services, seconds=0)]
    while not calls[-1]["done"]:
        calls.append(await rebuild({}, services, seconds=0))

    assert calls[-1] == {"done": True, "statements": 3, "pairs": 2}
    assert len(calls) > 3, "each call did one page"
    assert [row[:2] for row in await progress(desk.store)] == [row[:2] for row in found]
    assert (await rebuild({}, services)) == {"done": True, "statements": 3, "pairs": 2}, "the next one begins anew"


async def test_rows_of_a_release_before_are_counted_from_then_on(desk: RecordsDesk) -> None:
    (sent,) = await desk.sent({"actor": ADA, "object": {"id": f"{LESSON}/"}})
    # As that release writes: the address as it came, no lesson for it, no progress.
    await desk.store.change("DELETE FROM records.lesson_progress")
    await desk.store.change(
        "UPDATE records.statements_flat SET form = -1, lesson_url = lesson_url || '/', lesson_id = NULL"
    )
    before = await desk.store.reported()

    counts = await renew_old_rows(maintenance(desk))

    assert (counts, await renew_old_rows(maintenance(desk))) == ({"renewed": 1}, {"renewed": 0})
    assert await progress(desk.store) == [("ada", 1, sent)]
    row = await desk.store.flat(sent)
    assert (row.lesson_url, row.form) == (LESSON, 1)
    assert row.known_from > before, "earlier answers did not have it"


async def test_rows_of_earlier_rules_keep_what_they_counted_for(desk: RecordsDesk) -> None:
    await desk.sent({"actor": ADA}, {"actor": BOB, "verb": EXPERIENCED})
    found = await tables(desk.store)
    await desk.store.change("UPDATE records.statements_flat SET form = 0, is_question = true, object_name = 'old'")

    await renew_old_rows(maintenance(desk))

    assert await tables(desk.store) == found


async def test_a_dead_statement_that_is_revived_counts_from_then_on(desk: RecordsDesk) -> None:
    (sent,) = await desk.sent({"actor": ADA})
    await desk.store.change("DELETE FROM records.statements_flat")
    await desk.store.change("DELETE FROM records.lesson_progress")
    await desk.store.change("UPDATE records.statements_raw SET state = 'dead'")
    before = await desk.store.reported()
    async with maintenance(desk).unit_of_work(LrsUnitOfWork) as uow:
        assert await uow.quarantine.revive(UUID(sent))
        await uow.commit()

    await maintenance(desk).incremental_etl.run()

    assert await progress(desk.store) == [("ada", 1, sent)]
    assert await desk.store.rows("SELECT FROM learning.progress_as_of(:at, NULL, NULL)", at=before) == []
    assert len(await desk.store.rows("SELECT FROM learning.progress_as_of('infinity', NULL, NULL)")) == 1
